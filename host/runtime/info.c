/* SPDX-License-Identifier: BSD-2-Clause */
/* What a layer of a model is: the public description of its sizes and costs. */
#include "layers/layer.h"

#include <string.h>

/* Multiply-adds of one batch item. Saturates instead of overflowing: a hostile file's sizes are large, not impossible.
 */
static int64_t product(int64_t a, int64_t b)
{
    int64_t result;
    return __builtin_mul_overflow(a, b, &result) ? INT64_MAX : result;
}

static int64_t positions(const bdnn_extent *extent)
{
    return product(product(extent->size[0], extent->size[1]), extent->size[2]);
}

static void inner_info(const bdnn_layer *layer, const bdnn_shape *in, const bdnn_shape *out, bdnn_layer_info *info)
{
    bdnn_inner_geometry geometry;
    bdnn_inner_geometry_of(layer, in, out, &geometry);
    info->filters = geometry.filters;
    info->inner = geometry.inner;
    info->groups = geometry.groups;
    info->multiply_adds = product(product(positions(&geometry.out), geometry.filters), geometry.inner);
    info->float_bytes = (uint64_t)product(product(geometry.filters, geometry.inner), sizeof(float)) + layer->bias.bytes;
}

/* A transposed convolution scatters every input element into kernel positions of its group's filters. */
static void transpose_info(const bdnn_layer *layer, const bdnn_shape *in, bdnn_layer_info *info)
{
    const bdnn_window *window = &layer->attr.conv.window;
    const bdnn_extent extent = bdnn_extent_of(in);
    int64_t each = layer->attr.conv.filters / layer->attr.conv.groups;
    for (int i = 0; i < BDNN_SPATIAL; i++) {
        each = product(each, window->kernel[i]);
    }
    info->filters = layer->attr.conv.filters;
    info->groups = layer->attr.conv.groups;
    info->multiply_adds = product(product(positions(&extent), extent.channels), each);
}

bdnn_status bdnn_model_layer(const bdnn_model *model, size_t index, bdnn_layer_info *info, bdnn_error *err)
{
    if (!model || !info) {
        return bdnn_fail_null(err, __func__);
    }
    const bdnn_graph *graph = &model->graph;
    const bdnn_layer *layer;
    const bdnn_shape *in, *out;
    static const char *const formats[] = {
        [BDNN_FORMAT_FLOAT] = "float", [BDNN_FORMAT_QUANTIZED] = "quantized", [BDNN_FORMAT_WIDE] = "wide"};
    memset(info, 0, sizeof *info);
    if (index >= graph->layer_count) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "layer %zu of a network of %zu", index, graph->layer_count);
    }
    layer = &graph->layers[index];
    in = layer->input_count ? &graph->values[layer->inputs[0]].shape : NULL;
    out = &graph->values[layer->outputs[0]].shape;
    info->name = layer->name;
    info->operation = bdnn_op_name(layer->op);
    info->groups = 1;
    info->output_format = formats[graph->values[layer->outputs[0]].format.kind];
    info->output_step = graph->values[layer->outputs[0]].format.step;
    info->output_bits = graph->values[layer->outputs[0]].format.bits;
    info->output_rank = out->rank;
    memcpy(info->output_shape, out->dim, sizeof info->output_shape);
    info->parameter_bytes = info->float_bytes = layer->weight.bytes + layer->bias.bytes;
    if (bdnn_layer_is_inner_product(layer)) {
        info->has_weights = true;
        inner_info(layer, in, out, info);
    } else if (layer->op == BDNN_OP_CONV_TRANSPOSE) {
        transpose_info(layer, in, info);
    }
    if (layer->decomposed) {
        const bdnn_decomposed *decomposed = layer->decomposed;
        info->decomposed = true;
        info->bases = decomposed->bases;
        info->bits = decomposed->bits;
        info->step = decomposed->step;
        info->zero_point = decomposed->zero_point;
        info->parameter_bytes += decomposed->planes.bytes + decomposed->scales.bytes + decomposed->filter_scale.bytes;
    }
    return BDNN_OK;
}
