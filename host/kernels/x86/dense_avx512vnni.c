/* Fully connected layers, x86-64 with AVX-512 VNNI: 64 weights at a time are decoded in a register, from W = -sum_i g_i
 * by one masked addition of 2 g_i a basis, and multiplied by VPDPBUSD with up to eight items of the batch. */
#include "kernels/cpu.h"
#include "kernels/kernel_list.h"

#include <immintrin.h>

#define MOST_BASES 8
#define MOST_ITEMS 8
#define WORD       64 /* elements of a word of bits and of a vector */

#define FILTERS_AT_ONCE 2

#define DENSE_FILTERS 8
#define DENSE_AT_ONCE FILTERS_AT_ONCE
#define DENSE_AVAILABLE                                                                                                \
    (bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && \
     __builtin_cpu_supports("avx512vl"))

/* One filter's bits and codebook. */
struct codes {
    const uint64_t *planes;
    __m512i lowest, twice[MOST_BASES];
};

static inline __attribute__((always_inline)) struct codes codes_of(int bases, const uint64_t *planes,
                                                                   const int8_t *scales)
{
    struct codes c = {.planes = planes, .lowest = _mm512_setzero_si512()};
    for (int k = 0; k < bases; k++) {
        const __m512i g = _mm512_set1_epi8(scales[k]);
        c.twice[k] = _mm512_add_epi8(g, g); /* modulo 256, as all sums of bytes: the last one is a weight */
        c.lowest = _mm512_sub_epi8(c.lowest, g);
    }
    return c;
}

/* The next 64 inputs of each item, zeros where `used` is 0, times 64 weights of each filter. */
static inline __attribute__((always_inline)) void step(int bases, int items, int filters, const struct codes *codes,
                                                       int64_t word, int64_t words, const uint8_t *x, int64_t inner,
                                                       __mmask64 used, __m512i sum[][MOST_ITEMS])
{
    __m512i w[FILTERS_AT_ONCE];
    for (int f = 0; f < filters; f++) {
        w[f] = codes[f].lowest;
        for (int k = 0; k < bases; k++) {
            w[f] = _mm512_mask_add_epi8(w[f], codes[f].planes[k * words + word], w[f], codes[f].twice[k]);
        }
    }
    for (int n = 0; n < items; n++) {
        const __m512i inputs = _mm512_maskz_loadu_epi8(used, x + word * WORD + n * inner);
        for (int f = 0; f < filters; f++) {
            sum[f][n] = _mm512_dpbusd_epi32(sum[f][n], inputs, w[f]);
        }
    }
}

/* bases, items and filters known at compile time: sums and scales stay in registers. Several filters share a load of
 * inputs, and their sums do not wait for one another. */
static inline __attribute__((always_inline)) void filter(int bases, int items, int filters, const uint64_t *planes,
                                                         const int8_t *scales, const uint8_t *x, int64_t inner,
                                                         int32_t *acc, int64_t acc_stride)
{
    const int64_t words = (inner + WORD - 1) / WORD, full = inner / WORD;
    struct codes codes[FILTERS_AT_ONCE];
    __m512i sum[FILTERS_AT_ONCE][MOST_ITEMS];
    for (int f = 0; f < filters; f++) {
        codes[f] = codes_of(bases, planes + f * bases * words, scales + f * bases);
        for (int n = 0; n < items; n++) {
            sum[f][n] = _mm512_setzero_si512();
        }
    }
    for (int64_t i = 0; i < full; i++) {
        step(bases, items, filters, codes, i, words, x, inner, UINT64_MAX, sum);
    }
    if (full < words) {
        step(bases, items, filters, codes, full, words, x, inner, UINT64_MAX >> (WORD - inner % WORD), sum);
    }
    for (int f = 0; f < filters; f++) {
        for (int n = 0; n < items; n++) {
            acc[n * acc_stride + f] = _mm512_reduce_add_epi32(sum[f][n]);
        }
    }
}

#define CASE(k, n, f)                                                                                                  \
    case ((k)*16 + (n)) * 4 + (f):                                                                                     \
        filter(k, n, f, planes, scales, x, inner, acc, acc_stride);                                                    \
        break;
#define CASES(n, f)                                                                                                    \
    CASE(1, n, f)                                                                                                      \
    CASE(2, n, f) CASE(3, n, f) CASE(4, n, f) CASE(5, n, f) CASE(6, n, f) CASE(7, n, f) CASE(8, n, f)

static void any_filters(int32_t bases, int64_t items, int64_t filters, const uint64_t *planes, const int8_t *scales,
                        const uint8_t *x, int64_t inner, int32_t *acc, int64_t acc_stride)
{
    switch ((bases * 16 + items) * 4 + filters) {
        CASES(1, 1)
        CASES(1, 2)
        CASES(2, 1)
        CASES(2, 2)
        CASES(4, 1)
        CASES(4, 2)
        CASES(8, 1)
        CASES(8, 2)
    default:
        break;
    }
}

static void dense_filters(const bdnn_ip_shape *s, int64_t filters, const uint64_t *planes, const int8_t *scales,
                          const uint8_t *x_q, int32_t *acc, int64_t acc_stride)
{
    const int64_t inner = bdnn_ip_inner(s);
    int64_t items = MOST_ITEMS;
    for (int64_t n = 0; n < s->batch; n += items) {
        while (items > s->batch - n) {
            items /= 2;
        }
        any_filters(s->bases, items, filters, planes, scales, x_q + n * inner, inner, acc + n * acc_stride, acc_stride);
    }
}

#include "kernels/dense_entry.h"

const bdnn_ip_kernel bdnn_ip_dense_avx512vnni = DENSE_ENTRY("dense_1x8__avx512vnni");
