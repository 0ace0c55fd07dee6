/* SPDX-License-Identifier: BSD-2-Clause */
/* Template of the multiply-add kernel: rows and weights widened to 16 bits, products of neighbors added in 32 (PMADDWD
 * and its like, which compilers make of the inner loop). Exact for every K and Q: |x W| <= 255 * 127, and a sum of two
 * fits 32 bits. Included by one file per instruction set, which defines DOT16_KERNEL, DOT16_NAME and DOT16_AVAILABLE
 * (an expression). */
#include "kernels/kernel_list.h"
#include "kernels/panel.h"

/* Filters whose sums are formed side by side from one load of a row, and the elements that rows and weights are padded
 * to. */
#define FILTERS  4
#define ELEMENTS 32

/* Weights: [F][padded D] int16. */
static void store(const int8_t *w, int64_t f, int64_t inner, int64_t padded_inner, void *panel)
{
    int16_t *row = (int16_t *)panel + f * padded_inner;
    for (int64_t d = 0; d < inner; d++) {
        row[d] = w[d];
    }
}

static void widen(const uint8_t *from, int64_t count, void *to)
{
    int16_t *wide = to;
    for (int64_t i = 0; i < count; i++) {
        wide[i] = from[i];
    }
}

static inline void dot4(const int16_t *x, const int16_t *w, int64_t n, int32_t sum[FILTERS])
{
    const int16_t *w0 = w, *w1 = w + n, *w2 = w + 2 * n, *w3 = w + 3 * n;
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (int64_t i = 0; i < n; i++) {
        s0 += (int32_t)x[i] * w0[i];
        s1 += (int32_t)x[i] * w1[i];
        s2 += (int32_t)x[i] * w2[i];
        s3 += (int32_t)x[i] * w3[i];
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
}

static void multiply(const void *rows, int64_t row_stride, int64_t count, const void *panel, const uint8_t *notes,
                     int64_t padded_inner, int64_t filters, int32_t *acc, int64_t acc_stride)
{
    (void)notes;
    for (int64_t f = 0; f < filters; f += FILTERS) {
        const int16_t *w = (const int16_t *)panel + f * padded_inner;
        const int64_t used = bdnn_min(filters - f, FILTERS);
        for (int64_t r = 0; r < count; r++) {
            int32_t sum[FILTERS];
            dot4((const int16_t *)rows + r * row_stride, w, padded_inner, sum);
            for (int64_t i = 0; i < used; i++) {
                acc[r * acc_stride + f + i] = sum[i];
            }
        }
    }
}

static const bdnn_panel_kernel panel = {
    .inner_multiple = ELEMENTS,
    .filter_multiple = FILTERS,
    .weight_bytes = sizeof(int16_t),
    .row_bytes = sizeof(int16_t),
    .store = store,
    .multiply = multiply,
    .widen = widen,
};

static bool supported(const bdnn_ip_shape *shape)
{
    (void)shape;
    return DOT16_AVAILABLE;
}

#include "kernels/panel_entry.h"

const bdnn_ip_kernel DOT16_KERNEL = PANEL_ENTRY(DOT16_NAME);
