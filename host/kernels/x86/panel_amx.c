/* Convolutions, x86-64 with AMX: TDPBUSD multiplies a tile of 16 positions x 64 unsigned bytes with one of 64 x 16
 * signed bytes, exactly, into 16 x 16 sums; two by two of them fill the eight tiles.
 *
 * Rows of inputs are read where they lie: positions of a padded image that follow one another are a constant distance
 * apart, also at the end of a line, where a few positions are computed that nobody keeps. What has strides, or channels
 * that 64 does not divide, is gathered first. */
#include "core/memory.h"
#include "kernels/kernel_list.h"
#include "kernels/rows.h"
#include "kernels/x86/amx.h"

#include <immintrin.h>
#include <string.h>

#define ROWS                16             /* of a tile */
#define DEPTH               64             /* bytes of a tile's row: elements of an inner product */
#define LANES               16             /* filters of a tile */
#define PAIR                2              /* tiles of rows and of filters that are worked on together */
#define SPAN                (PAIR * ROWS)  /* positions */
#define BLOCK               (PAIR * LANES) /* filters */
#define BLOCK_BYTES(chunks) ((size_t)(chunks)*DEPTH * BLOCK)

/* Positions of a task: their inputs stay in the second-level cache while all filters pass by. */
#define TASK_SPANS 8
/* Bytes of packed weights that a task reads again for every span, out of the second-level cache. */
#define WEIGHTS_AT_HAND ((size_t)512 << 10)
/* Tasks to cut a layer into, at least, when it has that many spans and blocks: enough for a few threads. */
#define LEAST_TASKS 8

static bool supported(const bdnn_ip_shape *shape)
{
    (void)shape;
    return bdnn_amx_available();
}

/* ---- Geometry ---- */

/* How a layer is walked. */
struct walk {
    int64_t chunks;      /* of DEPTH elements: ceil(D / DEPTH) */
    int64_t blocks;      /* of BLOCK filters, in a group */
    bool direct;         /* rows are read from an image; else gathered */
    bool padded;         /* that image is a padded copy */
    int64_t line, image; /* direct: positions from line to line and from image to image of the source */
    int64_t positions;   /* to compute per image, those at the ends of lines included; not direct: of the whole batch */
    int64_t images;      /* 1 when not direct */
    int64_t task_spans, task_blocks, spans, tasks_of_spans, tasks_of_blocks;
};

static int64_t ceil_of(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static struct walk walk_of(const bdnn_ip_shape *s)
{
    const int64_t filters = s->filters / s->groups;
    struct walk w = {.chunks = ceil_of(bdnn_ip_inner(s), DEPTH), .blocks = ceil_of(filters, BLOCK), .images = 1};
    w.direct = s->channels / s->groups % DEPTH == 0 && s->stride[1] == 1 && s->stride[2] == 1 && s->in_size[0] == 1 &&
               s->kernel[0] == 1 && s->out_size[0] == 1 && s->pad_begin[0] == 0 && !bdnn_ip_is_dense(s);
    w.positions = bdnn_ip_positions(s);
    if (w.direct) {
        const int64_t height = s->out_size[1] + (int64_t)(s->kernel[1] - 1) * s->dilation[1];
        w.line = s->out_size[2] + (int64_t)(s->kernel[2] - 1) * s->dilation[2];
        /* A copy also ends with room for the last span, whose taps read beyond the image. */
        w.padded = s->kernel[1] * s->kernel[2] > 1 || s->pad_begin[1] || s->pad_begin[2] || height != s->in_size[1] ||
                   w.line != s->in_size[2];
        w.image = height * w.line;
        w.images = s->batch;
        w.positions = (s->out_size[1] - 1) * w.line + s->out_size[2];
    }
    w.spans = ceil_of(w.positions, SPAN);
    w.task_spans = w.spans < TASK_SPANS ? w.spans : TASK_SPANS;
    while (w.task_spans > 1 && ceil_of(w.spans, w.task_spans) * w.images < LEAST_TASKS && w.blocks < LEAST_TASKS) {
        w.task_spans = ceil_of(w.task_spans, 2);
    }
    w.tasks_of_spans = ceil_of(w.spans, w.task_spans);
    w.task_blocks = w.blocks;
    while (w.direct && w.task_blocks > 1 &&
           w.tasks_of_spans * w.images * ceil_of(w.blocks, w.task_blocks) < LEAST_TASKS) {
        w.task_blocks = ceil_of(w.task_blocks, 2);
    }
    w.tasks_of_blocks = ceil_of(w.blocks, w.task_blocks);
    return w;
}

/* ---- Packing: per group [block][chunk][2][16 rows of 4 elements][16 filters][4], int8 ---- */

static size_t packed_bytes(const bdnn_ip_shape *shape)
{
    const struct walk w = walk_of(shape);
    return (size_t)(shape->groups * w.blocks) * BLOCK_BYTES(w.chunks);
}

struct packing {
    const bdnn_ip_shape *shape;
    const bdnn_ip_weights *weights;
    struct walk walk;
    int8_t *packed;
};

/* One filter; a thread's stack holds the longest there is (66 kB). */
static void pack_filter(void *context, size_t index)
{
    const struct packing *job = context;
    const bdnn_ip_shape *s = job->shape;
    const int64_t inner = bdnn_ip_inner(s), words = (inner + 63) / 64, filters = s->filters / s->groups;
    const int64_t f = (int64_t)index, group = f / filters, own = f % filters;
    int8_t *block = job->packed + (size_t)(group * job->walk.blocks + own / BLOCK) * BLOCK_BYTES(job->walk.chunks);
    int8_t w[BDNN_IP_MAX_INNER];
    block += own % BLOCK / LANES * DEPTH * LANES + own % LANES * 4;
    bdnn_ip_decode(job->weights->planes + f * s->bases * words, job->weights->scales + f * s->bases, s->bases, inner,
                   w);
    for (int64_t d = 0; d < inner; d++) {
        block[d / DEPTH * (DEPTH * BLOCK) + d % DEPTH / 4 * (4 * LANES) + d % 4] = w[d];
    }
}

static void pack(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, void *packed, bdnn_threads *threads)
{
    struct packing job = {.shape = shape, .weights = weights, .walk = walk_of(shape), .packed = packed};
    memset(packed, 0, packed_bytes(shape));
    bdnn_parallel(threads, pack_filter, &job, (size_t)shape->filters);
}

/* ---- Scratch memory: for all threads where each row's chunks begin and the padded images; per thread sums and rows
 * ---- */

/* Sums of two spans: one is handed to the sink while the next one is computed. */
#define SUMS_BYTES ((size_t)2 * SPAN * BLOCK * sizeof(int32_t))

static size_t offsets_bytes(const struct walk *w)
{
    return bdnn_round_up((size_t)w->chunks * sizeof(int64_t), BDNN_ALIGNMENT);
}

/* The last span reads on behind the last position. */
static size_t padded_bytes(const bdnn_ip_shape *s, const struct walk *w)
{
    return w->padded ? bdnn_round_up((size_t)((w->images * w->image + SPAN) * s->channels), BDNN_ALIGNMENT) : 0;
}

/* Gathered rows of a task, or the rows of the last span, which the input does not hold. */
static size_t rows_bytes(const bdnn_ip_shape *s, const struct walk *w)
{
    return w->padded   ? 0
           : w->direct ? bdnn_round_up((size_t)(SPAN * s->channels), BDNN_ALIGNMENT)
                       : (size_t)(w->task_spans * SPAN * w->chunks * DEPTH);
}

static size_t scratch_bytes(const bdnn_ip_shape *shape, size_t threads)
{
    const struct walk w = walk_of(shape);
    return offsets_bytes(&w) + padded_bytes(shape, &w) + threads * (SUMS_BYTES + rows_bytes(shape, &w));
}

/* ---- Computing ---- */

struct job {
    const bdnn_ip_shape *shape;
    struct walk walk;
    const uint8_t *x_q;
    const int8_t *packed;
    const bdnn_sink *sink;
    int64_t *offsets; /* bytes from a position's first input to each of its chunks */
    uint8_t *padded;  /* the padded images */
    uint8_t *slots;
};

/* SPAN x BLOCK sums, or one tile instead of two of either. */
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
    _tile_stored(0, sums, BLOCK * sizeof *sums);
    _tile_stored(1, sums + LANES, BLOCK * sizeof *sums);
    _tile_stored(2, sums + ROWS * BLOCK, BLOCK * sizeof *sums);
    _tile_stored(3, sums + ROWS * BLOCK + LANES, BLOCK * sizeof *sums);
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

/* Sums that wait for the sink. */
struct pending {
    int64_t image, position, rows, filter, count;
    const int32_t *sums;
};

/* Hands over a span's sums, leaving out the positions at the ends of lines. */
static void put(const struct job *job, const struct pending *p)
{
    const bdnn_ip_shape *s = job->shape;
    const int64_t width = s->out_size[2];
    if (!job->walk.direct) {
        bdnn_sink_put(job->sink, p->position, p->rows, p->filter, p->count, p->sums, BLOCK);
        return;
    }
    for (int64_t r = 0; r < p->rows;) {
        const int64_t y = (p->position + r) / job->walk.line, x = (p->position + r) % job->walk.line;
        const int64_t left = x < width ? width - x : 0, run = left < p->rows - r ? left : p->rows - r;
        if (run > 0) {
            bdnn_sink_put(job->sink, (p->image * s->out_size[1] + y) * width + x, run, p->filter, p->count,
                          p->sums + r * BLOCK, BLOCK);
        }
        r += x < width ? run : job->walk.line - x;
    }
}

/* The rows of `count` positions from `first` on: where they lie, and how far apart. */
static const uint8_t *rows_at(const struct job *job, int64_t image, int64_t group, int64_t first, int64_t count,
                              uint8_t *own)
{
    const bdnn_ip_shape *s = job->shape;
    const int64_t offset = group * (s->channels / s->groups), from = (image * job->walk.image + first) * s->channels;
    if (job->walk.padded) {
        return job->padded + from + offset;
    }
    if (image * job->walk.image + first + SPAN <= job->walk.images * job->walk.image) {
        return job->x_q + from + offset;
    }
    memcpy(own, job->x_q + from, (size_t)(count * s->channels));
    return own + offset;
}

static void gather(const struct job *job, int64_t group, int64_t first, int64_t count, uint8_t *rows)
{
    const int64_t inner = bdnn_ip_inner(job->shape), stride = job->walk.chunks * DEPTH;
    bdnn_ip_gather(job->shape, job->x_q, 1, first, count, group, stride, rows);
    for (int64_t r = 0; r < count && inner < stride; r++) {
        memset(rows + r * stride + inner, 0, (size_t)(stride - inner));
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

static void run_span(const struct job *job, struct part *p, int64_t at, int64_t block)
{
    const struct walk *w = &job->walk;
    const int64_t filters = job->shape->filters / job->shape->groups;
    const int64_t stride = w->direct ? job->shape->channels : w->chunks * DEPTH;
    const int64_t used = p->count - at < SPAN ? p->count - at : SPAN;
    const int64_t lanes = filters - block * BLOCK < BLOCK ? filters - block * BLOCK : BLOCK;
    const int8_t *weights = job->packed + (size_t)(p->group * w->blocks + block) * BLOCK_BYTES(w->chunks);
    int32_t *out = p->sums + p->turn * (SPAN * BLOCK);
    multiply(used, lanes,
             w->direct ? rows_at(job, p->image, p->group, p->first + at, used, p->rows) : p->rows + at * stride, stride,
             job->offsets, w->chunks, weights, out);
    /* While the tiles are still busy with these, the sums before them go their way. */
    if (p->waiting.sums) {
        put(job, &p->waiting);
    }
    p->waiting = (struct pending){p->image, p->first + at, used, p->group * filters + block * BLOCK, lanes, out};
    p->turn ^= 1;
}

/* Weights that stay in the second-level cache pass by span after span, and results are written from end to end; larger
 * ones pass by once, block after block. */
static void run_group(const struct job *job, struct part *p)
{
    const int64_t blocks = p->last_block - p->first_block, spans = ceil_of(p->count, SPAN);
    const bool spans_outside = BLOCK_BYTES(job->walk.chunks) * (size_t)blocks <= WEIGHTS_AT_HAND;
    if (!job->walk.direct) {
        gather(job, p->group, p->first, p->count, p->rows);
    }
    for (int64_t i = 0; i < spans * blocks; i++) {
        const int64_t span = spans_outside ? i / blocks : i % spans, block = spans_outside ? i % blocks : i / spans;
        run_span(job, p, span * SPAN, p->first_block + block);
    }
    if (p->waiting.sums) {
        put(job, &p->waiting);
    }
    p->waiting.sums = NULL;
}

static void run_task(void *context, size_t slot, size_t task)
{
    const struct job *job = context;
    const struct walk *w = &job->walk;
    const int64_t block = (int64_t)task % w->tasks_of_blocks * w->task_blocks,
                  rest = (int64_t)task / w->tasks_of_blocks;
    const int64_t most = w->task_spans * SPAN;
    struct part p = {.image = rest / w->tasks_of_spans, .first = rest % w->tasks_of_spans * most, .first_block = block};
    p.count = w->positions - p.first < most ? w->positions - p.first : most;
    p.last_block = block + w->task_blocks < w->blocks ? block + w->task_blocks : w->blocks;
    p.sums = (int32_t *)(void *)(job->slots + slot * (SUMS_BYTES + rows_bytes(job->shape, w)));
    p.rows = (uint8_t *)p.sums + SUMS_BYTES;
    bdnn_amx_configure();
    for (p.group = 0; p.group < job->shape->groups; p.group++) {
        run_group(job, &p);
    }
    _tile_release();
}

/* One line of a padded image. */
static void pad_line(void *context, size_t index)
{
    const struct job *job = context;
    const bdnn_ip_shape *s = job->shape;
    const int64_t height = job->walk.image / job->walk.line, image = (int64_t)index / height,
                  y = (int64_t)index % height - s->pad_begin[1], c = s->channels, line = job->walk.line;
    const int64_t left = s->pad_begin[2] < line ? s->pad_begin[2] : line;
    const int64_t inside = s->in_size[2] < line - left ? s->in_size[2] : line - left;
    uint8_t *to = job->padded + (int64_t)index * line * c;
    if (y < 0 || y >= s->in_size[1]) {
        memset(to, s->zero_point, (size_t)(line * c));
        return;
    }
    memset(to, s->zero_point, (size_t)(left * c));
    memcpy(to + left * c, job->x_q + (image * s->in_size[1] + y) * s->in_size[2] * c, (size_t)(inside * c));
    memset(to + (left + inside) * c, s->zero_point, (size_t)((line - left - inside) * c));
}

static void find_chunks(const struct job *job)
{
    const bdnn_ip_shape *s = job->shape;
    const int64_t chunks = job->walk.chunks, taps = (int64_t)s->kernel[1] * s->kernel[2], each = chunks / taps;
    for (int64_t c = 0; c < chunks; c++) {
        const int64_t tap = job->walk.direct ? c / each : 0;
        const int64_t y = tap / s->kernel[2] * s->dilation[1], x = tap % s->kernel[2] * s->dilation[2];
        job->offsets[c] = job->walk.direct ? (y * job->walk.line + x) * s->channels + c % each * DEPTH : c * DEPTH;
    }
}

static void run(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, const void *packed, const uint8_t *x_q,
                const bdnn_sink *sink, void *scratch, bdnn_threads *threads)
{
    struct job job = {.shape = shape, .walk = walk_of(shape), .x_q = x_q, .packed = packed, .sink = sink};
    const struct walk *w = &job.walk;
    (void)weights;
    job.offsets = scratch;
    job.padded = (uint8_t *)scratch + offsets_bytes(w);
    job.slots = job.padded + padded_bytes(shape, w);
    find_chunks(&job);
    if (w->padded) {
        bdnn_parallel(threads, pad_line, &job, (size_t)(w->images * (w->image / w->line)));
        memset(job.padded + w->images * w->image * shape->channels, 0, (size_t)(SPAN * shape->channels));
    }
    bdnn_parallel_slots(threads, run_task, &job, (size_t)(w->images * w->tasks_of_spans * w->tasks_of_blocks));
}

const bdnn_ip_kernel bdnn_ip_panel_amx = {
    .name = "panel_32x32__amxint8",
    .supported = supported,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .scratch_bytes = scratch_bytes,
    .run = run,
};
