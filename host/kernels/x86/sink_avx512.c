/* SPDX-License-Identifier: BSD-2-Clause */
/* Requantization, x86-64 with AVX-512: sixteen filters at a time, even and odd ones by themselves as products in 64
 * bits, of which the upper halves are kept. */
#include "kernels/cpu.h"
#include "kernels/sink.h"
#include "kernels/unroll.h"

#include <immintrin.h>

#define LANES 16

static bool supported(void)
{
    return bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

/* The constants of sixteen filters, even and odd ones, and the mask of those that there are. */
struct lanes {
    __mmask16 used;
    __m512i multiplier[2], offset[2], low, high;
};

/* Sixteen numbers of 64 bits, zeros from `count` on, as even and odd ones. */
static inline __attribute__((always_inline)) void even_and_odd(const int64_t *numbers, __mmask16 used, __m512i out[2])
{
    const __m512i a = _mm512_maskz_loadu_epi64((__mmask8)used, numbers),
                  b = _mm512_maskz_loadu_epi64((__mmask8)(used >> 8), numbers + 8);
    out[0] = _mm512_permutex2var_epi64(a, _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0), b);
    out[1] = _mm512_permutex2var_epi64(a, _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1), b);
}

static inline __attribute__((always_inline)) struct lanes lanes_of(const bdnn_requantizer *r, int64_t f, int64_t count)
{
    struct lanes l = {.used = count - f < LANES ? (__mmask16)((1u << (count - f)) - 1) : (__mmask16)0xffff,
                      .low = _mm512_set1_epi32(r->low),
                      .high = _mm512_set1_epi32(r->high)};
    even_and_odd(r->multiplier + f, l.used, l.multiplier);
    even_and_odd(r->offset + f, l.used, l.offset);
    return l;
}

static inline __attribute__((always_inline)) __m512i product(__m512i acc, const struct lanes *l, int odd)
{
    return _mm512_add_epi64(_mm512_mul_epi32(acc, l->multiplier[odd]), l->offset[odd]);
}

static inline __attribute__((always_inline)) __m512i clamp(__m512i v, __m512i low, __m512i high)
{
    return _mm512_min_epi32(_mm512_max_epi32(v, low), high);
}

/* Before clamping. */
static inline __attribute__((always_inline)) __m512i requantize(const int32_t *acc, const struct lanes *l)
{
    const __m512i sums = _mm512_maskz_loadu_epi32(l->used, acc);
    const __m512i even = product(sums, l, 0), odd = product(_mm512_srli_epi64(sums, 32), l, 1);
    return _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
}

/* Lanes that fit 16 bits, whose sign the upper half of a lane meets with a factor of 0. */
static inline __attribute__((always_inline)) __m512i read_wide(__m512i v, const bdnn_rescale *r)
{
    v = _mm512_madd_epi16(v, _mm512_set1_epi32(r->multiplier));
    v = _mm512_add_epi32(v, _mm512_set1_epi32(1 << (r->shift - 1)));
    v = _mm512_sra_epi32(v, _mm_cvtsi32_si128(r->shift));
    v = _mm512_add_epi32(v, _mm512_set1_epi32(r->zero_point));
    return clamp(v, _mm512_setzero_si512(), _mm512_set1_epi32(r->most));
}

/* ---- Few filters: sixteen at a time or less ---- */

static void quantized_lanes(const bdnn_sink_tile *t, const bdnn_requantizer *r, int64_t f, uint8_t *y)
{
    const struct lanes l = lanes_of(r, f, t->count);
    for (int64_t row = 0; row < t->rows; row++) {
        const __m512i v = clamp(requantize(t->acc + row * t->acc_stride + f, &l), l.low, l.high);
        _mm_mask_storeu_epi8(y + row * t->y_stride + f, l.used, _mm512_cvtepi32_epi8(v));
    }
}

static void wide_lanes(const bdnn_sink_tile *t, const bdnn_requantizer *r, int64_t f, int16_t *y)
{
    const __m512i most = _mm512_set1_epi32(32767), least = _mm512_set1_epi32(-32767);
    const struct lanes l = lanes_of(r, f, t->count);
    for (int64_t row = 0; row < t->rows; row++) {
        const int64_t at = row * t->y_stride + f;
        __m512i v = requantize(t->acc + row * t->acc_stride + f, &l);
        if (t->addend) {
            v = _mm512_add_epi32(clamp(v, least, most),
                                 _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(l.used, t->addend + at)));
        }
        v = clamp(v, l.low, l.high);
        _mm256_mask_storeu_epi16(y + at, l.used, _mm512_cvtepi32_epi16(v));
        if (t->rescale) {
            _mm_mask_storeu_epi8(t->x_q + at, l.used, _mm512_cvtepi32_epi8(read_wide(v, t->rescale)));
        }
    }
}

/* ---- Many: 64 at a time, whole cache lines, clamped by the saturation of 16 and 8 bits as far as that goes ---- */

#define VECTORS 4
#define MANY    (VECTORS * LANES)

/* Sixteen and sixteen numbers as 16 bits, in order. */
static inline __attribute__((always_inline)) __m512i to_words(__m512i a, __m512i b)
{
    return _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0), _mm512_packs_epi32(a, b));
}

/* Their order when VPACKSSDW and VPACKUSWB made bytes of four vectors of numbers in order: dwords of each 128 bits of
 * all four vectors. */
static inline __attribute__((always_inline)) __m512i in_order(__m512i bytes)
{
    return _mm512_permutexvar_epi32(_mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0), bytes);
}

static void quantized_many(const bdnn_sink_tile *t, const bdnn_requantizer *r, int64_t f, uint8_t *y)
{
    const __m512i low = _mm512_set1_epi8((char)r->low), high = _mm512_set1_epi8((char)r->high);
    struct lanes l[VECTORS];
    UNROLL
    for (int i = 0; i < VECTORS; i++) {
        l[i] = lanes_of(r, f + i * LANES, f + MANY);
    }
    for (int64_t row = 0; row < t->rows; row++) {
        const int32_t *acc = t->acc + row * t->acc_stride + f;
        const __m512i a = _mm512_packs_epi32(requantize(acc, &l[0]), requantize(acc + LANES, &l[1])),
                      b = _mm512_packs_epi32(requantize(acc + 2 * LANES, &l[2]), requantize(acc + 3 * LANES, &l[3]));
        const __m512i v = in_order(_mm512_packus_epi16(a, b));
        _mm512_storeu_si512(y + row * t->y_stride + f, _mm512_min_epu8(_mm512_max_epu8(v, low), high));
    }
}

/* The constants of reading wide values: of even and odd ones, products of 32 bits. */
struct reader {
    __m512i even, odd, half, zero_point, most;
    __m128i shift;
};

static inline __attribute__((always_inline)) struct reader reader_of(const bdnn_rescale *r)
{
    return (struct reader){.even = _mm512_set1_epi32(r->multiplier),
                           .odd = _mm512_set1_epi32(r->multiplier << 16),
                           .half = _mm512_set1_epi32(1 << (r->shift - 1)),
                           .zero_point = _mm512_set1_epi16((int16_t)r->zero_point),
                           .most = _mm512_set1_epi8((char)r->most),
                           .shift = _mm_cvtsi32_si128(r->shift)};
}

static inline __attribute__((always_inline)) __m512i scale(__m512i words, __m512i multiplier, const struct reader *r)
{
    return _mm512_sra_epi32(_mm512_add_epi32(_mm512_madd_epi16(words, multiplier), r->half), r->shift);
}

/* 32 numbers; of each 128 bits first the even and then the odd ones. */
static inline __attribute__((always_inline)) __m512i read_words(__m512i words, const struct reader *r)
{
    return _mm512_adds_epi16(_mm512_packs_epi32(scale(words, r->even, r), scale(words, r->odd, r)), r->zero_point);
}

static inline __attribute__((always_inline)) __m512i read_many(__m512i a, __m512i b, const struct reader *r)
{
    /* Of each 128 bits: even and odd numbers of a, then of b, four of each. */
    const __m512i v = _mm512_min_epu8(_mm512_packus_epi16(read_words(a, r), read_words(b, r)), r->most);
    const __m512i paired = _mm512_shuffle_epi8(v, _mm512_set4_epi32(0x0f0b0e0a, 0x0d090c08, 0x07030602, 0x05010400));
    return _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0), paired);
}

static inline __attribute__((always_inline)) void wide_many(const bdnn_sink_tile *t, const bdnn_requantizer *r,
                                                            int64_t f, bool adds, bool reads, int16_t *y)
{
    const __m512i low = _mm512_set1_epi16((int16_t)r->low), high = _mm512_set1_epi16((int16_t)r->high),
                  least = _mm512_set1_epi16(-32767);
    const struct reader reader = reads ? reader_of(t->rescale) : (struct reader){.shift = _mm_setzero_si128()};
    struct lanes l[VECTORS];
    UNROLL
    for (int i = 0; i < VECTORS; i++) {
        l[i] = lanes_of(r, f + i * LANES, f + MANY);
    }
    for (int64_t row = 0; row < t->rows; row++) {
        const int32_t *acc = t->acc + row * t->acc_stride + f;
        const int64_t at = row * t->y_stride + f;
        __m512i v[2];
        UNROLL
        for (int i = 0; i < 2; i++) {
            v[i] = to_words(requantize(acc + 2 * i * LANES, &l[2 * i]),
                            requantize(acc + (2 * i + 1) * LANES, &l[2 * i + 1]));
            if (adds) {
                v[i] = _mm512_adds_epi16(_mm512_max_epi16(v[i], least),
                                         _mm512_loadu_si512(t->addend + at + 2 * i * LANES));
            }
            v[i] = _mm512_min_epi16(_mm512_max_epi16(v[i], low), high);
            _mm512_storeu_si512(y + at + 2 * i * LANES, v[i]);
        }
        if (reads) {
            _mm512_storeu_si512(t->x_q + at, read_many(v[0], v[1], &reader));
        }
    }
}

static void quantized(const bdnn_sink_tile *t, const bdnn_requantizer *r, uint8_t *y)
{
    int64_t f = 0;
    for (; f + MANY <= t->count; f += MANY) {
        quantized_many(t, r, f, y);
    }
    for (; f < t->count; f += LANES) {
        quantized_lanes(t, r, f, y);
    }
}

static void wide(const bdnn_sink_tile *t, const bdnn_requantizer *r, int16_t *y)
{
    int64_t f = 0;
    for (; f + MANY <= t->count; f += MANY) {
        if (t->addend && t->rescale) {
            wide_many(t, r, f, true, true, y);
        } else if (t->addend) {
            wide_many(t, r, f, true, false, y);
        } else if (t->rescale) {
            wide_many(t, r, f, false, true, y);
        } else {
            wide_many(t, r, f, false, false, y);
        }
    }
    for (; f < t->count; f += LANES) {
        wide_lanes(t, r, f, y);
    }
}

const bdnn_sink_kernel bdnn_sink_avx512 = {
    .name = "requantize__avx512", .supported = supported, .quantized = quantized, .wide = wide};
