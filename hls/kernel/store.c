/* SPDX-License-Identifier: BSD-2-Clause */
/* The store stage: packs the values of a unit to bit planes or integers and writes them. */
#include "kernel.h"

/* Words of a unit's results: as many as a value has bits. */
#define MAX_WORDS BDNN_HW_MODE_INT32_BITS

/* The words of one pixel's unit. */
static void pack(const bdnn_hw_job *job, const int32_t values[BDNN_HW_UNIT], uint64_t words[MAX_WORDS])
{
    const uint32_t count = bdnn_hw_value_bits(job);
    for (uint32_t i = 0; i < MAX_WORDS; i++) {
#pragma HLS UNROLL
        words[i] = 0;
    }
    for (uint32_t c = 0; c < BDNN_HW_UNIT; c++) {
#pragma HLS PIPELINE II = 1
        const uint32_t value = (uint32_t)values[c];
        if (job->mode == BDNN_HW_MODE_INT32) {
            words[c * BDNN_HW_MODE_INT32_BITS / BDNN_HW_UNIT] |= (uint64_t)value
                                                                 << (c * BDNN_HW_MODE_INT32_BITS % BDNN_HW_UNIT);
        } else if (job->mode == BDNN_HW_MODE_INT16) {
            words[c * BDNN_HW_MODE_INT16_BITS / BDNN_HW_UNIT] |= (uint64_t)(uint16_t)value
                                                                 << (c * BDNN_HW_MODE_INT16_BITS % BDNN_HW_UNIT);
        } else {
            for (uint32_t q = 0; q < BDNN_HW_PLANES_MAX; q++) {
#pragma HLS UNROLL
                words[q] |= q < count ? (uint64_t)(value >> q & 1) << c : 0;
            }
        }
    }
}

void store_unit(int32_t values[PIXELS][BDNN_HW_UNIT], uint64_t *results, const bdnn_hw_job *job, const block *b,
                uint32_t unit)
{
    const uint32_t count = bdnn_hw_value_bits(job);
    for (uint32_t i = 0; i < b->pixels; i++) {
        uint64_t words[MAX_WORDS];
#pragma HLS ARRAY_PARTITION variable = words complete
        const int64_t at =
            ((int64_t)job->result_origin + (int64_t)(b->first + i) * job->result_step) / BDNN_HW_ALIGNMENT +
            (int64_t)unit * count;
        pack(job, values[i], words);
        for (uint32_t k = 0; k < count; k++) {
#pragma HLS PIPELINE II = 1
            results[at + k] = words[k];
        }
    }
}
