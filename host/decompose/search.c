/* SPDX-License-Identifier: BSD-2-Clause */
/* The data-aware decomposition of a block of filters. */
#include "decompose/search.h"

#include "core/memory.h"
#include "kernels/floats.h"

#include <stdbool.h>
#include <string.h>

/* Rounds of (scales, codes) for each start and after the choice among them, and sweeps over the elements in a round. */
#define START_ROUNDS 2
#define ROUNDS       5
#define SWEEPS       3

/* The working memory of a block, all [block][...]. */
struct block {
    const bdnn_objective *objective;
    bdnn_retarget *retarget;
    float *t;
    int64_t inner, count, image;
    int32_t bases;
    float *t_image; /* images of the targets */
    float *e;       /* t - W */
    float *e_image;
    float *signs;       /* [block * K][D] bases as +-1 */
    float *signs_image; /* [block * K][image] */
    /* W of each filter is the sum of its bases in `signs` times these. */
    float signs_scale[BDNN_SEARCH_BLOCK][BDNN_MAX_BASES];
    uint8_t *spare; /* [D] */
    uint8_t *best;  /* [block][D] codes of the best start so far */
    bdnn_codebook book[BDNN_SEARCH_BLOCK], best_book[BDNN_SEARCH_BLOCK];
    bdnn_filter *filters;
};

static size_t take(size_t *used, size_t count, size_t size)
{
    size_t at = *used;
    *used = bdnn_sum(*used, bdnn_round_up(bdnn_product(count, size), BDNN_ALIGNMENT));
    return at;
}

/* Lays the block's arrays out from `base` on (NULL: only counts) and returns the bytes. */
static size_t lay_out(struct block *b, uint8_t *base)
{
    size_t used = 0, block = BDNN_SEARCH_BLOCK, d = (size_t)b->inner, image = (size_t)b->image;
    size_t bases = block * (size_t)b->bases;
    size_t at[7] = {take(&used, bdnn_product(block, image), sizeof(float)),
                    take(&used, bdnn_product(block, d), sizeof(float)),
                    take(&used, bdnn_product(block, image), sizeof(float)),
                    take(&used, bdnn_product(bases, image ? d : 0), sizeof(float)),
                    take(&used, bdnn_product(bases, image), sizeof(float)),
                    take(&used, d, 1),
                    take(&used, bdnn_product(block, d), 1)};
    if (base) {
        b->t_image = (float *)(base + at[0]);
        b->e = (float *)(base + at[1]);
        b->e_image = (float *)(base + at[2]);
        b->signs = (float *)(base + at[3]);
        b->signs_image = (float *)(base + at[4]);
        b->spare = base + at[5];
        b->best = base + at[6];
    }
    return used;
}

size_t bdnn_search_scratch(const bdnn_objective *objective, int64_t inner, int32_t bases)
{
    struct block b = {.inner = inner, .bases = bases, .image = objective ? bdnn_objective_image_size(objective) : 0};
    return lay_out(&b, NULL);
}

static void expand_signs(struct block *b)
{
    for (int64_t f = 0; f < b->count; f++) {
        for (int32_t k = 0; k < b->bases; k++) {
            float *row = b->signs + (f * b->bases + k) * b->inner;
            for (int64_t d = 0; d < b->inner; d++) {
                row[d] = b->filters[f].codes[d] >> k & 1 ? 1.0f : -1.0f;
            }
        }
    }
    bdnn_objective_images(b->objective, b->signs, b->count * b->bases, b->signs_image);
}

/* M'HM of one filter, and M'Ht. */
static void scale_system(const struct block *b, int64_t f, bdnn_basis_gram gram, double *rhs)
{
    const float *m = b->signs + f * b->bases * b->inner, *m_image = b->signs_image + f * b->bases * b->image;
    for (int k = 0; k < b->bases; k++) {
        const float *a = m + k * b->inner, *a_image = m_image + k * b->image;
        for (int l = 0; l <= k; l++) {
            gram[k][l] = gram[l][k] =
                bdnn_objective_product(b->objective, a, a_image, m + l * b->inner, m_image + l * b->image);
        }
        rhs[k] = bdnn_objective_product(b->objective, a, a_image, b->t + f * b->inner, b->t_image + f * b->image);
    }
}

static void refresh_errors(struct block *b)
{
    for (int64_t f = 0; f < b->count; f++) {
        const uint8_t *codes = b->filters[f].codes;
        for (int64_t d = 0; d < b->inner; d++) {
            b->e[f * b->inner + d] = b->t[f * b->inner + d] - b->book[f].level[codes[d]];
        }
    }
}

/* Images of the errors, from those of the bases: right as long as the codes are those that were expanded. */
static void errors_image_of_signs(struct block *b)
{
    const bdnn_float_kernel *floats = bdnn_float_choose();
    memcpy(b->e_image, b->t_image, (size_t)(b->count * b->image) * sizeof *b->e_image);
    for (int64_t f = 0; f < b->count; f++) {
        for (int32_t k = 0; k < b->bases; k++) {
            floats->axpy(b->signs_image + (f * b->bases + k) * b->image, (size_t)b->image, -b->signs_scale[f][k],
                         b->e_image + f * b->image);
        }
    }
}

/* Step (a): the K scales of each filter by least squares under H. */
static void fit_scales(struct block *b)
{
    expand_signs(b);
    for (int64_t f = 0; f < b->count; f++) {
        bdnn_basis_gram gram;
        double rhs[BDNN_MAX_BASES], scale[BDNN_MAX_BASES];
        scale_system(b, f, gram, rhs);
        bdnn_solve_scales(b->bases, gram, rhs, scale);
        bdnn_codebook_set(&b->book[f], b->bases, scale);
        for (int32_t k = 0; k < b->bases; k++) {
            b->signs_scale[f][k] = (float)scale[k];
        }
    }
}

/* Step (b): one sweep of exact coordinate descent over the D elements of every filter. With e = t - W, the objective
 * along element i is smallest at W_i + (He)_i / H_ii, so among the codebook's levels the nearest to that is best.
 * Returns whether a code changed. */
static bool sweep(struct block *b)
{
    bool changed = false;
    for (int64_t i = 0; i < b->inner; i++) {
        const float inverse = 1.0f / b->objective->diagonal[i];
        for (int64_t f = 0; f < b->count; f++) {
            const bdnn_codebook *book = &b->book[f];
            float *e = b->e + f * b->inner, *image = b->e_image + f * b->image;
            uint8_t *code = &b->filters[f].codes[i];
            float level = book->level[*code];
            uint8_t best =
                bdnn_codebook_nearest(book, level + bdnn_objective_gradient(b->objective, e, image, i) * inverse);
            float delta = level - book->level[best];
            if (delta != 0.0f) {
                *code = best;
                e[i] += delta;
                bdnn_objective_update(b->objective, image, i, delta);
                changed = true;
            }
        }
    }
    return changed;
}

/* With an objective, the codes must be those that were expanded last. */
static void round_scales(struct block *b)
{
    for (int64_t f = 0; f < b->count; f++) {
        bdnn_filter *filter = &b->filters[f];
        bdnn_basis_gram gram;
        double factor, scale[BDNN_MAX_BASES] = {0}, rhs[BDNN_MAX_BASES];
        uint8_t flip;
        if (b->objective) {
            scale_system(b, f, gram, rhs);
        } else {
            bdnn_code_gram(filter->codes, b->inner, b->bases, gram);
        }
        bdnn_integer_scales(&b->book[f], gram, filter->scale, &factor, &flip);
        for (int64_t d = 0; d < b->inner; d++) {
            filter->codes[d] ^= flip;
        }
        for (int k = 0; k < b->bases; k++) {
            scale[k] = factor * filter->scale[k];
            b->signs_scale[f][k] = (float)(flip >> k & 1 ? -scale[k] : scale[k]);
        }
        bdnn_codebook_set(&b->book[f], b->bases, scale);
        filter->factor = (float)factor;
    }
}

/* The best factor for the codes as they are: s = W'Ht / W'HW. */
static void fit_factors(struct block *b)
{
    refresh_errors(b);
    bdnn_objective_images(b->objective, b->e, b->count, b->e_image);
    for (int64_t f = 0; f < b->count; f++) {
        bdnn_filter *filter = &b->filters[f];
        float *w = b->e + f * b->inner, *w_image = b->e_image + f * b->image;
        const float *t = b->t + f * b->inner, *t_image = b->t_image + f * b->image;
        double wt, ww;
        for (int64_t d = 0; d < b->inner; d++) {
            w[d] = t[d] - w[d];
        }
        for (int64_t d = 0; d < b->image; d++) {
            w_image[d] = t_image[d] - w_image[d];
        }
        wt = bdnn_objective_product(b->objective, w, w_image, t, t_image);
        ww = bdnn_objective_product(b->objective, w, w_image, w, w_image);
        if (ww > 0 && wt > 0) {
            filter->factor = (float)(filter->factor * (wt / ww));
        }
    }
}

/* Without an objective: nearest codes under the integer codebook, then the factor by least squares. */
static void finish_by_value(struct block *b)
{
    for (int64_t f = 0; f < b->count; f++) {
        bdnn_filter *filter = &b->filters[f];
        const float *t = b->t + f * b->inner;
        double wt = 0, ww = 0;
        for (int64_t d = 0; d < b->inner; d++) {
            double w;
            filter->codes[d] = bdnn_codebook_nearest(&b->book[f], t[d]);
            w = bdnn_filter_weight(filter, b->bases, d);
            wt += w * t[d];
            ww += w * w;
        }
        filter->factor = ww > 0 ? (float)(wt / ww) : 0.0f;
    }
}

/* New targets, for the outputs that the block's present weights give. */
static void retarget(struct block *b)
{
    if (b->retarget) {
        for (int64_t f = 0; f < b->count; f++) {
            for (int64_t d = 0; d < b->inner; d++) {
                b->e[f * b->inner + d] = b->book[f].level[b->filters[f].codes[d]];
            }
        }
        bdnn_retarget_step(b->retarget, b->e, b->t);
        bdnn_objective_images(b->objective, b->t, b->count, b->t_image);
    }
}

/* The codes must be those that were expanded last. */
static void choose_codes(struct block *b)
{
    refresh_errors(b);
    errors_image_of_signs(b);
    for (int s = 0; s < SWEEPS && sweep(b); s++) {
    }
}

static double cost_of(const struct block *b, int64_t f)
{
    const float *e = b->e + f * b->inner, *image = b->e_image + f * b->image;
    return bdnn_objective_product(b->objective, e, image, e, image);
}

/* The best of several starts, filter by filter: coordinate descent ends in a local minimum, and starts are cheap where
 * D is small. */
static void choose_start(struct block *b, const bdnn_start_rule *rule, int starts)
{
    double best[BDNN_SEARCH_BLOCK];
    for (int start = 0; start < starts; start++) {
        static const bdnn_start random[] = {BDNN_START_RANDOM};
        for (int64_t f = 0; f < b->count && start > 0; f++) {
            const bdnn_start_rule again = {random, 1, start % 3,
                                           rule->seed + (uint64_t)(start * BDNN_SEARCH_BLOCK + f)};
            bdnn_decompose_vector(b->t + f * b->inner, b->inner, b->bases, &again, &b->book[f], b->filters[f].codes,
                                  b->spare);
        }
        for (int round = 0; round < START_ROUNDS; round++) {
            fit_scales(b);
            choose_codes(b);
        }
        for (int64_t f = 0; f < b->count; f++) {
            const double cost = cost_of(b, f);
            if (start == 0 || cost < best[f]) {
                best[f] = cost;
                b->best_book[f] = b->book[f];
                memcpy(b->best + f * b->inner, b->filters[f].codes, (size_t)b->inner);
            }
        }
    }
    for (int64_t f = 0; f < b->count; f++) {
        b->book[f] = b->best_book[f];
        memcpy(b->filters[f].codes, b->best + f * b->inner, (size_t)b->inner);
    }
}

void bdnn_search_block(const bdnn_objective *objective, bdnn_retarget *retargeting, float *t, int64_t inner,
                       int64_t count, int32_t bases, const bdnn_start_rule *rule, bdnn_filter *filters, void *scratch)
{
    struct block b = {.objective = objective,
                      .retarget = retargeting,
                      .t = t,
                      .inner = inner,
                      .count = count,
                      .bases = bases,
                      .filters = filters,
                      .image = objective ? bdnn_objective_image_size(objective) : 0};
    lay_out(&b, scratch);
    for (int64_t f = 0; f < count; f++) {
        bdnn_decompose_vector(t + f * inner, inner, bases, rule, &b.book[f], filters[f].codes, b.spare);
    }
    if (!objective) {
        round_scales(&b);
        finish_by_value(&b);
        return;
    }
    bdnn_objective_images(objective, t, count, b.t_image);
    choose_start(&b, rule, inner <= 256 ? 16 : inner <= 1024 ? 6 : 1);
    for (int round = 0; round < ROUNDS; round++) {
        retarget(&b);
        fit_scales(&b);
        choose_codes(&b);
    }
    fit_scales(&b);
    round_scales(&b);
    choose_codes(&b);
    retarget(&b);
    fit_factors(&b);
}
