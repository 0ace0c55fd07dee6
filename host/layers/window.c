/* SPDX-License-Identifier: BSD-2-Clause */
/* Sliding windows. */
#include "layers/window.h"

/* Kernels, strides, dilations and pads are far below this in any real network; it keeps every position in 64 bits. */
#define MOST ((int32_t)1 << 24)

bdnn_status bdnn_window_check(const bdnn_window *w, bdnn_error *err)
{
    int64_t taps = 1;
    for (int a = 0; a < BDNN_SPATIAL; a++) {
        if (w->kernel[a] < 1 || w->stride[a] < 1 || w->dilation[a] < 1 || w->kernel[a] > MOST || w->stride[a] > MOST ||
            w->dilation[a] > MOST) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT,
                             "kernel %d, stride %d, dilation %d on spatial axis %d: each must be 1 to %d", w->kernel[a],
                             w->stride[a], w->dilation[a], a, MOST);
        }
        if (w->pad_begin[a] < 0 || w->pad_end[a] < 0 || w->pad_begin[a] > MOST || w->pad_end[a] > MOST) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "pads %d and %d on spatial axis %d: each must be 0 to %d",
                             w->pad_begin[a], w->pad_end[a], a, MOST);
        }
        taps *= w->kernel[a];
        if (taps > MOST) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "a kernel of %d x %d x %d; at most %d positions are allowed",
                             w->kernel[0], w->kernel[1], w->kernel[2], MOST);
        }
    }
    return BDNN_OK;
}

bdnn_status bdnn_window_check_rank(const bdnn_window *w, int32_t rank, bdnn_error *err)
{
    if (rank < 3 || rank > 2 + BDNN_SPATIAL) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "input has %d axes; a sliding window takes 3 to 5", rank);
    }
    for (int a = 0; a < BDNN_SPATIAL + 2 - rank; a++) {
        if (w->kernel[a] != 1 || w->stride[a] != 1 || w->pad_begin[a] != 0 || w->pad_end[a] != 0) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT,
                             "kernel %d, stride %d, pads %d and %d on an axis that the input of %d axes does not have",
                             w->kernel[a], w->stride[a], w->pad_begin[a], w->pad_end[a], rank);
        }
    }
    return BDNN_OK;
}

int64_t bdnn_window_covered(const bdnn_window *w, int axis, int64_t count)
{
    const int64_t extent = (int64_t)(w->kernel[axis] - 1) * w->dilation[axis] + 1;
    if (count < 0 || count > BDNN_MAX_ELEMENTS / w->stride[axis]) {
        return -1;
    }
    return (count - 1) * w->stride[axis] + extent - w->pad_begin[axis] - w->pad_end[axis];
}

int64_t bdnn_window_output(const bdnn_window *w, int axis, int64_t in, bool ceil_mode)
{
    const int64_t extent = (int64_t)(w->kernel[axis] - 1) * w->dilation[axis] + 1;
    const int64_t room = in + w->pad_begin[axis] + w->pad_end[axis] - extent, stride = w->stride[axis];
    int64_t out, most;
    if (room < 0) {
        return -1;
    }
    out = (ceil_mode ? room + stride - 1 : room) / stride + 1;
    /* Rounding up, ONNX ignores windows that would begin in the trailing pad. */
    most = bdnn_ceil_div(in + w->pad_begin[axis], stride);
    return ceil_mode ? bdnn_min(out, most) : out;
}

bdnn_status bdnn_window_shape(const bdnn_window *w, bool ceil_mode, const bdnn_shape *in, int64_t channels,
                              bdnn_shape *out, bdnn_error *err)
{
    const int32_t missing = BDNN_SPATIAL + 2 - in->rank;
    bdnn_status status = bdnn_window_check(w, err);
    if (status == BDNN_OK) {
        status = bdnn_window_check_rank(w, in->rank, err);
    }
    if (status != BDNN_OK) {
        return status;
    }
    *out = *in;
    out->dim[1] = channels;
    for (int a = missing; a < BDNN_SPATIAL; a++) {
        out->dim[2 + a - missing] = bdnn_window_output(w, a, in->dim[2 + a - missing], ceil_mode);
        if (out->dim[2 + a - missing] < 0) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT,
                             "a kernel of %d (dilation %d) does not fit an input of %lld with pads %d and %d",
                             w->kernel[a], w->dilation[a], (long long)in->dim[2 + a - missing], w->pad_begin[a],
                             w->pad_end[a]);
        }
    }
    return BDNN_OK;
}

bdnn_extent bdnn_extent_of(const bdnn_shape *shape)
{
    bdnn_extent extent = {.batch = shape->rank > 0 ? shape->dim[0] : 1,
                          .size = {1, 1, 1},
                          .channels = shape->rank > 1 ? shape->dim[1] : 1};
    for (int a = 2; a < shape->rank && a < 2 + BDNN_SPATIAL; a++) {
        extent.size[BDNN_SPATIAL + a - shape->rank] = shape->dim[a];
    }
    return extent;
}

void bdnn_inner_geometry_of(const bdnn_layer *layer, const bdnn_shape *in, const bdnn_shape *out,
                            bdnn_inner_geometry *g)
{
    if (layer->op == BDNN_OP_DENSE) {
        /* One position whose channels are the whole item. */
        *g = (bdnn_inner_geometry){
            .groups = 1, .filters = layer->attr.dense.filters, .inner = bdnn_shape_item_elements(in)};
        g->in = (bdnn_extent){.batch = in->dim[0], .size = {1, 1, 1}, .channels = g->inner};
        g->out = (bdnn_extent){.batch = in->dim[0], .size = {1, 1, 1}, .channels = g->filters};
        g->window = (bdnn_window){.kernel = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
        return;
    }
    g->in = bdnn_extent_of(in);
    g->out = bdnn_extent_of(out);
    g->window = layer->attr.conv.window;
    g->groups = layer->attr.conv.groups;
    g->filters = layer->attr.conv.filters;
    g->inner = (int64_t)g->window.kernel[0] * g->window.kernel[1] * g->window.kernel[2] * (g->in.channels / g->groups);
}

void bdnn_ip_shape_of(const bdnn_inner_geometry *g, bdnn_ip_shape *shape)
{
    *shape =
        (bdnn_ip_shape){.batch = g->in.batch, .channels = g->in.channels, .filters = g->filters, .groups = g->groups};
    for (int a = 0; a < BDNN_SPATIAL; a++) {
        shape->in_size[a] = g->in.size[a];
        shape->out_size[a] = g->out.size[a];
        shape->kernel[a] = g->window.kernel[a];
        shape->stride[a] = g->window.stride[a];
        shape->dilation[a] = g->window.dilation[a];
        shape->pad_begin[a] = g->window.pad_begin[a];
    }
}
