/* SPDX-License-Identifier: BSD-2-Clause */
/* Template of the panel kernels by VPDPBUSD, which adds four products of unsigned and signed bytes to each sum,
 * exactly.
 *
 * Included by one file per instruction set, which defines PANEL_KERNEL, PANEL_NAME, PANEL_AVAILABLE (an expression), a
 * register tile of ROWS x BLOCKS vectors of LANES filters each, vec (the vector type) and on vectors: zero, load
 * (aligned), put (unaligned), broadcast (of an int32), and
 *
 *     static inline void dot(vec *sum, vec inputs, vec weights);
 *
 * and CASES(rows), which makes a CASE(rows, blocks) of each number of blocks. */
#include "kernels/cpu.h"
#include "kernels/kernel_list.h"
#include "kernels/panel.h"
#include "kernels/unroll.h"

#include <string.h>

#define QUAD 4

#include "kernels/quad_store.h"

static bool supported(const bdnn_ip_shape *shape)
{
    (void)shape;
    return PANEL_AVAILABLE;
}

/* rows x blocks known at compile time: every sum stays in a register. Unrolled by request, because gcc 12 otherwise
 * unrolls too late to see that no sum needs its place in memory, and stores all of them in every step. */
static inline __attribute__((always_inline)) void tile(int rows, int blocks, const uint8_t *x, int64_t row_stride,
                                                       const int8_t *w, int64_t padded_inner, int32_t *acc,
                                                       int64_t acc_stride)
{
    vec sum[ROWS][BLOCKS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int b = 0; b < blocks; b++) {
            sum[r][b] = zero();
        }
    }
    for (int64_t d = 0; d < padded_inner; d += QUAD) {
        vec weights[BLOCKS];
        UNROLL
        for (int b = 0; b < blocks; b++) {
            weights[b] = load(w + b * LANES * padded_inner + d * LANES);
        }
        UNROLL
        for (int r = 0; r < rows; r++) {
            int32_t quad;
            vec inputs;
            memcpy(&quad, x + r * row_stride + d, sizeof quad);
            inputs = broadcast(quad);
            UNROLL
            for (int b = 0; b < blocks; b++) {
                dot(&sum[r][b], inputs, weights[b]);
            }
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int b = 0; b < blocks; b++) {
            put(acc + r * acc_stride + b * LANES, sum[r][b]);
        }
    }
}

#define CASE(r, b)                                                                                                     \
    case (r)*8 + (b):                                                                                                  \
        tile(r, b, x, row_stride, w, padded_inner, acc, acc_stride);                                                   \
        break;

static void any_tile(int64_t rows, int64_t blocks, const uint8_t *x, int64_t row_stride, const int8_t *w,
                     int64_t padded_inner, int32_t *acc, int64_t acc_stride)
{
    switch (rows * 8 + blocks) {
        CASES(1)
        CASES(2)
        CASES(3)
        CASES(4)
        CASES(5)
        CASES(6)
    default:
        break;
    }
}

static void multiply(const void *rows, int64_t row_stride, int64_t count, const void *panel, const uint8_t *notes,
                     int64_t padded_inner, int64_t filters, int32_t *acc, int64_t acc_stride)
{
    (void)notes;
    for (int64_t f = 0; f < filters; f += BLOCKS * LANES) {
        const int64_t left = bdnn_min(filters - f, BLOCKS * LANES);
        for (int64_t r = 0; r < count; r += ROWS) {
            any_tile(bdnn_min(count - r, ROWS), bdnn_ceil_div(left, LANES), (const uint8_t *)rows + r * row_stride,
                     row_stride, (const int8_t *)panel + f * padded_inner, padded_inner, acc + r * acc_stride + f,
                     acc_stride);
        }
    }
}

static const bdnn_panel_kernel panel = {
    .inner_multiple = QUAD,
    .filter_multiple = LANES,
    .weight_bytes = 1,
    .row_bytes = 1,
    .store = store,
    .multiply = multiply,
};

#include "kernels/panel_entry.h"

const bdnn_ip_kernel PANEL_KERNEL = PANEL_ENTRY(PANEL_NAME);
