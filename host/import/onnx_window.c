/* SPDX-License-Identifier: BSD-2-Clause */
/* The sliding window that convolutions and poolings share: kernel, strides, dilations, explicit and automatic pads. */
#include "import/onnx_window.h"

/* Far beyond any network, and small enough that no product of two overflows. */
enum { MAX_WINDOW = 1 << 24 };

/* One value per spatial axis from an attribute, into window axis order; absent values stay as they are. */
static bool axis_values(onnx_importer *im, const char *attribute, int spatial, int64_t low, int32_t *out)
{
    int64_t values[BDNN_SPATIAL];
    int count = bdnn_onnx_ints(im, attribute, values, BDNN_SPATIAL);
    if (count >= 0 && count != spatial) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute '%s' has %d numbers for %d spatial axes", attribute, count,
                       spatial);
    }
    for (int i = 0; im->status == BDNN_OK && i < count; i++) {
        bdnn_onnx_int32(im, attribute, values[i], low, MAX_WINDOW, &out[BDNN_SPATIAL - spatial + i]);
    }
    return im->status == BDNN_OK;
}

static bool kernel_sizes(onnx_importer *im, const int64_t *kernel, int spatial, bdnn_window *window)
{
    int offset = BDNN_SPATIAL - spatial;
    if (!axis_values(im, "kernel_shape", spatial, 1, window->kernel)) {
        return false;
    }
    if (!kernel) {
        if (!bdnn_onnx_has(im, "kernel_shape")) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute 'kernel_shape' is missing");
        }
        return im->status == BDNN_OK;
    }
    for (int i = 0; i < spatial; i++) {
        int32_t stated = window->kernel[offset + i];
        if (!bdnn_onnx_int32(im, "kernel size", kernel[i], 1, MAX_WINDOW, &window->kernel[offset + i])) {
            return false;
        }
        if (bdnn_onnx_has(im, "kernel_shape") && stated != kernel[i]) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute 'kernel_shape' says %d where the weights have %lld",
                           (int)stated, (long long)kernel[i]);
            return false;
        }
    }
    return true;
}

static bool explicit_pads(onnx_importer *im, int spatial, bdnn_window *window)
{
    int64_t values[2 * BDNN_SPATIAL];
    int count = bdnn_onnx_ints(im, "pads", values, 2 * BDNN_SPATIAL), offset = BDNN_SPATIAL - spatial;
    if (count >= 0 && count != 2 * spatial) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute 'pads' has %d numbers for %d spatial axes", count, spatial);
    }
    for (int i = 0; im->status == BDNN_OK && i < count; i++) {
        int32_t *pad = i < spatial ? &window->pad_begin[offset + i] : &window->pad_end[offset + i - spatial];
        bdnn_onnx_int32(im, "pad", values[i], 0, MAX_WINDOW, pad);
    }
    return im->status == BDNN_OK;
}

/* SAME: as many outputs as strides begin in the input; an odd pad goes to the end (UPPER) or the beginning (LOWER). */
static bool same_pads(onnx_importer *im, const onnx_operand *x, bool upper, bdnn_window *window)
{
    int offset = bdnn_onnx_window_offset(x->shape.rank);
    for (int32_t i = 0; i < x->shape.rank - 2; i++) {
        int64_t in = x->shape.dim[2 + i], stride = window->stride[offset + i], outputs = bdnn_ceil_div(in, stride);
        int64_t reach = (int64_t)(window->kernel[offset + i] - 1) * window->dilation[offset + i] + 1;
        int64_t total = outputs > 0 ? (outputs - 1) * stride + reach - in : 0, begin;
        total = bdnn_max(total, 0);
        begin = upper ? total / 2 : total - total / 2;
        if (!bdnn_onnx_int32(im, "pad", begin, 0, MAX_WINDOW, &window->pad_begin[offset + i]) ||
            !bdnn_onnx_int32(im, "pad", total - begin, 0, MAX_WINDOW, &window->pad_end[offset + i])) {
            return false;
        }
    }
    return true;
}

bool bdnn_onnx_window(onnx_importer *im, const onnx_operand *x, const int64_t *kernel, bool resolve,
                      bdnn_window *window, onnx_auto_pad *auto_pad)
{
    static const char *const modes[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "", NULL};
    int spatial = x->shape.rank - 2, mode;
    if (spatial < 1 || spatial > BDNN_SPATIAL) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "an input of rank %d; 3 to 5 are supported", (int)x->shape.rank);
        return false;
    }
    for (int i = 0; i < BDNN_SPATIAL; i++) {
        window->kernel[i] = window->stride[i] = window->dilation[i] = 1;
        window->pad_begin[i] = window->pad_end[i] = 0;
    }
    mode = bdnn_onnx_choice(im, "auto_pad", modes, ONNX_NOTSET);
    *auto_pad = mode <= ONNX_VALID ? (onnx_auto_pad)mode : ONNX_NOTSET;
    if (!kernel_sizes(im, kernel, spatial, window) || !axis_values(im, "strides", spatial, 1, window->stride) ||
        !axis_values(im, "dilations", spatial, 1, window->dilation)) {
        return false;
    }
    if (*auto_pad == ONNX_NOTSET) {
        return explicit_pads(im, spatial, window);
    }
    if (resolve && *auto_pad != ONNX_VALID) {
        return same_pads(im, x, *auto_pad == ONNX_SAME_UPPER, window);
    }
    return im->status == BDNN_OK;
}
