/* The store stage: packs the values of a unit to bit planes or integers and writes them. */
#include "kernel.h"

/* The words of one pixel's unit. */
static void pack(const bdnn_hw_job *job, const int32_t values[UNIT], uint64_t words[UNIT / 2])
{
    const uint32_t count = result_words(job);
    for (uint32_t i = 0; i < UNIT / 2; i++) {
#pragma HLS UNROLL
        words[i] = 0;
    }
    for (uint32_t c = 0; c < UNIT; c++) {
#pragma HLS PIPELINE II = 1
        const uint32_t value = (uint32_t)values[c];
        if (job->mode == MODE_INT32) {
            words[c / 2] |= (uint64_t)value << (32 * (c % 2));
        } else if (job->mode == MODE_INT16) {
            words[c / 4] |= (uint64_t)(value & 0xffff) << (16 * (c % 4));
        } else {
            for (uint32_t q = 0; q < 8; q++) {
#pragma HLS UNROLL
                words[q] |= q < count ? (uint64_t)(value >> q & 1) << c : 0;
            }
        }
    }
}

void store_unit(int32_t values[PIXELS][UNIT], uint64_t *results, const bdnn_hw_job *job, const block *b, uint32_t unit)
{
    const uint32_t count = result_words(job);
    for (uint32_t i = 0; i < b->pixels; i++) {
        uint64_t words[UNIT / 2];
#pragma HLS ARRAY_PARTITION variable = words complete
        const int64_t at =
            ((int64_t)job->result_origin + (int64_t)(b->first + i) * job->result_step) / 8 + (int64_t)unit * count;
        pack(job, values[i], words);
        for (uint32_t k = 0; k < count; k++) {
#pragma HLS PIPELINE II = 1
            results[at + k] = words[k];
        }
    }
}
