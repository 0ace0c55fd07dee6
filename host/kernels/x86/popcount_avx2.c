/* SPDX-License-Identifier: BSD-2-Clause */
/* Popcount kernel for fully connected layers, x86-64 with AVX2: carry-save adders make one vector of fours out of four
 * vectors, whose bits are counted by looking nibbles up (Harley and Seal; Mula, Kurz, Lemire 2018). */
#include "kernels/cpu.h"

#include <immintrin.h>
#include <stdint.h>

#define POPCOUNT_KERNEL bdnn_ip_popcount_avx2
#define POPCOUNT_NAME   "popcount_1xd__avx2"
#define POPCOUNT_AVAILABLE                                                                                             \
    (bdnn_cpu_allows(BDNN_CPU_AVX2) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
#define POPCOUNT_AND

#define WORDS      4  /* of a vector */
#define MAX_BLOCKS 31 /* of four vectors, until a byte's count of up to 8 a block must be added up */

/* How many bits are set in every byte. */
static inline __m256i count_bytes(__m256i v)
{
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2,
                                           2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(0x0f);
    return _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(v, low)),
                           _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
}

static inline __m256i sum_bytes(__m256i v)
{
    return _mm256_sad_epu8(v, _mm256_setzero_si256());
}

/* Sum of three bits: what stays in its place, and the carry. */
static inline __m256i add_carry(__m256i *sum, __m256i a, __m256i b)
{
    const __m256i half = _mm256_xor_si256(a, b),
                  carry = _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(half, *sum));
    *sum = _mm256_xor_si256(half, *sum);
    return carry;
}

static inline __m256i both(const uint64_t *a, const uint64_t *b)
{
    return _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(const void *)a),
                            _mm256_loadu_si256((const __m256i *)(const void *)b));
}

/* Bits that are set in both. */
static int32_t and_count(const uint64_t *a, const uint64_t *b, int64_t words)
{
    __m256i ones = _mm256_setzero_si256(), twos = ones, fours = ones, total = ones, rest = ones;
    int64_t w = 0, count;
    for (int blocks = 1; w + 4 * WORDS <= words; w += 4 * WORDS, blocks++) {
        const __m256i first = add_carry(&ones, both(a + w, b + w), both(a + w + WORDS, b + w + WORDS));
        const __m256i second =
            add_carry(&ones, both(a + w + 2 * WORDS, b + w + 2 * WORDS), both(a + w + 3 * WORDS, b + w + 3 * WORDS));
        fours = _mm256_add_epi8(fours, count_bytes(add_carry(&twos, first, second)));
        if (blocks % MAX_BLOCKS == 0) {
            total = _mm256_add_epi64(total, sum_bytes(fours));
            fours = _mm256_setzero_si256();
        }
    }
    total = _mm256_slli_epi64(_mm256_add_epi64(total, sum_bytes(fours)), 2);
    for (; w + WORDS <= words; w += WORDS) {
        rest = _mm256_add_epi8(rest, count_bytes(both(a + w, b + w)));
    }
    rest = _mm256_add_epi8(rest, _mm256_add_epi8(count_bytes(ones), _mm256_slli_epi16(count_bytes(twos), 1)));
    total = _mm256_add_epi64(total, sum_bytes(rest));
    count = _mm256_extract_epi64(total, 0) + _mm256_extract_epi64(total, 1) + _mm256_extract_epi64(total, 2) +
            _mm256_extract_epi64(total, 3);
    for (; w < words; w++) {
        count += __builtin_popcountll(a[w] & b[w]);
    }
    return (int32_t)count;
}

#include "kernels/popcount.h"
