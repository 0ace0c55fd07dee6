/* SPDX-License-Identifier: BSD-2-Clause */
/* Template of the panel kernels for arm64's dot products of four bytes, one lane a filter. Included by one file per
 * instruction, which defines PANEL_KERNEL, PANEL_NAME, PANEL_AVAILABLE (an expression), INPUTS (the type of 16 inputs),
 * inputs_of(uint8x16_t) and dot_lane(sum, weights, inputs, quad), and SIGNED_INPUTS where the instruction takes inputs
 * as signed: then those of 8 bits are multiplied less 128, and 128 times the sum of the weights is added. */
#include "kernels/arm/features.h"
#include "kernels/kernel_list.h"
#include "kernels/panel.h"
#include "kernels/unroll.h"

#include <arm_neon.h>
#include <string.h>

/* A register tile: 16 sums, 4 vectors of weights and 4 of inputs, 4 corrections in 32 registers. */
#define ROWS   4
#define BLOCKS 4
#define LANES  4
#define QUAD   4
#define STEP   16 /* elements of a vector of inputs */

#define INLINE static inline __attribute__((always_inline))

static bool supported(const bdnn_ip_shape *shape)
{
    (void)shape;
    return PANEL_AVAILABLE;
}

#include "kernels/quad_store.h"

struct sums {
    int32x4_t sum[ROWS][BLOCKS];
    int32x4_t correction[BLOCKS]; /* -128 times the sum of the weights */
};

/* One quad of every row. */
INLINE void step(int rows, int blocks, bool shifted, const int8_t *w, int64_t block, const INPUTS x[ROWS], int quad,
                 struct sums *s)
{
    UNROLL
    for (int b = 0; b < blocks; b++) {
        const int8x16_t weights = vld1q_s8(w + b * block);
        if (shifted) {
            s->correction[b] = vdotq_s32(s->correction[b], weights, vdupq_n_s8(-128));
        }
        UNROLL
        for (int r = 0; r < rows; r++) {
            s->sum[r][b] = dot_lane(s->sum[r][b], weights, x[r], quad);
        }
    }
}

INLINE INPUTS shift(bool shifted, uint8x16_t x)
{
    return inputs_of(shifted ? veorq_u8(x, vdupq_n_u8(128)) : x);
}

/* The last quads, fewer than a vector's: every row's in turn at quad 0. */
INLINE void last_quads(int rows, int blocks, bool shifted, const uint8_t *x, int64_t row_stride, const int8_t *w,
                       int64_t left, int64_t block, struct sums *s)
{
    for (int64_t d = 0; d < left; d += QUAD) {
        INPUTS inputs[ROWS];
        UNROLL
        for (int r = 0; r < rows; r++) {
            uint32_t quad;
            memcpy(&quad, x + r * row_stride + d, sizeof quad);
            inputs[r] = shift(shifted, vreinterpretq_u8_u32(vdupq_n_u32(quad)));
        }
        step(rows, blocks, shifted, w + d * LANES, block, inputs, 0, s);
    }
}

INLINE void tile(int rows, int blocks, bool shifted, const uint8_t *x, int64_t row_stride, const int8_t *w,
                 int64_t padded_inner, int32_t *acc, int64_t acc_stride)
{
    const int64_t block = LANES * padded_inner, whole = padded_inner / STEP * STEP;
    struct sums s;
    UNROLL
    for (int b = 0; b < blocks; b++) {
        s.correction[b] = vdupq_n_s32(0);
        UNROLL
        for (int r = 0; r < rows; r++) {
            s.sum[r][b] = vdupq_n_s32(0);
        }
    }
    for (int64_t d = 0; d < whole; d += STEP) {
        const int8_t *at = w + d * LANES;
        INPUTS inputs[ROWS];
        UNROLL
        for (int r = 0; r < rows; r++) {
            inputs[r] = shift(shifted, vld1q_u8(x + r * row_stride + d));
        }
        step(rows, blocks, shifted, at, block, inputs, 0, &s);
        step(rows, blocks, shifted, at + 16, block, inputs, 1, &s);
        step(rows, blocks, shifted, at + 32, block, inputs, 2, &s);
        step(rows, blocks, shifted, at + 48, block, inputs, 3, &s);
    }
    last_quads(rows, blocks, shifted, x + whole, row_stride, w + whole * LANES, padded_inner - whole, block, &s);
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int b = 0; b < blocks; b++) {
            vst1q_s32(acc + r * acc_stride + b * LANES, vsubq_s32(s.sum[r][b], s.correction[b]));
        }
    }
}

#define CASE(r, b)                                                                                                     \
    case (r)*8 + (b):                                                                                                  \
        tile(r, b, SHIFTED, x, row_stride, w, padded_inner, acc, acc_stride);                                          \
        break;
#define CASES(r) CASE(r, 1) CASE(r, 2) CASE(r, 3) CASE(r, 4)

/* Sizes as constants, so that the compiler keeps every sum in a register. */
#define TILES(name)                                                                                                    \
    static void name(int64_t rows, int64_t blocks, const uint8_t *x, int64_t row_stride, const int8_t *w,              \
                     int64_t padded_inner, int32_t *acc, int64_t acc_stride)                                           \
    {                                                                                                                  \
        switch (rows * 8 + blocks) {                                                                                   \
            CASES(1) CASES(2) CASES(3) CASES(4) default : break;                                                       \
        }                                                                                                              \
    }

#define SHIFTED false
TILES(plain_tiles)
#undef SHIFTED
#ifdef SIGNED_INPUTS
#define SHIFTED true
TILES(shifted_tiles)

/* Whether inputs must be shifted to be signed bytes. */
static uint8_t note(const int8_t *w, int64_t inner, int32_t bits)
{
    (void)w;
    (void)inner;
    return bits == 8;
}
#endif

static void multiply(const void *rows, int64_t row_stride, int64_t count, const void *panel, const uint8_t *notes,
                     int64_t padded_inner, int64_t filters, int32_t *acc, int64_t acc_stride)
{
    for (int64_t f = 0; f < filters; f += BLOCKS * LANES) {
        const int64_t blocks = bdnn_min(bdnn_ceil_div(filters - f, LANES), BLOCKS);
        for (int64_t r = 0; r < count; r += ROWS) {
#ifdef SIGNED_INPUTS
            (notes[f] ? shifted_tiles : plain_tiles)
#else
            (void)notes;
            plain_tiles
#endif
                (bdnn_min(count - r, ROWS), blocks, (const uint8_t *)rows + r * row_stride, row_stride,
                 (const int8_t *)panel + f * padded_inner, padded_inner, acc + r * acc_stride + f, acc_stride);
        }
    }
}

static const bdnn_panel_kernel panel = {
    .inner_multiple = QUAD,
    .filter_multiple = LANES,
    .weight_bytes = 1,
    .row_bytes = 1,
    .store = store,
#ifdef SIGNED_INPUTS
    .note = note,
#endif
    .multiply = multiply,
};

#include "kernels/panel_entry.h"

const bdnn_ip_kernel PANEL_KERNEL = PANEL_ENTRY(PANEL_NAME);
