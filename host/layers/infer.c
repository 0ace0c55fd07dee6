/* SPDX-License-Identifier: BSD-2-Clause */
/* Shape inference: the one gate through which every graph passes. */
#include "layers/layer.h"

#include "core/memory.h"
#include "layers/formats.h"

#include <string.h>

const bdnn_layer_type *bdnn_layer_type_of(bdnn_op op)
{
#define ENTRY(identifier, name, number, attributes, traits) [number] = &bdnn_##name##_type,
    static const bdnn_layer_type *const types[BDNN_OP_COUNT] = {BDNN_OPERATORS(ENTRY)};
#undef ENTRY
    return types[op];
}

static bdnn_status check_shape(const bdnn_value_info *info, const char *what, int32_t number, bdnn_error *err)
{
    if (info->shape.rank < 0 || info->shape.rank > BDNN_MAX_RANK) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s %d has %d axes; at most %d are supported", what, number,
                         info->shape.rank, BDNN_MAX_RANK);
    }
    if (bdnn_shape_elements(&info->shape) < 0) {
        char text[160];
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s %d of shape %s is too large, or negative", what, number,
                         bdnn_shape_text(&info->shape, text, sizeof text));
    }
    if (info->type != BDNN_FLOAT32 && info->type != BDNN_INT64) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s %d has type number %d", what, number, (int)info->type);
    }
    return BDNN_OK;
}

/* The numbers that every layer has: operator, counts, value numbers, order. made: per value, whether it exists yet. */
static bdnn_status check_structure(const bdnn_graph *graph, const bdnn_layer *layer, const bool *made, bdnn_error *err)
{
    const bdnn_layer_type *type;
    if ((unsigned)layer->op >= BDNN_OP_COUNT) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "operator number %d; there are %d", (int)layer->op, BDNN_OP_COUNT);
    }
    type = bdnn_layer_type_of(layer->op);
    if (layer->input_count < type->min_inputs || layer->input_count > type->max_inputs) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s with %d inputs; it takes %d to %d", bdnn_op_name(layer->op),
                         layer->input_count, type->min_inputs, type->max_inputs);
    }
    if (layer->output_count < 1 || layer->output_count > type->max_outputs) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s with %d outputs; it has 1 to %d", bdnn_op_name(layer->op),
                         layer->output_count, type->max_outputs);
    }
    for (int32_t i = 0; i < layer->input_count; i++) {
        const int32_t v = layer->inputs[i];
        if (v < 0 || (size_t)v >= graph->value_count) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "input %d is value number %d of %zu", i, v, graph->value_count);
        }
        if (!made[v]) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "input %d ('%s') is made by no layer before this one", i,
                             graph->values[v].name);
        }
    }
    for (int32_t o = 0; o < layer->output_count; o++) {
        const int32_t v = layer->outputs[o];
        if (v < 0 || (size_t)v >= graph->value_count) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "output %d is value number %d of %zu", o, v, graph->value_count);
        }
        if (made[v]) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "output %d ('%s') exists already", o, graph->values[v].name);
        }
    }
    if (layer->decomposed && !bdnn_layer_is_inner_product(layer)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s cannot be decomposed", bdnn_op_name(layer->op));
    }
    return BDNN_OK;
}

static bdnn_status infer_layer(const bdnn_graph *graph, const bdnn_layer *layer, bool *made, bdnn_value_info *info,
                               bdnn_error *err)
{
    bdnn_value_info *in, *out;
    bdnn_status status = check_structure(graph, layer, made, err);
    if (status != BDNN_OK) {
        return status;
    }
    in = bdnn_zalloc((size_t)layer->input_count + (size_t)layer->output_count, sizeof *in);
    if (!in) {
        return bdnn_fail_memory(err, (size_t)layer->input_count * sizeof *in, "a layer's shapes");
    }
    out = in + layer->input_count;
    for (int32_t i = 0; i < layer->input_count; i++) {
        in[i] = info[layer->inputs[i]];
    }
    status = bdnn_layer_type_of(layer->op)->infer(layer, in, out, err);
    for (int32_t o = 0; o < layer->output_count && status == BDNN_OK; o++) {
        const int32_t v = layer->outputs[o];
        status = check_shape(&out[o], "output", o, err);
        if (made[v] && status == BDNN_OK) {
            status = bdnn_fail(err, BDNN_ERROR_FORMAT, "output %d ('%s') is named twice", o, graph->values[v].name);
        }
        info[v] = out[o];
        made[v] = true;
    }
    bdnn_free(in);
    return status;
}

/* Marks inputs and constants as made, checking them. */
static bdnn_status begin(const bdnn_graph *graph, bool *made, bdnn_value_info *info, bdnn_error *err)
{
    for (size_t i = 0; i < graph->input_count; i++) {
        const int32_t v = graph->inputs[i];
        bdnn_status status;
        if (v < 0 || (size_t)v >= graph->value_count || made[v] || graph->values[v].constant.data) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "network input %zu is value number %d of %zu, or is given twice",
                             i, v, graph->value_count);
        }
        status = check_shape(&info[v], "network input", (int32_t)i, err);
        if (status != BDNN_OK) {
            return status;
        }
        made[v] = true;
    }
    for (size_t v = 0; v < graph->value_count; v++) {
        if (graph->values[v].constant.data) {
            const bdnn_value *value = &graph->values[v];
            bdnn_status status = check_shape(&info[v], "constant", (int32_t)v, err);
            if (status != BDNN_OK) {
                return status;
            }
            if ((uint64_t)bdnn_shape_elements(&value->shape) * bdnn_type_size(value->type) != value->constant.bytes) {
                char text[160];
                return bdnn_fail(err, BDNN_ERROR_FORMAT, "constant '%s' of shape %s has %zu bytes", value->name,
                                 bdnn_shape_text(&value->shape, text, sizeof text), value->constant.bytes);
            }
            made[v] = true;
        }
    }
    return BDNN_OK;
}

/* Walks the layers with the inputs' shapes in `info`. */
static bdnn_status infer(const bdnn_graph *graph, bdnn_value_info *info, bdnn_error *err)
{
    bool *made = bdnn_zalloc(graph->value_count, sizeof *made);
    bdnn_status status = made ? begin(graph, made, info, err)
                              : bdnn_fail_memory(err, graph->value_count * sizeof *made, "shape inference");
    for (size_t l = 0; l < graph->layer_count && status == BDNN_OK; l++) {
        status = infer_layer(graph, &graph->layers[l], made, info, err);
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "layer '%s'", graph->layers[l].name);
        }
    }
    for (size_t i = 0; i < graph->output_count && status == BDNN_OK; i++) {
        const int32_t v = graph->outputs[i];
        if (v < 0 || (size_t)v >= graph->value_count || !made[v]) {
            status = bdnn_fail(err, BDNN_ERROR_FORMAT, "network output %zu is value number %d of %zu, or is never made",
                               i, v, graph->value_count);
        }
    }
    bdnn_free(made);
    return status;
}

bdnn_status bdnn_graph_infer_batch(const bdnn_graph *graph, int64_t batch, bdnn_value_info *info, bdnn_error *err)
{
    for (size_t v = 0; v < graph->value_count; v++) {
        info[v] = (bdnn_value_info){graph->values[v].type, graph->values[v].shape};
    }
    for (size_t i = 0; i < graph->input_count; i++) {
        const int32_t v = graph->inputs[i];
        if (v >= 0 && (size_t)v < graph->value_count && info[v].shape.rank > 0) {
            info[v].shape.dim[0] = batch;
        }
    }
    return infer(graph, info, err);
}

bdnn_status bdnn_graph_infer(bdnn_graph *graph, bdnn_error *err)
{
    bdnn_value_info *info = bdnn_alloc(graph->value_count, sizeof *info);
    bdnn_status status;
    bdnn_graph_unlink(graph);
    if (!info) {
        return bdnn_fail_memory(err, graph->value_count * sizeof *info, "shape inference");
    }
    for (size_t v = 0; v < graph->value_count; v++) {
        info[v] = (bdnn_value_info){graph->values[v].type, graph->values[v].shape};
    }
    status = infer(graph, info, err);
    for (size_t v = 0; v < graph->value_count && status == BDNN_OK; v++) {
        graph->values[v].type = info[v].type;
        graph->values[v].shape = info[v].shape;
    }
    bdnn_free(info);
    if (status == BDNN_OK && !bdnn_graph_link(graph)) {
        status = bdnn_fail_memory(err, graph->value_count * sizeof *info, "the links of the network");
    }
    return status == BDNN_OK ? bdnn_formats_check(graph, err) : status;
}
