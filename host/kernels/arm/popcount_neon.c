/* SPDX-License-Identifier: BSD-2-Clause */
/* Popcount kernel for fully connected layers with NEON's CNT. */
#include "kernels/arm/features.h"

#include <arm_neon.h>
#include <stdint.h>

#define POPCOUNT_KERNEL    bdnn_ip_popcount_neon
#define POPCOUNT_NAME      "popcount_1xd__neon"
#define POPCOUNT_AVAILABLE bdnn_arm_has_neon()
#define POPCOUNT_AND

#define WORDS 2  /* of a vector */
#define MOST  30 /* vectors until a byte's count of up to 8 each must be added up */

/* Bits that are set in both. */
static int32_t and_count(const uint64_t *a, const uint64_t *b, int64_t words)
{
    uint32x4_t total = vdupq_n_u32(0);
    int64_t w = 0;
    int32_t count;
    while (w + WORDS <= words) {
        uint8x16_t bytes = vdupq_n_u8(0);
        for (int i = 0; i < MOST && w + WORDS <= words; i++, w += WORDS) {
            bytes = vaddq_u8(bytes, vcntq_u8(vreinterpretq_u8_u64(vandq_u64(vld1q_u64(a + w), vld1q_u64(b + w)))));
        }
        total = vpadalq_u16(total, vpaddlq_u8(bytes));
    }
    count = (int32_t)(vgetq_lane_u32(total, 0) + vgetq_lane_u32(total, 1) + vgetq_lane_u32(total, 2) +
                      vgetq_lane_u32(total, 3));
    for (; w < words; w++) {
        count += __builtin_popcountll(a[w] & b[w]);
    }
    return count;
}

#include "kernels/popcount.h"
