/* SPDX-License-Identifier: BSD-2-Clause */
/* Panel kernel, x86-64 with AVX-VNNI: vectors of 256 bits, for processors without AVX-512. */
#include <immintrin.h>
#include <stdint.h>

#define PANEL_KERNEL    bdnn_ip_panel_avxvnni
#define PANEL_NAME      "panel_6x16__avxvnni"
#define PANEL_AVAILABLE (bdnn_cpu_allows(BDNN_CPU_AVXVNNI) && bdnn_cpu_has_avxvnni())

/* 12 sums, 2 vectors of weights and one of inputs in 16 registers. */
#define ROWS     6
#define BLOCKS   2
#define LANES    8
#define CASES(r) CASE(r, 1) CASE(r, 2)

typedef __m256i vec;

#define zero       _mm256_setzero_si256
#define load(at)   _mm256_load_si256((const __m256i *)(const void *)(at))
#define put(at, v) _mm256_storeu_si256((__m256i *)(void *)(at), v)
#define broadcast  _mm256_set1_epi32

static inline __attribute__((always_inline)) void dot(vec *sum, vec inputs, vec weights)
{
    *sum = _mm256_dpbusd_avx_epi32(*sum, inputs, weights);
}

#include "kernels/x86/panel_vnni.h"
