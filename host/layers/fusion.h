/* SPDX-License-Identifier: BSD-2-Clause */
/* Fusion: which layers behind an inner product can be done while its sums become the output. Decided here alone: the
 * plan runs networks by it, and the decomposition fits weights for the same outputs. */
#ifndef BDNN_LAYERS_FUSION_H
#define BDNN_LAYERS_FUSION_H

#include "model/graph.h"

#define BDNN_NONE (-1) /* no layer, no value */

/* A residual sum, then a clip; either may be missing. */
typedef struct bdnn_fusion {
    int32_t sum;    /* layer: an addition of two values of one shape, the other one made before; or BDNN_NONE */
    int32_t addend; /* value: that other one, or BDNN_NONE */
    int32_t clip;   /* layer: a clip of the sum, or of the output where there is no sum; or BDNN_NONE */
    int32_t result; /* value: the last of output, sum and clip that exists */
} bdnn_fusion;

/* What layer `index` can do on the way: from the graph alone, whatever the formats of its values are. Values in between
 * are read by nobody else. */
bdnn_fusion bdnn_fusion_of(const bdnn_graph *graph, size_t index);

#endif
