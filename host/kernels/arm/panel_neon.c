/* SPDX-License-Identifier: BSD-2-Clause */
/* Panel kernel for NEON without dot products (Cortex-A53 on arm64, Cortex-A9 on armv7), Q <= 7: vectors along D, one
 * sum of vectors for each filter and row. SMLAL adds products of bytes in 16 bits, as many as fit whatever the inputs;
 * then SADALP adds pairs of them in 32 bits. */
#include "kernels/arm/features.h"
#include "kernels/kernel_list.h"
#include "kernels/panel.h"
#include "kernels/unroll.h"

#include <arm_neon.h>
#include <stdlib.h>

/* A register tile: sums of 16 bits and sums of 32 bits, both for all rows and filters. */
#if defined(__aarch64__)
#define ROWS 3
#else
#define ROWS 2
#endif
#define FILTERS  2
#define STEP     8 /* elements of a vector of bytes whose products are one of 16 bits */
#define MAX_BITS 7

#define INLINE static inline __attribute__((always_inline))

static bool supported(const bdnn_ip_shape *shape)
{
    return bdnn_arm_has_neon() && (!shape || shape->bits <= MAX_BITS);
}

/* Weights: [F][padded D] int8. */
static void store(const int8_t *w, int64_t f, int64_t inner, int64_t padded_inner, void *panel)
{
    int8_t *row = (int8_t *)panel + f * padded_inner;
    for (int64_t d = 0; d < inner; d++) {
        row[d] = w[d];
    }
}

/* How many products fit 16 bits: at least 2 at Q = 7, 4 at 6, 8 at 5, 17 at 4; more where no weight is large. */
static uint8_t note(const int8_t *w, int64_t inner, int32_t bits)
{
    int32_t largest = 1, steps;
    for (int64_t d = 0; d < inner; d++) {
        largest = (int)bdnn_max(abs(w[d]), largest);
    }
    steps = INT16_MAX / (largest * ((1 << bits) - 1));
    return (uint8_t)bdnn_min(steps, UINT8_MAX);
}

/* One step of all rows and filters: its products, or these added to what there is. */
INLINE void step(int rows, int filters, bool add, const uint8_t *x, int64_t row_stride, const int8_t *w,
                 int64_t padded_inner, int16x8_t sum[ROWS][FILTERS])
{
    int8x8_t weights[FILTERS];
    UNROLL
    for (int f = 0; f < filters; f++) {
        weights[f] = vld1_s8(w + f * padded_inner);
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        const int8x8_t inputs = vreinterpret_s8_u8(vld1_u8(x + r * row_stride));
        UNROLL
        for (int f = 0; f < filters; f++) {
            sum[r][f] = add ? vmlal_s8(sum[r][f], inputs, weights[f]) : vmull_s8(inputs, weights[f]);
        }
    }
}

static inline int32_t total(int32x4_t v)
{
    int32x2_t two = vadd_s32(vget_low_s32(v), vget_high_s32(v));
    return vget_lane_s32(vpadd_s32(two, two), 0);
}

INLINE void tile(int rows, int filters, int64_t steps, const uint8_t *x, int64_t row_stride, const int8_t *w,
                 int64_t padded_inner, int32_t *acc, int64_t acc_stride)
{
    int32x4_t total_of[ROWS][FILTERS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int f = 0; f < filters; f++) {
            total_of[r][f] = vdupq_n_s32(0);
        }
    }
    for (int64_t first = 0; first < padded_inner; first += steps * STEP) {
        const int64_t end = bdnn_min(first + steps * STEP, padded_inner);
        int16x8_t sum[ROWS][FILTERS];
        step(rows, filters, false, x + first, row_stride, w + first, padded_inner, sum);
        for (int64_t d = first + STEP; d < end; d += STEP) {
            step(rows, filters, true, x + d, row_stride, w + d, padded_inner, sum);
        }
        UNROLL
        for (int r = 0; r < rows; r++) {
            UNROLL
            for (int f = 0; f < filters; f++) {
                total_of[r][f] = vpadalq_s16(total_of[r][f], sum[r][f]);
            }
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int f = 0; f < filters; f++) {
            acc[r * acc_stride + f] = total(total_of[r][f]);
        }
    }
}

/* Sizes as constants, so that the compiler keeps every sum in a register. */
static void any_tile(int64_t rows, int64_t filters, int64_t steps, const uint8_t *x, int64_t row_stride,
                     const int8_t *w, int64_t padded_inner, int32_t *acc, int64_t acc_stride)
{
    for (int64_t r = 0; r < rows && (rows < ROWS || filters < FILTERS); r++) {
        for (int64_t f = 0; f < filters; f++) {
            tile(1, 1, steps, x + r * row_stride, row_stride, w + f * padded_inner, padded_inner,
                 acc + r * acc_stride + f, acc_stride);
        }
    }
    if (rows == ROWS && filters == FILTERS) {
        tile(ROWS, FILTERS, steps, x, row_stride, w, padded_inner, acc, acc_stride);
    }
}

static void multiply(const void *rows, int64_t row_stride, int64_t count, const void *panel, const uint8_t *notes,
                     int64_t padded_inner, int64_t filters, int32_t *acc, int64_t acc_stride)
{
    for (int64_t f = 0; f < filters; f += FILTERS) {
        const int64_t used = bdnn_min(filters - f, FILTERS);
        int64_t steps = notes[f];
        for (int64_t i = 1; i < used; i++) {
            steps = notes[f + i] < steps ? notes[f + i] : steps;
        }
        for (int64_t r = 0; r < count; r += ROWS) {
            any_tile(bdnn_min(count - r, ROWS), used, steps, (const uint8_t *)rows + r * row_stride, row_stride,
                     (const int8_t *)panel + f * padded_inner, padded_inner, acc + r * acc_stride + f, acc_stride);
        }
    }
}

static const bdnn_panel_kernel panel = {
    .inner_multiple = STEP,
    .filter_multiple = FILTERS,
    .weight_bytes = 1,
    .row_bytes = 1,
    .store = store,
    .note = note,
    .multiply = multiply,
};

#include "kernels/panel_entry.h"

#if defined(__aarch64__)
const bdnn_ip_kernel bdnn_ip_panel_neon = PANEL_ENTRY("panel_3x2__neon");
#else
const bdnn_ip_kernel bdnn_ip_panel_neon = PANEL_ENTRY("panel_2x2__neon");
#endif
