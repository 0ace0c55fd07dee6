/* SPDX-License-Identifier: BSD-2-Clause */
/* Template of the kernel for fully connected layers on processors without a product of bytes: blocks of one filter are
 * decoded to 16 bits and multiplied with the batch's items, widened likewise. There is no decoded copy, since at batch
 * 1 the memory bus decides and since a network's fully connected layers are most of its memory. Included by one file
 * per instruction set, which defines DENSE_KERNEL, DENSE_NAME, DENSE_AVAILABLE (an expression) and
 *
 *     static void decode(const uint64_t *planes, int64_t words, const int8_t *scales, int32_t bases, int64_t count,
 *                        int16_t *w);
 *
 * which decodes `count` words of 64 weights, the planes of one basis lying `words` apart. */
#include "kernels/kernel_list.h"
#include "kernels/rows.h"

#include "core/memory.h"

#define DENSE_FILTERS 4 /* of one task */

/* Elements of a block: weights and inputs together stay in the first-level cache beside the inputs themselves. */
#define BLOCK_WORDS 16
#define BLOCK       (BLOCK_WORDS * 64)

static int32_t dot_block(const uint8_t *x, const int16_t *w, int64_t used, int64_t padded)
{
    int16_t wide[BLOCK];
    int32_t sum = 0;
    for (int64_t i = 0; i < used; i++) {
        wide[i] = x[i];
    }
    for (int64_t i = used; i < padded; i++) {
        wide[i] = 0;
    }
    for (int64_t i = 0; i < padded; i++) {
        sum += (int32_t)wide[i] * w[i];
    }
    return sum;
}

/* One filter for all items of the batch, acc's elements acc_stride apart. */
static void dense_filter(const bdnn_ip_shape *s, const uint64_t *planes, const int8_t *scales, const uint8_t *x_q,
                         int32_t *acc, int64_t acc_stride)
{
    const int64_t inner = bdnn_ip_inner(s), words = bdnn_ip_words(s);
    for (int64_t n = 0; n < s->batch; n++) {
        acc[n * acc_stride] = 0;
    }
    for (int64_t first = 0; first < words; first += BLOCK_WORDS) {
        const int64_t count = bdnn_min(words - first, BLOCK_WORDS), at = first * 64;
        const int64_t used = bdnn_min(inner - at, BLOCK);
        int16_t w[BLOCK];
        decode(planes + first, words, scales, s->bases, count, w);
        for (int64_t n = 0; n < s->batch; n++) {
            acc[n * acc_stride] += dot_block(x_q + n * inner + at, w, used, count * 64);
        }
    }
}

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
    return bdnn_product((size_t)shape->batch, DENSE_FILTERS * sizeof(int32_t));
}

static void dense_task(void *context, size_t slot, size_t task)
{
    const struct dense_job *job = context;
    const bdnn_ip_shape *s = job->shape;
    const int64_t first = (int64_t)task * DENSE_FILTERS, end = bdnn_min(first + DENSE_FILTERS, s->filters);
    int32_t *acc = bdnn_slot(job->scratch, dense_slot_bytes(s), slot);
    for (int64_t f = first; f < end; f++) {
        dense_filter(s, bdnn_ip_planes_of(s, job->weights, f), bdnn_ip_scales_of(s, job->weights, f), job->x_q,
                     acc + (f - first), DENSE_FILTERS);
    }
    bdnn_sink_put(job->sink, 0, s->batch, first, end - first, acc, DENSE_FILTERS);
}

static bool supported(const bdnn_ip_shape *shape)
{
    return (DENSE_AVAILABLE) && (!shape || bdnn_ip_is_dense(shape));
}

static size_t scratch_bytes(const bdnn_ip_shape *shape, size_t threads)
{
    return bdnn_slots_bytes(threads, dense_slot_bytes(shape));
}

static void run(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, const void *packed, const uint8_t *x_q,
                const bdnn_sink *sink, void *scratch, bdnn_threads *threads)
{
    struct dense_job job = {.shape = shape, .weights = weights, .x_q = x_q, .sink = sink, .scratch = scratch};
    (void)packed;
    bdnn_parallel_slots(threads, dense_task, &job, (size_t)bdnn_ceil_div(shape->filters, DENSE_FILTERS));
}

const bdnn_ip_kernel DENSE_KERNEL = {
    .name = DENSE_NAME,
    .supported = supported,
    .packed_bytes = bdnn_ip_stored_bytes,
    .pack = bdnn_ip_as_stored,
    .scratch_bytes = scratch_bytes,
    .run = run,
};
