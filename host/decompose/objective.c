/* SPDX-License-Identifier: BSD-2-Clause */
/* The quadratic form that an error of the weights costs, and its solution in real weights. */
#include "decompose/objective.h"

#include "core/arithmetic.h"
#include "core/memory.h"
#include "kernels/floats.h"
#include "kernels/gemm.h"

#include <string.h>

void bdnn_objective_free(bdnn_objective *objective)
{
    bdnn_free(objective->gram);
    bdnn_free(objective->columns);
    bdnn_free(objective->diagonal);
    bdnn_free(objective->cholesky.factor);
    bdnn_free(objective->cholesky.inverses);
    memset(objective, 0, sizeof *objective);
}

void bdnn_objective_images(const bdnn_objective *objective, const float *vectors, int64_t count, float *images)
{
    const int64_t d = objective->inner, size = bdnn_objective_image_size(objective);
    bdnn_gemm_plain(count, size, d, vectors, d, objective->sampled ? objective->columns : objective->gram, size, images,
                    size);
}

double bdnn_objective_product(const bdnn_objective *objective, const float *a, const float *a_image, const float *b,
                              const float *b_image)
{
    const bdnn_float_kernel *floats = bdnn_float_choose();
    const size_t d = (size_t)objective->inner, n = (size_t)objective->samples;
    if (objective->sampled) {
        return floats->dot_double(a_image, b_image, n) / (double)n + objective->lambda * floats->dot_double(a, b, d);
    }
    return floats->dot_double(a, b_image, d);
}

float bdnn_objective_gradient(const bdnn_objective *objective, const float *e, const float *image, int64_t i)
{
    const int64_t n = objective->samples;
    if (objective->sampled) {
        return bdnn_float_choose()->dot(objective->columns + i * n, image, (size_t)n) / (float)n +
               objective->lambda * e[i];
    }
    return image[i];
}

void bdnn_objective_update(const bdnn_objective *objective, float *image, int64_t i, float delta)
{
    const int64_t size = bdnn_objective_image_size(objective);
    const float *row = (objective->sampled ? objective->columns : objective->gram) + i * size;
    bdnn_float_choose()->axpy(row, (size_t)size, delta, image);
}

/* X X' / n + lambda I, by columns of blocks from the diagonal down, mirrored. */
static void sample_gram(const bdnn_objective *objective, float *gram)
{
    const int64_t n = objective->samples;
    for (int64_t j = 0; j < n; j += BDNN_CHOLESKY_BLOCK) {
        const int64_t columns = bdnn_min(n - j, BDNN_CHOLESKY_BLOCK);
        bdnn_gemm_run(&(bdnn_gemm){.m = n - j,
                                   .n = columns,
                                   .k = objective->inner,
                                   .a = objective->columns + j,
                                   .a_row = 1,
                                   .a_column = n,
                                   .b = objective->columns + j,
                                   .b_row = n,
                                   .b_column = 1,
                                   .c = gram + j * n + j,
                                   .c_row = n});
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j <= i; j++) {
            gram[i * n + j] *= 1.0f / (float)n;
            gram[j * n + i] = gram[i * n + j];
        }
        gram[i * n + i] += objective->lambda;
    }
}

bdnn_status bdnn_objective_factorize(bdnn_objective *objective, bdnn_error *err)
{
    const int64_t size = bdnn_objective_image_size(objective);
    const size_t elements = bdnn_product((size_t)size, (size_t)size);
    bdnn_cholesky *cholesky = &objective->cholesky;
    int64_t failed;
    cholesky->size = size;
    cholesky->factor = bdnn_alloc(elements, sizeof *cholesky->factor);
    cholesky->inverses = bdnn_alloc(bdnn_size(bdnn_cholesky_inverses(size)), sizeof *cholesky->inverses);
    if (!cholesky->factor || !cholesky->inverses) {
        return bdnn_fail_memory(err, bdnn_product(elements, sizeof(float)), "the factor of a layer's Gram matrix");
    }
    if (objective->sampled) {
        sample_gram(objective, cholesky->factor);
    } else {
        memcpy(cholesky->factor, objective->gram, elements * sizeof(float));
    }
    failed = bdnn_cholesky_factorize(cholesky);
    if (failed) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT,
                         "the inputs' Gram matrix is not positive definite at element %lld of %lld: "
                         "lambda is too small, or an input is not finite",
                         (long long)failed, (long long)size);
    }
    return BDNN_OK;
}

int64_t bdnn_objective_scratch(const bdnn_objective *objective, int64_t filters)
{
    return bdnn_cholesky_scratch(bdnn_objective_image_size(objective), filters);
}

void bdnn_objective_targets(const bdnn_objective *objective, float *cross, const float *w, int64_t filters,
                            float *targets, float *scratch)
{
    const int64_t d = objective->inner, n = objective->samples;
    if (!objective->sampled) {
        for (int64_t i = 0; i < filters * d; i++) {
            targets[i] = cross[i] + objective->lambda * w[i];
        }
        bdnn_cholesky_solve(&objective->cholesky, filters, targets, scratch);
        return;
    }
    /* w + X' (X X' / n + lambda I)^-1 (Y - X w) / n: the same, by the push-through identity. */
    bdnn_cholesky_solve(&objective->cholesky, filters, cross, scratch);
    for (int64_t i = 0; i < filters * n; i++) {
        cross[i] *= 1.0f / (float)n;
    }
    bdnn_gemm_transposed(filters, d, n, cross, n, objective->columns, n, targets, d);
    for (int64_t i = 0; i < filters * d; i++) {
        targets[i] += w[i];
    }
}
