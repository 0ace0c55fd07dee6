/* SPDX-License-Identifier: BSD-2-Clause */
/* Panel kernel, x86-64 with AVX-512 VNNI. */
#include <immintrin.h>
#include <stdint.h>

#define PANEL_KERNEL bdnn_ip_panel_avx512vnni
#define PANEL_NAME   "panel_6x64__avx512vnni"
#define PANEL_AVAILABLE                                                                                                \
    (bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && \
     __builtin_cpu_supports("avx512vl"))

/* 24 sums, 4 vectors of weights and one of inputs in 32 registers. */
#define ROWS     6
#define BLOCKS   4
#define LANES    16
#define CASES(r) CASE(r, 1) CASE(r, 2) CASE(r, 3) CASE(r, 4)

typedef __m512i vec;

#define zero      _mm512_setzero_si512
#define load      _mm512_load_si512
#define put       _mm512_storeu_si512
#define broadcast _mm512_set1_epi32

/* As inline assembly because gcc 12 spills an accumulator when it allocates 24 of them through the intrinsic. */
static inline __attribute__((always_inline)) void dot(vec *sum, vec inputs, vec weights)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(inputs), "v"(weights));
}

#include "kernels/x86/panel_vnni.h"
