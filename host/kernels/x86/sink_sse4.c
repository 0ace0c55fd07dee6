/* SPDX-License-Identifier: BSD-2-Clause */
/* Requantization, x86-64 with SSE4.1. */
#include <smmintrin.h>
#include <stdint.h>
#include <string.h>

#define SINK_KERNEL    bdnn_sink_sse4
#define SINK_NAME      "requantize__sse4"
#define SINK_AVAILABLE (bdnn_cpu_allows(BDNN_CPU_SSE4) && __builtin_cpu_supports("sse4.1"))

#define LANES 4
typedef __m128i vec;

static inline vec load(const void *bytes)
{
    return _mm_loadu_si128(bytes);
}

static inline void put_words(int16_t *y, vec v)
{
    _mm_storel_epi64((__m128i *)(void *)y, _mm_packs_epi32(v, v));
}

static inline void put_bytes(uint8_t *y, vec v)
{
    const __m128i words = _mm_packs_epi32(v, v);
    const int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    memcpy(y, &bytes, sizeof bytes);
}

static inline vec get_words(const int16_t *words)
{
    return _mm_cvtepi16_epi32(_mm_loadl_epi64((const __m128i *)(const void *)words));
}

#define fill              _mm_set1_epi32
#define multiply          _mm_mul_epi32
#define add64             _mm_add_epi64
#define add32             _mm_add_epi32
#define product32         _mm_mullo_epi32
#define shift_right(v, n) _mm_sra_epi32(v, _mm_cvtsi32_si128(n))
#define down(v)           _mm_srli_epi64(v, 32)
#define odd_of(even, odd) _mm_blend_epi16(even, odd, 0xcc)
#define least             _mm_min_epi32
#define most              _mm_max_epi32

#include "kernels/sink_lanes.h"
