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

static inline __attribute__((always_inline)) __m512i product(__m256i acc, const int64_t *multiplier,
                                                             const int64_t *offset, __mmask8 used)
{
    return _mm512_add_epi64(_mm512_mul_epi32(_mm512_cvtepi32_epi64(acc), _mm512_maskz_loadu_epi64(used, multiplier)),
                            _mm512_maskz_loadu_epi64(used, offset));
}

static inline __attribute__((always_inline)) __m512i requantise(const int32_t *acc, const int64_t *multiplier,
                                                                const int64_t *offset, __mmask16 used, __m512i low,
                                                                __m512i high)
{
    const __m512i upper = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    const __m512i sums = _mm512_maskz_loadu_epi32(used, acc);
    const __m512i a = product(_mm512_castsi512_si256(sums), multiplier, offset, (__mmask8)used);
    const __m512i b = product(_mm512_extracti64x4_epi64(sums, 1), multiplier + 8, offset + 8, (__mmask8)(used >> 8));
    return _mm512_min_epi32(_mm512_max_epi32(_mm512_permutex2var_epi32(a, upper, b), low), high);
}

static inline __mmask16 lanes_left(int64_t count)
{
    return count < LANES ? (__mmask16)((1u << count) - 1) : (__mmask16)0xffff;
}

static void quantised(const int32_t *acc, const int64_t *multiplier, const int64_t *offset, int64_t count, int32_t low,
                      int32_t high, uint8_t *y)
{
    const __m512i lowest = _mm512_set1_epi32(low), highest = _mm512_set1_epi32(high);
    for (int64_t f = 0; f < count; f += LANES) {
        const __mmask16 used = lanes_left(count - f);
        _mm_mask_storeu_epi8(
            y + f, used, _mm512_cvtepi32_epi8(requantise(acc + f, multiplier + f, offset + f, used, lowest, highest)));
    }
}

static void wide(const int32_t *acc, const int64_t *multiplier, const int64_t *offset, int64_t count, int32_t low,
                 int32_t high, int16_t *y)
{
    const __m512i lowest = _mm512_set1_epi32(low), highest = _mm512_set1_epi32(high);
    for (int64_t f = 0; f < count; f += LANES) {
        const __mmask16 used = lanes_left(count - f);
        _mm256_mask_storeu_epi16(
            y + f, used, _mm512_cvtepi32_epi16(requantise(acc + f, multiplier + f, offset + f, used, lowest, highest)));
    }
}

const bdnn_sink_kernel bdnn_sink_avx512 = {
    .name = "requantise__avx512", .supported = supported, .quantised = quantised, .wide = wide};
