/* SPDX-License-Identifier: BSD-2-Clause */
/* Topologies: the layers of a network as lines of text (docs/use/npy-folder.md), without its parameters. The built-in
 * networks are such texts, and an exported folder holds one. */
#ifndef BDNN_IMPORT_TOPOLOGY_H
#define BDNN_IMPORT_TOPOLOGY_H

#include "model/graph.h"

#include <stdio.h>

/* What a line says about the layer's parameter files. */
typedef struct bdnn_parameter_rules {
    bool optional;      /* AFFINE: left out when no file is there, as in folders whose batch normalization was folded */
    bool no_bias;       /* there is no bias, whatever files say */
    bool optional_bias; /* no bias file means no bias */
} bdnn_parameter_rules;

/* Where parameters come from, as parsing reaches the layers; their inputs' shapes are known by then. */
typedef struct bdnn_parameter_source {
    void *user;
    /* Whether any parameter of the layer named `name` is there. */
    bool (*present)(void *user, const char *name);
    /* Fills the layer's blobs (and `filters`, when it is 0). */
    bdnn_status (*load)(void *user, const bdnn_graph *graph, bdnn_layer *layer, const bdnn_parameter_rules *rules,
                        bdnn_error *err);
    /* Fills a constant's blob; its shape is set. */
    bdnn_status (*constant)(void *user, bdnn_value *value, bdnn_error *err);
} bdnn_parameter_source;

/* Builds the graph that `text` describes into the empty `model`, verifying each layer as it comes. `name` stands for
 * the text in messages, which give the line. */
bdnn_status bdnn_topology_parse(const char *name, const char *text, size_t size, const bdnn_parameter_source *source,
                                bdnn_model *model, bdnn_error *err);

/* Writes the text that parses to the same graph. Errors: inputs that are not float. Failed writes show in the stream.
 */
bdnn_status bdnn_topology_print(const bdnn_model *model, FILE *stream, bdnn_error *err);

/* The text of a built-in topology, or NULL. */
const char *bdnn_topology_builtin(const char *architecture, size_t *size);
#define BDNN_TOPOLOGY_NAMES "alexnet, vgg16, resnet152, segnet"

/* A name in letters, digits, '_', '-' and '.' (not first), all other bytes as %XX: safe as a word and as part of a file
 * name. For bdnn_free; NULL when memory is short. */
char *bdnn_name_escape(const char *name);

/* Undoes it in place; false when a % is not followed by two hexadecimal digits or a zero byte or no name comes out. */
bool bdnn_name_unescape(char *name);

#endif
