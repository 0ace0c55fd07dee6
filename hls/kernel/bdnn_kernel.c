/* SPDX-License-Identifier: BSD-2-Clause */
/* The accelerator kernel for high-level synthesis: one job, load - compute - store. */
#include "kernel.h"

#include "bdnn_kernel_prototype.h"

/* One block: its taps stay while all filters pass. Returns the cycles in which the array works. */
static uint32_t run_block(const uint64_t *weights, const uint64_t *activations, const uint64_t *filters,
                          uint64_t *results, const bdnn_hw_job *job, const block *b)
{
    uint64_t taps[ACTIVATION_WORDS][COLUMNS][PARTS];
#pragma HLS ARRAY_PARTITION variable = taps complete dim = 2
#pragma HLS ARRAY_PARTITION variable = taps complete dim = 3
    const uint32_t units = (job->filter_count + BDNN_HW_UNIT - 1) / BDNN_HW_UNIT;
    load_block(activations, job, b, taps);
    for (uint32_t unit = 0; unit < units; unit++) {
#pragma HLS DATAFLOW
        int32_t values[PIXELS][BDNN_HW_UNIT];
        compute_unit(weights, filters, job, b, unit, taps, values);
        store_unit(values, results, job, b, unit);
    }
    return (job->filter_count + ROWS - 1) / ROWS * job->bases * b->tiles * job->planes * job->words;
}

/* All blocks of a convolution. Returns the cycles in which the array works. */
static uint32_t convolve(const uint64_t *weights, const uint64_t *activations, const uint64_t *filters,
                         uint64_t *results, const bdnn_hw_job *job)
{
    uint32_t work = 0;
    const uint32_t block_pixels = job->tiles * COLUMNS;
    uint32_t pixels = 0;
    for (uint32_t left = job->pixels; left > 0; left -= pixels) {
        const uint32_t first = job->pixels - left;
        pixels = left < block_pixels ? left : block_pixels;
        const block b = {.first = first, .pixels = pixels, .tiles = (pixels + COLUMNS - 1) / COLUMNS};
        work += run_block(weights, activations, filters, results, job, &b);
    }
    return work;
}

void bdnn_kernel(BDNN_KERNEL_PARAMETERS)
{
#include "bdnn_kernel_interface.h"
    const bdnn_hw_job job = BDNN_KERNEL_JOB;
    const int refused = is_refused(&job);
    uint32_t work = 0, result_units = 0;
    if (!refused && job.mode == BDNN_HW_MODE_MAXIMUM) {
        pool(activations, results, &job);
        result_units = job.units;
    } else if (!refused) {
        work = convolve(weights, activations, filters, results, &job);
        result_units = (job.filter_count + BDNN_HW_UNIT - 1) / BDNN_HW_UNIT;
    }
    *ending = refused ? BDNN_HW_ENDING_REFUSED : 0;
    /* C has no clock: what only a clock can count reads 0. */
    *cycles = 0;
    *busy = work;
    *wait_load = 0;
    *wait_results = 0;
    *read_beats = 0;
    *write_beats = job.pixels * result_units * bdnn_hw_value_bits(&job);
    *identity = BDNN_HW_IDENTITY;
    *array = BDNN_HW_PUT_ROWS(ROWS) | BDNN_HW_PUT_COLUMNS(COLUMNS);
    *word = BDNN_HW_PUT_WORD_BITS(BDNN_BOARD_WORD_BITS) | BDNN_HW_PUT_MAX_TILES(TILES);
    *buffers =
        BDNN_HW_PUT_WEIGHT_DEPTH(BDNN_BOARD_WEIGHT_DEPTH) | BDNN_HW_PUT_ACTIVATION_DEPTH(BDNN_BOARD_ACTIVATION_DEPTH);
    *features = BDNN_HW_FEATURES_MAX_POOLING;
}
