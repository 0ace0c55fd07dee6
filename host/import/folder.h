/* SPDX-License-Identifier: BSD-2-Clause */
/* The float parameters of a layer in a folder of .npy files (docs/use/npy-folder.md), read and written. */
#ifndef BDNN_IMPORT_FOLDER_H
#define BDNN_IMPORT_FOLDER_H

#include "import/topology.h"

/* Fills the blobs of a layer; leaves one without parameter files alone if its operator has none. */
bdnn_status bdnn_folder_load(const char *directory, const bdnn_graph *graph, bdnn_layer *layer,
                             const bdnn_parameter_rules *rules, bdnn_error *err);
bdnn_status bdnn_folder_save(const char *directory, const bdnn_graph *graph, const bdnn_layer *layer, bdnn_error *err);

#endif
