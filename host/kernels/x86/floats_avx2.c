/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of floats, x86-64 with AVX2. */
#include "kernels/cpu.h"

#define FLOATS           bdnn_floats_avx2
#define FLOATS_NAME      "floats__avx2"
#define FLOATS_AVAILABLE (bdnn_cpu_allows(BDNN_CPU_AVX2) && __builtin_cpu_supports("avx2"))
#define VECTOR_BYTES     32
#define TILE_ROWS        4
#include "kernels/floats_template.h"
