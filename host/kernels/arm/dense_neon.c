/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel for fully connected layers with NEON: eight weights at a time from one byte of every plane. */
#include "kernels/arm/features.h"
#include "kernels/kernel_list.h"

#include <arm_neon.h>
#include <stdint.h>

#define DENSE_KERNEL    bdnn_ip_dense_neon
#define DENSE_NAME      "dense16_1x1__neon"
#define DENSE_AVAILABLE bdnn_arm_has_neon()

/* |sum of scales| <= 127, so a weight and every partial sum from the lowest weight up by |2 g| are right modulo 2^8. */
static void decode(const uint64_t *planes, int64_t words, const int8_t *scales, int32_t bases, int64_t count,
                   int16_t *w)
{
    const uint8x8_t bit = vcreate_u8(UINT64_C(0x8040201008040201));
    int8_t lowest = 0;
    for (int32_t k = 0; k < bases; k++) {
        lowest = (int8_t)(lowest - scales[k]);
    }
    for (int64_t i = 0; i < count; i++) {
        for (int byte = 0; byte < 8; byte++) {
            uint8x8_t sum = vdup_n_u8((uint8_t)lowest);
            for (int32_t k = 0; k < bases; k++) {
                const uint8x8_t bits = vdup_n_u8((uint8_t)(planes[k * words + i] >> 8 * byte));
                sum = vadd_u8(sum, vand_u8(vtst_u8(bits, bit), vdup_n_u8((uint8_t)(2 * scales[k]))));
            }
            vst1q_s16(w + i * 64 + byte * 8, vmovl_s8(vreinterpret_s8_u8(sum)));
        }
    }
}

#include "kernels/dense16.h"
