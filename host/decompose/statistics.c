/* The statistics of one group of a layer. */
#include "decompose/statistics.h"

#include "core/memory.h"
#include "kernels/quantize.h"

#include <cblas.h>
#include <string.h>

/* Rows gathered at a time, rows of one gathering task, and the side of a tile of H. */
#define CHUNK    1024
#define ROW_TASK 32
#define TILE     256

struct collection {
    const bdnn_sample_source *source;
    int64_t d, f;
    int64_t first, count; /* samples of the chunk at hand */
    float *rows;          /* [chunk][D] quantised inputs, less x_shift */
    float *outputs;       /* [chunk][F], less y_shift */
    float *x_shift, *y_shift;
    bdnn_statistics *out;
};

void bdnn_statistics_free(bdnn_statistics *s)
{
    bdnn_objective_free(&s->objective);
    bdnn_free(s->cross);
    bdnn_free(s->x_mean);
    bdnn_free(s->y_mean);
    memset(s, 0, sizeof *s);
}

static void gather_task(void *context, size_t task)
{
    const struct collection *c = context;
    const bdnn_sample_source *s = c->source;
    const int64_t begin = (int64_t)task * ROW_TASK, count = begin + ROW_TASK < c->count ? ROW_TASK : c->count - begin;
    const int64_t *positions = s->positions + c->first + begin;
    float *x = c->rows + begin * c->d, *y = c->outputs + begin * c->f;
    bdnn_gather_inputs(s->geometry, s->x, s->group, positions, count, x);
    bdnn_fake_quantize(x, (size_t)(count * c->d), s->quantizer.step, s->quantizer.zero_point, s->quantizer.bits, x);
    memset(y, 0, (size_t)(count * c->f) * sizeof *y);
    bdnn_add_outputs(s->geometry, s->y, 1, s->group, positions, count, y);
    if (s->other_exact) {
        /* What the other branch of the addition lost: this layer is the last that can make up for it. */
        bdnn_add_outputs(s->geometry, s->other_exact, 1, s->group, positions, count, y);
        bdnn_add_outputs(s->geometry, s->other_approximate, -1, s->group, positions, count, y);
    }
    for (int64_t r = 0; r < count; r++) {
        cblas_saxpy((int)c->d, -1.0f, c->x_shift, 1, x + r * c->d, 1);
        cblas_saxpy((int)c->f, -1.0f, c->y_shift, 1, y + r * c->f, 1);
    }
}

static void gather(struct collection *c, int64_t first, int64_t count, bdnn_threads *threads)
{
    c->first = first;
    c->count = count;
    bdnn_parallel(threads, gather_task, c, (size_t)((count + ROW_TASK - 1) / ROW_TASK));
}

static void add_columns(const float *rows, int64_t count, int64_t width, double *sum)
{
    for (int64_t r = 0; r < count; r++) {
        for (int64_t i = 0; i < width; i++) {
            sum[i] += rows[r * width + i];
        }
    }
}

/* Takes rough means (of the first chunk) for shifts, so that the sums of squares that follow are sums of small numbers.
 */
static void choose_shifts(struct collection *c, bdnn_threads *threads)
{
    bdnn_statistics *out = c->out;
    const int64_t count = c->source->count < CHUNK ? c->source->count : CHUNK;
    gather(c, 0, count, threads);
    add_columns(c->rows, count, c->d, out->x_mean);
    add_columns(c->outputs, count, c->f, out->y_mean);
    for (int64_t i = 0; i < c->d; i++) {
        c->x_shift[i] = (float)(out->x_mean[i] / (double)count);
        out->x_mean[i] = 0;
    }
    for (int64_t i = 0; i < c->f; i++) {
        c->y_shift[i] = (float)(out->y_mean[i] / (double)count);
        out->y_mean[i] = 0;
    }
}

/* One tile of H on or below the diagonal, or - after those - one tile of columns of the cross products. */
static void accumulate_task(void *context, size_t task)
{
    const struct collection *c = context;
    const int64_t tiles = (c->d + TILE - 1) / TILE;
    int64_t row = 0, column = (int64_t)task, width, height;
    float *cross = c->out->cross, *gram = c->out->objective.gram;
    while (row < tiles && column > row) {
        column -= ++row;
    }
    if (row == tiles) {
        width = (column + 1) * TILE < c->d ? TILE : c->d - column * TILE;
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)c->f, (int)width, (int)c->count, 1.0f, c->outputs,
                    (int)c->f, c->rows + column * TILE, (int)c->d, 1.0f, cross + column * TILE, (int)c->d);
        return;
    }
    height = (row + 1) * TILE < c->d ? TILE : c->d - row * TILE;
    width = (column + 1) * TILE < c->d ? TILE : c->d - column * TILE;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)height, (int)width, (int)c->count, 1.0f,
                c->rows + row * TILE, (int)c->d, c->rows + column * TILE, (int)c->d, 1.0f,
                gram + row * TILE * c->d + column * TILE, (int)c->d);
}

/* The means from sums of shifted samples; leaves what is left of the mean after the shift in x_mean, y_mean. */
static void finish_gram(struct collection *c, double lambda)
{
    bdnn_objective *objective = &c->out->objective;
    const double n = (double)c->source->count;
    const double *x = c->out->x_mean, *y = c->out->y_mean;
    double trace = 0;
    for (int64_t i = 0; i < c->d; i++) {
        for (int64_t j = 0; j <= i; j++) {
            float h = (float)(objective->gram[i * c->d + j] / n - x[i] * x[j]);
            objective->gram[i * c->d + j] = objective->gram[j * c->d + i] = h;
        }
        trace += objective->gram[i * c->d + i];
    }
    for (int64_t f = 0; f < c->f; f++) {
        for (int64_t i = 0; i < c->d; i++) {
            c->out->cross[f * c->d + i] = (float)(c->out->cross[f * c->d + i] / n - y[f] * x[i]);
        }
    }
    objective->lambda = trace > 0 ? (float)(lambda * trace / (double)c->d) : 1.0f;
    for (int64_t i = 0; i < c->d; i++) {
        objective->gram[i * c->d + i] += objective->lambda;
        objective->diagonal[i] = objective->gram[i * c->d + i];
    }
}

static void collect_gram(struct collection *c, double lambda, bdnn_threads *threads)
{
    const size_t tiles = (size_t)((c->d + TILE - 1) / TILE);
    for (int64_t first = 0; first < c->source->count; first += CHUNK) {
        const int64_t count = c->source->count - first < CHUNK ? c->source->count - first : CHUNK;
        gather(c, first, count, threads);
        add_columns(c->rows, count, c->d, c->out->x_mean);
        add_columns(c->outputs, count, c->f, c->out->y_mean);
        bdnn_parallel(threads, accumulate_task, c, tiles * (tiles + 1) / 2 + tiles);
    }
    for (int64_t i = 0; i < c->d; i++) {
        c->out->x_mean[i] /= (double)c->source->count;
    }
    for (int64_t i = 0; i < c->f; i++) {
        c->out->y_mean[i] /= (double)c->source->count;
    }
    finish_gram(c, lambda);
}

/* Fewer samples than elements: X by columns, and the residuals of the float weights. Gathers all rows chunk by chunk.
 */
static void collect_sampled(struct collection *c, const float *w, double lambda, bdnn_threads *threads)
{
    bdnn_objective *objective = &c->out->objective;
    const int64_t n = c->source->count;
    double trace = 0;
    for (int64_t first = 0; first < n; first += CHUNK) {
        const int64_t count = n - first < CHUNK ? n - first : CHUNK;
        gather(c, first, count, threads);
        add_columns(c->rows, count, c->d, c->out->x_mean);
        add_columns(c->outputs, count, c->f, c->out->y_mean);
        for (int64_t r = 0; r < count; r++) {
            for (int64_t i = 0; i < c->d; i++) {
                objective->columns[i * n + first + r] = c->rows[r * c->d + i];
            }
            for (int64_t f = 0; f < c->f; f++) {
                c->out->cross[f * n + first + r] = c->outputs[r * c->f + f];
            }
        }
    }
    for (int64_t i = 0; i < c->d; i++) {
        float *column = objective->columns + i * n, mean = (float)(c->out->x_mean[i] /= (double)n);
        for (int64_t r = 0; r < n; r++) {
            column[r] -= mean;
        }
        objective->diagonal[i] = (float)(cblas_dsdot((int)n, column, 1, column, 1) / (double)n);
        trace += objective->diagonal[i];
    }
    for (int64_t f = 0; f < c->f; f++) {
        float *residual = c->out->cross + f * n, mean = (float)(c->out->y_mean[f] /= (double)n);
        for (int64_t r = 0; r < n; r++) {
            residual[r] -= mean;
        }
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)c->f, (int)n, (int)c->d, -1.0f, w, (int)c->d,
                objective->columns, (int)n, 1.0f, c->out->cross, (int)n);
    objective->lambda = trace > 0 ? (float)(lambda * trace / (double)c->d) : 1.0f;
    for (int64_t i = 0; i < c->d; i++) {
        objective->diagonal[i] += objective->lambda;
    }
}

static bool allocate(struct collection *c, int64_t n)
{
    bdnn_objective *objective = &c->out->objective;
    const size_t d = (size_t)c->d, f = (size_t)c->f, chunk = n < CHUNK ? (size_t)n : CHUNK;
    c->rows = bdnn_alloc(chunk * d, sizeof(float));
    c->outputs = bdnn_alloc(chunk * f, sizeof(float));
    c->x_shift = bdnn_zalloc(d, sizeof(float));
    c->y_shift = bdnn_zalloc(f, sizeof(float));
    objective->diagonal = bdnn_zalloc(d, sizeof(float));
    if (objective->sampled) {
        objective->columns = bdnn_alloc(d * (size_t)n, sizeof(float));
        c->out->cross = bdnn_alloc(f * (size_t)n, sizeof(float));
    } else {
        objective->gram = bdnn_zalloc(d * d, sizeof(float));
        c->out->cross = bdnn_zalloc(f * d, sizeof(float));
    }
    c->out->x_mean = bdnn_zalloc(d, sizeof(double));
    c->out->y_mean = bdnn_zalloc(f, sizeof(double));
    return c->rows && c->outputs && c->x_shift && c->y_shift && objective->diagonal && c->out->cross &&
           c->out->x_mean && c->out->y_mean && (objective->sampled ? objective->columns : objective->gram);
}

bdnn_status bdnn_statistics_collect(const bdnn_sample_source *source, const float *w, double lambda,
                                    bdnn_threads *threads, bdnn_statistics *statistics, bdnn_error *err)
{
    const bdnn_inner_geometry *geometry = source->geometry;
    struct collection c = {
        .source = source, .d = geometry->inner, .f = geometry->filters / geometry->groups, .out = statistics};
    bdnn_status status = BDNN_OK;
    memset(statistics, 0, sizeof *statistics);
    statistics->objective.inner = c.d;
    statistics->objective.samples = source->count;
    statistics->objective.sampled = source->count < c.d;
    if (!allocate(&c, source->count)) {
        status = bdnn_fail_memory(err, (size_t)(c.d * (c.d < source->count ? c.d : source->count)) * sizeof(float),
                                  "the statistics of a layer's inputs");
        bdnn_statistics_free(statistics);
    } else {
        choose_shifts(&c, threads);
        if (statistics->objective.sampled) {
            collect_sampled(&c, w, lambda, threads);
        } else {
            collect_gram(&c, lambda, threads);
        }
        for (int64_t i = 0; i < c.d; i++) {
            statistics->x_mean[i] += c.x_shift[i];
        }
        for (int64_t i = 0; i < c.f; i++) {
            statistics->y_mean[i] += c.y_shift[i];
        }
    }
    bdnn_free(c.rows);
    bdnn_free(c.outputs);
    bdnn_free(c.x_shift);
    bdnn_free(c.y_shift);
    return status;
}
