/* SPDX-License-Identifier: BSD-2-Clause */
/* Panel kernel, x86-64 with AVX2. */
#include <immintrin.h>
#include <stdint.h>

#define MADDUBS_KERNEL    bdnn_ip_panel_avx2
#define MADDUBS_NAME      "panel_6x16__avx2"
#define MADDUBS_AVAILABLE (bdnn_cpu_allows(BDNN_CPU_AVX2) && __builtin_cpu_supports("avx2"))

#define LANES 8
typedef __m256i vec;

static inline vec broadcast(int32_t quad)
{
    return _mm256_set1_epi32(quad);
}

static inline vec load(const int8_t *w)
{
    return _mm256_load_si256((const __m256i *)(const void *)w);
}

static inline void store_sums(int32_t *sums, vec v)
{
    _mm256_storeu_si256((__m256i *)(void *)sums, v);
}

/* As inline assembly because gcc 12 spills sums when it allocates 12 of them through intrinsics. */
static inline __attribute__((always_inline)) void maddubs_add(vec *sum, vec x, vec w)
{
    vec products;
    __asm__("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+x"(*sum), "=&x"(products) : "x"(x), "x"(w));
}

/* The same with weights from memory, widened at once; and two neighboring quads widened together. */
static inline __attribute__((always_inline)) void widen_one(vec *sum, vec x, const int8_t *w)
{
    const vec ones = _mm256_set1_epi16(1);
    vec products;
    __asm__("vpmaddubsw %3, %2, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0"
            : "+x"(*sum), "=&x"(products)
            : "x"(x), "m"(*(const vec *)(const void *)w), "xm"(ones));
}

static inline __attribute__((always_inline)) void widen_two(vec *sum, vec x0, vec x1, const int8_t *w)
{
    const vec ones = _mm256_set1_epi16(1);
    vec products, more;
    __asm__("vpmaddubsw %5, %3, %1\n\tvpmaddubsw %6, %4, %2\n\tvpaddw %2, %1, %1\n\tvpmaddwd %7, %1, %1\n\tvpaddd %1, "
            "%0, %0"
            : "+x"(*sum), "=&x"(products), "=&x"(more)
            : "x"(x0), "x"(x1), "m"(*(const vec *)(const void *)w), "m"(*(const vec *)(const void *)(w + sizeof(vec))),
              "xm"(ones));
}

/* Sums of 16 bits widened and added to what lies in memory. */
static inline __attribute__((always_inline)) void widen_into(vec *total, vec sum)
{
    const vec ones = _mm256_set1_epi16(1);
    __asm__("vpmaddwd %2, %1, %1\n\tvpaddd %0, %1, %1\n\tvmovdqa %1, %0" : "+m"(*total), "+x"(sum) : "xm"(ones));
}

#define zero    _mm256_setzero_si256
#define maddubs _mm256_maddubs_epi16

#include "kernels/x86/maddubs.h"
