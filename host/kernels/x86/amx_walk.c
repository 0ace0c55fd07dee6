/* SPDX-License-Identifier: BSD-2-Clause */
/* How the AMX kernel walks a layer. */
#include "kernels/x86/amx_walk.h"

#include "core/memory.h"
#include "kernels/decode.h"
#include "kernels/rows.h"

#include <string.h>

#define DEPTH BDNN_AMX_DEPTH
#define LANES BDNN_AMX_LANES
#define BLOCK BDNN_AMX_BLOCK

/* Positions of a task: their inputs stay in the second-level cache while all filters pass by. */
#define TASK_SPANS 8
/* Blocks of a task, of all that there are: results lie together. */
#define TASK_BLOCKS(blocks) ((blocks) < 32 ? BDNN_AMX_SINK : 2 * BDNN_AMX_SINK)
/* Tasks to cut a layer into, at least, when it has that many spans and blocks: enough for a few threads. */
#define MIN_TASKS 8

static bool in_place(const bdnn_ip_shape *s)
{
    bool same = s->groups == 1;
    for (int a = 1; a < 3; a++) {
        same =
            same && s->kernel[a] == 1 && s->stride[a] == 1 && s->pad_begin[a] == 0 && s->in_size[a] == s->out_size[a];
    }
    return same;
}

static void place_rows(const bdnn_ip_shape *s, bdnn_amx_walk *w)
{
    const int64_t reach[2] = {(int64_t)(s->kernel[1] - 1) * s->dilation[1],
                              (int64_t)(s->kernel[2] - 1) * s->dilation[2]};
    const bool lines = s->dilation[2] == 1 || s->kernel[2] == 1;
    w->copied = !in_place(s);
    w->channels = s->channels / s->groups;
    w->strips = lines ? s->kernel[1] : (int64_t)s->kernel[1] * s->kernel[2];
    w->strip = (lines ? s->kernel[2] : 1) * w->channels;
    w->step = s->stride[2] * w->channels;
    w->per_line = bdnn_ceil_div((s->out_size[2] - 1) * s->stride[2] + reach[1] + 1, s->stride[2]);
    w->line = w->per_line * s->stride[2];
    w->phases = bdnn_min(s->stride[1], reach[0] + 1);
    w->height = s->out_size[1] + reach[0] / s->stride[1];
    w->image = w->phases * w->height * w->line * w->channels;
    w->images = s->batch;
    w->positions = (s->out_size[1] - 1) * w->per_line + s->out_size[2];
}

static void place_gathered_rows(const bdnn_ip_shape *s, bdnn_amx_walk *w)
{
    w->strips = 1;
    w->strip = bdnn_ip_inner(s);
    w->step = bdnn_ceil_div(w->strip, DEPTH) * DEPTH;
    w->images = 1;
    w->positions = bdnn_ip_positions(s);
    w->image = w->positions * w->step;
}

/* Threads that share a layer by its filters read all inputs each, and by its positions all weights. Inputs come from
 * the other threads' caches, which takes so many times as long as weights that stay at hand in a second-level cache. */
#define WEIGHTS_AT_HAND ((int64_t)1 << 20)
#define INPUT_COST      8

static void cut_tasks(const bdnn_ip_shape *s, bdnn_amx_walk *w)
{
    const int64_t weights = (int64_t)bdnn_amx_block_bytes(w) * w->blocks;
    int64_t others;
    w->blocks_outside = !w->gathered && weights > w->image * w->images * (weights > WEIGHTS_AT_HAND ? 1 : INPUT_COST);
    w->task_blocks = !w->blocks_outside ? w->blocks : TASK_BLOCKS(w->blocks);
    w->task_spans = w->blocks_outside ? w->spans : bdnn_min(w->spans, TASK_SPANS);
    others = s->groups * (w->blocks_outside ? 1 : w->images);
    while (w->task_spans > 1 &&
           others * bdnn_ceil_div(w->blocks, w->task_blocks) * bdnn_ceil_div(w->spans, w->task_spans) < MIN_TASKS) {
        w->task_spans = bdnn_ceil_div(w->task_spans, 2);
    }
    while (w->task_blocks > BDNN_AMX_SINK && !w->gathered &&
           others * bdnn_ceil_div(w->blocks, w->task_blocks) * bdnn_ceil_div(w->spans, w->task_spans) < MIN_TASKS) {
        w->task_blocks = bdnn_ceil_div(w->task_blocks, 2 * BDNN_AMX_SINK) * BDNN_AMX_SINK;
    }
    w->span_parts = bdnn_ceil_div(w->spans, w->task_spans);
    w->block_parts = bdnn_ceil_div(w->blocks, w->task_blocks);
}

bdnn_amx_walk bdnn_amx_walk_of(const bdnn_ip_shape *s)
{
    bdnn_amx_walk w = {.gathered = s->in_size[0] > 1 || s->kernel[0] > 1 || s->out_size[0] > 1 || s->pad_begin[0] > 0 ||
                                   bdnn_ip_is_dense(s)};
    if (w.gathered) {
        place_gathered_rows(s, &w);
    } else {
        place_rows(s, &w);
    }
    w.chunks = w.strips * bdnn_ceil_div(w.strip, DEPTH);
    w.blocks = bdnn_ceil_div(s->filters / s->groups, BLOCK);
    w.spans = bdnn_ceil_div(w.positions, BDNN_AMX_SPAN);
    cut_tasks(s, &w);
    return w;
}

void bdnn_amx_find_chunks(const bdnn_ip_shape *s, const bdnn_amx_walk *w, int64_t *offsets)
{
    const int64_t each = w->chunks / w->strips, across = w->gathered ? 1 : w->strips / s->kernel[1];
    for (int64_t c = 0; c < w->chunks; c++) {
        const int64_t y = c / each / across * s->dilation[1], x = c / each % across * s->dilation[2];
        const int64_t line = w->gathered ? 0 : y % s->stride[1] * w->height + y / s->stride[1];
        offsets[c] = (line * w->line + x) * w->channels + c % each * DEPTH;
    }
}

/* ---- The padded copy ---- */

size_t bdnn_amx_copy_bytes(const bdnn_ip_shape *s, const bdnn_amx_walk *w)
{
    /* The last span and the last chunk read on behind the last position. */
    return w->copied ? bdnn_round_up((size_t)(w->images * s->groups * w->image + BDNN_AMX_SPAN * w->step + DEPTH),
                                     BDNN_ALIGNMENT)
                     : 0;
}

struct copying {
    const bdnn_ip_shape *shape;
    const bdnn_amx_walk *walk;
    const uint8_t *x_q;
    uint8_t *copy;
};

/* One line of one image, for each group. */
static void copy_line(void *context, size_t index)
{
    const struct copying *job = context;
    const bdnn_ip_shape *s = job->shape;
    const bdnn_amx_walk *w = job->walk;
    const int64_t lines = w->phases * w->height, image = (int64_t)index / lines, at = (int64_t)index % lines;
    const int64_t y = at % w->height * s->stride[1] + at / w->height - s->pad_begin[1], c = w->channels;
    const int64_t left = bdnn_min(s->pad_begin[2], w->line), inside = bdnn_min(s->in_size[2], w->line - left);
    for (int64_t group = 0; group < s->groups; group++) {
        uint8_t *to = job->copy + ((image * s->groups + group) * w->image + at * w->line * c);
        const uint8_t *from = job->x_q + (image * s->in_size[1] + y) * s->in_size[2] * s->channels + group * c;
        if (y < 0 || y >= s->in_size[1]) {
            memset(to, s->zero_point, (size_t)(w->line * c));
            continue;
        }
        memset(to, s->zero_point, (size_t)(left * c));
        if (s->groups == 1) {
            memcpy(to + left * c, from, (size_t)(inside * c));
        } else {
            for (int64_t x = 0; x < inside; x++) {
                memcpy(to + (left + x) * c, from + x * s->channels, (size_t)c);
            }
        }
        memset(to + (left + inside) * c, s->zero_point, (size_t)((w->line - left - inside) * c));
    }
}

void bdnn_amx_copy(const bdnn_ip_shape *shape, const bdnn_amx_walk *walk, const uint8_t *x_q, uint8_t *copy,
                   bdnn_threads *threads)
{
    struct copying job = {shape, walk, x_q, copy};
    bdnn_parallel(threads, copy_line, &job, (size_t)(walk->images * walk->phases * walk->height));
}

/* ---- Packed weights ---- */

struct packing {
    const bdnn_ip_shape *shape;
    const bdnn_ip_weights *weights;
    bdnn_amx_walk walk;
    int8_t *packed;
};

/* Elements that are decoded at once, whole words: what they become stays in the nearest cache for all filters of a
 * tile. */
#define SECTION 512

/* Puts `count` weights of a filter, from element `first` on, to their places in its tiles, chunk by chunk: by fours
 * where strips hold whole ones. */
static void place_weights(const bdnn_amx_walk *walk, const int8_t *w, int64_t first, int64_t count, int8_t *tiles)
{
    const int64_t each = walk->chunks / walk->strips;
    int64_t strip = first / walk->strip, i = first % walk->strip;
    while (count > 0) {
        int8_t *chunk = tiles + (strip * each + i / DEPTH) * (DEPTH * BLOCK);
        const int64_t at = i % DEPTH, some = bdnn_min(bdnn_min(DEPTH - at, walk->strip - i), count);
        if (walk->strip % 4 == 0) {
            for (int64_t j = 0; j < some; j += 4) {
                memcpy(chunk + (at + j) * LANES, w + j, 4);
            }
        } else {
            for (int64_t j = 0; j < some; j++) {
                chunk[(at + j) / 4 * (4 * LANES) + (at + j) % 4] = w[j];
            }
        }
        w += some;
        count -= some;
        i += some;
        if (i == walk->strip) {
            i = 0;
            strip++;
        }
    }
}

/* The filters of one column of tiles. */
static void pack_lanes(void *context, size_t index)
{
    const struct packing *job = context;
    const bdnn_ip_shape *s = job->shape;
    const int64_t inner = bdnn_ip_inner(s), filters = s->filters / s->groups;
    const int64_t columns = bdnn_ceil_div(filters, LANES), group = (int64_t)index / columns,
                  first = (int64_t)index % columns * LANES, lanes = bdnn_min(LANES, filters - first);
    int8_t *tiles = job->packed +
                    (size_t)(group * job->walk.blocks + first / BLOCK) * bdnn_amx_block_bytes(&job->walk) +
                    first % BLOCK / LANES * DEPTH * LANES;
    for (int64_t d = 0; d < inner; d += SECTION) {
        const int64_t count = bdnn_min(SECTION, inner - d);
        for (int64_t lane = 0; lane < lanes; lane++) {
            const int64_t f = group * filters + first + lane;
            int8_t w[SECTION];
            bdnn_decode_choose()->decode(bdnn_ip_planes_of(s, job->weights, f) + d / 64, (size_t)bdnn_ip_words(s),
                                         (size_t)bdnn_words_of(count), bdnn_ip_scales_of(s, job->weights, f), s->bases,
                                         w);
            place_weights(&job->walk, w, d, count, tiles + 4 * lane);
        }
    }
}

void bdnn_amx_pack(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, void *packed, bdnn_threads *threads)
{
    struct packing job = {.shape = shape, .weights = weights, .walk = bdnn_amx_walk_of(shape), .packed = packed};
    if (job.walk.strip % DEPTH || shape->filters / shape->groups % BLOCK) { /* some places stay empty */
        memset(packed, 0, (size_t)(shape->groups * job.walk.blocks) * bdnn_amx_block_bytes(&job.walk));
    }
    bdnn_parallel(threads, pack_lanes, &job,
                  (size_t)(shape->groups * bdnn_ceil_div(shape->filters / shape->groups, LANES)));
}
