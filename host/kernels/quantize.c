/* SPDX-License-Identifier: BSD-2-Clause */
/* The quantization sub-layer and bit planes. */
#include "kernels/quantize.h"

#include "core/arithmetic.h"
#include "kernels/quantization.h"

#include <string.h>

/* Elements of one task: large enough to outweigh its dispatch, a constant so that no result depends on the threads. */
#define TILE ((int64_t)16 << 10)

/* What a task does to its part of the elements. */
struct convert {
    const void *x;
    void *y;
    size_t count;
    float step, low, high;
    int32_t multiplier, shift, zero_point, most;
};

static size_t end_of(const struct convert *job, size_t tile)
{
    return (size_t)bdnn_min(TILE, (int64_t)job->count - (int64_t)tile * TILE);
}

static void quantize_tile(void *context, size_t tile)
{
    const struct convert *job = context;
    bdnn_quantization_choose()->quantize((const float *)job->x + tile * TILE, end_of(job, tile), job->step, job->low,
                                         job->high, job->zero_point, (uint8_t *)job->y + tile * TILE);
}

static void quantize_wide_tile(void *context, size_t tile)
{
    const struct convert *job = context;
    bdnn_quantization_choose()->quantize_wide((const int16_t *)job->x + tile * TILE, end_of(job, tile), job->multiplier,
                                              job->shift, job->zero_point, job->most, (uint8_t *)job->y + tile * TILE);
}

static void dequantize_tile(void *context, size_t tile)
{
    const struct convert *job = context;
    bdnn_quantization_choose()->dequantize((const uint8_t *)job->x + tile * TILE, end_of(job, tile), job->step,
                                           job->zero_point, (float *)job->y + tile * TILE);
}

static void dequantize_wide_tile(void *context, size_t tile)
{
    const struct convert *job = context;
    bdnn_quantization_choose()->dequantize_wide((const int16_t *)job->x + tile * TILE, end_of(job, tile), job->step,
                                                (float *)job->y + tile * TILE);
}

static void convert(struct convert job, bdnn_task *task, bdnn_threads *threads)
{
    bdnn_parallel(threads, task, &job, (size_t)bdnn_ceil_div((int64_t)job.count, TILE));
}

void bdnn_quantize(const float *x, size_t count, float step, int32_t zero_point, int32_t bits, uint8_t *x_q,
                   bdnn_threads *threads)
{
    convert((struct convert){.x = x,
                             .y = x_q,
                             .count = count,
                             .step = step,
                             .zero_point = zero_point,
                             .low = (float)-zero_point,
                             .high = (float)((1 << bits) - 1 - zero_point)},
            quantize_tile, threads);
}

void bdnn_quantize_wide(const int16_t *x, size_t count, int32_t multiplier, int32_t shift, int32_t zero_point,
                        int32_t bits, uint8_t *x_q, bdnn_threads *threads)
{
    convert((struct convert){.x = x,
                             .y = x_q,
                             .count = count,
                             .multiplier = multiplier,
                             .shift = shift,
                             .zero_point = zero_point,
                             .most = (1 << bits) - 1},
            quantize_wide_tile, threads);
}

void bdnn_dequantize(const uint8_t *x, size_t count, float step, int32_t zero_point, float *y, bdnn_threads *threads)
{
    convert((struct convert){.x = x, .y = y, .count = count, .step = step, .zero_point = zero_point}, dequantize_tile,
            threads);
}

void bdnn_dequantize_wide(const int16_t *x, size_t count, float step, float *y, bdnn_threads *threads)
{
    convert((struct convert){.x = x, .y = y, .count = count, .step = step}, dequantize_wide_tile, threads);
}

void bdnn_fake_quantize(const float *x, size_t count, float step, int32_t zero_point, int32_t bits, float *y)
{
    const float low = (float)-zero_point, high = (float)((1 << bits) - 1 - zero_point);
    uint8_t level[256];
    for (size_t i = 0; i < count; i += sizeof level) {
        const size_t some = (size_t)bdnn_min((int64_t)(count - i), sizeof level);
        bdnn_quantization_choose()->quantize(x + i, some, step, low, high, zero_point, level);
        bdnn_quantization_choose()->dequantize(level, some, step, zero_point, y + i);
    }
}

void bdnn_pack_planes(const uint8_t *x_q, size_t count, int32_t bits, uint64_t *planes)
{
    const size_t words = (size_t)bdnn_words_of((int64_t)count);
    for (size_t w = 0; w < words; w++) {
        const size_t used = (size_t)bdnn_min((int64_t)(count - w * 64), 64);
        uint64_t plane[8] = {0};
        for (size_t i = 0; i < used; i++) {
            for (int32_t q = 0; q < bits; q++) {
                plane[q] |= (uint64_t)(x_q[w * 64 + i] >> q & 1) << i;
            }
        }
        for (int32_t q = 0; q < bits; q++) {
            planes[(size_t)q * words + w] = plane[q];
        }
    }
}
