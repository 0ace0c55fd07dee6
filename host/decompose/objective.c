/* The quadratic form that an error of the weights costs, and its solution in real weights. */
#include "decompose/objective.h"

#include "core/memory.h"

#include <cblas.h>
#include <string.h>

/* LAPACK's Cholesky factorisation, part of OpenBLAS; its C header belongs to another package. */
void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info);

void bdnn_objective_free(bdnn_objective *objective)
{
    bdnn_free(objective->gram);
    bdnn_free(objective->columns);
    bdnn_free(objective->diagonal);
    bdnn_free(objective->factor);
    memset(objective, 0, sizeof *objective);
}

void bdnn_objective_images(const bdnn_objective *objective, const float *vectors, int64_t count, float *images)
{
    const int d = (int)objective->inner, size = (int)bdnn_objective_image_size(objective);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, size, d, 1.0f, vectors, d,
                objective->sampled ? objective->columns : objective->gram, size, 0.0f, images, size);
}

double bdnn_objective_product(const bdnn_objective *objective, const float *a, const float *a_image, const float *b,
                              const float *b_image)
{
    const int d = (int)objective->inner, n = (int)objective->samples;
    if (objective->sampled) {
        return cblas_dsdot(n, a_image, 1, b_image, 1) / n + objective->lambda * cblas_dsdot(d, a, 1, b, 1);
    }
    return cblas_dsdot(d, a, 1, b_image, 1);
}

float bdnn_objective_gradient(const bdnn_objective *objective, const float *e, const float *image, int64_t i)
{
    const int n = (int)objective->samples;
    if (objective->sampled) {
        return cblas_sdot(n, objective->columns + i * n, 1, image, 1) / (float)n + objective->lambda * e[i];
    }
    return image[i];
}

void bdnn_objective_update(const bdnn_objective *objective, float *image, int64_t i, float delta)
{
    const int64_t size = bdnn_objective_image_size(objective);
    const float *row = (objective->sampled ? objective->columns : objective->gram) + i * size;
    cblas_saxpy((int)size, delta, row, 1, image, 1);
}

bdnn_status bdnn_objective_factorise(bdnn_objective *objective, bdnn_error *err)
{
    const int size = (int)bdnn_objective_image_size(objective), d = (int)objective->inner;
    const size_t bytes = bdnn_product(bdnn_product((size_t)size, (size_t)size), sizeof(float));
    float *factor = objective->factor = bdnn_alloc(bytes, 1);
    int info = 0;
    if (!factor) {
        return bdnn_fail_memory(err, bytes, "the factor of a layer's Gram matrix");
    }
    if (objective->sampled) {
        cblas_ssyrk(CblasColMajor, CblasLower, CblasNoTrans, size, d, 1.0f / (float)size, objective->columns, size,
                    0.0f, factor, size);
        for (int i = 0; i < size; i++) {
            factor[(size_t)i * (size_t)size + (size_t)i] += objective->lambda;
        }
    } else {
        memcpy(factor, objective->gram, bytes);
    }
    spotrf_("L", &size, factor, &size, &info);
    if (info != 0) {
        return bdnn_fail(
            err, BDNN_ERROR_ARGUMENT,
            "the inputs' Gram matrix is not positive definite at element %d of %d: lambda is too small, or an input "
            "is not finite",
            info, size);
    }
    return BDNN_OK;
}

/* Solves L L' x = x for `count` right-hand sides x[count][size]. */
static void solve(const float *factor, int64_t size, int64_t count, float *x)
{
    cblas_strsm(CblasColMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)size, (int)count, 1.0f, factor,
                (int)size, x, (int)size);
    cblas_strsm(CblasColMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, (int)size, (int)count, 1.0f, factor,
                (int)size, x, (int)size);
}

void bdnn_objective_targets(const bdnn_objective *objective, float *cross, const float *w, int64_t filters,
                            float *targets)
{
    const int64_t d = objective->inner, n = objective->samples;
    if (!objective->sampled) {
        for (int64_t i = 0; i < filters * d; i++) {
            targets[i] = cross[i] + objective->lambda * w[i];
        }
        solve(objective->factor, d, filters, targets);
        return;
    }
    /* w + X' (X X' / n + lambda I)^-1 (Y - X w) / n: the same, by the push-through identity. */
    solve(objective->factor, n, filters, cross);
    memcpy(targets, w, (size_t)(filters * d) * sizeof *targets);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)filters, (int)d, (int)n, 1.0f / (float)n, cross, (int)n,
                objective->columns, (int)n, 1.0f, targets, (int)d);
}
