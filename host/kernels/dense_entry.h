/* The calls of a dense kernel's table entry, for a file that has defined DENSE_AVAILABLE (an expression),
 * DENSE_FILTERS (of one task) and
 *
 *     static void dense_filter(const bdnn_ip_shape *shape, const uint64_t *planes, const int8_t *scales,
 *                              const uint8_t *x_q, int32_t *acc);
 *
 * which computes one filter for all items of the batch, acc's elements F apart. Weights are decoded on the way from
 * their stored bits, K of them an element: there is no decoded copy, since at batch 1 the memory bus decides and since
 * a network's fully connected layers are most of its memory. */
#include "kernels/kernel_list.h"
#include "kernels/rows.h"

struct dense_job {
    const bdnn_ip_shape *shape;
    const bdnn_ip_weights *weights;
    const uint8_t *x_q;
    int32_t *acc;
};

static void dense_task(void *context, size_t task)
{
    const struct dense_job *job = context;
    const bdnn_ip_shape *s = job->shape;
    const int64_t words = (bdnn_ip_inner(s) + 63) / 64, first = (int64_t)task * DENSE_FILTERS;
    const int64_t end = first + DENSE_FILTERS < s->filters ? first + DENSE_FILTERS : s->filters;
    for (int64_t f = first; f < end; f++) {
        dense_filter(s, job->weights->planes + f * s->bases * words, job->weights->scales + f * s->bases, job->x_q,
                     job->acc + f);
    }
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
    (void)shape;
    (void)threads;
    return 0;
}

static void run(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, const void *packed, const uint8_t *x_q,
                int32_t *acc, void *scratch, bdnn_threads *threads)
{
    struct dense_job job = {.shape = shape, .weights = weights, .x_q = x_q, .acc = acc};
    (void)packed;
    (void)scratch;
    bdnn_parallel(threads, dense_task, &job, (size_t)((shape->filters + DENSE_FILTERS - 1) / DENSE_FILTERS));
}

#define DENSE_ENTRY(text)                                                                                              \
    {                                                                                                                  \
        .name = text, .supported = supported, .packed_bytes = packed_bytes, .pack = pack,                              \
        .scratch_bytes = scratch_bytes, .run = run                                                                     \
    }
