/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the parameters of a layer lie in a folder of .npy files (docs/use/npy-folder.md), and how: what folder.c and
 * bases.c share. */
#ifndef BDNN_IMPORT_PARAMETERS_H
#define BDNN_IMPORT_PARAMETERS_H

#include "model/graph.h"

/* DIRECTORY/<escaped name><suffix>, for bdnn_free; NULL when memory is short. */
char *bdnn_folder_path(const char *directory, const char *name, const char *suffix);

/* How the weights of an inner-product layer lie in the authors' arrays: [outer][channels][positions], and in memory:
 * [outer][positions][channels]. outer is F (C for a transposed convolution, whose `channels` are the filters of a
 * group). */
typedef struct bdnn_weight_layout {
    int64_t outer, channels, positions;
} bdnn_weight_layout;

/* The layout from attributes and the input's shape. Errors: an input that cannot be this layer's. */
bdnn_status bdnn_weight_layout_of(const bdnn_graph *graph, const bdnn_layer *layer, bdnn_weight_layout *layout,
                                  bdnn_error *err);

#endif
