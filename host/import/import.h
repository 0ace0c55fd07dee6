/* SPDX-License-Identifier: BSD-2-Clause */
/* Import: from the files that trained networks come in to the graph. Nothing downstream knows these formats. */
#ifndef BDNN_IMPORT_IMPORT_H
#define BDNN_IMPORT_IMPORT_H

#include "model/graph.h"

/* A graph input that becomes a constant at import, in row-major order: weights or shapes that a file leaves to its
 * caller (ONNX's own test suite does). With data NULL it stays an input, of this shape. Borrowed. */
typedef struct bdnn_bound_input {
    const char *name;
    bdnn_type type;
    bdnn_shape shape;
    const void *data;
} bdnn_bound_input;

typedef struct bdnn_onnx_options {
    bool keep_batch_norm;
    const bdnn_bound_input *bound;
    size_t bound_count;
} bdnn_onnx_options;

/* ONNX, operator sets 1 to 17, by protobuf-c. `name` stands for the file in messages. An unsupported operator gives
 * BDNN_ERROR_UNSUPPORTED naming operator and node. The result has passed bdnn_graph_infer. */
bdnn_status bdnn_import_onnx(const char *name, const uint8_t *data, size_t size, const bdnn_onnx_options *options,
                             bdnn_model **model, bdnn_error *err);

/* A folder of .npy parameters (<layer>_W.npy, <layer>_b.npy, decomposition/<layer>/basis_<K>/{M,c}.npy) with a built-in
 * topology. */
bdnn_status bdnn_import_npy(const char *directory, const bdnn_load_options *options, bdnn_model **model,
                            bdnn_error *err);

/* Graph passes that every importer runs (passes.c): batch normalization (AFFINE) into the convolution or dense layer
 * before it unless keep_batch_norm, identity layers dropped, RESHAPE into DENSE, values nobody reads removed. */
bdnn_status bdnn_simplify(bdnn_graph *graph, bool keep_batch_norm, bdnn_error *err);

#endif
