/* SPDX-License-Identifier: BSD-2-Clause */
/* Template of the kernels for fully connected layers that decode by looking codes up: K bits of a weight are a code, a
 * filter's weights take at most 2^K values, which a filter has in tables. At batch 1 the memory bus should decide, so
 * there is no decoded copy, and few instructions a weight.
 *
 * A block is a vector of bits of each plane. It is decoded to eight vectors of weights, in an order of its own; the
 * inputs, which all filters share, are put into that order once.
 *
 * Included by one file per instruction set, which defines DENSE_KERNEL, DENSE_NAME, DENSE_AVAILABLE (an expression),
 * perhaps DENSE_MAX_BITS (of inputs),
 * vec (the vector type) and on vectors: load (unaligned), zero, add32, total (sum of all 32-bit elements), product (of
 * unsigned and signed bytes), product_add (to other products), widen (products to 32-bit sums), and
 *
 *     static int steps_within(int32_t largest, int32_t bits);
 *
 * how many products may be added up before widening, one of those that STEPS_CASES(k, n) makes a CASE(k, n, steps) of,
 * when weights are at most `largest`; 0 when even a product may not be exact. Then inputs are split in two, each with
 * every second one 0. Where products and their sums are exact anyway, DENSE_STEPS, a number, stands for both. The
 * decoding is dense_nibbles.h's, or, with DENSE_TABLES:
 *
 *     static int64_t element_at(int32_t bases, int64_t vector, int64_t byte);
 *     static void tables_of(const int8_t *scales, int32_t bases, vec tables[DENSE_TABLES]);
 *     void decode(int planes, const vec bits[8], const vec tables[DENSE_TABLES], vec w[8]);
 *
 * which element of a block a weight is; a filter's tables; and the weights of a block, from 4, 6 or 8 planes, those
 * beyond K being copies of the last one. */
#include "core/memory.h"
#include "kernels/cpu.h"
#include "kernels/kernel_list.h"
#include "kernels/rows.h"
#include "kernels/unroll.h"

#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#define FILTERS   8 /* of one task */
#define MAX_ITEMS 8 /* of the batch, for which a block is decoded once */
#define VECTORS   8 /* of a block: one for each bit of a byte */
#define BYTES     ((int64_t)sizeof(vec))
#define BLOCK     (VECTORS * BYTES)

#ifdef DENSE_STEPS
#define STEPS_CASES(k, n) CASE(k, n, DENSE_STEPS)

static inline int steps_within(int32_t largest, int32_t bits)
{
    (void)largest;
    (void)bits;
    return DENSE_STEPS;
}
#endif

#ifndef DENSE_TABLES
#include "kernels/dense_nibbles.h"
#endif

#ifndef DENSE_MAX_BITS
#define DENSE_MAX_BITS 8
#endif

static bool supported(const bdnn_ip_shape *shape)
{
    return (DENSE_AVAILABLE) && (!shape || (shape->bits <= DENSE_MAX_BITS && bdnn_ip_is_dense(shape)));
}

static int64_t padded_inner(const bdnn_ip_shape *s)
{
    return bdnn_ceil_div(bdnn_ip_inner(s), BLOCK) * BLOCK;
}

static int parts_of(const bdnn_ip_shape *s)
{
    return steps_within(INT8_MAX, s->bits) ? 1 : 2;
}

/* Reordered inputs: [batch][parts][padded D]. */
static size_t inputs_bytes(const bdnn_ip_shape *s)
{
    return bdnn_round_up(bdnn_size(s->batch * parts_of(s) * padded_inner(s)), BDNN_ALIGNMENT);
}

static size_t scratch_bytes(const bdnn_ip_shape *shape, size_t threads)
{
    (void)threads;
    return inputs_bytes(shape);
}

/* A filter, or a part of one, ready to decode. Planes beyond K repeat the last one: the tables do not tell their bits
 * apart. */
struct filter {
    const uint8_t *plane[8];
    int64_t bytes; /* of each plane, a multiple of BYTES */
    int64_t ahead; /* from a plane to the next filter's */
    vec tables[DENSE_TABLES];
    int steps;
};

static struct filter filter_of(const bdnn_ip_shape *s, const uint64_t *planes, const int8_t *scales)
{
    const int64_t words = bdnn_ip_words(s);
    struct filter f = {.bytes = words * 8 / BYTES * BYTES};
    int32_t largest = 0;
    for (int32_t k = 0; k < 8; k++) {
        f.plane[k] = (const uint8_t *)(planes + bdnn_min(k, s->bases - 1) * words);
    }
    for (int32_t k = 0; k < s->bases; k++) {
        largest += abs(scales[k]);
    }
    tables_of(scales, s->bases, f.tables);
    f.steps = steps_within(largest, s->bits);
    f.steps = f.steps ? f.steps : 1;
    return f;
}

/* What `f` leaves of its planes, copied to `rest` with zeros behind it. */
static struct filter rest_of(const struct filter *f, int64_t left, uint8_t rest[8][sizeof(vec)])
{
    struct filter r = *f;
    memset(rest, 0, 8 * sizeof(vec));
    for (int k = 0; k < 8; k++) {
        memcpy(rest[k], f->plane[k] + f->bytes, (size_t)left);
        r.plane[k] = rest[k];
    }
    r.bytes = BYTES;
    r.ahead = 0;
    return r;
}

INLINE vec multiply(int steps, const vec w[VECTORS], const uint8_t *x, vec sum)
{
    UNROLL
    for (int i = 0; i < VECTORS; i += steps) {
        vec products = product(load(x + i * BYTES), w[i]);
        UNROLL
        for (int j = i + 1; j < i + steps; j++) {
            products = product_add(products, load(x + j * BYTES), w[j]);
        }
        sum = add32(sum, widen(products));
    }
    return sum;
}

/* Sizes known at compile time. The next filter's bits are fetched meanwhile: planes are too short for the processor to
 * see a stream in each. */
INLINE void dot(int bases, int items, int steps, const struct filter *f, const uint8_t *x, int64_t stride, int32_t *acc)
{
    vec tables[DENSE_TABLES], sum[MAX_ITEMS];
    UNROLL
    for (int i = 0; i < DENSE_TABLES; i++) {
        tables[i] = f->tables[i];
    }
    UNROLL
    for (int n = 0; n < items; n++) {
        sum[n] = zero();
    }
    for (int64_t at = 0; at < f->bytes; at += BYTES) {
        vec bits[8], w[VECTORS];
        UNROLL
        for (int k = 0; k < bases; k++) {
            bits[k] = load(f->plane[k] + at);
            __builtin_prefetch(f->plane[k] + at + f->ahead);
        }
        decode(bases, bits, tables, w);
        UNROLL
        for (int n = 0; n < items; n++) {
            sum[n] = multiply(steps, w, x + at * 8 + n * stride, sum[n]);
        }
    }
    UNROLL
    for (int n = 0; n < items; n++) {
        acc[n * FILTERS] += total(sum[n]);
    }
}

#define CASE(k, n, t)                                                                                                  \
    case (k)*128 + (n)*8 + (t)-1:                                                                                      \
        dot(k, n, t, f, x, stride, acc);                                                                               \
        break;
#define CASES(k) STEPS_CASES(k, 1) STEPS_CASES(k, 2) STEPS_CASES(k, 4) STEPS_CASES(k, 8)

/* Adds the filter's products with `items` (1, 2, 4 or 8) items, `stride` bytes apart, to acc[items][FILTERS]. */
static void any_dot(int32_t bases, int64_t items, const struct filter *f, const uint8_t *x, int64_t stride,
                    int32_t *acc)
{
    switch ((bases <= 4 ? 4 : bases <= 6 ? 6 : 8) * 128 + (int)items * 8 + f->steps - 1) {
        CASES(4)
        CASES(6)
        CASES(8)
    default:
        break;
    }
}

struct job {
    const bdnn_ip_shape *shape;
    const bdnn_ip_weights *weights;
    const uint8_t *x_q;
    uint8_t *inputs;
    const bdnn_sink *sink;
    uint16_t order[BLOCK]; /* the element of a block that each of its weights is */
};

/* One block of one item, put into the order of the codes; elements from D on are 0. */
static void reorder(void *context, size_t index)
{
    const struct job *job = context;
    const int64_t inner = bdnn_ip_inner(job->shape), padded = padded_inner(job->shape), parts = parts_of(job->shape);
    const int64_t item = (int64_t)index / (padded / BLOCK), first = (int64_t)index % (padded / BLOCK) * BLOCK;
    const uint8_t *x = job->x_q + item * inner + first;
    uint8_t *ordered = job->inputs + item * parts * padded + first, rest[BLOCK] = {0};
    if (inner - first < BLOCK) {
        memcpy(rest, x, (size_t)(inner - first));
        x = rest;
    }
    for (int64_t i = 0; i < BLOCK; i++) {
        ordered[i] = x[job->order[i]];
    }
    for (int64_t i = 0; i < BLOCK && parts == 2; i++) {
        ordered[padded + i] = i % 2 ? ordered[i] : 0;
        ordered[i] = i % 2 ? 0 : ordered[i];
    }
}

/* One filter for items n..n + items - 1, one or two parts of their inputs. */
static void run_filter(const struct job *job, int64_t index, int64_t n, int64_t items, int32_t *acc)
{
    const bdnn_ip_shape *s = job->shape;
    const int64_t words = bdnn_ip_words(s), padded = padded_inner(s), parts = parts_of(s);
    struct filter whole =
        filter_of(s, bdnn_ip_planes_of(s, job->weights, index), bdnn_ip_scales_of(s, job->weights, index));
    const int64_t left = words * 8 - whole.bytes;
    uint8_t rest[8][sizeof(vec)];
    struct filter end;
    if (left > 0) {
        end = rest_of(&whole, left, rest);
    }
    whole.ahead = index + 1 < s->filters ? s->bases * words * 8 : 0;
    for (int64_t i = 0; i < items; i++) {
        acc[i * FILTERS] = 0;
    }
    for (int64_t part = 0; part < parts; part++) {
        const uint8_t *x = job->inputs + (n * parts + part) * padded;
        any_dot(s->bases, items, &whole, x, parts * padded, acc);
        if (left > 0) {
            any_dot(s->bases, items, &end, x + whole.bytes * 8, parts * padded, acc);
        }
    }
}

static void run_task(void *context, size_t task)
{
    const struct job *job = context;
    const bdnn_ip_shape *s = job->shape;
    const int64_t first = (int64_t)task * FILTERS;
    const int64_t count = bdnn_min(s->filters - first, FILTERS);
    int64_t items = MAX_ITEMS;
    for (int64_t n = 0; n < s->batch; n += items) {
        int32_t acc[MAX_ITEMS * FILTERS];
        while (items > s->batch - n) {
            items /= 2;
        }
        for (int64_t f = 0; f < count; f++) {
            run_filter(job, first + f, n, items, acc + f);
        }
        bdnn_sink_put(job->sink, n, items, first, count, acc, FILTERS);
    }
}

static void run(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, const void *packed, const uint8_t *x_q,
                const bdnn_sink *sink, void *scratch, bdnn_threads *threads)
{
    uint8_t *inputs = scratch;
    struct job job = {.shape = shape, .weights = weights, .x_q = x_q, .inputs = inputs, .sink = sink};
    (void)packed;
    for (int64_t i = 0; i < BLOCK; i++) {
        job.order[i] = (uint16_t)element_at(shape->bases, i / BYTES, i % BYTES);
    }
    bdnn_parallel(threads, reorder, &job, (size_t)(shape->batch * (padded_inner(shape) / BLOCK)));
    bdnn_parallel(threads, run_task, &job, (size_t)bdnn_ceil_div(shape->filters, FILTERS));
}

const bdnn_ip_kernel DENSE_KERNEL = {
    .name = DENSE_NAME,
    .supported = supported,
    .packed_bytes = bdnn_ip_stored_bytes,
    .pack = bdnn_ip_as_stored,
    .scratch_bytes = scratch_bytes,
    .run = run,
};
