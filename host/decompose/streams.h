/* SPDX-License-Identifier: BSD-2-Clause */
/* The calibration streams: the same images through the float network and through the network as far as it is
 * decomposed, layer by layer, side by side. Values are freed when their last reader has run. */
#ifndef BDNN_DECOMPOSE_STREAMS_H
#define BDNN_DECOMPOSE_STREAMS_H

#include "layers/layer.h"
#include "runtime/inner.h"

typedef struct bdnn_streams {
    const bdnn_graph *graph;
    bdnn_threads *threads;
    int64_t images;
    int64_t slice[2];         /* images run at a time, and those of the last, smaller slice (0: none) */
    bdnn_value_info *info[2]; /* per value, for each of the two slice sizes */
    void **exact;             /* per value: [images][item] of the float network */
    void **approximate; /* the same of the decomposed one; the same pointer while nothing upstream is decomposed */
    size_t *readers;    /* per value: layers that have not run yet */
} bdnn_streams;

/* Lowers *images to how many fit: the most that keep both streams within `limit` bytes at every layer; at least 1. */
bdnn_status bdnn_streams_fit(const bdnn_graph *graph, uint64_t limit, int64_t *images, bdnn_error *err);

/* Takes `images` inputs, float32 row-major. Errors: a network with several inputs, or whose values do not all have the
 * batch as their first axis. */
bdnn_status bdnn_streams_open(bdnn_streams *streams, const bdnn_graph *graph, const float *inputs, int64_t images,
                              bdnn_threads *threads, bdnn_error *err);
void bdnn_streams_close(bdnn_streams *streams);

/* The float network's layer `index`: makes its outputs of the exact stream. */
bdnn_status bdnn_streams_run_exact(bdnn_streams *streams, size_t index, bdnn_error *err);

/* The decomposed network's layer: `layer` is layer `index` of the network being made, float or decomposed. */
bdnn_status bdnn_streams_run_approximate(bdnn_streams *streams, size_t index, const bdnn_layer *layer,
                                         bdnn_backend *backend, bdnn_error *err);

/* Frees the values that no layer after `index` reads. */
void bdnn_streams_retire(bdnn_streams *streams, size_t index);

/* Elements of one image's part of a value. */
int64_t bdnn_streams_item(const bdnn_streams *streams, int32_t value);

/* Signal to noise of the approximate stream against the exact one, in decibels; infinity when they are equal. */
double bdnn_streams_snr(const bdnn_streams *streams, int32_t value);

#endif
