/* SPDX-License-Identifier: BSD-2-Clause */
/* The quantized input's step and zero point, chosen from sampled inputs of a layer. */
#ifndef BDNN_DECOMPOSE_RANGE_H
#define BDNN_DECOMPOSE_RANGE_H

#include "core/error.h"
#include "core/threads.h"

typedef struct bdnn_quantizer {
    float step;
    int32_t zero_point, bits;
} bdnn_quantizer;

/* What a rule looks at: sampled input rows and the weights that will meet them. */
typedef struct bdnn_range_problem {
    int64_t groups;
    const float *rows; /* [groups][row_count][D] */
    int64_t row_count, inner;
    const float *weights; /* [groups][filters][D]: a sample of the filters is enough */
    int64_t filters;
    float low, high; /* smallest and largest input value over the whole calibration set */
    double percentile;
} bdnn_range_problem;

/* low < 0 gives a zero point; otherwise it is 0. Errors: memory; an infinite or not-a-number input. */
bdnn_status bdnn_choose_range(const bdnn_range_problem *problem, bdnn_range rule, int32_t bits, bdnn_threads *threads,
                              bdnn_quantizer *quantizer, bdnn_error *err);

#endif
