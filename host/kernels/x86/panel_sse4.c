/* SPDX-License-Identifier: BSD-2-Clause */
/* Panel kernel, x86-64 with SSSE3 and SSE4.1. */
#include <smmintrin.h>
#include <stdint.h>

#define MADDUBS_KERNEL bdnn_ip_panel_sse4
#define MADDUBS_NAME   "panel_6x8__sse4"
#define MADDUBS_AVAILABLE                                                                                              \
    (bdnn_cpu_allows(BDNN_CPU_SSE4) && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.1"))

#define LANES 4
typedef __m128i vec;

static inline vec broadcast(int32_t quad)
{
    return _mm_set1_epi32(quad);
}

static inline vec load(const int8_t *w)
{
    return _mm_load_si128((const __m128i *)(const void *)w);
}

static inline void store_sums(int32_t *sums, vec v)
{
    _mm_storeu_si128((__m128i *)(void *)sums, v);
}

/* As inline assembly because gcc 12 spills sums when it allocates 12 of them through intrinsics. */
static inline __attribute__((always_inline)) void maddubs_add(vec *sum, vec x, vec w)
{
    vec products;
    __asm__("movdqa %2, %1\n\tpmaddubsw %3, %1\n\tpaddw %1, %0" : "+x"(*sum), "=&x"(products) : "x"(x), "x"(w));
}

/* The same with weights from memory, widened at once; and two neighboring quads widened together. */
static inline __attribute__((always_inline)) void widen_one(vec *sum, vec x, const int8_t *w)
{
    const vec ones = _mm_set1_epi16(1);
    vec products;
    __asm__("movdqa %2, %1\n\tpmaddubsw %3, %1\n\tpmaddwd %4, %1\n\tpaddd %1, %0"
            : "+x"(*sum), "=&x"(products)
            : "x"(x), "m"(*(const vec *)(const void *)w), "xm"(ones));
}

static inline __attribute__((always_inline)) void widen_two(vec *sum, vec x0, vec x1, const int8_t *w)
{
    const vec ones = _mm_set1_epi16(1);
    vec products, more;
    __asm__("movdqa %3, %1\n\tpmaddubsw %5, %1\n\tmovdqa %4, %2\n\tpmaddubsw %6, %2\n\tpaddw %2, %1\n\tpmaddwd %7, "
            "%1\n\tpaddd %1, %0"
            : "+x"(*sum), "=&x"(products), "=&x"(more)
            : "x"(x0), "x"(x1), "m"(*(const vec *)(const void *)w), "m"(*(const vec *)(const void *)(w + sizeof(vec))),
              "xm"(ones));
}

/* Sums of 16 bits widened and added to what lies in memory. */
static inline __attribute__((always_inline)) void widen_into(vec *total, vec sum)
{
    const vec ones = _mm_set1_epi16(1);
    __asm__("pmaddwd %2, %1\n\tpaddd %0, %1\n\tmovdqa %1, %0" : "+m"(*total), "+x"(sum) : "xm"(ones));
}

#define zero    _mm_setzero_si128
#define maddubs _mm_maddubs_epi16

#include "kernels/x86/maddubs.h"
