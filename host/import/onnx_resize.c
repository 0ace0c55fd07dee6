/* SPDX-License-Identifier: BSD-2-Clause */
/* Resize and Upsample in the forms of every operator set. */
#include "import/onnx_operators.h"

#include <string.h>

/* ONNX's rule tf_half_pixel_for_nn is half_pixel moved by one half; two of its four roundings are roundings of
 * half_pixel. */
enum { TF_HALF_PIXEL_FOR_NN = 4, TF_CROP_AND_RESIZE = 5 };

static void coordinate_rules(onnx_importer *im, bdnn_layer *spec)
{
    static const char *const rules[] = {"half_pixel", "pytorch_half_pixel",   "align_corners",
                                        "asymmetric", "tf_half_pixel_for_nn", NULL};
    static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
    int rule = bdnn_onnx_choice(im, "coordinate_transformation_mode", rules, BDNN_COORD_HALF_PIXEL);
    int rounding = bdnn_onnx_choice(im, "nearest_mode", roundings, BDNN_ROUND_PREFER_FLOOR);
    if (rule == TF_HALF_PIXEL_FOR_NN) {
        if (spec->attr.resize.interpolation == BDNN_LINEAR ||
            (rounding != BDNN_ROUND_PREFER_FLOOR && rounding != BDNN_ROUND_FLOOR)) {
            bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "tf_half_pixel_for_nn with this interpolation or rounding");
        }
        rounding = rounding == BDNN_ROUND_FLOOR ? BDNN_ROUND_PREFER_CEIL : BDNN_ROUND_CEIL;
        rule = BDNN_COORD_HALF_PIXEL;
    }
    spec->attr.resize.coordinates = (bdnn_coordinates)rule;
    spec->attr.resize.nearest = (bdnn_nearest)rounding;
}

/* The constant float input `index` as one scale per axis: how many, 0 when it is absent or empty. */
static int scale_input(onnx_importer *im, size_t index, float *scales)
{
    const onnx_operand *x = bdnn_onnx_input(im, index);
    int64_t count;
    if (!x) {
        return 0;
    }
    x = bdnn_onnx_need_constant(im, index, BDNN_FLOAT32, "scales");
    count = x ? bdnn_shape_elements(&x->shape) : 0;
    if (count > BDNN_MAX_RANK) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "%lld scales", (long long)count);
        return 0;
    }
    if (count) {
        memcpy(scales, x->data, (size_t)count * sizeof *scales);
    }
    return (int)count;
}

static void finish(onnx_importer *im, bdnn_layer *spec, onnx_operand *x, int count, const float *scales)
{
    if (im->status != BDNN_OK || !x) {
        return;
    }
    if (count != x->shape.rank) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "%d scales for an input of rank %d", count, (int)x->shape.rank);
        return;
    }
    memcpy(spec->attr.resize.scale, scales, (size_t)count * sizeof *scales);
    bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, spec, NULL, x));
}

/* Output sizes; an axis that keeps its size gets the scale 1, so that a batch of any size passes. */
static void finish_sizes(onnx_importer *im, bdnn_layer *spec, onnx_operand *x)
{
    int64_t sizes[BDNN_MAX_RANK];
    int count = bdnn_onnx_list(im, bdnn_onnx_input(im, 3), "sizes", sizes, BDNN_MAX_RANK);
    if (im->status == BDNN_OK && count != x->shape.rank) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "%d sizes for an input of rank %d", (int)bdnn_max(count, 0),
                       (int)x->shape.rank);
    }
    if (im->status != BDNN_OK) {
        return;
    }
    for (int i = 0; i < count; i++) {
        if (sizes[i] < 1) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "size %lld on axis %d", (long long)sizes[i], i);
            return;
        }
        spec->attr.resize.scale[i] = sizes[i] == x->shape.dim[i] ? 1.0f : 0.0f;
        spec->attr.resize.size[i] = sizes[i] == x->shape.dim[i] ? 0 : sizes[i];
    }
    bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, spec, NULL, x));
}

void bdnn_onnx_resize(onnx_importer *im)
{
    static const char *const modes[] = {"nearest", "linear", NULL};
    bdnn_layer spec = {.op = BDNN_OP_RESIZE};
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    float scales[BDNN_MAX_RANK];
    int count;
    spec.attr.resize.interpolation = (bdnn_interpolation)bdnn_onnx_choice(im, "mode", modes, BDNN_NEAREST);
    if (!x) {
        return;
    }
    if (im->opset < 11) {
        spec.attr.resize.coordinates = BDNN_COORD_ASYMMETRIC;
        spec.attr.resize.nearest = BDNN_ROUND_FLOOR;
        count = scale_input(im, 1, scales);
        finish(im, &spec, x, count, scales);
        return;
    }
    coordinate_rules(im, &spec);
    count = scale_input(im, 2, scales);
    if (count) {
        finish(im, &spec, x, count, scales);
    } else {
        finish_sizes(im, &spec, x);
    }
}

void bdnn_onnx_upsample(onnx_importer *im)
{
    static const char *const modes[] = {"nearest", "linear", "bilinear", NULL};
    bdnn_layer spec = {.op = BDNN_OP_RESIZE};
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    float scales[BDNN_MAX_RANK] = {1.0f, 1.0f, 0.0f, 0.0f};
    int count = -1, mode = bdnn_onnx_choice(im, "mode", modes, 0);
    spec.attr.resize.interpolation = mode ? BDNN_LINEAR : BDNN_NEAREST;
    spec.attr.resize.coordinates = BDNN_COORD_ASYMMETRIC;
    spec.attr.resize.nearest = BDNN_ROUND_FLOOR;
    if (im->opset < 7 && bdnn_onnx_has(im, "height_scale")) {
        scales[2] = bdnn_onnx_float(im, "height_scale", 0.0f);
        scales[3] = bdnn_onnx_float(im, "width_scale", 0.0f);
        count = 4;
    } else {
        count = bdnn_onnx_floats(im, "scales", scales, BDNN_MAX_RANK);
        count = count >= 0 ? count : scale_input(im, 1, scales);
    }
    finish(im, &spec, x, count, scales);
}
