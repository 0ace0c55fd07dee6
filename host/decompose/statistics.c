/* The statistics of one group of a layer. */
#include "decompose/statistics.h"

#include "core/memory.h"
#include "kernels/quantize.h"

#include <cblas.h>
#include <string.h>

/* Rows gathered or converted at a time, rows of one gathering task, and the side of a tile of H. */
#define CHUNK    512
#define ROW_TASK 32
#define TILE     256

struct collection {
    const bdnn_sample_source *source;
    int64_t d, f, n;
    int64_t first, count; /* samples of the chunk at hand */
    float *rows;          /* [chunk][D] quantised inputs in real units, less the mean */
    float *outputs;       /* [chunk][F] */
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

/* Quantised rows as centred floats. */
static void centre_rows(const bdnn_statistics *s, int64_t first, int64_t count, float *rows)
{
    const int64_t d = s->objective.inner;
    const float step = s->quantizer.step;
    for (int64_t r = 0; r < count; r++) {
        const uint8_t *from = s->rows + (first + r) * d;
        for (int64_t i = 0; i < d; i++) {
            rows[r * d + i] = step * (float)(from[i] - s->quantizer.zero_point) - s->x_mean[i];
        }
    }
}

int64_t bdnn_statistics_scratch(const bdnn_statistics *s)
{
    return s->objective.sampled ? 0 : CHUNK * s->objective.inner;
}

void bdnn_statistics_predict(const bdnn_statistics *s, const float *weights, int64_t count, float *products,
                             float *scratch)
{
    const int64_t d = s->objective.inner, n = s->objective.samples;
    if (s->objective.sampled) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, (int)n, (int)d, 1.0f, weights, (int)d,
                    s->objective.columns, (int)n, 0.0f, products, (int)n);
        return;
    }
    for (int64_t first = 0; first < n; first += CHUNK) {
        const int64_t rows = n - first < CHUNK ? n - first : CHUNK;
        centre_rows(s, first, rows, scratch);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, (int)rows, (int)d, 1.0f, weights, (int)d,
                    scratch, (int)d, 0.0f, products + first, (int)n);
    }
}

void bdnn_statistics_cross(const bdnn_statistics *s, const float *y, int64_t count, float *cross, float *scratch)
{
    const int64_t d = s->objective.inner, n = s->objective.samples;
    const float factor = 1.0f / (float)n;
    if (s->objective.sampled) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, (int)d, (int)n, factor, y, (int)n,
                    s->objective.columns, (int)n, 0.0f, cross, (int)d);
        return;
    }
    for (int64_t first = 0; first < n; first += CHUNK) {
        const int64_t rows = n - first < CHUNK ? n - first : CHUNK;
        centre_rows(s, first, rows, scratch);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, (int)d, (int)rows, factor, y + first, (int)n,
                    scratch, (int)d, first ? 1.0f : 0.0f, cross, (int)d);
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
    const int64_t begin = (int64_t)task * ROW_TASK, count = begin + ROW_TASK < c->count ? ROW_TASK : c->count - begin;
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

/* Gathers every sample once: quantised rows (or columns), outputs, and the mean row. */
static void gather_all(struct collection *c, double *sum, bdnn_threads *threads)
{
    bdnn_statistics *out = c->out;
    for (c->first = 0; c->first < c->n; c->first += CHUNK) {
        c->count = c->n - c->first < CHUNK ? c->n - c->first : CHUNK;
        bdnn_parallel(threads, gather_task, c, (size_t)((c->count + ROW_TASK - 1) / ROW_TASK));
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

static void centre_task(void *context, size_t task)
{
    const struct collection *c = context;
    const int64_t begin = (int64_t)task * ROW_TASK, count = begin + ROW_TASK < c->count ? ROW_TASK : c->count - begin;
    centre_rows(c->out, c->first + begin, count, c->rows + begin * c->d);
}

/* One tile of H on or below the diagonal. */
static void accumulate_task(void *context, size_t task)
{
    const struct collection *c = context;
    int64_t row = 0, column = (int64_t)task, width, height;
    while (column > row) {
        column -= ++row;
    }
    height = (row + 1) * TILE < c->d ? TILE : c->d - row * TILE;
    width = (column + 1) * TILE < c->d ? TILE : c->d - column * TILE;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)height, (int)width, (int)c->count, 1.0f / (float)c->n,
                c->rows + row * TILE, (int)c->d, c->rows + column * TILE, (int)c->d, 1.0f,
                c->out->objective.gram + row * TILE * c->d + column * TILE, (int)c->d);
}

static void build_gram(struct collection *c, bdnn_threads *threads)
{
    const int64_t tiles = (c->d + TILE - 1) / TILE;
    float *gram = c->out->objective.gram;
    for (c->first = 0; c->first < c->n; c->first += CHUNK) {
        c->count = c->n - c->first < CHUNK ? c->n - c->first : CHUNK;
        bdnn_parallel(threads, centre_task, c, (size_t)((c->count + ROW_TASK - 1) / ROW_TASK));
        bdnn_parallel(threads, accumulate_task, c, (size_t)(tiles * (tiles + 1) / 2));
    }
    for (int64_t i = 0; i < c->d; i++) {
        for (int64_t j = 0; j < i; j++) {
            gram[j * c->d + i] = gram[i * c->d + j];
        }
        c->out->objective.diagonal[i] = gram[i * c->d + i];
    }
}

static void centre_columns(struct collection *c)
{
    for (int64_t i = 0; i < c->d; i++) {
        float *column = c->out->objective.columns + i * c->n;
        for (int64_t r = 0; r < c->n; r++) {
            column[r] -= c->out->x_mean[i];
        }
        c->out->objective.diagonal[i] = (float)(cblas_dsdot((int)c->n, column, 1, column, 1) / (double)c->n);
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

static bool allocate(struct collection *c)
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
    }
    return c->rows && c->outputs && objective->diagonal && out->x_mean && out->wanted && (out->other || !other) &&
           (objective->sampled ? objective->columns != NULL : objective->gram && out->rows);
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
    bdnn_status status = BDNN_OK;
    memset(statistics, 0, sizeof *statistics);
    statistics->objective.inner = c.d;
    statistics->objective.samples = c.n;
    statistics->objective.sampled = c.n < c.d;
    statistics->quantizer = source->quantizer;
    if (!sum || !allocate(&c)) {
        status = bdnn_fail_memory(err, bdnn_product(bdnn_size(c.d * (c.d < c.n ? c.d : c.n)), sizeof(float)),
                                  "the statistics of a layer's inputs");
        bdnn_statistics_free(statistics);
    } else {
        gather_all(&c, sum, threads);
        if (statistics->objective.sampled) {
            centre_columns(&c);
        } else {
            build_gram(&c, threads);
        }
        add_ridge(&statistics->objective, lambda);
    }
    bdnn_free(sum);
    bdnn_free(c.rows);
    bdnn_free(c.outputs);
    return status;
}
