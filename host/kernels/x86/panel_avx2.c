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

static inline vec load_sums(const int32_t *sums)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)sums);
}

static inline void store_sums(int32_t *sums, vec v)
{
    _mm256_storeu_si256((__m256i *)(void *)sums, v);
}

static inline vec pairs(vec v)
{
    return _mm256_madd_epi16(v, _mm256_set1_epi16(1));
}

/* As inline assembly because gcc 12 spills sums when it allocates 12 of them through intrinsics. */
static inline __attribute__((always_inline)) void maddubs_add(vec *sum, vec x, vec w)
{
    vec products;
    __asm__("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+x"(*sum), "=&x"(products) : "x"(x), "x"(w));
}

#define zero    _mm256_setzero_si256
#define maddubs _mm256_maddubs_epi16
#define add16   _mm256_add_epi16
#define add32   _mm256_add_epi32

#include "kernels/x86/maddubs.h"
