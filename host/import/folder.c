/* SPDX-License-Identifier: BSD-2-Clause */
/* The float parameters of one layer in a folder of .npy files. */
#define _POSIX_C_SOURCE 200809L
#include "import/folder.h"

#include "core/file.h"
#include "core/memory.h"
#include "import/bases.h"
#include "import/npy.h"
#include "import/parameters.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whether <name><suffix> is there. */
static bdnn_status look_for(const char *directory, const char *name, const char *suffix, bool *found, bdnn_error *err)
{
    char *path = bdnn_folder_path(directory, name, suffix);
    bdnn_status status = path ? BDNN_OK : bdnn_fail_memory(err, strlen(directory), "a file name");
    *found = path && bdnn_file_exists(path);
    bdnn_free(path);
    return status;
}

/* ---- Reading ---- */

static bdnn_status read_floats(const char *directory, const char *name, const char *suffix, bdnn_shape *shape,
                               float **data, bdnn_error *err)
{
    char *path = bdnn_folder_path(directory, name, suffix);
    bdnn_status status =
        path ? bdnn_npy_load(path, shape, data, err) : bdnn_fail_memory(err, strlen(directory), "a file name");
    bdnn_free(path);
    return status;
}

static bdnn_status wrong_shape(const char *name, const char *suffix, const bdnn_shape *shape, const char *wanted,
                               bdnn_error *err)
{
    char text[160];
    return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s%s is %s, expected %s", name, suffix,
                     bdnn_shape_text(shape, text, sizeof text), wanted);
}

/* Caffe's older blobs have four axes whatever they hold; the leading ones of a matrix or vector are 1. */
static void drop_leading_ones(bdnn_shape *shape, int32_t rank)
{
    while (shape->rank > rank && shape->dim[0] == 1) {
        shape->rank--;
        memmove(shape->dim, shape->dim + 1, (size_t)shape->rank * sizeof *shape->dim);
    }
}

/* A vector of `count` floats into a blob. */
static bdnn_status read_vector(const char *directory, const char *name, const char *suffix, int64_t count,
                               bdnn_blob *blob, bdnn_error *err)
{
    bdnn_shape shape;
    float *data;
    char wanted[32];
    bdnn_status status = read_floats(directory, name, suffix, &shape, &data, err);
    if (status != BDNN_OK) {
        return status;
    }
    drop_leading_ones(&shape, 1);
    if (shape.rank != 1 || shape.dim[0] != count) {
        bdnn_free(data);
        snprintf(wanted, sizeof wanted, "%lld", (long long)count);
        return wrong_shape(name, suffix, &shape, wanted, err);
    }
    *blob = (bdnn_blob){data, (size_t)count * sizeof *data, true};
    return BDNN_OK;
}

/* The number of filters, when the topology leaves it to the file. */
static void learn_filters(bdnn_layer *layer, const bdnn_shape *shape)
{
    int64_t filters = shape->rank ? shape->dim[0] : 0;
    if (layer->op == BDNN_OP_DENSE) {
        if (!layer->attr.dense.filters && filters <= INT32_MAX) {
            layer->attr.dense.filters = (int32_t)filters;
        }
    } else if (!layer->attr.conv.filters) {
        if (layer->op == BDNN_OP_CONV_TRANSPOSE) {
            filters = shape->rank > 1 && shape->dim[1] < INT32_MAX ? shape->dim[1] * layer->attr.conv.groups : 0;
        }
        layer->attr.conv.filters = filters <= INT32_MAX ? (int32_t)filters : 0;
    }
}

/* Whether an array's axes are those of the layer's weight: [F][C][kernel] with one to three axes of kernel, or [F][D].
 */
static bool is_weight_shape(const bdnn_layer *layer, const bdnn_weight_layout *layout, const bdnn_shape *shape)
{
    const int32_t spatial = shape->rank - 2;
    int64_t inner = 1;
    if (layer->op == BDNN_OP_DENSE) {
        for (int32_t i = 1; i < shape->rank; i++) {
            inner *= shape->dim[i];
        }
        return shape->rank >= 2 && shape->dim[0] == layout->outer && inner == layout->channels * layout->positions;
    }
    if (spatial < 1 || spatial > BDNN_SPATIAL || shape->dim[0] != layout->outer || shape->dim[1] != layout->channels) {
        return false;
    }
    for (int i = 0; i < BDNN_SPATIAL; i++) {
        const int axis = i - (BDNN_SPATIAL - spatial) + 2;
        if (layer->attr.conv.window.kernel[i] != (axis < 2 ? 1 : shape->dim[axis])) {
            return false;
        }
    }
    return true;
}

static bdnn_status set_weight(const bdnn_graph *graph, bdnn_layer *layer, bdnn_shape *shape, const float *data,
                              bdnn_error *err)
{
    bdnn_weight_layout layout;
    bdnn_shape rows = {3, {0}};
    char wanted[96];
    bdnn_status status;
    if (layer->op == BDNN_OP_DENSE) {
        drop_leading_ones(shape, 2);
    }
    learn_filters(layer, shape);
    if ((status = bdnn_weight_layout_of(graph, layer, &layout, err)) != BDNN_OK) {
        return status;
    }
    if (!is_weight_shape(layer, &layout, shape)) {
        snprintf(wanted, sizeof wanted, "%lld filters or inputs, %lld channels, %lld positions",
                 (long long)layout.outer, (long long)layout.channels, (long long)layout.positions);
        return wrong_shape(layer->name, "_W.npy", shape, wanted, err);
    }
    rows.dim[0] = layout.outer;
    rows.dim[1] = layout.channels;
    rows.dim[2] = layout.positions;
    layer->weight = bdnn_blob_copy(NULL, (size_t)bdnn_shape_elements(shape) * sizeof *data);
    if (!layer->weight.data) {
        return bdnn_fail_memory(err, layer->weight.bytes, layer->name);
    }
    bdnn_from_row_major(&rows, BDNN_FLOAT32, data, (void *)layer->weight.data);
    return BDNN_OK;
}

static int32_t filters_of(const bdnn_layer *layer)
{
    return layer->op == BDNN_OP_DENSE ? layer->attr.dense.filters : layer->attr.conv.filters;
}

static bdnn_status load_inner(const char *directory, const bdnn_graph *graph, bdnn_layer *layer,
                              const bdnn_parameter_rules *rules, bdnn_error *err)
{
    bdnn_shape shape;
    float *data;
    bool decomposed = false, biased = !rules->no_bias;
    bdnn_status status = BDNN_OK;
    if (layer->op != BDNN_OP_CONV_TRANSPOSE) {
        status = bdnn_bases_load(directory, graph, layer, &decomposed, err);
    }
    if (status == BDNN_OK && !decomposed) {
        if ((status = read_floats(directory, layer->name, "_W.npy", &shape, &data, err)) == BDNN_OK) {
            status = set_weight(graph, layer, &shape, data, err);
            bdnn_free(data);
        }
    }
    if (status == BDNN_OK && biased && rules->optional_bias) {
        status = look_for(directory, layer->name, "_b.npy", &biased, err);
    }
    return status == BDNN_OK && biased
               ? read_vector(directory, layer->name, "_b.npy", filters_of(layer), &layer->bias, err)
               : status;
}

/* Batch normalization by its own four arrays: y = gamma (x - mean) / sqrt(var + 1e-5) + beta. */
static bdnn_status load_statistics(const char *directory, bdnn_layer *layer, int64_t channels, bdnn_error *err)
{
    static const char *const suffixes[] = {"_mean.npy", "_var.npy", "_gamma.npy", "_beta.npy"};
    bdnn_blob blobs[4] = {{0}};
    bdnn_status status = BDNN_OK;
    float *scale, *shift;
    for (int i = 0; status == BDNN_OK && i < 4; i++) {
        bool found = true;
        /* Caffe keeps gamma and beta in a layer of its own, which a network may do without. */
        if (i >= 2) {
            status = look_for(directory, layer->name, suffixes[i], &found, err);
        }
        if (status == BDNN_OK && found) {
            status = read_vector(directory, layer->name, suffixes[i], channels, &blobs[i], err);
        }
    }
    if (status == BDNN_OK) {
        layer->weight = bdnn_blob_copy(NULL, (size_t)channels * sizeof *scale);
        layer->bias = bdnn_blob_copy(NULL, (size_t)channels * sizeof *shift);
        scale = (float *)layer->weight.data;
        shift = (float *)layer->bias.data;
        if (!scale || !shift) {
            status = bdnn_fail_memory(err, layer->weight.bytes, layer->name);
        }
        for (int64_t c = 0; status == BDNN_OK && c < channels; c++) {
            const double gamma = blobs[2].data ? ((const float *)blobs[2].data)[c] : 1.0;
            const double beta = blobs[3].data ? ((const float *)blobs[3].data)[c] : 0.0;
            const double factor = gamma / sqrt((double)((const float *)blobs[1].data)[c] + 1e-5);
            scale[c] = (float)factor;
            shift[c] = (float)(beta - factor * ((const float *)blobs[0].data)[c]);
        }
    }
    for (int i = 0; i < 4; i++) {
        bdnn_blob_free(&blobs[i]);
    }
    return status;
}

static bdnn_status load_affine(const char *directory, const bdnn_graph *graph, bdnn_layer *layer, bdnn_error *err)
{
    const bdnn_shape *in = &graph->values[layer->inputs[0]].shape;
    bool found;
    bdnn_status status;
    if (in->rank < 2) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "an input of %d axes has no channels", in->rank);
    }
    status = look_for(directory, layer->name, "_mean.npy", &found, err);
    if (status != BDNN_OK || found) {
        return status == BDNN_OK ? load_statistics(directory, layer, in->dim[1], err) : status;
    }
    status = read_vector(directory, layer->name, "_W.npy", in->dim[1], &layer->weight, err);
    return status == BDNN_OK ? read_vector(directory, layer->name, "_b.npy", in->dim[1], &layer->bias, err) : status;
}

bdnn_status bdnn_folder_load(const char *directory, const bdnn_graph *graph, bdnn_layer *layer,
                             const bdnn_parameter_rules *rules, bdnn_error *err)
{
    if (layer->op == BDNN_OP_CONV || layer->op == BDNN_OP_DENSE || layer->op == BDNN_OP_CONV_TRANSPOSE) {
        return load_inner(directory, graph, layer, rules, err);
    }
    return layer->op == BDNN_OP_AFFINE ? load_affine(directory, graph, layer, err) : BDNN_OK;
}

/* ---- Writing ---- */

static bdnn_status write_floats(const char *directory, const char *name, const char *suffix, const bdnn_shape *shape,
                                const void *data, bdnn_error *err)
{
    char *path = bdnn_folder_path(directory, name, suffix);
    bdnn_status status = path ? bdnn_npy_save(path, BDNN_NPY_FLOAT32, shape, data, err)
                              : bdnn_fail_memory(err, strlen(directory), "a file name");
    bdnn_free(path);
    return status;
}

static bdnn_status save_weight(const char *directory, const bdnn_graph *graph, const bdnn_layer *layer, bdnn_error *err)
{
    const bdnn_shape *in = &graph->values[layer->inputs[0]].shape;
    bdnn_shape rows = {3, {0}}, shape = {2, {0}};
    bdnn_weight_layout layout;
    void *data;
    bdnn_status status = bdnn_weight_layout_of(graph, layer, &layout, err);
    if (status != BDNN_OK) {
        return status;
    }
    rows.dim[0] = shape.dim[0] = layout.outer;
    rows.dim[1] = shape.dim[1] = layout.channels;
    rows.dim[2] = layout.positions;
    if (layer->op == BDNN_OP_DENSE) {
        shape.dim[1] = layout.channels * layout.positions;
    } else {
        shape.rank = in->rank;
        for (int32_t i = 2; i < in->rank; i++) {
            shape.dim[i] = layer->attr.conv.window.kernel[i - in->rank + BDNN_SPATIAL];
        }
    }
    data = bdnn_alloc(layer->weight.bytes, 1);
    if (!data) {
        return bdnn_fail_memory(err, layer->weight.bytes, layer->name);
    }
    bdnn_to_row_major(&rows, BDNN_FLOAT32, layer->weight.data, data);
    status = write_floats(directory, layer->name, "_W.npy", &shape, data, err);
    bdnn_free(data);
    return status;
}

bdnn_status bdnn_folder_save(const char *directory, const bdnn_graph *graph, const bdnn_layer *layer, bdnn_error *err)
{
    const bdnn_shape bias = {1, {(int64_t)(layer->bias.bytes / sizeof(float))}};
    bdnn_status status = BDNN_OK;
    if (layer->decomposed) {
        status = bdnn_bases_save(directory, graph, layer, err);
    } else if (layer->op == BDNN_OP_AFFINE) {
        status = write_floats(directory, layer->name, "_W.npy", &bias, layer->weight.data, err);
    } else if (layer->weight.bytes) {
        status = save_weight(directory, graph, layer, err);
    }
    if (status == BDNN_OK && layer->bias.bytes) {
        status = write_floats(directory, layer->name, "_b.npy", &bias, layer->bias.data, err);
    }
    return status;
}
