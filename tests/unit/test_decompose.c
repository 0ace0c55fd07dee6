/* SPDX-License-Identifier: BSD-2-Clause */
/* decompose: codebooks, integer scales, the objective in both of its forms, and the search under it. */
#include "core/memory.h"
#include "decompose/codebook.h"
#include "decompose/objective.h"
#include "decompose/search.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 1;

static float normal(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        sum += (double)(bdnn_random(&state) >> 11) * 0x1p-53;
    }
    return (float)sum;
}

static void nearest_is_exhaustive(void **unused)
{
    (void)unused;
    for (int32_t bases = 1; bases <= BDNN_MAX_BASES; bases++) {
        double scale[BDNN_MAX_BASES];
        bdnn_codebook book;
        for (int k = 0; k < bases; k++) {
            scale[k] = normal(); /* of both signs */
        }
        bdnn_codebook_set(&book, bases, scale);
        for (int i = 0; i < 500; i++) {
            float v = 3 * normal(), best = INFINITY;
            for (int c = 0; c < 1 << bases; c++) {
                best = fminf(best, fabsf(v - book.level[c]));
            }
            assert_true(fabsf(v - book.level[bdnn_codebook_nearest(&book, v)]) <= best * (1 + 1e-5f) + 1e-6f);
        }
    }
}

static void codebook_vectors_come_back(void **unused)
{
    const bdnn_start starts[] = {BDNN_START_GREEDY, BDNN_START_UNIFORM, BDNN_START_RANDOM, BDNN_START_RANDOM};
    const bdnn_start_rule rule = {starts, 4, 50, 7};
    float t[600];
    uint8_t codes[600], spare[600];
    (void)unused;
    for (int32_t bases = 1; bases <= BDNN_MAX_BASES; bases++) {
        bdnn_codebook book;
        double norm = 0, error, again = 0;
        for (int i = 0; i < 600; i++) {
            t[i] = 0;
            for (int k = 0; k < bases; k++) {
                t[i] += (bdnn_random(&state) & 1 ? 1.0f : -1.0f) * (float)(1 << k);
            }
            norm += t[i] * t[i];
        }
        error = bdnn_decompose_vector(t, 600, bases, &rule, &book, codes, spare);
        for (int i = 0; i < 600; i++) {
            again += pow(t[i] - book.level[codes[i]], 2);
        }
        assert_true(error <= 1e-4 * norm);
        assert_true(fabs(error - again) <= 1e-6 * norm);
    }
}

static void integer_scales_fit_eight_bits(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 200; trial++) {
        int32_t bases = 1 + trial % BDNN_MAX_BASES;
        double scale[BDNN_MAX_BASES], s;
        bdnn_basis_gram gram;
        bdnn_codebook book;
        int8_t g[BDNN_MAX_BASES];
        uint8_t codes[300], flip;
        int sum = 0;
        for (int k = 0; k < bases; k++) {
            scale[k] = normal() * pow(10, 3 * normal());
        }
        for (int i = 0; i < 300; i++) {
            codes[i] = (uint8_t)(bdnn_random(&state) % (1u << bases));
        }
        bdnn_codebook_set(&book, bases, scale);
        bdnn_code_gram(codes, 300, bases, gram);
        bdnn_integer_scales(&book, gram, g, &s, &flip);
        for (int k = 0; k < bases; k++) {
            assert_true(g[k] >= 0);
            sum += g[k];
            /* the largest scales dominate; each is off by at most one unit of the factor */
            assert_true(fabs(fabs(scale[k]) - s * g[k]) <= 1.01 * s + 0.02 * fabs(scale[k]));
            assert_int_equal(flip >> k & 1, scale[k] < 0);
        }
        assert_in_range(sum, 1, 127);
    }
}

/* The same samples as H and as X. */
struct pair {
    bdnn_objective held, sampled;
    float *w, *cross, *residual;
};

enum { D = 70, N = 40, F = 5 };

static struct pair make_pair(void)
{
    struct pair p = {{.inner = D, .samples = N, .lambda = 0.3f},
                     {.inner = D, .samples = N, .lambda = 0.3f, .sampled = true},
                     0,
                     0,
                     0};
    float *y = bdnn_alloc(F * N, sizeof *y);
    p.held.gram = bdnn_zalloc(D * D, sizeof(float));
    p.held.diagonal = bdnn_alloc(D, sizeof(float));
    p.sampled.columns = bdnn_alloc(D * N, sizeof(float));
    p.sampled.diagonal = bdnn_alloc(D, sizeof(float));
    p.w = bdnn_alloc(F * D, sizeof(float));
    p.cross = bdnn_zalloc(F * D, sizeof(float));
    p.residual = bdnn_alloc(F * N, sizeof(float));
    for (int i = 0; i < D * N; i++) {
        p.sampled.columns[i] = normal() + (i >= N ? 0.7f * p.sampled.columns[i - N] : 0); /* neighbors correlate */
    }
    for (int i = 0; i < D; i++) {
        for (int j = 0; j < D; j++) {
            double sum = i == j ? 0.3 * N : 0;
            for (int n = 0; n < N; n++) {
                sum += (double)p.sampled.columns[i * N + n] * p.sampled.columns[j * N + n];
            }
            p.held.gram[i * D + j] = (float)(sum / N);
        }
        p.held.diagonal[i] = p.sampled.diagonal[i] = p.held.gram[i * D + i];
    }
    for (int f = 0; f < F; f++) {
        for (int i = 0; i < D; i++) {
            p.w[f * D + i] = normal();
        }
        for (int n = 0; n < N; n++) {
            y[f * N + n] = p.residual[f * N + n] = normal();
            for (int i = 0; i < D; i++) {
                p.cross[f * D + i] += p.sampled.columns[i * N + n] * y[f * N + n] / N;
                p.residual[f * N + n] -= p.sampled.columns[i * N + n] * p.w[f * D + i];
            }
        }
    }
    bdnn_free(y);
    return p;
}

static void free_pair(struct pair *p)
{
    bdnn_objective_free(&p->held);
    bdnn_objective_free(&p->sampled);
    bdnn_free(p->w);
    bdnn_free(p->cross);
    bdnn_free(p->residual);
}

static void both_objectives_agree(void **unused)
{
    struct pair p = make_pair();
    float a[F * D], b[F * D], image_a[F * D], image_b[F * D], *scratch;
    bdnn_error err;
    (void)unused;
    assert_int_equal(bdnn_objective_factorize(&p.held, &err), BDNN_OK);
    assert_int_equal(bdnn_objective_factorize(&p.sampled, &err), BDNN_OK);
    scratch = bdnn_alloc((size_t)bdnn_objective_scratch(&p.held, F), sizeof *scratch);
    assert_non_null(scratch);
    bdnn_objective_targets(&p.held, p.cross, p.w, F, a, scratch);
    bdnn_objective_targets(&p.sampled, p.residual, p.w, F, b, scratch);
    bdnn_free(scratch);
    for (int i = 0; i < F * D; i++) {
        assert_true(fabsf(a[i] - b[i]) < 2e-4f);
    }
    bdnn_objective_images(&p.held, a, F, image_a);
    bdnn_objective_images(&p.sampled, a, F, image_b);
    for (int f = 0; f < F; f++) {
        double held = bdnn_objective_product(&p.held, a + f * D, image_a + f * D, p.w, image_a);
        double sampled;
        bdnn_objective_images(&p.held, p.w, 1, image_a + (F - 1) * D);
        held = bdnn_objective_product(&p.held, a + f * D, NULL, p.w, image_a + (F - 1) * D);
        bdnn_objective_images(&p.sampled, p.w, 1, b);
        sampled = bdnn_objective_product(&p.sampled, a + f * D, image_b + f * N, p.w, b);
        assert_true(fabs(held - sampled) < 1e-3 * (1 + fabs(held)));
    }
    bdnn_objective_update(&p.held, image_a, 3, 0.5f);
    bdnn_objective_update(&p.sampled, image_b, 3, 0.5f);
    a[3] += 0.5f;
    for (int i = 0; i < D; i++) {
        assert_true(fabsf(bdnn_objective_gradient(&p.held, a, image_a, i) -
                          bdnn_objective_gradient(&p.sampled, a, image_b, i)) < 2e-3f);
    }
    free_pair(&p);
}

static double cost(const struct pair *p, const float *t, const bdnn_filter *filter, int32_t bases)
{
    double sum = 0;
    for (int i = 0; i < D; i++) {
        double ei = t[i] - filter->factor * bdnn_filter_weight(filter, bases, i);
        for (int j = 0; j < D; j++) {
            sum += ei * p->held.gram[i * D + j] * (t[j] - filter->factor * bdnn_filter_weight(filter, bases, j));
        }
    }
    return sum;
}

/* No change of one code by itself makes the result better, and all of it is better than the decomposition by values. */
static void search_ends_where_no_code_can_improve(void **unused)
{
    const bdnn_start starts[] = {BDNN_START_GREEDY, BDNN_START_UNIFORM};
    const bdnn_start_rule rule = {starts, 2, 10, 1};
    struct pair p = make_pair();
    uint8_t codes[3][F * D];
    (void)unused;
    for (int32_t bases = 1; bases <= 4; bases++) {
        bdnn_filter by_value[F], held[F], sampled[F];
        void *scratch = bdnn_alloc(bdnn_search_scratch(&p.held, D, bases) + bdnn_search_scratch(&p.sampled, D, bases) +
                                       bdnn_search_scratch(NULL, D, bases),
                                   1);
        double total[3] = {0};
        for (int f = 0; f < F; f++) {
            by_value[f].codes = codes[0] + f * D;
            held[f].codes = codes[1] + f * D;
            sampled[f].codes = codes[2] + f * D;
        }
        bdnn_search_block(NULL, NULL, p.w, D, F, bases, &rule, by_value, scratch);
        bdnn_search_block(&p.held, NULL, p.w, D, F, bases, &rule, held, scratch);
        bdnn_search_block(&p.sampled, NULL, p.w, D, F, bases, &rule, sampled, scratch);
        for (int f = 0; f < F; f++) {
            const float *t = p.w + f * D;
            double best = cost(&p, t, &held[f], bases);
            total[0] += cost(&p, t, &by_value[f], bases);
            total[1] += best;
            total[2] += cost(&p, t, &sampled[f], bases);
            for (int i = 0; i < D; i++) {
                uint8_t kept = held[f].codes[i];
                for (int c = 0; c < 1 << bases; c++) {
                    held[f].codes[i] = (uint8_t)c;
                    /* The last step moved the factor a little, hence the margin. */
                    assert_true(cost(&p, t, &held[f], bases) >= best * (1 - 2e-2));
                }
                held[f].codes[i] = kept;
            }
        }
        assert_true(total[1] < 0.9 * total[0]);
        assert_true(fabs(total[1] - total[2]) < 0.05 * total[1]);
        bdnn_free(scratch);
    }
    free_pair(&p);
}

/* A filter of zeros, and one with a single weight, decompose to what they are. */
static void degenerate_filters(void **unused)
{
    const bdnn_start starts[] = {BDNN_START_GREEDY, BDNN_START_UNIFORM};
    const bdnn_start_rule rule = {starts, 2, 10, 1};
    struct pair p = make_pair();
    float t[2 * D] = {0};
    uint8_t codes[2 * D];
    bdnn_filter filters[2] = {{.codes = codes}, {.codes = codes + D}};
    void *scratch = bdnn_alloc(bdnn_search_scratch(&p.held, D, 2), 1);
    (void)unused;
    t[D + 7] = -2.5f;
    bdnn_search_block(&p.held, NULL, t, D, 2, 2, &rule, filters, scratch);
    for (int i = 0; i < D; i++) {
        assert_true(filters[0].factor * (float)bdnn_filter_weight(&filters[0], 2, i) == 0.0f);
        assert_true(isfinite(filters[1].factor));
        if (i != 7) {
            assert_true(fabsf(filters[1].factor * (float)bdnn_filter_weight(&filters[1], 2, i)) < 0.2f);
        }
    }
    assert_true(fabsf(filters[1].factor * (float)bdnn_filter_weight(&filters[1], 2, 7) + 2.5f) < 0.2f);
    bdnn_free(scratch);
    free_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_is_exhaustive),
        cmocka_unit_test(codebook_vectors_come_back),
        cmocka_unit_test(integer_scales_fit_eight_bits),
        cmocka_unit_test(both_objectives_agree),
        cmocka_unit_test(search_ends_where_no_code_can_improve),
        cmocka_unit_test(degenerate_filters),
    };
    return cmocka_run_group_tests_name("decompose", tests, NULL, NULL);
}
