/* SPDX-License-Identifier: BSD-2-Clause */
/* What the data-aware method learns from the calibration streams about one group of a layer: samples X of the quantized
 * input, the outputs Y wanted there, and the objective H. */
#ifndef BDNN_DECOMPOSE_STATISTICS_H
#define BDNN_DECOMPOSE_STATISTICS_H

#include "decompose/objective.h"
#include "decompose/range.h"
#include "decompose/sampling.h"

/* Where the samples come from. */
typedef struct bdnn_sample_source {
    const bdnn_inner_geometry *geometry;
    const float *x;           /* the layer's approximate input over all images */
    const float *y;           /* the float network's output over all images */
    const float *other_exact; /* the other branch of the addition that this layer feeds, both streams; or NULL */
    const float *other_approximate;
    const int64_t *positions;
    int64_t count; /* n */
    bdnn_quantizer quantizer;
    int64_t group;
} bdnn_sample_source;

typedef struct bdnn_statistics {
    bdnn_objective objective;
    bdnn_quantizer quantizer;
    uint8_t *rows; /* [n][D] quantized inputs, with a held H; a sampled objective has them as its columns */
    float *x_mean; /* [D] */
    float *wanted; /* [F / groups][n] outputs of the float network, the other branch's added where there is one */
    float *other;  /* [F / groups][n] what the other branch adds in the decomposed network; NULL without one */
} bdnn_statistics;

/* lambda: relative to the mean diagonal of X'X / n. */
bdnn_status bdnn_statistics_collect(const bdnn_sample_source *source, double lambda, bdnn_threads *threads,
                                    bdnn_statistics *statistics, bdnn_error *err);
void bdnn_statistics_free(bdnn_statistics *statistics);

/* Floats of scratch of the two calls below. */
int64_t bdnn_statistics_scratch(const bdnn_statistics *statistics, int64_t count);

/* products[count][n] of weights[count][D] with the centered samples. One thread. */
void bdnn_statistics_predict(const bdnn_statistics *statistics, const float *weights, int64_t count, float *products,
                             float *scratch);

/* cross[count][D] = X'Y / n of centered outputs y[count][n]. One thread. */
void bdnn_statistics_cross(const bdnn_statistics *statistics, const float *y, int64_t count, float *cross,
                           float *scratch);

#endif
