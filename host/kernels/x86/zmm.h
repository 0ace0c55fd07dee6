/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors of 512 bits under the names that dense_codebook.h and its decoders know, with VPDPBUSD. */
#include <immintrin.h>
#include <stdint.h>

typedef __m512i vec;

static inline vec load(const uint8_t *bytes)
{
    return _mm512_loadu_si512(bytes);
}

#define zero            _mm512_setzero_si512
#define fill            _mm512_set1_epi8
#define both            _mm512_and_si512
#define differing       _mm512_xor_si512
#define left            _mm512_slli_epi16
#define right           _mm512_srli_epi16
#define table(bytes)    _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(bytes)))
#define shuffle         _mm512_shuffle_epi8
#define add8            _mm512_add_epi8
#define add32           _mm512_add_epi32
#define total           _mm512_reduce_add_epi32
#define product(x, w)   _mm512_dpbusd_epi32(zero(), x, w)
#define product_add     _mm512_dpbusd_epi32
#define widen(products) (products)

/* Products are exact; four at a time leave short chains of dependent sums. */
#define DENSE_STEPS 4
