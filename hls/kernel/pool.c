/* SPDX-License-Identifier: BSD-2-Clause */
/* Max pooling of quantized values as they lie in memory, 64 channels at a time. */
#include "kernel.h"

/* best = max(best, tap), channel by channel: the planes are compared from the highest down, and the first that differs
 * decides. */
static void take_greater(uint32_t planes, uint64_t best[BDNN_HW_PLANES_MAX], const uint64_t tap[BDNN_HW_PLANES_MAX])
{
    uint64_t greater = 0, equal = UINT64_MAX;
    for (uint32_t i = 0; i < BDNN_HW_PLANES_MAX; i++) {
#pragma HLS UNROLL
        const uint32_t q = BDNN_HW_PLANES_MAX - 1 - i;
        if (q < planes) {
            greater |= equal & tap[q] & ~best[q];
            equal &= ~(tap[q] ^ best[q]);
        }
    }
    for (uint32_t q = 0; q < BDNN_HW_PLANES_MAX; q++) {
#pragma HLS UNROLL
        if (q < planes) {
            best[q] = (best[q] & ~greater) | (tap[q] & greater);
        }
    }
}

/* One unit at one pixel. Taps outside of the image do not count; 0 is below or equal to every value. */
static void pool_unit(const uint64_t *activations, const bdnn_hw_job *job, uint32_t pixel, uint32_t unit,
                      uint64_t best[BDNN_HW_PLANES_MAX])
{
    uint64_t tap[BDNN_HW_PLANES_MAX] = {0};
#pragma HLS ARRAY_PARTITION variable = tap complete
    for (uint32_t row = 0; row < job->kernel_height; row++) {
        for (uint32_t column = 0; column < job->kernel_width; column++) {
            const tap_place place = place_of_tap(job, pixel, row, column);
            if (is_inside(job, &place)) {
                for (uint32_t q = 0; q < job->planes; q++) {
#pragma HLS PIPELINE II = 1
                    tap[q] = activations[place.word + (int64_t)unit * job->planes + q];
                }
                take_greater(job->planes, best, tap);
            }
        }
    }
}

void pool(const uint64_t *activations, uint64_t *results, const bdnn_hw_job *job)
{
    for (uint32_t pixel = 0; pixel < job->pixels; pixel++) {
        const int64_t at = ((int64_t)job->result_origin + (int64_t)pixel * job->result_step) / BDNN_HW_ALIGNMENT;
        for (uint32_t unit = 0; unit < job->units; unit++) {
            uint64_t best[BDNN_HW_PLANES_MAX] = {0};
#pragma HLS ARRAY_PARTITION variable = best complete
            pool_unit(activations, job, pixel, unit, best);
            for (uint32_t q = 0; q < job->planes; q++) {
#pragma HLS PIPELINE II = 1
                results[at + (int64_t)unit * job->planes + q] = best[q];
            }
        }
    }
}
