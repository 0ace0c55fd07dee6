/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the 32-bit sums of an inner-product kernel go. A kernel hands over a tile of sums while it is still in the
 * nearest cache; the sink turns it into what the next layer reads: floats, quantized inputs, or wide integers
 * (docs/reference/numerics.md). One routine for all kernels and backends, so that whole networks agree bit for bit. */
#ifndef BDNN_KERNELS_SINK_H
#define BDNN_KERNELS_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Constants of a filter folded once: y = multiplier[f] * (float)(acc - offset[f]) + bias[f], in float32 with one
 * rounding for the conversion, one for the product, one for the sum (never fused). */
typedef struct bdnn_epilogue {
    float *multiplier; /* step * s_f */
    int32_t *offset;   /* zero_point * sum_d W_f[d] */
    float *bias;       /* zeros for no bias */
} bdnn_epilogue;

/* The same in fixed point: y = clamp(floor((acc * multiplier[f] + offset[f]) / 2^32), low, high). |multiplier| < 2^31;
 * the offset holds bias, zero points and the rounding half; no intermediate overflows 64 bits (whoever fills it in sees
 * to that). Multipliers are kept in 64 bits, as vector units read them. */
typedef struct bdnn_requantizer {
    int64_t *multiplier, *offset; /* [F] */
    int32_t low, high;
} bdnn_requantizer;

/* How a decomposed layer reads wide values: x_q = clamp(floor((v * multiplier + 2^(shift - 1)) / 2^shift) + zero_point,
 * 0, most), 2^14 <= multiplier < 2^15, 1 <= shift <= 29, 0 <= zero_point <= most <= 255. */
typedef struct bdnn_rescale {
    int32_t multiplier, shift, zero_point, most;
} bdnn_rescale;

typedef enum bdnn_sink_kind {
    BDNN_SINK_ACCUMULATORS, /* int32: the sums themselves */
    BDNN_SINK_FLOAT,        /* float, by `epilogue` */
    BDNN_SINK_QUANTIZED,    /* uint8, by `requantizer`, 0 <= low <= high <= 255 */
    BDNN_SINK_WIDE          /* int16, by `requantizer` */
} bdnn_sink_kind;

/* Borrowed memory throughout. */
typedef struct bdnn_sink {
    bdnn_sink_kind kind;
    void *y;         /* [positions][filters] */
    int64_t filters; /* F, of all groups */
    const bdnn_epilogue *epilogue;
    const bdnn_requantizer *requantizer;
    int32_t bits;          /* QUANTIZED: of the values' format, high < 2^bits */
    const int16_t *addend; /* WIDE: of y's shape, perhaps y itself: y = clamp(clamp(sums, -32767, 32767) + addend, low,
                              high), the sums in y's units. NULL for none. */
    const bdnn_rescale *rescale; /* WIDE: how the next layer reads y, for which that is written to x_q too, of y's
                                    shape. NULL for nobody. */
    uint8_t *x_q;
} bdnn_sink;

/* Puts the sums of `count` filters from `filter` on, at `rows` positions from `position` on; rows of acc lie acc_stride
 * elements apart. Threads may put different tiles at the same time. */
void bdnn_sink_put(const bdnn_sink *sink, int64_t position, int64_t rows, int64_t filter, int64_t count,
                   const int32_t *acc, int64_t acc_stride);

/* For whoever has filled y, wide values, by other means than bdnn_sink_put: writes to x_q what is read of `count` of
 * them from y[at] on. Nothing when nobody reads. */
void bdnn_sink_rescale(const bdnn_sink *sink, int64_t at, int64_t count);

/* A tile of sums [rows][count] and where its results go; strides in elements. */
typedef struct bdnn_sink_tile {
    const int32_t *acc;
    int64_t rows, acc_stride, count, y_stride;
    const int16_t *addend;       /* at the results' places; NULL for none */
    const bdnn_rescale *rescale; /* of wide results; NULL for none */
    uint8_t *x_q;                /* at the results' places, when they are read */
} bdnn_sink_tile;

/* The kernels behind it, one table a set of instructions. r: the constants of the tile's first filter on. */
typedef struct bdnn_sink_kernel {
    const char *name;
    bool (*supported)(void);
    void (*quantized)(const bdnn_sink_tile *tile, const bdnn_requantizer *r, uint8_t *y);
    void (*wide)(const bdnn_sink_tile *tile, const bdnn_requantizer *r, int16_t *y);
} bdnn_sink_kernel;

/* Fastest first, the definition in plain C last; NULL ends the list. */
extern const bdnn_sink_kernel *const bdnn_sink_kernels[];

/* The first of the list that this processor runs. */
const bdnn_sink_kernel *bdnn_sink_choose(void);

#endif
