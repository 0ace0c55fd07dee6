/* Fully connected layers, x86-64 with AVX-512 VNNI: 64 weights at a time are decoded in a register, from W = -sum_i g_i
 * by one masked addition of 2 g_i a basis, and multiplied by VPDPBUSD with up to eight items of the batch. */
#include "kernels/cpu.h"
#include "kernels/kernel_list.h"

#include <immintrin.h>

#define MOST_BASES 8
#define MOST_ITEMS 8
#define WORD       64 /* elements of a word of bits and of a vector */

#define DENSE_FILTERS 8
#define DENSE_AVAILABLE                                                                                                \
    (bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && \
     __builtin_cpu_supports("avx512vl"))

/* The next 64 inputs of each item, zeros where `used` is 0, times the 64 weights of these bits. */
static inline __attribute__((always_inline)) void step(int bases, int items, const uint64_t *planes, int64_t words,
                                                       __m512i lowest, const __m512i *twice, const uint8_t *x,
                                                       int64_t inner, __mmask64 used, __m512i *sum)
{
    __m512i w = lowest;
    for (int k = 0; k < bases; k++) {
        w = _mm512_mask_add_epi8(w, planes[k * words], w, twice[k]);
    }
    for (int n = 0; n < items; n++) {
        sum[n] = _mm512_dpbusd_epi32(sum[n], _mm512_maskz_loadu_epi8(used, x + n * inner), w);
    }
}

/* bases and items known at compile time: sums and scales stay in registers. */
static inline __attribute__((always_inline)) void filter(int bases, int items, const uint64_t *planes,
                                                         const int8_t *scales, const uint8_t *x, int64_t inner,
                                                         int32_t *acc, int64_t acc_stride)
{
    const int64_t words = (inner + WORD - 1) / WORD, full = inner / WORD;
    __m512i sum[MOST_ITEMS], twice[MOST_BASES], lowest = _mm512_setzero_si512();
    for (int n = 0; n < items; n++) {
        sum[n] = _mm512_setzero_si512();
    }
    for (int k = 0; k < bases; k++) {
        const __m512i g = _mm512_set1_epi8(scales[k]);
        twice[k] = _mm512_add_epi8(g, g); /* modulo 256, as all sums of bytes: the last one is a weight */
        lowest = _mm512_sub_epi8(lowest, g);
    }
    for (int64_t i = 0; i < full; i++) {
        step(bases, items, planes + i, words, lowest, twice, x + i * WORD, inner, UINT64_MAX, sum);
    }
    if (full < words) {
        step(bases, items, planes + full, words, lowest, twice, x + full * WORD, inner,
             UINT64_MAX >> (WORD - inner % WORD), sum);
    }
    for (int n = 0; n < items; n++) {
        acc[n * acc_stride] = _mm512_reduce_add_epi32(sum[n]);
    }
}

#define CASE(k, n)                                                                                                     \
    case (k)*16 + (n):                                                                                                 \
        filter(k, n, planes, scales, x, inner, acc, acc_stride);                                                       \
        break;
#define CASES(n) CASE(1, n) CASE(2, n) CASE(3, n) CASE(4, n) CASE(5, n) CASE(6, n) CASE(7, n) CASE(8, n)

static void any_filter(int32_t bases, int64_t items, const uint64_t *planes, const int8_t *scales, const uint8_t *x,
                       int64_t inner, int32_t *acc, int64_t acc_stride)
{
    switch (bases * 16 + items) {
        CASES(1)
        CASES(2)
        CASES(4)
        CASES(8)
    default:
        break;
    }
}

static void dense_filter(const bdnn_ip_shape *s, const uint64_t *planes, const int8_t *scales, const uint8_t *x_q,
                         int32_t *acc, int64_t acc_stride)
{
    const int64_t inner = bdnn_ip_inner(s);
    int64_t items = MOST_ITEMS;
    for (int64_t n = 0; n < s->batch; n += items) {
        while (items > s->batch - n) {
            items /= 2;
        }
        any_filter(s->bases, items, planes, scales, x_q + n * inner, inner, acc + n * acc_stride, acc_stride);
    }
}

#include "kernels/dense_entry.h"

const bdnn_ip_kernel bdnn_ip_dense_avx512vnni = DENSE_ENTRY("dense_1x8__avx512vnni");
