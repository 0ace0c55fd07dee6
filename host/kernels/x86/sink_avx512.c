/* Requantisation, x86-64 with AVX-512: sixteen filters at a time, products in 64 bits, of which the upper halves are
 * kept. */
#include "kernels/cpu.h"
#include "kernels/sink.h"

#include <immintrin.h>

#define LANES 16

static bool supported(void)
{
    return bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

/* The constants of sixteen filters, the mask of those that there are. */
struct lanes {
    __mmask16 used;
    __m512i multiplier[2], offset[2], low, high, upper;
};

static inline __attribute__((always_inline)) struct lanes lanes_of(const bdnn_requantiser *r, int64_t f, int64_t count)
{
    struct lanes l = {.used = count - f < LANES ? (__mmask16)((1u << (count - f)) - 1) : (__mmask16)0xffff,
                      .low = _mm512_set1_epi32(r->low),
                      .high = _mm512_set1_epi32(r->high),
                      .upper = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1)};
    for (int half = 0; half < 2; half++) {
        const __mmask8 used = (__mmask8)(l.used >> (8 * half));
        l.multiplier[half] = _mm512_maskz_loadu_epi64(used, r->multiplier + f + 8 * half);
        l.offset[half] = _mm512_maskz_loadu_epi64(used, r->offset + f + 8 * half);
    }
    return l;
}

static inline __attribute__((always_inline)) __m512i product(__m256i acc, const struct lanes *l, int half)
{
    return _mm512_add_epi64(_mm512_mul_epi32(_mm512_cvtepi32_epi64(acc), l->multiplier[half]), l->offset[half]);
}

static inline __attribute__((always_inline)) __m512i requantise(const int32_t *acc, const struct lanes *l)
{
    const __m512i sums = _mm512_maskz_loadu_epi32(l->used, acc);
    const __m512i a = product(_mm512_castsi512_si256(sums), l, 0),
                  b = product(_mm512_extracti64x4_epi64(sums, 1), l, 1);
    return _mm512_min_epi32(_mm512_max_epi32(_mm512_permutex2var_epi32(a, l->upper, b), l->low), l->high);
}

static void quantised(const bdnn_sink_tile *t, const bdnn_requantiser *r, uint8_t *y)
{
    for (int64_t f = 0; f < t->count; f += LANES) {
        const struct lanes l = lanes_of(r, f, t->count);
        for (int64_t row = 0; row < t->rows; row++) {
            _mm_mask_storeu_epi8(y + row * t->y_stride + f, l.used,
                                 _mm512_cvtepi32_epi8(requantise(t->acc + row * t->acc_stride + f, &l)));
        }
    }
}

static void wide(const bdnn_sink_tile *t, const bdnn_requantiser *r, int16_t *y)
{
    for (int64_t f = 0; f < t->count; f += LANES) {
        const struct lanes l = lanes_of(r, f, t->count);
        for (int64_t row = 0; row < t->rows; row++) {
            _mm256_mask_storeu_epi16(y + row * t->y_stride + f, l.used,
                                     _mm512_cvtepi32_epi16(requantise(t->acc + row * t->acc_stride + f, &l)));
        }
    }
}

const bdnn_sink_kernel bdnn_sink_avx512 = {
    .name = "requantise__avx512", .supported = supported, .quantised = quantised, .wide = wide};
