/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of floats, x86-64 with AVX-512. */
#include "kernels/cpu.h"

#define FLOATS      bdnn_floats_avx512
#define FLOATS_NAME "floats__avx512"
#define FLOATS_AVAILABLE                                                                                               \
    (bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&   \
     __builtin_cpu_supports("avx512dq"))
#define VECTOR_BYTES 64
#define TILE_ROWS    8
#include "kernels/floats_template.h"
