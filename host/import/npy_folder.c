/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole networks as folders of .npy files (docs/use/npy-folder.md): import with a topology, and export. */
#include "core/file.h"
#include "core/memory.h"
#include "core/output.h"
#include "import/folder.h"
#include "import/import.h"
#include "import/npy.h"
#include "import/parameters.h"
#include "layers/layer.h"

#include <stdio.h>
#include <string.h>

/* A network's topology takes some ten thousand bytes. */
#define MAX_TOPOLOGY 4194304

/* ---- Import ---- */

static bool present(void *user, const char *name)
{
    static const char *const suffixes[] = {"_W.npy", "_mean.npy"};
    bool found = false;
    for (int i = 0; !found && i < 2; i++) {
        char *path = bdnn_folder_path(user, name, suffixes[i]);
        found = !path || bdnn_file_exists(path);
        bdnn_free(path);
    }
    return found;
}

static bdnn_status load_layer(void *user, const bdnn_graph *graph, bdnn_layer *layer, const bdnn_parameter_rules *rules,
                              bdnn_error *err)
{
    return bdnn_folder_load(user, graph, layer, rules, err);
}

static bdnn_status load_constant(void *user, bdnn_value *value, bdnn_error *err)
{
    char *path = bdnn_folder_path(user, value->name, "_constant.npy"), text[160];
    bdnn_shape shape;
    float *data;
    bdnn_status status = path ? bdnn_npy_load(path, &shape, &data, err) : bdnn_fail_memory(err, 0, "a file name");
    if (status == BDNN_OK) {
        if (bdnn_shape_equal(&shape, &value->shape)) {
            value->constant = bdnn_blob_copy(NULL, (size_t)bdnn_shape_elements(&shape) * sizeof *data);
            if (value->constant.data) {
                bdnn_from_row_major(&shape, BDNN_FLOAT32, data, (void *)value->constant.data);
            } else {
                status = bdnn_fail_memory(err, value->constant.bytes, value->name);
            }
        } else {
            status = bdnn_fail(err, BDNN_ERROR_FORMAT, "%s is %s, not what the topology says", path,
                               bdnn_shape_text(&shape, text, sizeof text));
        }
        bdnn_free(data);
    }
    bdnn_free(path);
    return status;
}

/* Parses the built-in topology, or the folder's own when no architecture is named. */
static bdnn_status parse_topology(const char *directory, const char *architecture, bdnn_model *model, bdnn_error *err)
{
    const bdnn_parameter_source source = {(void *)directory, present, load_layer, load_constant};
    size_t size;
    const char *text;
    char *path;
    bdnn_file_map map;
    bdnn_status status;
    if (architecture) {
        text = bdnn_topology_builtin(architecture, &size);
        return text ? bdnn_topology_parse(architecture, text, size, &source, model, err)
                    : bdnn_fail(err, BDNN_ERROR_ARGUMENT, "unknown architecture '%s'; there are " BDNN_TOPOLOGY_NAMES,
                                architecture);
    }
    path = bdnn_folder_path(directory, "topology", ".txt");
    if (!path) {
        return bdnn_fail_memory(err, 0, "a file name");
    }
    if (!bdnn_file_exists(path)) {
        bdnn_free(path);
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT,
                         "%s: no topology.txt in this folder: name its architecture (" BDNN_TOPOLOGY_NAMES ")",
                         directory);
    }
    status = bdnn_read_file(path, MAX_TOPOLOGY, &map, err);
    if (status == BDNN_OK) {
        status = bdnn_topology_parse(path, (const char *)map.data, map.size, &source, model, err);
    }
    bdnn_unmap_file(&map);
    bdnn_free(path);
    return status;
}

bdnn_status bdnn_import_npy(const char *directory, const bdnn_load_options *options, bdnn_model **model,
                            bdnn_error *err)
{
    bdnn_status status;
    *model = bdnn_model_new();
    if (!*model) {
        return bdnn_fail_memory(err, sizeof **model, "a model");
    }
    if ((status = parse_topology(directory, options ? options->architecture : NULL, *model, err)) == BDNN_OK &&
        (status = bdnn_simplify(&(*model)->graph, options && options->keep_batch_norm, err)) == BDNN_OK) {
        status = bdnn_graph_infer(&(*model)->graph, err);
    }
    if (status != BDNN_OK) {
        bdnn_model_free(*model);
        *model = NULL;
    }
    return status;
}

/* ---- Export ---- */

static bdnn_status write_topology(const bdnn_model *model, const char *directory, bdnn_error *err)
{
    char *path = bdnn_folder_path(directory, "topology", ".txt");
    bdnn_output output;
    bdnn_status status = path ? bdnn_output_open(&output, path, err) : bdnn_fail_memory(err, 0, "a file name");
    bdnn_free(path);
    if (status != BDNN_OK) {
        return status;
    }
    status = bdnn_topology_print(model, output.stream, err);
    if (status != BDNN_OK) {
        bdnn_output_discard(&output);
        return status;
    }
    return bdnn_output_commit(&output, err);
}

static bdnn_status write_labels(const bdnn_model *model, const char *directory, bdnn_error *err)
{
    char *path = bdnn_folder_path(directory, "labels", ".txt");
    bdnn_output output;
    bdnn_status status = path ? bdnn_output_open(&output, path, err) : bdnn_fail_memory(err, 0, "a file name");
    bdnn_free(path);
    if (status != BDNN_OK) {
        return status;
    }
    for (size_t i = 0; i < model->label_count; i++) {
        fprintf(output.stream, "%s\n", model->labels[i]);
    }
    return bdnn_output_commit(&output, err);
}

static bdnn_status write_array(const char *directory, const char *name, const char *suffix, const bdnn_shape *shape,
                               const float *data, bdnn_error *err)
{
    char *path = bdnn_folder_path(directory, name, suffix);
    bdnn_status status =
        path ? bdnn_npy_save(path, BDNN_NPY_FLOAT32, shape, data, err) : bdnn_fail_memory(err, 0, "a file name");
    bdnn_free(path);
    return status;
}

static bdnn_status write_constant(const char *directory, const bdnn_value *value, bdnn_error *err)
{
    float *rows = bdnn_alloc(value->constant.bytes, 1);
    bdnn_status status;
    if (!rows) {
        return bdnn_fail_memory(err, value->constant.bytes, value->name);
    }
    bdnn_to_row_major(&value->shape, BDNN_FLOAT32, value->constant.data, rows);
    status = write_array(directory, value->name, "_constant.npy", &value->shape, rows, err);
    bdnn_free(rows);
    return status;
}

static bdnn_status write_all(const bdnn_model *model, const char *directory, bdnn_error *err)
{
    const bdnn_graph *graph = &model->graph;
    const bdnn_shape mean = {3, {model->preprocess.channels, model->preprocess.height, model->preprocess.width}};
    bdnn_status status = write_topology(model, directory, err);
    if (status == BDNN_OK && model->label_count) {
        status = write_labels(model, directory, err);
    }
    if (status == BDNN_OK && model->mean_image.bytes) {
        status = write_array(directory, "mean", ".npy", &mean, model->mean_image.data, err);
    }
    for (size_t i = 0; status == BDNN_OK && i < graph->value_count; i++) {
        if (graph->values[i].constant.bytes) {
            status = write_constant(directory, &graph->values[i], err);
        }
    }
    for (size_t i = 0; status == BDNN_OK && i < graph->layer_count; i++) {
        status = bdnn_folder_save(directory, graph, &graph->layers[i], err);
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "layer '%s'", graph->layers[i].name);
        }
    }
    return status;
}

bdnn_status bdnn_model_export_npy(const bdnn_model *model, const char *directory, bdnn_error *err)
{
    if (!model || !directory) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_output_folder output;
    bdnn_status status = bdnn_output_folder_open(&output, directory, err);
    if (status == BDNN_OK) {
        status = write_all(model, output.temporary, err);
    }
    if (status == BDNN_OK) {
        status = bdnn_model_check_file(model, err);
    }
    if (status != BDNN_OK) {
        bdnn_output_folder_discard(&output);
        return status;
    }
    return bdnn_output_folder_commit(&output, err);
}
