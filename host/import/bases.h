/* SPDX-License-Identifier: BSD-2-Clause */
/* The decomposition of a layer in a folder of .npy parameters (docs/use/npy-folder.md), read and written. */
#ifndef BDNN_IMPORT_BASES_H
#define BDNN_IMPORT_BASES_H

#include "model/graph.h"

/* DIRECTORY/decomposition/<escaped layer>/basis_<K>/<file>, likewise. A `file` of NULL names the folder. */
char *bdnn_basis_path(const char *directory, const char *layer, int32_t bases, const char *file);

/* The decomposition of a CONV or DENSE, when the folder has a complete one; *found tells. */
bdnn_status bdnn_bases_load(const char *directory, const bdnn_graph *graph, bdnn_layer *layer, bool *found,
                            bdnn_error *err);
bdnn_status bdnn_bases_save(const char *directory, const bdnn_graph *graph, const bdnn_layer *layer, bdnn_error *err);

/* Integer scales for the real scales c[count] of one filter: g with sum |g| <= 127 and a factor s with s g nearest to c
 * in the least-squares sense among those that rounding c / s gives, over every possible sum. Returns s (1 for all-zero
 * c). */
float bdnn_scales_of_reals(const float *c, int32_t count, int8_t *g);

#endif
