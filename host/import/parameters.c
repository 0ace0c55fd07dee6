/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the parameters of a layer lie in a folder, and how. */
#include "import/parameters.h"

#include "core/memory.h"
#include "import/topology.h"

#include <stdio.h>
#include <string.h>

char *bdnn_folder_path(const char *directory, const char *name, const char *suffix)
{
    char *escaped = bdnn_name_escape(name), *path = NULL;
    size_t size;
    if (escaped) {
        size = strlen(directory) + strlen(escaped) + strlen(suffix) + 2;
        path = bdnn_alloc(size, 1);
    }
    if (path) {
        snprintf(path, size, "%s/%s%s", directory, escaped, suffix);
    }
    bdnn_free(escaped);
    return path;
}

static void dense_layout(const bdnn_layer *layer, const bdnn_shape *in, bdnn_weight_layout *layout)
{
    layout->outer = layer->attr.dense.filters;
    layout->channels = in->rank > 1 ? in->dim[1] : 1;
    for (int32_t i = 2; i < in->rank; i++) {
        layout->positions *= in->dim[i];
    }
}

static bdnn_status conv_layout(const bdnn_layer *layer, const bdnn_shape *in, bdnn_weight_layout *layout,
                               bdnn_error *err)
{
    const int32_t groups = layer->attr.conv.groups;
    for (int i = 0; i < BDNN_SPATIAL; i++) {
        const int32_t kernel = layer->attr.conv.window.kernel[i];
        if (kernel < 1 || kernel > 65536) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "a kernel of %d", kernel);
        }
        layout->positions *= kernel;
    }
    if (groups < 1 || in->rank < 3 || in->dim[1] % groups || layer->attr.conv.filters % groups) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "an input of %d axes, %d groups, %d filters", in->rank, groups,
                         layer->attr.conv.filters);
    }
    layout->outer = layer->op == BDNN_OP_CONV ? layer->attr.conv.filters : in->dim[1];
    layout->channels = (layer->op == BDNN_OP_CONV ? in->dim[1] : layer->attr.conv.filters) / groups;
    return BDNN_OK;
}

bdnn_status bdnn_weight_layout_of(const bdnn_graph *graph, const bdnn_layer *layer, bdnn_weight_layout *layout,
                                  bdnn_error *err)
{
    const bdnn_shape *in = &graph->values[layer->inputs[0]].shape;
    bdnn_shape all = {3, {0}};
    bdnn_status status = BDNN_OK;
    layout->positions = 1;
    if (layer->op == BDNN_OP_DENSE) {
        dense_layout(layer, in, layout);
    } else {
        status = conv_layout(layer, in, layout, err);
    }
    if (status != BDNN_OK) {
        return status;
    }
    all.dim[0] = layout->outer;
    all.dim[1] = layout->channels;
    all.dim[2] = layout->positions;
    return bdnn_shape_elements(&all) < 0
               ? bdnn_fail(err, BDNN_ERROR_FORMAT, "weights of %lld x %lld x %lld", (long long)layout->outer,
                           (long long)layout->channels, (long long)layout->positions)
               : BDNN_OK;
}
