/* SPDX-License-Identifier: BSD-2-Clause */
/* The load stage: taps of a block's pixels from the activations to the array's columns. */
#include "kernel.h"

/* Channels that a unit of a tap has. */
static uint64_t channels_of_unit(const bdnn_hw_job *job, uint32_t unit)
{
    return unit + 1 < job->units ? UINT64_MAX : UINT64_MAX >> (BDNN_HW_UNIT - job->last_channels);
}

/* One tap: units x planes words, which lie side by side in memory, to units `at` on of the pixel's row of bits. Outside
 * of the image its channels hold the zero point. */
static void load_tap(const uint64_t *activations, const bdnn_hw_job *job, const tap_place *place, uint32_t tile,
                     uint32_t column, uint32_t at, uint64_t taps[ACTIVATION_WORDS][COLUMNS][PARTS])
{
    const int inside = is_inside(job, place);
    uint32_t unit = 0, plane = 0;
    for (uint32_t i = 0; i < job->units * job->planes; i++) {
#pragma HLS PIPELINE II = 1
        const uint64_t zero = (job->zero_point >> plane & 1) ? channels_of_unit(job, unit) : 0;
        const uint64_t bits = inside ? activations[place->word + i] : zero;
        const uint32_t to = at + unit;
        taps[(tile * job->planes + plane) * job->words + to / PARTS][column][to % PARTS] = bits;
        plane = plane + 1 < job->planes ? plane + 1 : 0;
        unit += plane == 0;
    }
}

/* Filler: units `at` to the end of the last word, and whole pixels behind the last one, are 0. */
static void clear_units(const bdnn_hw_job *job, uint32_t tile, uint32_t column, uint32_t at,
                        uint64_t taps[ACTIVATION_WORDS][COLUMNS][PARTS])
{
    for (uint32_t plane = 0; plane < job->planes; plane++) {
        for (uint32_t to = at; to < job->words * PARTS; to++) {
#pragma HLS PIPELINE II = 1
            taps[(tile * job->planes + plane) * job->words + to / PARTS][column][to % PARTS] = 0;
        }
    }
}

void load_block(const uint64_t *activations, const bdnn_hw_job *job, const block *b,
                uint64_t taps[ACTIVATION_WORDS][COLUMNS][PARTS])
{
    for (uint32_t i = 0; i < b->tiles * COLUMNS; i++) {
        const uint32_t tile = i / COLUMNS, column = i % COLUMNS;
        uint32_t at = 0;
        if (i < b->pixels) {
            for (uint32_t row = 0; row < job->kernel_height; row++) {
                for (uint32_t k = 0; k < job->kernel_width; k++) {
                    const tap_place place = place_of_tap(job, b->first + i, row, k);
                    load_tap(activations, job, &place, tile, column, at, taps);
                    at += job->units;
                }
            }
        }
        clear_units(job, tile, column, at, taps);
    }
}
