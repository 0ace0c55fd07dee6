/* SPDX-License-Identifier: BSD-2-Clause */
/* What an error of the weights costs at a layer's output: the quadratic form e'He with H = X'X / n + lambda I over n
 * sampled, centered rows X of the quantized input. Held as the D x D matrix, or, where there are fewer samples than
 * elements, as X itself, so that H is never formed.
 *
 * A vector's *image* is what products with H need of it: H v in the first case (D numbers), X v in the second (n
 * numbers). */
#ifndef BDNN_DECOMPOSE_OBJECTIVE_H
#define BDNN_DECOMPOSE_OBJECTIVE_H

#include "core/error.h"
#include "core/threads.h"
#include "decompose/cholesky.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct bdnn_objective {
    int64_t inner;   /* D */
    int64_t samples; /* n */
    bool sampled;    /* X is held, not H */
    float lambda;
    float *gram;            /* [D][D] H, or NULL */
    float *columns;         /* [D][n] centered columns of X, or NULL */
    float *diagonal;        /* [D] H_ii */
    bdnn_cholesky cholesky; /* of H, or of X X' / n + lambda I; empty before bdnn_objective_factorize */
} bdnn_objective;

void bdnn_objective_free(bdnn_objective *objective);

/* Numbers in one image. */
static inline int64_t bdnn_objective_image_size(const bdnn_objective *objective)
{
    return objective->sampled ? objective->samples : objective->inner;
}

/* images[count][image size] of vectors[count][D]. One thread. */
void bdnn_objective_images(const bdnn_objective *objective, const float *vectors, int64_t count, float *images);

/* a'Hb from the vectors and their images. */
double bdnn_objective_product(const bdnn_objective *objective, const float *a, const float *a_image, const float *b,
                              const float *b_image);

/* (He)_i, and the change of e's image when e_i grows by delta. */
float bdnn_objective_gradient(const bdnn_objective *objective, const float *e, const float *image, int64_t i);
void bdnn_objective_update(const bdnn_objective *objective, float *image, int64_t i, float delta);

/* Computes the factor. Errors: memory; a matrix that is not positive definite, which lambda > 0 excludes unless an
 * input is not finite. */
bdnn_status bdnn_objective_factorize(bdnn_objective *objective, bdnn_error *err);

/* targets[filters][D] = H^-1 (X'Y / n + lambda w): the real weights whose outputs from the quantized input are nearest
 * to Y, w being preferred where the samples leave it open. w: [filters][D]. cross: X'Y / n as [filters][D]; for a
 * sampled objective Y - X w, centered, as [filters][n], which is overwritten. One thread. */
void bdnn_objective_targets(const bdnn_objective *objective, float *cross, const float *w, int64_t filters,
                            float *targets, float *scratch);

/* Floats of its scratch. */
int64_t bdnn_objective_scratch(const bdnn_objective *objective, int64_t filters);

#endif
