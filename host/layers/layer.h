/* SPDX-License-Identifier: BSD-2-Clause */
/* The layers: for each operator of the graph one entry that infers shapes, verifies attributes and parameters, and
 * computes in float. One file per family fills its entries; every user (import, model loading, runtime, decomposition)
 * goes through this table. Works on tensors in the memory order of core/tensor.h. */
#ifndef BDNN_LAYERS_LAYER_H
#define BDNN_LAYERS_LAYER_H

#include "core/threads.h"
#include "kernels/inner_product.h"
#include "model/graph.h"

/* Type and shape of one value, without its memory. */
typedef struct bdnn_value_info {
    bdnn_type type;
    bdnn_shape shape;
} bdnn_value_info;

/* One execution of one layer. Tensors belong to the caller; outputs have the inferred shapes. */
typedef struct bdnn_layer_call {
    const bdnn_layer *layer;
    const bdnn_tensor *inputs;
    bdnn_tensor *outputs; /* an output nobody reads may have data NULL: a pooling's indices */
    bdnn_threads *threads;
    void *scratch; /* scratch() bytes, 64-byte aligned */
} bdnn_layer_call;

typedef struct bdnn_layer_type {
    int32_t min_inputs, max_inputs, max_outputs;
    /* Writes the outputs' types and shapes. Refuses, naming the number that is wrong, any attribute, parameter size or
     * input shape that run() could not compute safely: a layer that passes here, with these input shapes, may be run.
     * `in` holds layer->input_count entries, `out` layer->output_count. The message need not name the layer: the caller
     * adds it. */
    bdnn_status (*infer)(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out, bdnn_error *err);
    /* Bytes of scratch for run() with so many threads; NULL: none. */
    size_t (*scratch)(const bdnn_layer *layer, const bdnn_value_info *in, const bdnn_value_info *out, size_t threads);
    /* The float layer. Cannot fail. CONV and DENSE: only without `decomposed`. */
    void (*run)(const bdnn_layer_call *call);
    /* run() accepts outputs[0].data == inputs[0].data when both have the same shape. */
    bool in_place;
} bdnn_layer_type;

/* Never NULL for op < BDNN_OP_COUNT. */
const bdnn_layer_type *bdnn_layer_type_of(bdnn_op op);

/* The entries, defined in one file per family. */
#define BDNN_DECLARE_LAYER_TYPE(identifier, name, number, attributes, traits)                                          \
    extern const bdnn_layer_type bdnn_##name##_type;
BDNN_OPERATORS(BDNN_DECLARE_LAYER_TYPE)

/* Infers every value's shape from the shapes of the graph's inputs (already in graph->values), verifying every layer on
 * the way, and that value numbers are in range, layers are in order and each value is made once. This is the one gate
 * through which every graph passes, imported or loaded. Messages name the layer. */
bdnn_status bdnn_graph_infer(bdnn_graph *graph, bdnn_error *err);

/* Whether all parameters of an inferred graph are numbers: weights, biases and constants finite, attributes where
 * infinity means nothing too. Errors: BDNN_ERROR_FORMAT with the layer or constant, and the index in its memory. */
bdnn_status bdnn_graph_check_finite(const bdnn_graph *graph, bdnn_error *err);

/* The same for another batch size, into `info` (graph->value_count entries), leaving the graph alone. */
bdnn_status bdnn_graph_infer_batch(const bdnn_graph *graph, int64_t batch, bdnn_value_info *info, bdnn_error *err);

/* Output positions of a window over `in` positions on one axis; negative when the window does not fit. */
int64_t bdnn_window_output(const bdnn_window *window, int axis, int64_t in, bool ceil_mode);

/* An image-like tensor's sizes as N, depth, height, width, C, missing leading spatial axes being 1. */
typedef struct bdnn_extent {
    int64_t batch, size[BDNN_SPATIAL], channels;
} bdnn_extent;
bdnn_extent bdnn_extent_of(const bdnn_shape *shape);

/* The geometry of an inner-product layer, dense layers being a convolution whose kernel is the whole input: what the
 * integer kernels, the decomposition and `bdnn info` need to know. */
typedef struct bdnn_inner_geometry {
    bdnn_extent in, out;
    bdnn_window window;
    int64_t groups, filters; /* filters of all groups together */
    int64_t inner;           /* D = kernel positions * channels / groups */
} bdnn_inner_geometry;
void bdnn_inner_geometry_of(const bdnn_layer *layer, const bdnn_shape *in, const bdnn_shape *out,
                            bdnn_inner_geometry *geometry);

/* The same for the kernels, with bases, bits and zero point left 0. */
void bdnn_ip_shape_of(const bdnn_inner_geometry *geometry, bdnn_ip_shape *shape);

#endif
