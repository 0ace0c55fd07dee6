/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops over contiguous elements, x86-64 with AVX-512. */
#include "kernels/cpu.h"

#define VECTORS(family) bdnn_##family##_avx512
#define VECTORS_ISA     "avx512"
#define VECTORS_AVAILABLE                                                                                              \
    (bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&   \
     __builtin_cpu_supports("avx512dq"))

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* From the lowest weight, - sum_k g_k, up by one masked addition of 2 g_k a basis, modulo 256. */
#define VECTORS_DECODE
static void decode(const uint64_t *planes, size_t stride, size_t words, const int8_t *scales, int32_t bases, int8_t *w)
{
    __m512i lowest = _mm512_setzero_si512(), twice[8];
    for (int32_t k = 0; k < bases; k++) {
        const __m512i g = _mm512_set1_epi8(scales[k]);
        twice[k] = _mm512_add_epi8(g, g);
        lowest = _mm512_sub_epi8(lowest, g);
    }
    for (size_t i = 0; i < words; i++) {
        __m512i v = lowest;
        for (int32_t k = 0; k < bases; k++) {
            v = _mm512_mask_add_epi8(v, planes[(size_t)k * stride + i], v, twice[k]);
        }
        _mm512_storeu_si512(w + 64 * i, v);
    }
}

#include "kernels/vectors_template.h"
