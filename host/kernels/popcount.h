/* SPDX-License-Identifier: BSD-2-Clause */
/* Template of the popcount kernel for fully connected layers at small batches; included by one file per instruction
 * set, which defines POPCOUNT_KERNEL (the entry's symbol), POPCOUNT_NAME and POPCOUNT_AVAILABLE (an expression), and
 * may define POPCOUNT_AND and its own and_count.
 *
 * With P_i = sum_q 2^q popcount(m_i and b_q) and X = sum_d x_q[d], the inner product is acc_f = sum_i g_i (2 P_i - X):
 * the same number as by XNOR, without the constant term. The weights are streamed as they are stored, K bits an
 * element: at batch 1 the memory bus decides, so there is no decoded copy. */
#include "core/memory.h"
#include "kernels/kernel_list.h"
#include "kernels/quantize.h"
#include "kernels/rows.h"

#include <string.h>

#define FILTER_TILE 16
#define MAX_BATCH   8

static bool supported(const bdnn_ip_shape *shape)
{
    return (POPCOUNT_AVAILABLE) && (!shape || (bdnn_ip_is_dense(shape) && shape->batch <= MAX_BATCH));
}

static size_t item_words(const bdnn_ip_shape *shape)
{
    return (size_t)shape->bits * (size_t)bdnn_ip_words(shape);
}

static size_t scratch_bytes(const bdnn_ip_shape *shape, size_t threads)
{
    (void)threads;
    return (size_t)shape->batch * item_words(shape) * sizeof(uint64_t);
}

struct job {
    const bdnn_ip_shape *shape;
    const bdnn_ip_weights *weights;
    const bdnn_sink *sink;
    const uint64_t *planes; /* [batch][Q][words] */
    int32_t sum[MAX_BATCH];
};

#ifndef POPCOUNT_AND
/* Bits that are set in both. */
static int32_t and_count(const uint64_t *a, const uint64_t *b, int64_t words)
{
    int64_t count = 0;
    for (int64_t w = 0; w < words; w++) {
        count += __builtin_popcountll(a[w] & b[w]);
    }
    return (int32_t)count;
}
#endif

static void run_tile(void *context, size_t tile)
{
    const struct job *job = context;
    const bdnn_ip_shape *s = job->shape;
    const int64_t words = bdnn_ip_words(s), first = (int64_t)tile * FILTER_TILE;
    const int64_t end = bdnn_min(first + FILTER_TILE, s->filters);
    int32_t sums[MAX_BATCH][FILTER_TILE];
    for (int64_t f = first; f < end; f++) {
        const uint64_t *m = bdnn_ip_planes_of(s, job->weights, f);
        const int8_t *g = bdnn_ip_scales_of(s, job->weights, f);
        for (int64_t n = 0; n < s->batch; n++) {
            const uint64_t *planes = job->planes + (size_t)n * item_words(s);
            int32_t acc = 0;
            for (int32_t i = 0; i < s->bases; i++) {
                int32_t p = 0;
                for (int32_t q = 0; q < s->bits; q++) {
                    p += and_count(m + i * words, planes + q * words, words) * (1 << q);
                }
                acc += g[i] * (2 * p - job->sum[n]);
            }
            sums[n][f - first] = acc;
        }
    }
    bdnn_sink_put(job->sink, 0, s->batch, first, end - first, sums[0], FILTER_TILE);
}

static void run(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, const void *packed, const uint8_t *x_q,
                const bdnn_sink *sink, void *scratch, bdnn_threads *threads)
{
    const size_t inner = (size_t)bdnn_ip_inner(shape);
    struct job job = {.shape = shape, .weights = weights, .sink = sink, .planes = scratch};
    (void)packed;
    for (int64_t n = 0; n < shape->batch; n++) {
        const uint8_t *row = x_q + (size_t)n * inner;
        bdnn_pack_planes(row, inner, shape->bits, (uint64_t *)scratch + (size_t)n * item_words(shape));
        for (size_t d = 0; d < inner; d++) {
            job.sum[n] += row[d];
        }
    }
    bdnn_parallel(threads, run_tile, &job, (size_t)bdnn_ceil_div(shape->filters, FILTER_TILE));
}

const bdnn_ip_kernel POPCOUNT_KERNEL = {
    .name = POPCOUNT_NAME,
    .supported = supported,
    .packed_bytes = bdnn_ip_stored_bytes,
    .pack = bdnn_ip_as_stored,
    .scratch_bytes = scratch_bytes,
    .run = run,
};
