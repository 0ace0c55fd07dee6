/* SPDX-License-Identifier: BSD-2-Clause */
/* Cholesky factors H = L L' of positive definite matrices, by blocks: all but the small blocks on the diagonal are
 * matrix products, whose order kernels/floats.h defines (LAPACK's depends on the processor). */
#ifndef BDNN_DECOMPOSE_CHOLESKY_H
#define BDNN_DECOMPOSE_CHOLESKY_H

#include <stdint.h>

/* Rows and columns of one block. */
#define BDNN_CHOLESKY_BLOCK 64

typedef struct bdnn_cholesky {
    int64_t size;
    float *factor;   /* [size][size] L on and below the diagonal, L' above */
    float *inverses; /* [blocks][BLOCK][BLOCK] inverses of L's blocks on the diagonal, filled up with zeros */
} bdnn_cholesky;

/* Floats of `inverses`. */
int64_t bdnn_cholesky_inverses(int64_t size);

/* Replaces the symmetric matrix in `factor` by its factor. Returns 0, or the number of the element, from 1 on, up to
 * which the matrix is not positive definite. One thread. */
int64_t bdnn_cholesky_factorize(bdnn_cholesky *cholesky);

/* Floats of scratch for `count` right-hand sides. */
int64_t bdnn_cholesky_scratch(int64_t size, int64_t count);

/* Solves H x = x for `count` right-hand sides x[count][size]. One thread. */
void bdnn_cholesky_solve(const bdnn_cholesky *cholesky, int64_t count, float *x, float *scratch);

#endif
