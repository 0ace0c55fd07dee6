/* The quantization sub-layer and bit planes. Plain loops that compilers vectorise; a division and a
 * comparison per element keep the definition's arithmetic to the letter. */
#include "kernels/quantize.h"

#include <string.h>

/* Elements of one task: large enough to outweigh its dispatch, a constant so that no result depends on the threads. */
#define TILE ((size_t)16 << 10)

struct quantize {
    const float *x;
    uint8_t *x_q;
    size_t count;
    float step, low, high;
    int32_t zero_point;
};

/* x_q - zero_point as a float. rint to nearest even of |v| < 2^22 by adding and taking away 1.5 * 2^23: one instruction
 * each on every processor, where rintf is a call. The clamp before it keeps v in that range and changes no result,
 * since low and high are integers. */
static inline float level_of(float x, float step, float low, float high)
{
    const float magic = 0x1.8p23f;
    float v = x / step;
    v = v == v ? v : 0.0f;
    v = v > low ? v : low;
    v = v < high ? v : high;
    return (v + magic) - magic;
}

static void quantize_tile(void *context, size_t tile)
{
    const struct quantize *job = context;
    const size_t begin = tile * TILE, end = begin + TILE < job->count ? begin + TILE : job->count;
    const float step = job->step, low = job->low, high = job->high;
    for (size_t i = begin; i < end; i++) {
        job->x_q[i] = (uint8_t)((int32_t)level_of(job->x[i], step, low, high) + job->zero_point);
    }
}

void bdnn_fake_quantize(const float *x, size_t count, float step, int32_t zero_point, int32_t bits, float *y)
{
    const float low = (float)-zero_point, high = (float)((1 << bits) - 1 - zero_point);
    for (size_t i = 0; i < count; i++) {
        y[i] = step * level_of(x[i], step, low, high);
    }
}

void bdnn_quantize(const float *x, size_t count, float step, int32_t zero_point, int32_t bits, uint8_t *x_q,
                   bdnn_threads *threads)
{
    struct quantize job = {.x = x,
                           .x_q = x_q,
                           .count = count,
                           .step = step,
                           .zero_point = zero_point,
                           .low = (float)-zero_point,
                           .high = (float)((1 << bits) - 1 - zero_point)};
    bdnn_parallel(threads, quantize_tile, &job, (count + TILE - 1) / TILE);
}

/* Conversions of integers. */
struct convert {
    const void *x;
    void *y;
    size_t count;
    float step;
    int32_t multiplier, shift, zero_point, high;
};

static void quantize_wide_tile(void *context, size_t tile)
{
    const struct convert *job = context;
    const size_t begin = tile * TILE, end = begin + TILE < job->count ? begin + TILE : job->count;
    const int32_t multiplier = job->multiplier, shift = job->shift, half = 1 << (shift - 1), high = job->high;
    const int32_t zero_point = job->zero_point;
    const int16_t *x = job->x;
    uint8_t *x_q = job->y;
    for (size_t i = begin; i < end; i++) {
        int32_t v = ((x[i] * multiplier + half) >> shift) + zero_point;
        v = v > 0 ? v : 0;
        x_q[i] = (uint8_t)(v < high ? v : high);
    }
}

void bdnn_quantize_wide(const int16_t *x, size_t count, int32_t multiplier, int32_t shift, int32_t zero_point,
                        int32_t bits, uint8_t *x_q, bdnn_threads *threads)
{
    struct convert job = {.x = x,
                          .y = x_q,
                          .count = count,
                          .multiplier = multiplier,
                          .shift = shift,
                          .zero_point = zero_point,
                          .high = (1 << bits) - 1};
    bdnn_parallel(threads, quantize_wide_tile, &job, (count + TILE - 1) / TILE);
}

static void dequantize_tile(void *context, size_t tile)
{
    const struct convert *job = context;
    const size_t begin = tile * TILE, end = begin + TILE < job->count ? begin + TILE : job->count;
    const uint8_t *x = job->x;
    float *y = job->y;
    for (size_t i = begin; i < end; i++) {
        y[i] = job->step * (float)(x[i] - job->zero_point);
    }
}

void bdnn_dequantize(const uint8_t *x, size_t count, float step, int32_t zero_point, float *y, bdnn_threads *threads)
{
    struct convert job = {.x = x, .y = y, .count = count, .step = step, .zero_point = zero_point};
    bdnn_parallel(threads, dequantize_tile, &job, (count + TILE - 1) / TILE);
}

static void dequantize_wide_tile(void *context, size_t tile)
{
    const struct convert *job = context;
    const size_t begin = tile * TILE, end = begin + TILE < job->count ? begin + TILE : job->count;
    const int16_t *x = job->x;
    float *y = job->y;
    for (size_t i = begin; i < end; i++) {
        y[i] = job->step * (float)x[i];
    }
}

void bdnn_dequantize_wide(const int16_t *x, size_t count, float step, float *y, bdnn_threads *threads)
{
    struct convert job = {.x = x, .y = y, .count = count, .step = step};
    bdnn_parallel(threads, dequantize_wide_tile, &job, (count + TILE - 1) / TILE);
}

void bdnn_pack_planes(const uint8_t *x_q, size_t count, int32_t bits, uint64_t *planes)
{
    const size_t words = (count + 63) / 64;
    for (size_t w = 0; w < words; w++) {
        const size_t used = count - w * 64 < 64 ? count - w * 64 : 64;
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
