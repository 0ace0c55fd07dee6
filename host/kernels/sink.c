/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the sums of an inner-product kernel go: the definition of the requantization, and the walk over a tile. */
#include "kernels/sink.h"

#include "core/arithmetic.h"
#include "kernels/quantization.h"

#include <stdatomic.h>
#include <string.h>

#define WIDE_MAX 32767

/* floor of a division by 2^32; the shift of a negative number to the right keeps its sign in every compiler this builds
 * with. */
static inline int32_t requantize(int32_t acc, int64_t multiplier, int64_t offset, int32_t low, int32_t high)
{
    const int64_t v = (acc * multiplier + offset) >> 32;
    return (int32_t)bdnn_clamp(v, low, high);
}

static void quantized(const bdnn_sink_tile *t, const bdnn_requantizer *r, uint8_t *y)
{
    for (int64_t row = 0; row < t->rows; row++) {
        for (int64_t f = 0; f < t->count; f++) {
            y[row * t->y_stride + f] =
                (uint8_t)requantize(t->acc[row * t->acc_stride + f], r->multiplier[f], r->offset[f], r->low, r->high);
        }
    }
}

static inline uint8_t read_wide(int32_t v, const bdnn_rescale *r)
{
    v = ((v * r->multiplier + (1 << (r->shift - 1))) >> r->shift) + r->zero_point;
    return (uint8_t)bdnn_clamp(v, 0, r->most);
}

static void wide(const bdnn_sink_tile *t, const bdnn_requantizer *r, int16_t *y)
{
    for (int64_t row = 0; row < t->rows; row++) {
        for (int64_t f = 0; f < t->count; f++) {
            const int64_t at = row * t->y_stride + f;
            int32_t v = requantize(t->acc[row * t->acc_stride + f], r->multiplier[f], r->offset[f],
                                   t->addend ? -WIDE_MAX : r->low, t->addend ? WIDE_MAX : r->high);
            if (t->addend) {
                v += t->addend[at];
                v = (int32_t)bdnn_clamp(v, r->low, r->high);
            }
            y[at] = (int16_t)v;
            if (t->rescale) {
                t->x_q[at] = read_wide(v, t->rescale);
            }
        }
    }
}

static bool always(void)
{
    return true;
}

static const bdnn_sink_kernel scalar = {
    .name = "requantize__scalar", .supported = always, .quantized = quantized, .wide = wide};

#if defined(__x86_64__)
extern const bdnn_sink_kernel bdnn_sink_avx512, bdnn_sink_avx2, bdnn_sink_sse4;
#elif defined(__aarch64__) || defined(__arm__)
extern const bdnn_sink_kernel bdnn_sink_neon;
#endif

const bdnn_sink_kernel *const bdnn_sink_kernels[] = {
#if defined(__x86_64__)
    &bdnn_sink_avx512, &bdnn_sink_avx2,
    &bdnn_sink_sse4,
#elif defined(__aarch64__) || defined(__arm__)
    &bdnn_sink_neon,
#endif
    &scalar,           NULL,
};

const bdnn_sink_kernel *bdnn_sink_choose(void)
{
    /* Threads that come first at the same time store the same kernel. */
    static const bdnn_sink_kernel *_Atomic chosen;
    const bdnn_sink_kernel *kernel = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!kernel) {
        size_t i = 0;
        while (!bdnn_sink_kernels[i]->supported()) {
            i++;
        }
        kernel = bdnn_sink_kernels[i];
        atomic_store_explicit(&chosen, kernel, memory_order_relaxed);
    }
    return kernel;
}

static void apply_epilogue(const bdnn_sink_tile *t, const bdnn_epilogue *e, int64_t filter, float *y)
{
    const float *multiplier = e->multiplier + filter, *bias = e->bias + filter;
    const int32_t *offset = e->offset + filter;
    for (int64_t row = 0; row < t->rows; row++) {
        bdnn_quantization_choose()->epilogue(t->acc + row * t->acc_stride, multiplier, offset, bias, (size_t)t->count,
                                             y + row * t->y_stride);
    }
}

static void copy(const bdnn_sink_tile *t, int32_t *y)
{
    for (int64_t row = 0; row < t->rows; row++) {
        memcpy(y + row * t->y_stride, t->acc + row * t->acc_stride, (size_t)t->count * sizeof *y);
    }
}

void bdnn_sink_rescale(const bdnn_sink *sink, int64_t at, int64_t count)
{
    const bdnn_rescale *r = sink->rescale;
    if (r) {
        bdnn_quantization_choose()->quantize_wide((const int16_t *)sink->y + at, (size_t)count, r->multiplier, r->shift,
                                                  r->zero_point, r->most, sink->x_q + at);
    }
}

void bdnn_sink_put(const bdnn_sink *sink, int64_t position, int64_t rows, int64_t filter, int64_t count,
                   const int32_t *acc, int64_t acc_stride)
{
    const int64_t at = position * sink->filters + filter;
    const bdnn_sink_tile tile = {.acc = acc,
                                 .rows = rows,
                                 .acc_stride = acc_stride,
                                 .count = count,
                                 .y_stride = sink->filters,
                                 .addend = sink->addend ? sink->addend + at : NULL,
                                 .rescale = sink->rescale,
                                 .x_q = sink->rescale ? sink->x_q + at : NULL};
    bdnn_requantizer r = {NULL, NULL, 0, 0};
    if (sink->kind == BDNN_SINK_QUANTIZED || sink->kind == BDNN_SINK_WIDE) {
        r = *sink->requantizer;
        r.multiplier += filter;
        r.offset += filter;
    }
    switch (sink->kind) {
    case BDNN_SINK_ACCUMULATORS:
        copy(&tile, (int32_t *)sink->y + at);
        break;
    case BDNN_SINK_FLOAT:
        apply_epilogue(&tile, sink->epilogue, filter, (float *)sink->y + at);
        break;
    case BDNN_SINK_QUANTIZED:
        bdnn_sink_choose()->quantized(&tile, &r, (uint8_t *)sink->y + at);
        break;
    case BDNN_SINK_WIDE:
        bdnn_sink_choose()->wide(&tile, &r, (int16_t *)sink->y + at);
        break;
    }
}
