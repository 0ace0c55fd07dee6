/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel for fully connected layers, x86-64 with SSSE3 and SSE4.1. */
#include "kernels/x86/maddubs_steps.h"

#include <smmintrin.h>

typedef __m128i vec;

static inline vec load(const uint8_t *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

static inline int32_t total(vec v)
{
    v = _mm_add_epi32(v, _mm_shuffle_epi32(v, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(v, _mm_shuffle_epi32(v, 0xb1)));
}

#define zero         _mm_setzero_si128
#define fill         _mm_set1_epi8
#define both         _mm_and_si128
#define differing    _mm_xor_si128
#define left         _mm_slli_epi16
#define right        _mm_srli_epi16
#define table(bytes) load((const uint8_t *)(bytes))
#define shuffle      _mm_shuffle_epi8
#define add8         _mm_add_epi8
#define add32        _mm_add_epi32

#define product                _mm_maddubs_epi16
#define product_add(sum, x, w) _mm_add_epi16(sum, product(x, w))
#define widen(products)        _mm_madd_epi16(products, _mm_set1_epi16(1))

#define STEPS_CASES(k, n) CASE(k, n, 1) CASE(k, n, 2) CASE(k, n, 8)

#define DENSE_KERNEL bdnn_ip_dense_sse4
#define DENSE_NAME   "dense_1x8__sse4"
#define DENSE_AVAILABLE                                                                                                \
    (bdnn_cpu_allows(BDNN_CPU_SSE4) && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.1"))

#include "kernels/dense_codebook.h"
