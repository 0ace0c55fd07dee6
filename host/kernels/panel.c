/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame of the panel kernels: decoding weights, tiling positions, gathering rows. */
#include "kernels/panel.h"

#include "core/memory.h"

#include <string.h>

/* Rows of one tile: as many as keep the gathered rows within half of a usual second-level cache, in steps that the
 * register tiles divide. */
#define TILE_BYTES ((int64_t)192 << 10)
#define TILE_STEP  12
#define MAX_ROWS   192
/* Filters whose sums are handed to the sink together, a multiple of every kernel's: the sums of a tile stay in the
 * nearest cache. */
#define SINK_FILTERS 64

static int64_t round_up(int64_t n, int64_t multiple)
{
    return bdnn_ceil_div(n, multiple) * multiple;
}

static int64_t padded_inner(const bdnn_panel_kernel *k, const bdnn_ip_shape *s)
{
    return round_up(bdnn_ip_inner(s), k->inner_multiple);
}

static size_t group_bytes(const bdnn_panel_kernel *k, const bdnn_ip_shape *s)
{
    const int64_t weights = padded_inner(k, s) * round_up(s->filters / s->groups, k->filter_multiple);
    return bdnn_round_up(bdnn_product(bdnn_size(weights), k->weight_bytes), BDNN_ALIGNMENT);
}

static int64_t tile_rows(const bdnn_panel_kernel *k, const bdnn_ip_shape *s)
{
    const int64_t fit = TILE_BYTES / (padded_inner(k, s) * (int64_t)k->row_bytes) / TILE_STEP * TILE_STEP;
    return bdnn_min(bdnn_clamp(fit, TILE_STEP, MAX_ROWS), bdnn_ip_positions(s));
}

/* The notes of all filters lie behind the panels of all groups. */
static size_t notes_at(const bdnn_panel_kernel *k, const bdnn_ip_shape *s)
{
    return bdnn_product((size_t)s->groups, group_bytes(k, s));
}

/* Per thread: sums, gathered rows, and the same widened. */
static size_t sums_bytes(const bdnn_panel_kernel *k, const bdnn_ip_shape *s)
{
    return (size_t)tile_rows(k, s) * SINK_FILTERS * sizeof(int32_t);
}

static size_t slot_bytes(const bdnn_panel_kernel *k, const bdnn_ip_shape *s)
{
    const size_t elements = bdnn_size(tile_rows(k, s) * padded_inner(k, s));
    const size_t wide = k->widen ? bdnn_round_up(bdnn_product(elements, k->row_bytes), BDNN_ALIGNMENT) : 0;
    return bdnn_sum(bdnn_sum(sums_bytes(k, s), bdnn_round_up(elements, BDNN_ALIGNMENT)), wide);
}

size_t bdnn_panel_packed_bytes(const bdnn_panel_kernel *kernel, const bdnn_ip_shape *shape)
{
    return bdnn_sum(notes_at(kernel, shape), kernel->note ? (size_t)shape->filters : 0);
}

size_t bdnn_panel_scratch_bytes(const bdnn_panel_kernel *kernel, const bdnn_ip_shape *shape, size_t threads)
{
    return bdnn_slots_bytes(threads, slot_bytes(kernel, shape));
}

struct packing {
    const bdnn_panel_kernel *kernel;
    const bdnn_ip_shape *shape;
    const bdnn_ip_weights *weights;
    uint8_t *packed;
};

/* Decodes one filter; a thread's stack holds the longest there is (66 kB). */
static void pack_filter(void *context, size_t index)
{
    const struct packing *job = context;
    const bdnn_ip_shape *s = job->shape;
    const int64_t inner = bdnn_ip_inner(s), filters = s->filters / s->groups, f = (int64_t)index;
    int8_t decoded[BDNN_IP_MAX_INNER];
    bdnn_ip_decode(bdnn_ip_planes_of(s, job->weights, f), bdnn_ip_scales_of(s, job->weights, f), s->bases, inner,
                   decoded);
    job->kernel->store(decoded, f % filters, inner, padded_inner(job->kernel, s),
                       job->packed + (size_t)(f / filters) * group_bytes(job->kernel, s));
    if (job->kernel->note) {
        job->packed[notes_at(job->kernel, s) + index] = job->kernel->note(decoded, inner, s->bits);
    }
}

void bdnn_panel_pack(const bdnn_panel_kernel *kernel, const bdnn_ip_shape *shape, const bdnn_ip_weights *weights,
                     void *packed, bdnn_threads *threads)
{
    struct packing job = {.kernel = kernel, .shape = shape, .weights = weights, .packed = packed};
    memset(packed, 0, bdnn_panel_packed_bytes(kernel, shape));
    bdnn_parallel(threads, pack_filter, &job, (size_t)shape->filters);
}

struct running {
    const bdnn_panel_kernel *kernel;
    const bdnn_ip_shape *shape;
    const uint8_t *packed, *x_q;
    const bdnn_sink *sink;
    uint8_t *scratch;
};

/* All filters of one group at `count` positions, SINK_FILTERS at a time. */
static void multiply(const struct running *job, const void *rows, int64_t first, int64_t count, int64_t group,
                     int32_t *sums)
{
    const bdnn_panel_kernel *k = job->kernel;
    const int64_t padded = padded_inner(k, job->shape), filters = job->shape->filters / job->shape->groups;
    const uint8_t *panel = job->packed + (size_t)group * group_bytes(k, job->shape);
    const uint8_t *notes = k->note ? job->packed + notes_at(k, job->shape) + group * filters : NULL;
    for (int64_t f = 0; f < filters; f += SINK_FILTERS) {
        const int64_t some = bdnn_min(filters - f, SINK_FILTERS);
        k->multiply(rows, padded, count, panel + (size_t)(f * padded) * k->weight_bytes, notes ? notes + f : NULL,
                    padded, some, sums, SINK_FILTERS);
        bdnn_sink_put(job->sink, first, count, group * filters + f, some, sums, SINK_FILTERS);
    }
}

static void run_tile(void *context, size_t slot, size_t tile)
{
    const struct running *job = context;
    const bdnn_panel_kernel *k = job->kernel;
    const bdnn_ip_shape *s = job->shape;
    const int64_t inner = bdnn_ip_inner(s), padded = padded_inner(k, s), rows = tile_rows(k, s);
    const int64_t first = (int64_t)tile * rows, count = bdnn_min(rows, bdnn_ip_positions(s) - first);
    int32_t *sums = bdnn_slot(job->scratch, slot_bytes(k, s), slot);
    uint8_t *bytes = (uint8_t *)sums + sums_bytes(k, s);
    void *wide = bytes + bdnn_round_up((size_t)(rows * padded), BDNN_ALIGNMENT);
    for (int64_t group = 0; group < s->groups; group++) {
        const void *operand = bytes;
        if (bdnn_ip_rows_in_place(s) && padded == inner) {
            operand = job->x_q + first * inner;
        } else {
            bdnn_ip_gather(s, job->x_q, 1, first, count, group, padded, bytes);
            for (int64_t r = 0; r < count && padded > inner; r++) {
                memset(bytes + r * padded + inner, 0, (size_t)(padded - inner));
            }
        }
        if (k->widen) {
            k->widen(operand, count * padded, wide);
            operand = wide;
        }
        multiply(job, operand, first, count, group, sums);
    }
}

void bdnn_panel_run(const bdnn_panel_kernel *kernel, const bdnn_ip_shape *shape, const void *packed, const uint8_t *x_q,
                    const bdnn_sink *sink, void *scratch, bdnn_threads *threads)
{
    struct running job = {
        .kernel = kernel, .shape = shape, .packed = packed, .x_q = x_q, .sink = sink, .scratch = scratch};
    const int64_t rows = tile_rows(kernel, shape), all = bdnn_ip_positions(shape);
    bdnn_parallel_slots(threads, run_tile, &job, (size_t)bdnn_ceil_div(all, rows));
}
