/* SPDX-License-Identifier: BSD-2-Clause */
/* Requantization, x86-64 with AVX2. */
#include <immintrin.h>
#include <stdint.h>

#define SINK_KERNEL    bdnn_sink_avx2
#define SINK_NAME      "requantize__avx2"
#define SINK_AVAILABLE (bdnn_cpu_allows(BDNN_CPU_AVX2) && __builtin_cpu_supports("avx2"))

#define LANES 8
typedef __m256i vec;

static inline vec load(const void *bytes)
{
    return _mm256_loadu_si256(bytes);
}

static inline __m128i words_of(vec v)
{
    return _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

static inline void put_words(int16_t *y, vec v)
{
    _mm_storeu_si128((__m128i *)(void *)y, words_of(v));
}

static inline void put_bytes(uint8_t *y, vec v)
{
    _mm_storel_epi64((__m128i *)(void *)y, _mm_packus_epi16(words_of(v), _mm_setzero_si128()));
}

static inline vec get_words(const int16_t *words)
{
    return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)words));
}

#define fill              _mm256_set1_epi32
#define multiply          _mm256_mul_epi32
#define add64             _mm256_add_epi64
#define add32             _mm256_add_epi32
#define product32         _mm256_mullo_epi32
#define shift_right(v, n) _mm256_sra_epi32(v, _mm_cvtsi32_si128(n))
#define down(v)           _mm256_srli_epi64(v, 32)
#define odd_of(even, odd) _mm256_blend_epi32(even, odd, 0xaa)
#define least             _mm256_min_epi32
#define most              _mm256_max_epi32

#include "kernels/sink_lanes.h"
