/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets of a block of filters. */
#include "decompose/retarget.h"

#include "core/arithmetic.h"

/* Products with the samples and the solution of the linear system take turns in one scratch memory. */
static int64_t shared_scratch(const bdnn_statistics *s, int64_t count)
{
    return bdnn_max(bdnn_statistics_scratch(s, count), bdnn_objective_scratch(&s->objective, count));
}

int64_t bdnn_retarget_floats(const bdnn_statistics *s, int64_t count)
{
    const int64_t n = s->objective.samples;
    return 2 * count * (n + 16) + 2 * (count + 16) + count * s->objective.inner + shared_scratch(s, count);
}

void bdnn_retarget_lay_out(bdnn_retarget *r, float *memory)
{
    const int64_t n = r->statistics->objective.samples;
    r->mean = (double *)(void *)memory;
    r->goal = memory + 2 * (r->count + 16);
    r->products = r->goal + r->count * n;
    r->scratch = r->products + r->count * n;
}

/* Goal of one filter: Y behind the rectifier, less the other branch's part, and its mean. products: centered; before:
 * the mean that goes with them. */
static void set_goal(bdnn_retarget *r, int64_t f, bool approximated)
{
    const bdnn_statistics *s = r->statistics;
    const int64_t n = s->objective.samples;
    const float *wanted = s->wanted + (r->first + f) * n, *other = s->other ? s->other + (r->first + f) * n : NULL;
    const float *product = r->products + f * n;
    float *goal = r->goal + f * n;
    const float before = (float)r->mean[f];
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const float plus = other ? other[i] : 0;
        float y = wanted[i];
        if (approximated && r->rectified && y < 0) {
            const float p = product[i] + before + plus;
            y = p < 0 ? p : 0;
        }
        goal[i] = y - plus;
        sum += goal[i];
    }
    r->mean[f] = sum / (double)n;
    for (int64_t i = 0; i < n; i++) {
        goal[i] -= (float)r->mean[f];
    }
}

void bdnn_retarget_step(bdnn_retarget *r, const float *weights, float *targets)
{
    const bdnn_statistics *s = r->statistics;
    const bdnn_objective *objective = &s->objective;
    const int64_t n = objective->samples, all = r->count * n;
    if (weights && r->rectified) {
        bdnn_statistics_predict(s, weights, r->count, r->products, r->scratch);
    }
    for (int64_t f = 0; f < r->count; f++) {
        set_goal(r, f, weights != NULL);
    }
    if (objective->sampled) {
        bdnn_statistics_predict(s, r->w, r->count, r->products, r->scratch);
        for (int64_t i = 0; i < all; i++) {
            r->goal[i] -= r->products[i];
        }
        bdnn_objective_targets(objective, r->goal, r->w, r->count, targets, r->scratch);
    } else {
        float *cross = r->scratch + shared_scratch(s, r->count);
        bdnn_statistics_cross(s, r->goal, r->count, cross, r->scratch);
        bdnn_objective_targets(objective, cross, r->w, r->count, targets, r->scratch);
    }
}
