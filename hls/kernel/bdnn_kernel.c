/* The accelerator kernel for high-level synthesis: one job, load - compute - store. */
#include "kernel.h"

#include "bdnn_kernel_prototype.h"

uint32_t result_words(const bdnn_hw_job *job)
{
    return job->mode == MODE_PLANES    ? job->out_planes
           : job->mode == MODE_INT16   ? UNIT / 4
           : job->mode == MODE_MAXIMUM ? job->planes
                                       : UNIT / 2;
}

tap_place place_of_tap(const bdnn_hw_job *job, uint32_t pixel, uint32_t row, uint32_t column)
{
    const uint32_t y = pixel / job->out_width, x = pixel % job->out_width;
    const int64_t bytes = (int64_t)(int32_t)job->origin + (int64_t)y * job->row_step + (int64_t)x * job->pixel_step +
                          (int64_t)row * job->tap_row_step + (int64_t)column * job->tap_step;
    const tap_place place = {.x = (int32_t)(x * job->stride_x + column * job->dilation_x) - (int32_t)job->pad_left,
                             .y = (int32_t)(y * job->stride_y + row * job->dilation_y) - (int32_t)job->pad_top,
                             .word = bytes / 8};
    return place;
}

int is_inside(const bdnn_hw_job *job, const tap_place *place)
{
    return place->x >= 0 && place->y >= 0 && place->x < (int32_t)job->in_width && place->y < (int32_t)job->in_height;
}

/* One block: its taps stay while all filters pass. Returns the cycles in which the array works. */
static uint32_t run_block(const uint64_t *weights, const uint64_t *activations, const uint64_t *filters,
                          uint64_t *results, const bdnn_hw_job *job, const block *b)
{
    uint64_t taps[ACTIVATION_WORDS][COLUMNS][PARTS];
#pragma HLS ARRAY_PARTITION variable = taps complete dim = 2
#pragma HLS ARRAY_PARTITION variable = taps complete dim = 3
    const uint32_t units = (job->filter_count + UNIT - 1) / UNIT;
    load_block(activations, job, b, taps);
    for (uint32_t unit = 0; unit < units; unit++) {
#pragma HLS DATAFLOW
        int32_t values[PIXELS][UNIT];
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
    /* Addresses count in the check alone, as the pointers stand for them. */
    const bdnn_hw_job job = {
        .weights = (uintptr_t)weights & 7,
        .activations = (uintptr_t)activations & 7,
        .filters = (uintptr_t)filters & 7,
        .results = (uintptr_t)results & 7,
        .origin = origin,
        .pixel_step = pixel_step,
        .row_step = row_step,
        .tap_step = tap_step,
        .tap_row_step = tap_row_step,
        .result_step = result_step,
        .in_width = BDNN_HW_IN_WIDTH(input_width),
        .in_height = BDNN_HW_IN_HEIGHT(input_height),
        .out_width = BDNN_HW_OUT_WIDTH(output_width),
        .pixels = pixels,
        .kernel_width = BDNN_HW_KERNEL_WIDTH(kernel_size),
        .kernel_height = BDNN_HW_KERNEL_HEIGHT(kernel_size),
        .stride_x = BDNN_HW_STRIDE_X(steps),
        .stride_y = BDNN_HW_STRIDE_Y(steps),
        .dilation_x = BDNN_HW_DILATION_X(steps),
        .dilation_y = BDNN_HW_DILATION_Y(steps),
        .pad_left = BDNN_HW_PAD_LEFT(padding),
        .pad_top = BDNN_HW_PAD_TOP(padding),
        .units = BDNN_HW_UNITS(tap_units),
        .last_channels = BDNN_HW_LAST_CHANNELS(last_unit),
        .words = BDNN_HW_WORDS(word_count),
        .pad_units = BDNN_HW_PAD_UNITS(filler_units),
        .bases = BDNN_HW_BASES(base_count),
        .planes = BDNN_HW_PLANES(plane_count),
        .zero_point = BDNN_HW_ZERO_POINT(zero),
        .filter_count = BDNN_HW_FILTER_COUNT(filter_total),
        .mode = BDNN_HW_MODE(output_kind),
        .out_planes = BDNN_HW_OUT_PLANES(output_kind),
        .low = low,
        .high = high,
        .tiles = BDNN_HW_TILES(blocking),
        .result_origin = result_origin,
    };
    const int refused = is_refused(&job);
    uint32_t work = 0, units = 0;
    if (!refused && job.mode == MODE_MAXIMUM) {
        pool(activations, results, &job);
        units = job.units;
    } else if (!refused) {
        work = convolve(weights, activations, filters, results, &job);
        units = (job.filter_count + UNIT - 1) / UNIT;
    }
    *ending = refused ? 8 : 0;
    /* C has no clock: what only a clock can count reads 0. */
    *cycles = 0;
    *busy = work;
    *wait_load = 0;
    *wait_results = 0;
    *read_beats = 0;
    *write_beats = job.pixels * units * result_words(&job);
    *identity = BDNN_HW_IDENTITY;
    *array = ROWS | (uint32_t)COLUMNS << 16;
    *word = BDNN_BOARD_WORD_BITS | (uint32_t)TILES << 16;
    *buffers = BDNN_BOARD_WEIGHT_DEPTH | (uint32_t)BDNN_BOARD_ACTIVATION_DEPTH << 16;
    *features = 1;
}
