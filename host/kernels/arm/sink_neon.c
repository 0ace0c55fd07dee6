/* SPDX-License-Identifier: BSD-2-Clause */
/* Requantization, NEON: products of 64 bits of even and of odd lanes. */
#include "kernels/arm/features.h"

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define SINK_KERNEL    bdnn_sink_neon
#define SINK_NAME      "requantize__neon"
#define SINK_AVAILABLE bdnn_arm_has_neon()

#define LANES 4
typedef int32x4_t vec;

static inline int64x2_t pairs(vec v)
{
    return vreinterpretq_s64_s32(v);
}

static inline vec load(const void *words)
{
    return vld1q_s32(words);
}

static inline vec multiply(vec a, vec b)
{
    return vreinterpretq_s32_s64(vmull_s32(vmovn_s64(pairs(a)), vmovn_s64(pairs(b))));
}

static inline void put_words(int16_t *y, vec v)
{
    vst1_s16(y, vqmovn_s32(v));
}

static inline void put_bytes(uint8_t *y, vec v)
{
    const uint16x4_t words = vqmovun_s32(v);
    const uint8x8_t bytes = vqmovn_u16(vcombine_u16(words, words));
    const uint32_t four = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
    memcpy(y, &four, sizeof four);
}

static inline vec get_words(const int16_t *words)
{
    return vmovl_s16(vld1_s16(words));
}

/* The upper halves of both, those of `even` in the lower ones already. */
static inline vec odd_of(vec even, vec odd)
{
    return vbslq_s32(vreinterpretq_u32_u64(vdupq_n_u64(0xffffffff)), even, odd);
}

#define fill              vdupq_n_s32
#define add64(a, b)       vreinterpretq_s32_s64(vaddq_s64(pairs(a), pairs(b)))
#define add32             vaddq_s32
#define product32         vmulq_s32
#define shift_right(v, n) vshlq_s32(v, vdupq_n_s32(-(n)))
#define down(v)           vreinterpretq_s32_s64(vshrq_n_s64(pairs(v), 32))
#define least             vminq_s32
#define most              vmaxq_s32

#include "kernels/sink_lanes.h"
