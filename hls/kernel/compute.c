/* SPDX-License-Identifier: BSD-2-Clause */
/* The compute stage: XNOR and popcount of filters with pixels, the scale accumulators, requantization. */
#include "kernel.h"

#include <assert.h>

/* What a chunk's filters bring besides their bits. */
typedef struct filter_records {
    uint64_t scales[ROWS]; /* of all bases each */
    int32_t multiplier[ROWS], constant[ROWS];
    int64_t offset[ROWS];
} filter_records;

static void load_filters(const uint64_t *filters, uint32_t chunk, filter_records *records)
{
    const uint64_t at = (uint64_t)chunk * ROWS * BDNN_HW_FILTER_WORDS;
    for (uint32_t r = 0; r < ROWS; r++) {
#pragma HLS PIPELINE II = 3
        bdnn_hw_filter filter;
        bdnn_hw_unpack_filter(&filters[at + BDNN_HW_FILTER_WORDS * r], &filter);
        records->scales[r] = filter.scales;
        records->multiplier[r] = (int32_t)filter.multiplier;
        records->constant[r] = (int32_t)filter.constant;
        records->offset[r] = (int64_t)filter.offset;
    }
}

/* One basis of a chunk, in the order of memory: one burst. */
static void load_weights(const uint64_t *weights, const bdnn_hw_job *job, uint32_t chunk, uint32_t basis,
                         uint64_t words[WEIGHT_WORDS][ROWS][PARTS])
{
    assert(job->words >= 1 && job->words <= WEIGHT_WORDS);
    const uint64_t at = ((uint64_t)chunk * job->bases + basis) * job->words * ROWS * PARTS;
    for (uint32_t w = 0; w < job->words; w++) {
        for (uint32_t i = 0; i < ROWS * PARTS; i++) {
#pragma HLS PIPELINE II = 1
            words[w][i / PARTS][i % PARTS] = weights[at + w * (ROWS * PARTS) + i];
        }
    }
}

/* The number of ones, as a tree of adders. */
static uint32_t popcount(uint64_t x)
{
#pragma HLS INLINE
    x = x - (x >> 1 & 0x5555555555555555u);
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (uint32_t)(x * 0x0101010101010101u >> 56);
}

/* Sums of one tile, all filters of the chunk with all columns: planes from the highest down, doubling the sum from one
 * to the next. */
static void multiply_tile(const bdnn_hw_job *job, uint32_t tile, uint64_t words[WEIGHT_WORDS][ROWS][PARTS],
                          uint64_t taps[ACTIVATION_WORDS][COLUMNS][PARTS], uint32_t sums[ROWS][COLUMNS])
{
    assert(job->planes >= 1 && job->planes <= BDNN_HW_PLANES_MAX && job->words >= 1 && job->words <= WEIGHT_WORDS);
    for (uint32_t i = 0; i < job->planes; i++) {
        for (uint32_t w = 0; w < job->words; w++) {
#pragma HLS PIPELINE II = 1
            const uint32_t plane = job->planes - 1 - i, at = (tile * job->planes + plane) * job->words + w;
            for (uint32_t r = 0; r < ROWS; r++) {
#pragma HLS UNROLL
                for (uint32_t c = 0; c < COLUMNS; c++) {
#pragma HLS UNROLL
                    uint32_t sum = i == 0 && w == 0 ? 0 : w == 0 ? 2 * sums[r][c] : sums[r][c];
                    for (uint32_t p = 0; p < PARTS; p++) {
#pragma HLS UNROLL
                        sum += popcount(~(words[w][r][p] ^ taps[at][c][p]));
                    }
                    sums[r][c] = sum;
                }
            }
        }
    }
}

/* One basis with all pixels of the block: acc += g_i A_i. Sums modulo 2^32, as no valid one is beyond. */
static void multiply(const bdnn_hw_job *job, const block *b, uint32_t basis, const filter_records *records,
                     uint64_t words[WEIGHT_WORDS][ROWS][PARTS], uint64_t taps[ACTIVATION_WORDS][COLUMNS][PARTS],
                     uint32_t acc[ROWS][PIXELS])
{
    for (uint32_t tile = 0; tile < b->tiles; tile++) {
        uint32_t sums[ROWS][COLUMNS];
#pragma HLS ARRAY_PARTITION variable = sums complete dim = 0
        multiply_tile(job, tile, words, taps, sums);
        for (uint32_t c = 0; c < COLUMNS; c++) {
#pragma HLS PIPELINE II = 1
            for (uint32_t r = 0; r < ROWS; r++) {
#pragma HLS UNROLL
                const uint32_t scale = (uint32_t)(int8_t)(uint8_t)(records->scales[r] >> (BDNN_HW_SCALE_BITS * basis));
                const uint32_t before = basis == 0 ? (uint32_t)records->constant[r] : acc[r][tile * COLUMNS + c];
                /* multiply_tile() sets all sums: a job has words and taps.
                 * NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
                acc[r][tile * COLUMNS + c] = before + scale * sums[r][c];
            }
        }
    }
}

/* clamp((acc M + B) >> 32, low, high), or the accumulator as it is. The shift keeps the sign, in Vitis as in compilers.
 */
static int32_t requantize(const bdnn_hw_job *job, int32_t acc, int32_t multiplier, int64_t offset)
{
    const int32_t low = (int32_t)job->low, high = (int32_t)job->high;
    const int64_t v = (int64_t)((uint64_t)((int64_t)acc * multiplier) + (uint64_t)offset) >> 32;
    if (job->mode == BDNN_HW_MODE_INT32) {
        return acc;
    }
    return v < low ? low : v > high ? high : (int32_t)v;
}

/* Chunk `place` of a unit: its accumulators become values; without accumulators (behind the last filter) they are 0. */
static void finish_chunk(const bdnn_hw_job *job, const block *b, uint32_t place, uint32_t filters,
                         const filter_records *records, uint32_t acc[ROWS][PIXELS],
                         int32_t values[PIXELS][BDNN_HW_UNIT])
{
    for (uint32_t i = 0; i < b->pixels; i++) {
        for (uint32_t r = 0; r < ROWS; r++) {
#pragma HLS PIPELINE II = 1
            /* Accumulators are set below `filters`. NOLINTBEGIN(clang-analyzer-core.CallAndMessage) */
            values[i][place * ROWS + r] =
                r < filters ? requantize(job, (int32_t)acc[r][i], records->multiplier[r], records->offset[r]) : 0;
            /* NOLINTEND(clang-analyzer-core.CallAndMessage) */
        }
    }
}

void compute_unit(const uint64_t *weights, const uint64_t *filters, const bdnn_hw_job *job, const block *b,
                  uint32_t unit, uint64_t taps[ACTIVATION_WORDS][COLUMNS][PARTS], int32_t values[PIXELS][BDNN_HW_UNIT])
{
    assert(job->bases >= 1 && job->bases <= BDNN_HW_BASES_MAX && b->pixels >= 1 && b->tiles >= 1 && b->tiles <= TILES);
    uint32_t acc[ROWS][PIXELS];
#pragma HLS ARRAY_PARTITION variable = acc complete dim = 1
    filter_records records = {{0}, {0}, {0}, {0}};
#pragma HLS ARRAY_PARTITION variable = records.scales complete
#pragma HLS ARRAY_PARTITION variable = records.constant complete
    for (uint32_t place = 0; place < BDNN_HW_UNIT / ROWS; place++) {
        const uint32_t chunk = unit * (BDNN_HW_UNIT / ROWS) + place;
        const uint32_t left = chunk * ROWS < job->filter_count ? job->filter_count - chunk * ROWS : 0;
        if (left > 0) {
            load_filters(filters, chunk, &records);
            for (uint32_t basis = 0; basis < job->bases; basis++) {
#pragma HLS DATAFLOW
                uint64_t words[WEIGHT_WORDS][ROWS][PARTS];
#pragma HLS ARRAY_PARTITION variable = words complete dim = 2
#pragma HLS ARRAY_PARTITION variable = words complete dim = 3
                load_weights(weights, job, chunk, basis, words);
                multiply(job, b, basis, &records, words, taps, acc);
            }
        }
        finish_chunk(job, b, place, left < ROWS ? left : ROWS, &records, acc, values);
    }
}
