/* A folder of .npy parameters (docs/use/npy-folder.md): the files of one layer, read and written. */
#ifndef BDNN_IMPORT_FOLDER_H
#define BDNN_IMPORT_FOLDER_H

#include "import/topology.h"

/* DIRECTORY/<escaped name><suffix>, for bdnn_free; NULL when memory is short. */
char *bdnn_folder_path(const char *directory, const char *name, const char *suffix);

/* DIRECTORY/decomposition/<escaped layer>/basis_<K>/<file>, likewise. A `file` of NULL names the folder. */
char *bdnn_basis_path(const char *directory, const char *layer, int32_t bases, const char *file);

/* How the weights of an inner-product layer lie in the authors' arrays: [outer][channels][positions], and in memory:
 * [outer][positions][channels]. outer is F (C for a transposed convolution, whose `channels` are the filters of a
 * group). */
typedef struct bdnn_weight_layout {
    int64_t outer, channels, positions;
} bdnn_weight_layout;

/* The layout from attributes and the input's shape. Errors: an input that cannot be this layer's. */
bdnn_status bdnn_weight_layout_of(const bdnn_graph *graph, const bdnn_layer *layer, bdnn_weight_layout *layout,
                                  bdnn_error *err);

/* Fills the blobs of a layer; leaves one without parameter files alone if its operator has none. */
bdnn_status bdnn_folder_load(const char *directory, const bdnn_graph *graph, bdnn_layer *layer,
                             const bdnn_parameter_rules *rules, bdnn_error *err);
bdnn_status bdnn_folder_save(const char *directory, const bdnn_graph *graph, const bdnn_layer *layer, bdnn_error *err);

/* The decomposition of a CONV or DENSE, when the folder has a complete one; *found tells. */
bdnn_status bdnn_bases_load(const char *directory, const bdnn_graph *graph, bdnn_layer *layer, bool *found,
                            bdnn_error *err);
bdnn_status bdnn_bases_save(const char *directory, const bdnn_graph *graph, const bdnn_layer *layer, bdnn_error *err);

/* Integer scales for the real scales c[count] of one filter: g with sum |g| <= 127 and a factor s with s g nearest to c
 * in the least-squares sense among those that rounding c / s gives, over every possible sum. Returns s (1 for all-zero
 * c). */
float bdnn_scales_of_reals(const float *c, int32_t count, int8_t *g);

#endif
