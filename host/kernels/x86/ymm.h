/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors of 256 bits under the names that dense_codebook.h knows. */
#include <immintrin.h>
#include <stdint.h>

typedef __m256i vec;

static inline vec load(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}

static inline int32_t total(vec v)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

#define zero         _mm256_setzero_si256
#define fill         _mm256_set1_epi8
#define both         _mm256_and_si256
#define differing    _mm256_xor_si256
#define left         _mm256_slli_epi16
#define right        _mm256_srli_epi16
#define table(bytes) _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(bytes)))
#define shuffle      _mm256_shuffle_epi8
#define add8         _mm256_add_epi8
#define add32        _mm256_add_epi32
