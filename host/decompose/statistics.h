/* What the data-aware method learns from the calibration streams about one group of a layer: the objective H, the
 * targets' right-hand side, and the means. */
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
    float
        *cross; /* [F / groups][D] X'Y / n of the centred samples; with a sampled objective [F / groups][n], Y - X w */
    double *x_mean; /* [D] */
    double *y_mean; /* [F / groups] */
} bdnn_statistics;

/* w: the group's float weights [F / groups][D]. lambda: relative to the mean diagonal of X'X / n. */
bdnn_status bdnn_statistics_collect(const bdnn_sample_source *source, const float *w, double lambda,
                                    bdnn_threads *threads, bdnn_statistics *statistics, bdnn_error *err);
void bdnn_statistics_free(bdnn_statistics *statistics);

#endif
