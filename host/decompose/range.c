/* SPDX-License-Identifier: BSD-2-Clause */
/* The quantized input's step and zero point. */
#include "decompose/range.h"

#include "core/memory.h"
#include "kernels/floats.h"
#include "kernels/gemm.h"
#include "kernels/quantize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Ranges tried, as parts of the largest: 10^(-i / 13). Written out, since pow is not the same to the last bit
 * everywhere. */
static const float parts[] = {1.0f,         0.837677658f, 0.701703846f, 0.587801635f, 0.492388248f,
                              0.412462652f, 0.345510721f, 0.289426625f, 0.242446199f, 0.203091756f,
                              0.170125425f, 0.142510265f, 0.119377665f, 0.100000001f};
#define CANDIDATES ((int)(sizeof parts / sizeof *parts))

static bdnn_quantizer quantizer_of(float low, float high, int32_t bits)
{
    const float top = (float)((1 << bits) - 1);
    bdnn_quantizer q = {.bits = bits};
    low = low < 0 ? low : 0;
    high = high > 0 ? high : 0;
    q.step = (high - low) / top;
    if (!(q.step >= 1e-30f)) { /* an input that is always zero: any step will do */
        q.step = 1.0f;
    }
    q.zero_point = (int32_t)fminf(fmaxf(rintf(-low / q.step), 0), top);
    return q;
}

struct candidates {
    const bdnn_range_problem *problem;
    bdnn_quantizer quantizer[sizeof parts / sizeof *parts];
    double cost[sizeof parts / sizeof *parts];
    float *difference; /* [slots][groups][rows][D] */
    float *response;   /* [slots][rows][filters]; NULL: the cost is the inputs' own squared error */
};

/* Sum over the filters of the variance over the rows: a constant error is the bias's to mend. */
static double variance(const float *response, int64_t rows, int64_t filters)
{
    double total = 0;
    for (int64_t f = 0; f < filters; f++) {
        double sum = 0, square = 0;
        for (int64_t r = 0; r < rows; r++) {
            double v = response[r * filters + f];
            sum += v;
            square += v * v;
        }
        total += square - sum * sum / (double)rows;
    }
    return total;
}

static void try_candidate(void *context, size_t slot, size_t index)
{
    struct candidates *job = context;
    const bdnn_range_problem *p = job->problem;
    const int64_t group_size = p->row_count * p->inner, size = p->groups * group_size;
    float *difference = job->difference + (int64_t)slot * size;
    const bdnn_quantizer *q = &job->quantizer[index];
    bdnn_fake_quantize(p->rows, (size_t)size, q->step, q->zero_point, q->bits, difference);
    for (int64_t i = 0; i < size; i++) {
        difference[i] -= p->rows[i];
    }
    job->cost[index] = 0;
    for (int64_t g = 0; g < p->groups && job->response; g++) {
        float *response = job->response + (int64_t)slot * p->row_count * p->filters;
        bdnn_gemm_transposed(p->row_count, p->filters, p->inner, difference + g * group_size, p->inner,
                             p->weights + g * p->filters * p->inner, p->inner, response, p->filters);
        job->cost[index] += variance(response, p->row_count, p->filters);
    }
    if (!job->response) {
        job->cost[index] = bdnn_float_choose()->dot_double(difference, difference, (size_t)size);
    }
}

static bdnn_status best_candidate(const bdnn_range_problem *problem, bool by_output, int32_t bits,
                                  bdnn_threads *threads, bdnn_quantizer *quantizer, bdnn_error *err)
{
    const size_t slots = bdnn_threads_count(threads);
    const size_t differences = bdnn_product(slots, bdnn_size(problem->groups * problem->row_count * problem->inner));
    struct candidates job = {.problem = problem};
    int best = 0;
    job.difference = bdnn_alloc(differences, sizeof(float));
    job.response =
        by_output ? bdnn_alloc(slots, bdnn_product(bdnn_size(problem->row_count * problem->filters), sizeof(float)))
                  : NULL;
    if (!job.difference || (by_output && !job.response)) {
        bdnn_free(job.difference);
        bdnn_free(job.response);
        return bdnn_fail_memory(err, bdnn_product(differences, sizeof(float)), "the search for a layer's input range");
    }
    for (int i = 0; i < CANDIDATES; i++) {
        job.quantizer[i] = quantizer_of(parts[i] * problem->low, parts[i] * problem->high, bits);
    }
    bdnn_parallel_slots(threads, try_candidate, &job, CANDIDATES);
    for (int i = 1; i < CANDIDATES; i++) {
        best = job.cost[i] < job.cost[best] ? i : best;
    }
    *quantizer = job.quantizer[best];
    bdnn_free(job.difference);
    bdnn_free(job.response);
    return BDNN_OK;
}

static int compare_floats(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static bdnn_status by_percentile(const bdnn_range_problem *problem, int32_t bits, bdnn_quantizer *quantizer,
                                 bdnn_error *err)
{
    const size_t count = bdnn_size(problem->groups * problem->row_count * problem->inner);
    const double tail = (1 - problem->percentile / 100) / (problem->low < 0 ? 2 : 1);
    size_t cut = (size_t)(tail * (double)count);
    float *sorted = bdnn_alloc(count, sizeof *sorted);
    if (!sorted) {
        return bdnn_fail_memory(err, count * sizeof *sorted, "the percentiles of a layer's input");
    }
    memcpy(sorted, problem->rows, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_floats);
    cut = cut < count ? cut : count - 1;
    *quantizer = quantizer_of(sorted[problem->low < 0 ? cut : 0], sorted[count - 1 - cut], bits);
    bdnn_free(sorted);
    return BDNN_OK;
}

bdnn_status bdnn_choose_range(const bdnn_range_problem *problem, bdnn_range rule, int32_t bits, bdnn_threads *threads,
                              bdnn_quantizer *quantizer, bdnn_error *err)
{
    if (!isfinite(problem->low) || !isfinite(problem->high)) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "the calibration inputs lead to values from %g to %g", problem->low,
                         problem->high);
    }
    switch (rule) {
    case BDNN_RANGE_PERCENTILE:
        return by_percentile(problem, bits, quantizer, err);
    case BDNN_RANGE_MSE:
        return best_candidate(problem, false, bits, threads, quantizer, err);
    case BDNN_RANGE_OUTPUT:
        return best_candidate(problem, true, bits, threads, quantizer, err);
    default:
        *quantizer = quantizer_of(problem->low, problem->high, bits);
        return BDNN_OK;
    }
}
