/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the HLS kernel (docs/reference/accelerator.md). C for Vitis HLS: no recursion, no allocation, every size a
 * constant; a compiler takes the directives for nothing. */
#ifndef BDNN_HLS_KERNEL_H
#define BDNN_HLS_KERNEL_H

#include "bdnn_board.h"
#include "bdnn_hw.h"

#define ROWS    BDNN_BOARD_ROWS
#define COLUMNS BDNN_BOARD_COLUMNS
#define TILES   BDNN_BOARD_TILES
#define PARTS   (BDNN_BOARD_WORD_BITS / BDNN_HW_UNIT)

/* Words of one bank: of a filter basis, of a column's taps. DATAFLOW makes the other bank. */
#define WEIGHT_WORDS     (BDNN_BOARD_WEIGHT_DEPTH / BDNN_HW_BANKS)
#define ACTIVATION_WORDS (BDNN_BOARD_ACTIVATION_DEPTH / BDNN_HW_BANKS)

/* Pixels of a block. */
#define PIXELS (TILES * COLUMNS)

/* The pixels of a block, of which the last one may have fewer, and what of them is walked. */
typedef struct block {
    uint32_t first, pixels, tiles;
} block;

/* The place of a tap relative to the image. */
typedef struct tap_place {
    int32_t x, y;
    int64_t word; /* of the activations */
} tap_place;

/* The taps of a block's pixels: taps[(tile * planes + plane) * words + word][column][part]. */
void load_block(const uint64_t *activations, const bdnn_hw_job *job, const block *b,
                uint64_t taps[ACTIVATION_WORDS][COLUMNS][PARTS]);

/* The values of the unit's filters at all pixels of the block: values[pixel][filter]; 0 behind the last filter. */
void compute_unit(const uint64_t *weights, const uint64_t *filters, const bdnn_hw_job *job, const block *b,
                  uint32_t unit, uint64_t taps[ACTIVATION_WORDS][COLUMNS][PARTS], int32_t values[PIXELS][BDNN_HW_UNIT]);

/* Packs them and writes them to the results. */
void store_unit(int32_t values[PIXELS][BDNN_HW_UNIT], uint64_t *results, const bdnn_hw_job *job, const block *b,
                uint32_t unit);

/* Max pooling over bit planes: the whole job. */
void pool(const uint64_t *activations, uint64_t *results, const bdnn_hw_job *job);

/* Whether a job is none; nothing may be read or written then. */
int is_refused(const bdnn_hw_job *job);

/* The part of it that is about places in memory; sizes, strides and dilations are not 0. */
int reaches_too_far(const bdnn_hw_job *job);

/* Tap (row, column) of output pixel `pixel`. */
tap_place place_of_tap(const bdnn_hw_job *job, uint32_t pixel, uint32_t row, uint32_t column);
int is_inside(const bdnn_hw_job *job, const tap_place *place);

#endif
