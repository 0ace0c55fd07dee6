/* The calls of a dense kernel's table entry, for a file that has defined DENSE_AVAILABLE (an expression),
 * DENSE_FILTERS (of one task) and
 *
 *     static void dense_filter(const bdnn_ip_shape *shape, const uint64_t *planes, const int8_t *scales,
 *                              const uint8_t *x_q, int32_t *acc, int64_t acc_stride);
 *
 * which computes one filter for all items of the batch, acc's elements acc_stride apart; or, with DENSE_AT_ONCE,
 *
 *     static void dense_filters(const bdnn_ip_shape *shape, int64_t filters, ...the same);
 *
 * which computes up to DENSE_AT_ONCE neighbouring filters. Weights are decoded on the way
 * from their stored bits, K of them an element: there is no decoded copy, since at batch 1 the memory bus decides and
 * since a network's fully connected layers are most of its memory. */
#include "kernels/kernel_list.h"
#include "kernels/rows.h"

#include "core/memory.h"

#ifndef DENSE_AT_ONCE
#define DENSE_AT_ONCE 1
static void dense_filters(const bdnn_ip_shape *shape, int64_t filters, const uint64_t *planes, const int8_t *scales,
                          const uint8_t *x_q, int32_t *acc, int64_t acc_stride)
{
    (void)filters;
    dense_filter(shape, planes, scales, x_q, acc, acc_stride);
}
#endif

struct dense_job {
    const bdnn_ip_shape *shape;
    const bdnn_ip_weights *weights;
    const uint8_t *x_q;
    const bdnn_sink *sink;
    uint8_t *scratch;
};

/* Per thread: the sums of a task, [batch][DENSE_FILTERS]. */
static size_t dense_slot_bytes(const bdnn_ip_shape *shape)
{
    return bdnn_round_up((size_t)shape->batch * DENSE_FILTERS * sizeof(int32_t), BDNN_ALIGNMENT);
}

static void dense_task(void *context, size_t slot, size_t task)
{
    const struct dense_job *job = context;
    const bdnn_ip_shape *s = job->shape;
    const int64_t words = (bdnn_ip_inner(s) + 63) / 64, first = (int64_t)task * DENSE_FILTERS;
    const int64_t end = first + DENSE_FILTERS < s->filters ? first + DENSE_FILTERS : s->filters;
    int32_t *acc = (int32_t *)(void *)(job->scratch + slot * dense_slot_bytes(s));
    for (int64_t f = first; f < end; f += DENSE_AT_ONCE) {
        dense_filters(s, end - f < DENSE_AT_ONCE ? end - f : DENSE_AT_ONCE, job->weights->planes + f * s->bases * words,
                      job->weights->scales + f * s->bases, job->x_q, acc + (f - first), DENSE_FILTERS);
    }
    bdnn_sink_put(job->sink, 0, s->batch, first, end - first, acc, DENSE_FILTERS);
}

static bool supported(const bdnn_ip_shape *shape)
{
    return (DENSE_AVAILABLE) && (!shape || bdnn_ip_is_dense(shape));
}

static size_t packed_bytes(const bdnn_ip_shape *shape)
{
    (void)shape;
    return 0;
}

static void pack(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, void *packed, bdnn_threads *threads)
{
    (void)shape;
    (void)weights;
    (void)packed;
    (void)threads;
}

static size_t scratch_bytes(const bdnn_ip_shape *shape, size_t threads)
{
    return threads * dense_slot_bytes(shape);
}

static void run(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, const void *packed, const uint8_t *x_q,
                const bdnn_sink *sink, void *scratch, bdnn_threads *threads)
{
    struct dense_job job = {.shape = shape, .weights = weights, .x_q = x_q, .sink = sink, .scratch = scratch};
    (void)packed;
    bdnn_parallel_slots(threads, dense_task, &job, (size_t)((shape->filters + DENSE_FILTERS - 1) / DENSE_FILTERS));
}

#define DENSE_ENTRY(text)                                                                                              \
    {                                                                                                                  \
        .name = text, .supported = supported, .packed_bytes = packed_bytes, .pack = pack,                              \
        .scratch_bytes = scratch_bytes, .run = run                                                                     \
    }
