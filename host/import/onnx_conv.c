/* SPDX-License-Identifier: BSD-2-Clause */
/* Conv and ConvTranspose. */
#include "import/onnx_operators.h"
#include "import/onnx_window.h"

#include <string.h>

/* The filters' bias, if there is one, as a blob. */
static bdnn_blob bias_blob(onnx_importer *im, int64_t filters)
{
    bdnn_blob blob = {0};
    const onnx_operand *bias;
    if (!bdnn_onnx_input(im, 2)) {
        return blob;
    }
    bias = bdnn_onnx_need_constant(im, 2, BDNN_FLOAT32, "biases");
    if (bias && (bias->shape.rank != 1 || bias->shape.dim[0] != filters)) {
        char text[128];
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "biases of shape %s for %lld filters",
                       bdnn_shape_text(&bias->shape, text, sizeof text), (long long)filters);
    } else if (bias) {
        blob = bdnn_blob_copy(bias->data, (size_t)filters * sizeof(float));
        if (!blob.data) {
            bdnn_onnx_short_of_memory(im);
        }
    }
    return blob;
}

/* Weights in the graph's order, which is the memory order of a tensor of their shape: the second axis last. */
static bdnn_blob weight_blob(onnx_importer *im, const onnx_operand *weights)
{
    bdnn_blob blob = bdnn_blob_copy(NULL, (size_t)bdnn_shape_elements(&weights->shape) * sizeof(float));
    if (blob.data) {
        bdnn_from_row_major(&weights->shape, BDNN_FLOAT32, weights->data, (void *)blob.data);
    } else {
        bdnn_onnx_short_of_memory(im);
    }
    return blob;
}

/* The operands and `group`, their shapes agreeing as far as the weights' layout needs. */
static bool conv_operands(onnx_importer *im, bool transpose, onnx_operand **x, const onnx_operand **weights,
                          int32_t *groups, int32_t *filters)
{
    int64_t channels, all;
    *x = bdnn_onnx_need(im, 0, "data");
    *weights = bdnn_onnx_need_constant(im, 1, BDNN_FLOAT32, "weights");
    if (!*x || !*weights) {
        return false;
    }
    if ((*x)->shape.rank < 3 || (*weights)->shape.rank != (*x)->shape.rank) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "weights of rank %d for an input of rank %d", (int)(*weights)->shape.rank,
                       (int)(*x)->shape.rank);
        return false;
    }
    if (!bdnn_onnx_int32(im, "group", bdnn_onnx_int(im, "group", 1), 1, INT32_MAX, groups)) {
        return false;
    }
    channels = transpose ? (*weights)->shape.dim[0] : (*weights)->shape.dim[1] * *groups;
    all = transpose ? (*weights)->shape.dim[1] * *groups : (*weights)->shape.dim[0];
    if (channels != (*x)->shape.dim[1] || channels % *groups || all % *groups) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT,
                       "weights for %lld channels and %lld filters in %d groups, input of %lld channels",
                       (long long)channels, (long long)all, (int)*groups, (long long)(*x)->shape.dim[1]);
        return false;
    }
    return bdnn_onnx_int32(im, "number of filters", all, 1, INT32_MAX, filters);
}

void bdnn_onnx_conv(onnx_importer *im)
{
    bdnn_layer spec = {.op = BDNN_OP_CONV};
    const onnx_operand *weights;
    onnx_auto_pad auto_pad;
    onnx_operand *x;
    if (!conv_operands(im, false, &x, &weights, &spec.attr.conv.groups, &spec.attr.conv.filters) ||
        !bdnn_onnx_window(im, x, weights->shape.dim + 2, true, &spec.attr.conv.window, &auto_pad)) {
        return;
    }
    spec.weight = weight_blob(im, weights);
    spec.bias = bias_blob(im, spec.attr.conv.filters);
    bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, &spec, NULL, x));
}

/* The pads that give output size `wanted` on window axis a; where even no pad is too small, the output is padded
 * instead. */
static void fit_output(onnx_importer *im, int64_t in, int64_t wanted, bool upper, int a, bdnn_window *window,
                       int32_t output_pad[BDNN_SPATIAL])
{
    int64_t natural =
        (in - 1) * window->stride[a] + output_pad[a] + (int64_t)(window->kernel[a] - 1) * window->dilation[a] + 1;
    int64_t total = natural - wanted, begin;
    if (total < 0) {
        bdnn_onnx_int32(im, "output padding", output_pad[a] - total, 0, INT32_MAX, &output_pad[a]);
        total = 0;
    }
    begin = upper ? total / 2 : total - total / 2;
    bdnn_onnx_int32(im, "pad", begin, 0, INT32_MAX, &window->pad_begin[a]);
    bdnn_onnx_int32(im, "pad", total - begin, 0, INT32_MAX, &window->pad_end[a]);
}

/* output_padding, output_shape and auto_pad as explicit numbers. */
static void transpose_sizes(onnx_importer *im, const onnx_operand *x, onnx_auto_pad auto_pad, bdnn_layer *spec)
{
    int spatial = x->shape.rank - 2, offset = bdnn_onnx_window_offset(x->shape.rank), count;
    int64_t values[BDNN_MAX_RANK];
    bdnn_window *window = &spec->attr.conv.window;
    count = bdnn_onnx_ints(im, "output_padding", values, BDNN_MAX_RANK);
    if (count >= 0 && count != spatial) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute 'output_padding' has %d numbers for %d spatial axes", count,
                       spatial);
        return;
    }
    for (int i = 0; i < count; i++) {
        bdnn_onnx_int32(im, "output padding", values[i], 0, INT32_MAX, &spec->attr.conv.output_pad[offset + i]);
    }
    count = bdnn_onnx_ints(im, "output_shape", values, BDNN_MAX_RANK);
    if (count >= 0 && count != spatial && count != spatial + 2) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute 'output_shape' has %d numbers for %d spatial axes", count,
                       spatial);
        return;
    }
    for (int i = 0; im->status == BDNN_OK && i < spatial; i++) {
        int64_t in = x->shape.dim[2 + i], wanted;
        if (count < 0 && auto_pad != ONNX_SAME_UPPER && auto_pad != ONNX_SAME_LOWER) {
            continue;
        }
        wanted = count < 0 ? in * window->stride[offset + i] : values[count - spatial + i];
        if (wanted < 1 || wanted > BDNN_MAX_ELEMENTS || in > BDNN_MAX_ELEMENTS >> 24) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "output size %lld", (long long)wanted);
            return;
        }
        fit_output(im, in, wanted, auto_pad == ONNX_SAME_UPPER, offset + i, window, spec->attr.conv.output_pad);
    }
}

void bdnn_onnx_conv_transpose(onnx_importer *im)
{
    bdnn_layer spec = {.op = BDNN_OP_CONV_TRANSPOSE};
    const onnx_operand *weights;
    onnx_auto_pad auto_pad;
    onnx_operand *x;
    if (!conv_operands(im, true, &x, &weights, &spec.attr.conv.groups, &spec.attr.conv.filters) ||
        !bdnn_onnx_window(im, x, weights->shape.dim + 2, false, &spec.attr.conv.window, &auto_pad)) {
        return;
    }
    transpose_sizes(im, x, auto_pad, &spec);
    spec.weight = weight_blob(im, weights);
    spec.bias = bias_blob(im, spec.attr.conv.filters);
    bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, &spec, NULL, x));
}
