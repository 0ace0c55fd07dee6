/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiply-add kernel, x86-64 with AVX2. */
#include "kernels/cpu.h"

#define DOT16_KERNEL    bdnn_ip_dot16_avx2
#define DOT16_NAME      "dot16_1x4__avx2"
#define DOT16_AVAILABLE (bdnn_cpu_allows(BDNN_CPU_AVX2) && __builtin_cpu_supports("avx2"))
#include "kernels/dot16.h"
