/* Where the sums of an inner-product kernel go: the definition of the requantisation, and the walk over a tile. */
#include "kernels/sink.h"

#include <string.h>

/* floor of a division by 2^32; the shift of a negative number to the right keeps its sign in every compiler this builds
 * with. */
static inline int32_t requantise(int32_t acc, int64_t multiplier, int64_t offset, int32_t low, int32_t high)
{
    const int64_t v = (acc * multiplier + offset) >> 32;
    return (int32_t)(v < low ? low : v > high ? high : v);
}

static void quantised(const int32_t *acc, const int64_t *multiplier, const int64_t *offset, int64_t count, int32_t low,
                      int32_t high, uint8_t *y)
{
    for (int64_t f = 0; f < count; f++) {
        y[f] = (uint8_t)requantise(acc[f], multiplier[f], offset[f], low, high);
    }
}

static void wide(const int32_t *acc, const int64_t *multiplier, const int64_t *offset, int64_t count, int32_t low,
                 int32_t high, int16_t *y)
{
    for (int64_t f = 0; f < count; f++) {
        y[f] = (int16_t)requantise(acc[f], multiplier[f], offset[f], low, high);
    }
}

static bool always(void)
{
    return true;
}

static const bdnn_sink_kernel scalar = {
    .name = "requantise__scalar", .supported = always, .quantised = quantised, .wide = wide};

#if defined(__x86_64__)
extern const bdnn_sink_kernel bdnn_sink_avx512;
#endif

const bdnn_sink_kernel *const bdnn_sink_kernels[] = {
#if defined(__x86_64__)
    &bdnn_sink_avx512,
#endif
    &scalar,
    NULL,
};

const bdnn_sink_kernel *bdnn_sink_choose(void)
{
    size_t i = 0;
    while (!bdnn_sink_kernels[i]->supported()) {
        i++;
    }
    return bdnn_sink_kernels[i];
}

static void apply_epilogue(const bdnn_epilogue *e, const int32_t *acc, int64_t filter, int64_t count, float *y)
{
    const float *multiplier = e->multiplier + filter, *bias = e->bias + filter;
    const int32_t *offset = e->offset + filter;
    for (int64_t f = 0; f < count; f++) {
        y[f] = multiplier[f] * (float)(acc[f] - offset[f]) + bias[f];
    }
}

void bdnn_sink_put(const bdnn_sink *sink, int64_t position, int64_t rows, int64_t filter, int64_t count,
                   const int32_t *acc, int64_t acc_stride)
{
    const bdnn_sink_kernel *kernel = bdnn_sink_choose();
    const bdnn_requantiser *r = sink->requantiser;
    for (int64_t row = 0; row < rows; row++, acc += acc_stride) {
        const int64_t at = (position + row) * sink->filters + filter;
        switch (sink->kind) {
        case BDNN_SINK_ACCUMULATORS:
            memcpy((int32_t *)sink->y + at, acc, (size_t)count * sizeof *acc);
            break;
        case BDNN_SINK_FLOAT:
            apply_epilogue(sink->epilogue, acc, filter, count, (float *)sink->y + at);
            break;
        case BDNN_SINK_QUANTISED:
            kernel->quantised(acc, r->multiplier + filter, r->offset + filter, count, r->low, r->high,
                              (uint8_t *)sink->y + at);
            break;
        case BDNN_SINK_WIDE:
            kernel->wide(acc, r->multiplier + filter, r->offset + filter, count, r->low, r->high,
                         (int16_t *)sink->y + at);
            break;
        }
    }
}
