/* SPDX-License-Identifier: BSD-2-Clause */
/* The statistics of one group of a layer. */
#include "decompose/statistics.h"

#include "core/arithmetic.h"
#include "core/memory.h"
#include "kernels/floats.h"
#include "kernels/gemm.h"
#include "kernels/quantize.h"

#include <string.h>

/* Rows gathered or converted at a time, rows of one gathering task, and the side of a tile of H. */
#define CHUNK    512
#define ROW_TASK 32
#define TILE     256

/* Rows whose sums of products of bytes are exact in floats: fewer than 2^24. */
#define EXACT_ROWS 256
_Static_assert(EXACT_ROWS * 255 * 255 < 1 << 24 && EXACT_ROWS <= CHUNK && EXACT_ROWS <= BDNN_GEMM_BLOCK, "exact sums");

struct collection {
    const bdnn_sample_source *source;
    int64_t d, f, n;
    int64_t first, count; /* samples of the chunk at hand */
    float *rows;          /* [chunk][D] quantized inputs, in real units or as they are */
    float *outputs;       /* [chunk][F] */
    float *tiles;         /* [slots][TILE][TILE] */
    bdnn_statistics *out;
};

void bdnn_statistics_free(bdnn_statistics *s)
{
    bdnn_objective_free(&s->objective);
    bdnn_free(s->rows);
    bdnn_free(s->x_mean);
    bdnn_free(s->wanted);
    bdnn_free(s->other);
    memset(s, 0, sizeof *s);
}

/* Quantized rows as centered floats. */
static void center_rows(const bdnn_statistics *s, int64_t first, int64_t count, float *rows)
{
    const bdnn_float_kernel *floats = bdnn_float_choose();
    const int64_t d = s->objective.inner;
    for (int64_t r = 0; r < count; r++) {
        floats->center(s->rows + (first + r) * d, s->x_mean, (size_t)d, s->quantizer.step, s->quantizer.zero_point,
                       rows + r * d);
    }
}

int64_t bdnn_statistics_scratch(const bdnn_statistics *s, int64_t count)
{
    return s->objective.sampled ? 0 : CHUNK * (s->objective.inner + count);
}

void bdnn_statistics_predict(const bdnn_statistics *s, const float *weights, int64_t count, float *products,
                             float *scratch)
{
    const int64_t d = s->objective.inner, n = s->objective.samples;
    float *part = scratch + CHUNK * d; /* [rows][count] */
    if (s->objective.sampled) {
        bdnn_gemm_plain(count, n, d, weights, d, s->objective.columns, n, products, n);
        return;
    }
    for (int64_t first = 0; first < n; first += CHUNK) {
        const int64_t rows = bdnn_min(n - first, CHUNK);
        center_rows(s, first, rows, scratch);
        bdnn_gemm_transposed(rows, count, d, scratch, d, weights, d, part, count);
        for (int64_t f = 0; f < count; f++) {
            for (int64_t r = 0; r < rows; r++) {
                products[f * n + first + r] = part[r * count + f];
            }
        }
    }
}

void bdnn_statistics_cross(const bdnn_statistics *s, const float *y, int64_t count, float *cross, float *scratch)
{
    const int64_t d = s->objective.inner, n = s->objective.samples;
    if (s->objective.sampled) {
        bdnn_gemm_transposed(count, d, n, y, n, s->objective.columns, n, cross, d);
    }
    for (int64_t first = 0; first < n && !s->objective.sampled; first += CHUNK) {
        const int64_t rows = bdnn_min(n - first, CHUNK);
        center_rows(s, first, rows, scratch);
        bdnn_gemm_run(&(bdnn_gemm){.m = count,
                                   .n = d,
                                   .k = rows,
                                   .a = y + first,
                                   .a_row = n,
                                   .a_column = 1,
                                   .b = scratch,
                                   .b_row = d,
                                   .b_column = 1,
                                   .c = cross,
                                   .c_row = d,
                                   .mode = first ? BDNN_GEMM_ADD : BDNN_GEMM_SET});
    }
    for (int64_t i = 0; i < count * d; i++) {
        cross[i] *= 1.0f / (float)n;
    }
}

/* Stores one transposed task of outputs: [F][n] from [rows][F]. */
static void store_outputs(const struct collection *c, int64_t begin, int64_t count, const float *from, float *to)
{
    for (int64_t r = 0; r < count; r++) {
        for (int64_t f = 0; f < c->f; f++) {
            to[f * c->n + c->first + begin + r] = from[r * c->f + f];
        }
    }
}

static void gather_task(void *context, size_t task)
{
    const struct collection *c = context;
    const bdnn_sample_source *s = c->source;
    const int64_t begin = (int64_t)task * ROW_TASK, count = bdnn_min(ROW_TASK, c->count - begin);
    const int64_t *positions = s->positions + c->first + begin;
    float *x = c->rows + begin * c->d, *y = c->outputs + begin * c->f;
    const size_t outputs = (size_t)(count * c->f) * sizeof *y;
    bdnn_gather_inputs(s->geometry, s->x, s->group, positions, count, x);
    if (c->out->rows) {
        bdnn_quantize(x, (size_t)(count * c->d), s->quantizer.step, s->quantizer.zero_point, s->quantizer.bits,
                      c->out->rows + (c->first + begin) * c->d, NULL);
    }
    bdnn_fake_quantize(x, (size_t)(count * c->d), s->quantizer.step, s->quantizer.zero_point, s->quantizer.bits, x);
    memset(y, 0, outputs);
    bdnn_add_outputs(s->geometry, s->y, 1, s->group, positions, count, y);
    if (s->other_exact) {
        bdnn_add_outputs(s->geometry, s->other_exact, 1, s->group, positions, count, y);
    }
    store_outputs(c, begin, count, y, c->out->wanted);
    if (s->other_exact) {
        memset(y, 0, outputs);
        bdnn_add_outputs(s->geometry, s->other_approximate, 1, s->group, positions, count, y);
        store_outputs(c, begin, count, y, c->out->other);
    }
}

/* Gathers every sample once: quantized rows (or columns), outputs, and the mean row. */
static void gather_all(struct collection *c, double *sum, bdnn_threads *threads)
{
    bdnn_statistics *out = c->out;
    for (c->first = 0; c->first < c->n; c->first += CHUNK) {
        c->count = c->n - c->first < CHUNK ? c->n - c->first : CHUNK;
        bdnn_parallel(threads, gather_task, c, (size_t)bdnn_ceil_div(c->count, ROW_TASK));
        for (int64_t r = 0; r < c->count; r++) {
            for (int64_t i = 0; i < c->d; i++) {
                sum[i] += c->rows[r * c->d + i];
                if (out->objective.columns) {
                    out->objective.columns[i * c->n + c->first + r] = c->rows[r * c->d + i];
                }
            }
        }
    }
    for (int64_t i = 0; i < c->d; i++) {
        out->x_mean[i] = (float)(sum[i] / (double)c->n);
    }
}

static void widen_task(void *context, size_t task)
{
    const struct collection *c = context;
    const int64_t begin = (int64_t)task * ROW_TASK, count = bdnn_min(ROW_TASK, c->count - begin);
    bdnn_float_choose()->widen(c->out->rows + (c->first + begin) * c->d, (size_t)(count * c->d),
                               c->rows + begin * c->d);
}

/* Adds the products of a chunk's bytes to one tile of the Gram matrix on or below the diagonal, whose elements are
 * unsigned integers until all are there: at most 66,051 samples (fit.c takes 49,152). */
static void accumulate_task(void *context, size_t slot, size_t task)
{
    const struct collection *c = context;
    const int64_t d = c->d;
    float *tile = c->tiles + slot * TILE * TILE;
    int64_t row = 0, column = (int64_t)task, width, height;
    while (column > row) {
        column -= ++row;
    }
    height = bdnn_min(TILE, d - row * TILE);
    width = bdnn_min(TILE, d - column * TILE);
    bdnn_gemm_run(&(bdnn_gemm){.m = height,
                               .n = width,
                               .k = c->count,
                               .a = c->rows + row * TILE,
                               .a_row = 1,
                               .a_column = d,
                               .b = c->rows + column * TILE,
                               .b_row = d,
                               .b_column = 1,
                               .c = tile,
                               .c_row = TILE});
    for (int64_t i = 0; i < height; i++) {
        float *gram = c->out->objective.gram + (row * TILE + i) * d + column * TILE;
        for (int64_t j = 0; j < width; j++) {
            uint32_t sum;
            memcpy(&sum, gram + j, sizeof sum);
            sum += (uint32_t)(int32_t)tile[i * TILE + j];
            memcpy(gram + j, &sum, sizeof sum);
        }
    }
}

/* From sums of products q_i q_j and sums q_i over n samples to step^2 of their covariance: one rounding of exact
 * integers, n sum q_i q_j - sum q_i sum q_j < 2^53, and one of the product. */
static void finish_gram(struct collection *c, const int64_t *sums)
{
    const double step = c->out->quantizer.step, factor = step * step / ((double)c->n * (double)c->n);
    float *gram = c->out->objective.gram;
    for (int64_t i = 0; i < c->d; i++) {
        for (int64_t j = 0; j <= i; j++) {
            uint32_t sum;
            memcpy(&sum, gram + i * c->d + j, sizeof sum);
            gram[i * c->d + j] = (float)((double)(c->n * (int64_t)sum - sums[i] * sums[j]) * factor);
        }
        for (int64_t j = 0; j < i; j++) {
            gram[j * c->d + i] = gram[i * c->d + j];
        }
        c->out->objective.diagonal[i] = gram[i * c->d + i];
    }
}

static void build_gram(struct collection *c, int64_t *sums, bdnn_threads *threads)
{
    const int64_t tiles = bdnn_ceil_div(c->d, TILE);
    for (c->first = 0; c->first < c->n; c->first += EXACT_ROWS) {
        c->count = c->n - c->first < EXACT_ROWS ? c->n - c->first : EXACT_ROWS;
        bdnn_parallel(threads, widen_task, c, (size_t)bdnn_ceil_div(c->count, ROW_TASK));
        bdnn_parallel_slots(threads, accumulate_task, c, (size_t)(tiles * (tiles + 1) / 2));
        for (int64_t r = c->first; r < c->first + c->count; r++) {
            for (int64_t i = 0; i < c->d; i++) {
                sums[i] += c->out->rows[r * c->d + i];
            }
        }
    }
    finish_gram(c, sums);
}

static void center_columns(struct collection *c)
{
    for (int64_t i = 0; i < c->d; i++) {
        float *column = c->out->objective.columns + i * c->n;
        for (int64_t r = 0; r < c->n; r++) {
            column[r] -= c->out->x_mean[i];
        }
        c->out->objective.diagonal[i] =
            (float)(bdnn_float_choose()->dot_double(column, column, (size_t)c->n) / (double)c->n);
    }
}

static void add_ridge(bdnn_objective *objective, double lambda)
{
    double trace = 0;
    for (int64_t i = 0; i < objective->inner; i++) {
        trace += objective->diagonal[i];
    }
    objective->lambda = trace > 0 ? (float)(lambda * trace / (double)objective->inner) : 1.0f;
    for (int64_t i = 0; i < objective->inner; i++) {
        objective->diagonal[i] += objective->lambda;
        if (!objective->sampled) {
            objective->gram[i * objective->inner + i] += objective->lambda;
        }
    }
}

static bool allocate(struct collection *c, size_t slots)
{
    bdnn_statistics *out = c->out;
    bdnn_objective *objective = &out->objective;
    const size_t d = (size_t)c->d, f = (size_t)c->f, n = (size_t)c->n;
    const bool other = c->source->other_exact != NULL;
    c->rows = bdnn_alloc(bdnn_product(CHUNK, d), sizeof(float));
    c->outputs = bdnn_alloc(bdnn_product(CHUNK, f), sizeof(float));
    objective->diagonal = bdnn_zalloc(d, sizeof(float));
    out->x_mean = bdnn_zalloc(d, sizeof(float));
    out->wanted = bdnn_alloc(bdnn_product(f, n), sizeof(float));
    out->other = other ? bdnn_alloc(bdnn_product(f, n), sizeof(float)) : NULL;
    if (objective->sampled) {
        objective->columns = bdnn_alloc(bdnn_product(d, n), sizeof(float));
    } else {
        objective->gram = bdnn_zalloc(bdnn_product(d, d), sizeof(float));
        out->rows = bdnn_alloc(d, n);
        c->tiles = bdnn_alloc(bdnn_product(slots, TILE * TILE), sizeof(float));
    }
    return c->rows && c->outputs && objective->diagonal && out->x_mean && out->wanted && (out->other || !other) &&
           (objective->sampled ? objective->columns != NULL : objective->gram && out->rows && c->tiles);
}

bdnn_status bdnn_statistics_collect(const bdnn_sample_source *source, double lambda, bdnn_threads *threads,
                                    bdnn_statistics *statistics, bdnn_error *err)
{
    const bdnn_inner_geometry *geometry = source->geometry;
    struct collection c = {.source = source,
                           .d = geometry->inner,
                           .f = geometry->filters / geometry->groups,
                           .n = source->count,
                           .out = statistics};
    double *sum = bdnn_zalloc((size_t)c.d, sizeof *sum);
    int64_t *quantized = bdnn_zalloc((size_t)c.d, sizeof *quantized);
    bdnn_status status = BDNN_OK;
    memset(statistics, 0, sizeof *statistics);
    statistics->objective.inner = c.d;
    statistics->objective.samples = c.n;
    statistics->objective.sampled = c.n < c.d;
    statistics->quantizer = source->quantizer;
    if (!sum || !quantized || !allocate(&c, bdnn_threads_count(threads))) {
        status = bdnn_fail_memory(err, bdnn_product(bdnn_size(c.d * bdnn_min(c.d, c.n)), sizeof(float)),
                                  "the statistics of a layer's inputs");
        bdnn_statistics_free(statistics);
    } else {
        gather_all(&c, sum, threads);
        if (statistics->objective.sampled) {
            center_columns(&c);
        } else {
            build_gram(&c, quantized, threads);
        }
        add_ridge(&statistics->objective, lambda);
    }
    bdnn_free(sum);
    bdnn_free(quantized);
    bdnn_free(c.tiles);
    bdnn_free(c.rows);
    bdnn_free(c.outputs);
    return status;
}
