/* Kernel for fully connected layers, x86-64 with AVX2: 32 weights at a time, from W = -sum_i g_i by one addition of
 * 2 g_i a basis, masked by the comparison of each bit in place. */
#include "kernels/cpu.h"
#include "kernels/kernel_list.h"

#include <immintrin.h>

#define DENSE_KERNEL    bdnn_ip_dense_avx2
#define DENSE_NAME      "dense16_1x1__avx2"
#define DENSE_AVAILABLE (bdnn_cpu_allows(BDNN_CPU_AVX2) && __builtin_cpu_supports("avx2"))

/* Byte i is all ones where bit i is set. */
static inline __m256i spread(uint32_t bits)
{
    const __m256i byte_of = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bit_of = _mm256_set1_epi64x((long long)0x8040201008040201u);
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32((int)bits), byte_of);
    return _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit_of), bit_of);
}

static void decode(const uint64_t *planes, int64_t words, const int8_t *scales, int32_t bases, int64_t count,
                   int16_t *w)
{
    __m256i twice[8], lowest = _mm256_setzero_si256();
    for (int32_t k = 0; k < bases; k++) {
        const __m256i g = _mm256_set1_epi8(scales[k]);
        twice[k] = _mm256_add_epi8(g, g); /* modulo 256, as all sums of bytes: the last one is a weight */
        lowest = _mm256_sub_epi8(lowest, g);
    }
    for (int64_t i = 0; i < count; i++) {
        __m256i low = lowest, high = lowest;
        __m256i *out = (__m256i *)(void *)(w + i * 64);
        for (int32_t k = 0; k < bases; k++) {
            const uint64_t bits = planes[k * words + i];
            low = _mm256_add_epi8(low, _mm256_and_si256(spread((uint32_t)bits), twice[k]));
            high = _mm256_add_epi8(high, _mm256_and_si256(spread((uint32_t)(bits >> 32)), twice[k]));
        }
        _mm256_storeu_si256(out, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(low)));
        _mm256_storeu_si256(out + 1, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(low, 1)));
        _mm256_storeu_si256(out + 2, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(high)));
        _mm256_storeu_si256(out + 3, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(high, 1)));
    }
}

#include "kernels/dense16.h"
