/* SPDX-License-Identifier: BSD-2-Clause */
/* Decomposing one inner-product layer: range, objective, targets, search, bias - the steps of
 * docs/reference/decomposition.md. */
#ifndef BDNN_DECOMPOSE_FIT_H
#define BDNN_DECOMPOSE_FIT_H

#include "decompose/streams.h"

typedef struct bdnn_fit_options {
    bdnn_method method;
    bdnn_range range; /* not BDNN_RANGE_AUTO */
    int32_t bases, bits;
    double percentile, lambda;
    int32_t restarts;
    uint64_t seed;
    /* For a progress bar: called with the number of filters that are done, of all; false stops. */
    bool (*progress)(void *user, int64_t done, int64_t filters);
    void *user;
} bdnn_fit_options;

/* Gives `layer` - the copy in the network being made of the streams' layer `index` - bases for its float weights, which
 * are freed, and a new bias. The streams hold the layer's input (approximate) and its float output (exact). */
bdnn_status bdnn_fit_layer(const bdnn_streams *streams, size_t index, bdnn_layer *layer,
                           const bdnn_fit_options *options, bdnn_error *err);

#endif
