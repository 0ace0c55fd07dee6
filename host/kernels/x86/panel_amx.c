/* SPDX-License-Identifier: BSD-2-Clause */
/* Convolutions, x86-64 with AMX: TDPBUSD multiplies a tile of 16 positions x 64 unsigned bytes with one of 64 x 16
 * signed bytes, exactly, into 16 x 16 sums; two by two of them fill the eight tiles. Where the rows of inputs lie,
 * amx_walk.h says. */
#include "core/memory.h"
#include "kernels/kernel_list.h"
#include "kernels/rows.h"
#include "kernels/x86/amx.h"
#include "kernels/x86/amx_walk.h"

#include <immintrin.h>
#include <string.h>

#define ROWS  BDNN_AMX_ROWS
#define DEPTH BDNN_AMX_DEPTH
#define LANES BDNN_AMX_LANES
#define SPAN  BDNN_AMX_SPAN
#define BLOCK BDNN_AMX_BLOCK
#define WIDTH (BDNN_AMX_SINK * BLOCK) /* filters whose sums are handed over together */

/* Bytes of packed weights that a task reads again for every span, out of the second-level cache. */
#define WEIGHTS_AT_HAND ((size_t)512 << 10)

static bool supported(const bdnn_ip_shape *shape)
{
    (void)shape;
    return bdnn_amx_available();
}

static size_t packed_bytes(const bdnn_ip_shape *shape)
{
    const bdnn_amx_walk w = bdnn_amx_walk_of(shape);
    return (size_t)(shape->groups * w.blocks) * bdnn_amx_block_bytes(&w);
}

/* ---- Scratch memory ---- */

/* For all threads where each row's chunks begin and the padded copy; per thread sums and rows. */

/* Sums of two spans: one is handed to the sink while the next one is computed. */
#define SUMS_BYTES ((size_t)2 * SPAN * WIDTH * sizeof(int32_t))

static size_t offsets_bytes(const bdnn_amx_walk *w)
{
    return bdnn_round_up((size_t)w->chunks * sizeof(int64_t), BDNN_ALIGNMENT);
}

/* Gathered rows of a task, or the rows of the last span of an input that is read in place. */
static size_t rows_bytes(const bdnn_amx_walk *w)
{
    return w->gathered ? (size_t)(w->task_spans * SPAN * w->step)
           : w->copied ? 0
                       : bdnn_round_up((size_t)(SPAN * w->step + DEPTH), BDNN_ALIGNMENT);
}

static size_t scratch_bytes(const bdnn_ip_shape *shape, size_t threads)
{
    const bdnn_amx_walk w = bdnn_amx_walk_of(shape);
    return offsets_bytes(&w) + bdnn_amx_copy_bytes(shape, &w) + bdnn_slots_bytes(threads, SUMS_BYTES + rows_bytes(&w));
}

/* ---- Computing ---- */

struct job {
    const bdnn_ip_shape *shape;
    bdnn_amx_walk walk;
    const uint8_t *x_q;
    const int8_t *packed;
    const bdnn_sink *sink;
    int64_t *offsets; /* bytes from a position's first input to each of its chunks */
    uint8_t *copy;
    uint8_t *slots;
};

/* SPAN x BLOCK sums, rows of WIDTH, or one tile instead of two of either. */
static inline __attribute__((always_inline)) void tiles(int row_tiles, int lane_tiles, const uint8_t *rows,
                                                        int64_t stride, const int64_t *offsets, int64_t chunks,
                                                        const int8_t *weights, int32_t *sums)
{
    const size_t row = (size_t)stride;
    /* The intrinsics do not tell the compiler that tiles are loaded from memory: what was written so far must be there.
     */
    __asm__ volatile("" : : : "memory");
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t c = 0; c < chunks; c++, weights += DEPTH * BLOCK) {
        const uint8_t *x = rows + offsets[c];
        _tile_loadd(6, weights, DEPTH);
        _tile_loadd(4, x, row);
        _tile_dpbusd(0, 4, 6);
        if (lane_tiles > 1) {
            _tile_loadd(7, weights + DEPTH * LANES, DEPTH);
            _tile_dpbusd(1, 4, 7);
        }
        if (row_tiles > 1) {
            _tile_loadd(5, x + ROWS * row, row);
            _tile_dpbusd(2, 5, 6);
            if (lane_tiles > 1) {
                _tile_dpbusd(3, 5, 7);
            }
        }
    }
    _tile_stored(0, sums, WIDTH * sizeof *sums);
    _tile_stored(1, sums + LANES, WIDTH * sizeof *sums);
    _tile_stored(2, sums + ROWS * WIDTH, WIDTH * sizeof *sums);
    _tile_stored(3, sums + ROWS * WIDTH + LANES, WIDTH * sizeof *sums);
}

static void multiply(int64_t rows_used, int64_t lanes_used, const uint8_t *rows, int64_t stride, const int64_t *offsets,
                     int64_t chunks, const int8_t *weights, int32_t *sums)
{
    if (rows_used > ROWS) {
        if (lanes_used > LANES) {
            tiles(2, 2, rows, stride, offsets, chunks, weights, sums);
        } else {
            tiles(2, 1, rows, stride, offsets, chunks, weights, sums);
        }
    } else if (lanes_used > LANES) {
        tiles(1, 2, rows, stride, offsets, chunks, weights, sums);
    } else {
        tiles(1, 1, rows, stride, offsets, chunks, weights, sums);
    }
}

/* Sums that wait for the sink: of `rows` positions from place x of a line on, what is kept of them going to
 * `position`. Gathered positions lie on one endless line. */
struct pending {
    int64_t position, x, rows, filter, count;
    const int32_t *sums;
};

/* Hands over a span's sums, leaving out the positions at the ends of lines. */
static void put(const struct job *job, const struct pending *p)
{
    const int64_t width = job->walk.gathered ? INT64_MAX : job->shape->out_size[2];
    const int64_t dropped = job->walk.gathered ? 0 : job->walk.per_line - width;
    int64_t x = p->x, position = p->position, r = 0;
    while (r < p->rows) {
        const int64_t left = width - x, run = bdnn_min(left, p->rows - r);
        if (run > 0) {
            bdnn_sink_put(job->sink, position, run, p->filter, p->count, p->sums + r * WIDTH, WIDTH);
            position += run;
            r += run;
        }
        /* On behind what is dropped, or what is left of it. */
        r += dropped + bdnn_min(left, 0);
        x = 0;
    }
}

/* A task's part of a layer, and its thread's scratch memory. */
struct part {
    int64_t image, group, first, count; /* positions first..first+count-1 */
    int64_t first_block, last_block;    /* of filters */
    int32_t *sums;
    uint8_t *rows;
    struct pending waiting;
    int turn; /* which half of `sums` comes next */
};

/* Where the rows of `count` positions, `at` behind the part's first, begin. */
static const uint8_t *rows_at(const struct job *job, const struct part *p, int64_t at, int64_t count)
{
    const bdnn_amx_walk *w = &job->walk;
    const int64_t from = p->image * w->image + (p->first + at) * w->step;
    if (w->gathered) {
        return p->rows + at * w->step;
    }
    if (w->copied) {
        return job->copy + (p->image * (job->shape->groups - 1) + p->group) * w->image + from;
    }
    if (from + SPAN * w->step + DEPTH <= w->images * w->image) {
        return job->x_q + from;
    }
    memcpy(p->rows, job->x_q + from, (size_t)(count * w->step));
    return p->rows;
}

static void gather(const struct job *job, const struct part *p)
{
    const bdnn_amx_walk *w = &job->walk;
    bdnn_ip_gather(job->shape, job->x_q, 1, p->first, p->count, p->group, w->step, p->rows);
    for (int64_t r = 0; r < p->count && w->strip < w->step; r++) {
        memset(p->rows + r * w->step + w->strip, 0, (size_t)(w->step - w->strip));
    }
}

/* One span times the blocks whose sums go together, from `block` on. */
static void run_span(const struct job *job, struct part *p, int64_t at, int64_t block)
{
    const bdnn_amx_walk *w = &job->walk;
    const int64_t filters = job->shape->filters / job->shape->groups, filter = block * BLOCK;
    const int64_t used = bdnn_min(p->count - at, SPAN);
    const int64_t count = bdnn_min(filters - filter, WIDTH);
    const int8_t *weights = job->packed + (size_t)(p->group * w->blocks + block) * bdnn_amx_block_bytes(w);
    const uint8_t *rows = rows_at(job, p, at, used);
    int32_t *out = p->sums + p->turn * (SPAN * WIDTH);
    for (int64_t f = 0; f < count; f += BLOCK, weights += bdnn_amx_block_bytes(w)) {
        multiply(used, count - f, rows, w->step, job->offsets, w->chunks, weights, out + f);
    }
    /* While the tiles are still busy with these, the sums before them go their way. */
    put(job, &p->waiting);
    p->waiting = (struct pending){p->first + at, 0, used, p->group * filters + filter, count, out};
    if (!w->gathered) {
        const int64_t width = job->shape->out_size[2], y = (p->first + at) / w->per_line;
        p->waiting.x = p->first + at - y * w->per_line;
        p->waiting.position = (p->image * job->shape->out_size[1] + y) * width + bdnn_min(p->waiting.x, width);
    }
    p->turn ^= 1;
}

/* Blocks first..last-1 in one image. Weights that stay in the second-level cache pass by span after span, and results
 * are written from end to end; larger ones pass by once, some blocks after the other. */
static void run_blocks(const struct job *job, struct part *p, int64_t first, int64_t last)
{
    const bool spans_outside = bdnn_amx_block_bytes(&job->walk) * (size_t)(last - first) <= WEIGHTS_AT_HAND;
    const int64_t together = spans_outside ? last - first : BDNN_AMX_SINK;
    for (; first < last; first += together) {
        for (int64_t at = 0; at < p->count; at += SPAN) {
            for (int64_t block = first; block < first + together && block < last; block += BDNN_AMX_SINK) {
                run_span(job, p, at, block);
            }
        }
    }
}

/* A part of all images, again so that weights pass by seldom. */
static void run_images(const struct job *job, struct part *p)
{
    const size_t blocks = (size_t)(p->last_block - p->first_block);
    const int64_t together =
        bdnn_amx_block_bytes(&job->walk) * blocks <= WEIGHTS_AT_HAND ? (int64_t)blocks : BDNN_AMX_SINK;
    for (int64_t first = p->first_block; first < p->last_block; first += together) {
        const int64_t last = bdnn_min(first + together, p->last_block);
        for (p->image = 0; p->image < job->walk.images; p->image++) {
            run_blocks(job, p, first, last);
        }
    }
}

static void run_task(void *context, size_t slot, size_t task)
{
    const struct job *job = context;
    const bdnn_amx_walk *w = &job->walk;
    const int64_t most = w->task_spans * SPAN;
    const int64_t parts = w->span_parts * w->block_parts, rest = (int64_t)task / parts, part = (int64_t)task % parts;
    struct part p = {.group = rest % job->shape->groups, .image = rest / job->shape->groups};
    /* Neighbors, which one thread begins with, share the weights where those are what is read once. */
    p.first_block = (w->blocks_outside ? part / w->span_parts : part % w->block_parts) * w->task_blocks;
    p.last_block = p.first_block + w->task_blocks < w->blocks ? p.first_block + w->task_blocks : w->blocks;
    p.first = (w->blocks_outside ? part % w->span_parts : part / w->block_parts) * most;
    p.count = w->positions - p.first < most ? w->positions - p.first : most;
    p.sums = bdnn_slot(job->slots, SUMS_BYTES + rows_bytes(w), slot);
    p.rows = (uint8_t *)p.sums + SUMS_BYTES;
    bdnn_amx_configure();
    if (w->gathered) {
        gather(job, &p);
    }
    if (w->blocks_outside) {
        run_images(job, &p);
    } else {
        run_blocks(job, &p, p.first_block, p.last_block);
    }
    put(job, &p.waiting);
    _tile_release();
}

static void run(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, const void *packed, const uint8_t *x_q,
                const bdnn_sink *sink, void *scratch, bdnn_threads *threads)
{
    struct job job = {.shape = shape, .walk = bdnn_amx_walk_of(shape), .x_q = x_q, .packed = packed, .sink = sink};
    (void)weights;
    job.offsets = scratch;
    job.copy = (uint8_t *)scratch + offsets_bytes(&job.walk);
    job.slots = job.copy + bdnn_amx_copy_bytes(shape, &job.walk);
    bdnn_amx_find_chunks(shape, &job.walk, job.offsets);
    if (job.walk.copied) {
        bdnn_amx_copy(shape, &job.walk, x_q, job.copy, threads);
    }
    bdnn_parallel_slots(threads, run_task, &job, bdnn_amx_tasks(shape, &job.walk));
}

const bdnn_ip_kernel bdnn_ip_panel_amx = {
    .name = "panel_32x32__amxint8",
    .supported = supported,
    .packed_bytes = packed_bytes,
    .pack = bdnn_amx_pack,
    .scratch_bytes = scratch_bytes,
    .run = run,
};
