/* Requantisation, x86-64 with AVX-512: sixteen filters at a time, even and odd ones by themselves as products in 64
 * bits, of which the upper halves are kept. */
#include "kernels/cpu.h"
#include "kernels/sink.h"

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

static inline __attribute__((always_inline)) struct lanes lanes_of(const bdnn_requantiser *r, int64_t f, int64_t count)
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
static inline __attribute__((always_inline)) __m512i requantise(const int32_t *acc, const struct lanes *l)
{
    const __m512i sums = _mm512_maskz_loadu_epi32(l->used, acc);
    const __m512i even = product(sums, l, 0), odd = product(_mm512_srli_epi64(sums, 32), l, 1);
    return _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
}

/* Lanes that fit 16 bits, whose sign the upper half of a lane meets with a factor of 0. */
static inline __attribute__((always_inline)) __m512i read_wide(__m512i v, const bdnn_reading *r)
{
    v = _mm512_madd_epi16(v, _mm512_set1_epi32(r->multiplier));
    v = _mm512_add_epi32(v, _mm512_set1_epi32(1 << (r->shift - 1)));
    v = _mm512_sra_epi32(v, _mm_cvtsi32_si128(r->shift));
    v = _mm512_add_epi32(v, _mm512_set1_epi32(r->zero_point));
    return clamp(v, _mm512_setzero_si512(), _mm512_set1_epi32(r->most));
}

/* Filters f.. of all rows, in one vector of lanes or in two, which fill a cache line of wide results. */
static inline __attribute__((always_inline)) void quantised_lanes(const bdnn_sink_tile *t, const bdnn_requantiser *r,
                                                                  int64_t f, int vectors, uint8_t *y)
{
    struct lanes l[2];
    for (int i = 0; i < vectors; i++) {
        l[i] = lanes_of(r, f + i * LANES, t->count);
    }
    for (int64_t row = 0; row < t->rows; row++) {
        for (int i = 0; i < vectors; i++) {
            const int64_t at = f + i * LANES;
            const __m512i v = clamp(requantise(t->acc + row * t->acc_stride + at, &l[i]), l[i].low, l[i].high);
            _mm_mask_storeu_epi8(y + row * t->y_stride + at, l[i].used, _mm512_cvtepi32_epi8(v));
        }
    }
}

static void quantised(const bdnn_sink_tile *t, const bdnn_requantiser *r, uint8_t *y)
{
    int64_t f = 0;
    for (; f + 2 * LANES <= t->count; f += 2 * LANES) {
        quantised_lanes(t, r, f, 2, y);
    }
    for (; f < t->count; f += LANES) {
        quantised_lanes(t, r, f, 1, y);
    }
}

static inline __attribute__((always_inline)) void wide_lanes(const bdnn_sink_tile *t, const bdnn_requantiser *r,
                                                             int64_t f, int vectors, bool adds, bool reads, int16_t *y)
{
    const __m512i most = _mm512_set1_epi32(32767), least = _mm512_set1_epi32(-32767);
    struct lanes l[2];
    for (int i = 0; i < vectors; i++) {
        l[i] = lanes_of(r, f + i * LANES, t->count);
    }
    for (int64_t row = 0; row < t->rows; row++) {
        for (int i = 0; i < vectors; i++) {
            const int64_t at = row * t->y_stride + f + i * LANES;
            __m512i v = requantise(t->acc + row * t->acc_stride + f + i * LANES, &l[i]);
            if (adds) {
                v = _mm512_add_epi32(clamp(v, least, most),
                                     _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(l[i].used, t->addend + at)));
            }
            v = clamp(v, l[i].low, l[i].high);
            _mm256_mask_storeu_epi16(y + at, l[i].used, _mm512_cvtepi32_epi16(v));
            if (reads) {
                _mm_mask_storeu_epi8(t->x_q + at, l[i].used, _mm512_cvtepi32_epi8(read_wide(v, t->reading)));
            }
        }
    }
}

/* What is added and who reads is known at compile time, where it matters. */
static void wide_vectors(const bdnn_sink_tile *t, const bdnn_requantiser *r, int64_t f, int16_t *y)
{
    if (t->addend && t->reading) {
        wide_lanes(t, r, f, 2, true, true, y);
    } else if (t->addend) {
        wide_lanes(t, r, f, 2, true, false, y);
    } else if (t->reading) {
        wide_lanes(t, r, f, 2, false, true, y);
    } else {
        wide_lanes(t, r, f, 2, false, false, y);
    }
}

static void wide(const bdnn_sink_tile *t, const bdnn_requantiser *r, int16_t *y)
{
    int64_t f = 0;
    for (; f + 2 * LANES <= t->count; f += 2 * LANES) {
        wide_vectors(t, r, f, y);
    }
    for (; f < t->count; f += LANES) {
        wide_lanes(t, r, f, 1, t->addend != NULL, t->reading != NULL, y);
    }
}

const bdnn_sink_kernel bdnn_sink_avx512 = {
    .name = "requantise__avx512", .supported = supported, .quantised = quantised, .wide = wide};
