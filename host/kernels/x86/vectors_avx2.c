/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops over contiguous elements, x86-64 with AVX2. */
#include "kernels/cpu.h"

#define VECTORS(family)   bdnn_##family##_avx2
#define VECTORS_ISA       "avx2"
#define VECTORS_AVAILABLE (bdnn_cpu_allows(BDNN_CPU_AVX2) && __builtin_cpu_supports("avx2"))
#include "kernels/vectors_template.h"
