/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets of a block of filters: the real weights that best give the outputs which the float network has, seen through
 * the rectifier that follows.
 *
 * Where the float network's output is negative, a rectifier makes it 0, and so it does with any other negative output:
 * there, an approximation that is negative is right already, and one that is positive should come down to 0. Replacing
 * the wanted output Y by min(P, 0) where Y < 0 (P: the present approximation) turns that into least squares again, and
 * repeating it lowers the error behind the rectifier at every step, as each is an upper bound of it that touches at P
 * (Zhang et al. 2015, arXiv 1411.4229, solve the same problem for low-rank filters). */
#ifndef BDNN_DECOMPOSE_RETARGET_H
#define BDNN_DECOMPOSE_RETARGET_H

#include "decompose/statistics.h"

typedef struct bdnn_retarget {
    const bdnn_statistics *statistics;
    const float *w;       /* the block's float weights [count][D] */
    int64_t first, count; /* filters of the group */
    bool rectified;
    float *goal;     /* [count][n]: centered wanted outputs */
    float *products; /* [count][n] */
    double *mean;    /* [count]: of the wanted outputs, which the bias must give */
    float *scratch;
} bdnn_retarget;

/* Floats of memory behind goal, products, mean and scratch for blocks of `count` filters, and the layout in `memory`.
 */
int64_t bdnn_retarget_floats(const bdnn_statistics *statistics, int64_t count);
void bdnn_retarget_lay_out(bdnn_retarget *retarget, float *memory);

/* Targets for the present approximation `weights` [count][D] (NULL: there is none yet) into targets [count][D]. Sets
 * the means. */
void bdnn_retarget_step(bdnn_retarget *retarget, const float *weights, float *targets);

#endif
