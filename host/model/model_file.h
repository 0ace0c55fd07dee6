/* SPDX-License-Identifier: BSD-2-Clause */
/* The model file `.bdnn` (docs/reference/model-file.md). */
#ifndef BDNN_MODEL_MODEL_FILE_H
#define BDNN_MODEL_MODEL_FILE_H

#include "model/graph.h"

/* 8 bytes: not text, damaged by line-end conversion, stops a DOS type command. The first is octal, as hexadecimal would
 * take the B. */
#define BDNN_FILE_MAGIC "\223BDNN\r\n\x1a"

/* Reads a mapped file; on success the model owns *map and its blobs point into it. On failure the caller still owns it.
 * The graph is structurally sound (numbers in range, blobs inside the file) but not yet inferred. `name` stands for the
 * file in messages. */
bdnn_status bdnn_model_read(const char *name, bdnn_file_map *map, bdnn_model **model, bdnn_error *err);

bdnn_status bdnn_model_write(const bdnn_model *model, const char *path, bdnn_error *err);

#endif
