/* SPDX-License-Identifier: BSD-2-Clause */
/* The definition of the inner product: scalar XNOR and popcount over bit planes (docs/reference/numerics.md). Written
 * to be read; everything else is tested for equality with it. */
#include "kernels/inner_product.h"
#include "kernels/quantize.h"
#include "kernels/rows.h"

#include "core/memory.h"

static bool supported(const bdnn_ip_shape *shape)
{
    (void)shape;
    return true;
}

/* For each thread: one position's inputs as bytes, then as bit planes, then a group's sums. */
static size_t planes_at(const bdnn_ip_shape *shape)
{
    return bdnn_round_up((size_t)bdnn_ip_inner(shape), BDNN_ALIGNMENT);
}

static size_t sums_at(const bdnn_ip_shape *shape)
{
    const size_t words = (size_t)bdnn_ip_words(shape);
    return planes_at(shape) + bdnn_round_up((size_t)shape->bits * words * sizeof(uint64_t), BDNN_ALIGNMENT);
}

static size_t slot_bytes(const bdnn_ip_shape *shape)
{
    return sums_at(shape) + bdnn_round_up((size_t)(shape->filters / shape->groups) * sizeof(int32_t), BDNN_ALIGNMENT);
}

static size_t scratch_bytes(const bdnn_ip_shape *shape, size_t threads)
{
    return bdnn_slots_bytes(threads, slot_bytes(shape));
}

struct job {
    const bdnn_ip_shape *shape;
    const bdnn_ip_weights *weights;
    const uint8_t *x_q;
    const bdnn_sink *sink;
    uint8_t *scratch;
};

/* acc_f = sum_i g_i A_i - (2^Q - 1) sum_i g_i N_i, with A_i = sum_q 2^q popcount(xnor(m_i, b_q)) and N_i the number of
 * -1 in m_i. Filler lanes hold weight bit 1 and activation bit 0: they count in neither. */
static int32_t inner_product(const bdnn_ip_shape *s, const uint64_t *m, const int8_t *g, const uint64_t *planes,
                             int64_t words)
{
    int32_t acc = 0;
    for (int32_t i = 0; i < s->bases; i++) {
        int32_t a = 0, n = 0;
        for (int64_t w = 0; w < words; w++) {
            n += __builtin_popcountll(~m[i * words + w]);
        }
        for (int32_t q = 0; q < s->bits; q++) {
            int32_t count = 0;
            for (int64_t w = 0; w < words; w++) {
                count += __builtin_popcountll(~(m[i * words + w] ^ planes[q * words + w]));
            }
            a += count * (1 << q);
        }
        acc += g[i] * (a - ((1 << s->bits) - 1) * n);
    }
    return acc;
}

/* All filters of one output position. */
static void run_position(void *context, size_t slot, size_t position)
{
    const struct job *job = context;
    const bdnn_ip_shape *s = job->shape;
    const int64_t inner = bdnn_ip_inner(s), words = bdnn_ip_words(s), filters = s->filters / s->groups;
    uint8_t *row = bdnn_slot(job->scratch, slot_bytes(s), slot);
    uint64_t *planes = (uint64_t *)(void *)(row + planes_at(s));
    int32_t *sums = (int32_t *)(void *)(row + sums_at(s));
    for (int64_t group = 0; group < s->groups; group++) {
        bdnn_ip_gather(s, job->x_q, 1, (int64_t)position, 1, group, inner, row);
        bdnn_pack_planes(row, (size_t)inner, s->bits, planes);
        for (int64_t f = group * filters; f < (group + 1) * filters; f++) {
            sums[f - group * filters] = inner_product(s, bdnn_ip_planes_of(s, job->weights, f),
                                                      bdnn_ip_scales_of(s, job->weights, f), planes, words);
        }
        bdnn_sink_put(job->sink, (int64_t)position, 1, group * filters, filters, sums, filters);
    }
}

static void run(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, const void *packed, const uint8_t *x_q,
                const bdnn_sink *sink, void *scratch, bdnn_threads *threads)
{
    struct job job = {.shape = shape, .weights = weights, .x_q = x_q, .sink = sink, .scratch = scratch};
    (void)packed;
    bdnn_parallel_slots(threads, run_position, &job, (size_t)bdnn_ip_positions(shape));
}

const bdnn_ip_kernel bdnn_ip_xnor_scalar = {
    .name = "xnor_scalar",
    .supported = supported,
    .packed_bytes = bdnn_ip_stored_bytes,
    .pack = bdnn_ip_as_stored,
    .scratch_bytes = scratch_bytes,
    .run = run,
};
