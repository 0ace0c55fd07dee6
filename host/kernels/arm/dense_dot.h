/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors of NEON under the names that dense_codebook.h and dense_nibbles.h know, for arm64's dot products of four
 * bytes. Included by one file per instruction, which defines product(x, w) and product_add(sum, x, w) on these vectors,
 * and what dense_codebook.h asks of it. */
#include <arm_neon.h>
#include <stdint.h>

typedef uint8x16_t vec;

static inline vec of_sums(int32x4_t v)
{
    return vreinterpretq_u8_s32(v);
}

static inline int32x4_t sums_of(vec v)
{
    return vreinterpretq_s32_u8(v);
}

#define load            vld1q_u8
#define zero()          vdupq_n_u8(0)
#define fill            vdupq_n_u8
#define table(bytes)    vreinterpretq_u8_s8(vld1q_s8(bytes))
#define both            vandq_u8
#define differing       veorq_u8
#define left(v, n)      vreinterpretq_u8_u16(vshlq_n_u16(vreinterpretq_u16_u8(v), n))
#define right(v, n)     vreinterpretq_u8_u16(vshrq_n_u16(vreinterpretq_u16_u8(v), n))
#define shuffle         vqtbl1q_u8
#define add8            vaddq_u8
#define add32(a, b)     of_sums(vaddq_s32(sums_of(a), sums_of(b)))
#define total(v)        vaddvq_s32(sums_of(v))
#define widen(products) (products)

/* Products are exact; four at a time leave short chains of dependent sums. */
#define DENSE_STEPS 4

#define product(x, w) product_add(zero(), x, w)

#include "kernels/dense_codebook.h"
