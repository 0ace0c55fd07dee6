/* SPDX-License-Identifier: BSD-2-Clause */
/* Layers that reduce or normalize along an axis: softmax, arg max. */
#include "kernels/elementwise.h"
#include "layers/layer.h"
#include "layers/walk.h"

#include <math.h>

/* A set of lines: `lines` of them in logical row-major order of the axes that are not part of a line, `length` elements
 * each. */
struct lines {
    bdnn_shape outer, inner; /* axes outside and inside of a line, ranks adding up to the tensor's */
    int64_t outer_strides[BDNN_MAX_RANK], inner_strides[BDNN_MAX_RANK];
    int64_t lines, length;
};

/* Lines along `axis`, or along all axes from `axis` on taken as one. */
static struct lines lines_of(const bdnn_shape *shape, int32_t axis, bool flatten)
{
    struct lines l = {.outer = {0}};
    int64_t strides[BDNN_MAX_RANK];
    bdnn_shape_strides(shape, strides);
    for (int32_t a = 0; a < shape->rank; a++) {
        if (a == axis || (flatten && a > axis)) {
            l.inner_strides[l.inner.rank] = strides[a];
            l.inner.dim[l.inner.rank++] = shape->dim[a];
        } else {
            l.outer_strides[l.outer.rank] = strides[a];
            l.outer.dim[l.outer.rank++] = shape->dim[a];
        }
    }
    l.lines = bdnn_shape_elements(&l.outer);
    l.length = bdnn_shape_elements(&l.inner);
    return l;
}

/* Whether lines are along the fastest axis, and so lie one after another. */
static bool are_contiguous(const struct lines *l)
{
    return l->inner.rank == 1 && l->inner_strides[0] == 1;
}

/* Lines of one task. */
static int64_t lines_of_tile(const struct lines *l)
{
    return l->length < BDNN_WALK_TILE ? BDNN_WALK_TILE / l->length : 1;
}

static int64_t line_start(const struct lines *l, int64_t line)
{
    int64_t index[BDNN_MAX_RANK];
    bdnn_index_of(&l->outer, line, index);
    return bdnn_offset_of(l->outer_strides, index, l->outer.rank);
}

static inline int64_t place_in_line(const struct lines *l, int64_t i)
{
    int64_t index[BDNN_MAX_RANK];
    if (l->inner.rank == 1) {
        return i * l->inner_strides[0];
    }
    bdnn_index_of(&l->inner, i, index);
    return bdnn_offset_of(l->inner_strides, index, l->inner.rank);
}

static bdnn_status check_axis(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_error *err)
{
    if (in[0].type != BDNN_FLOAT32 || layer->attr.axis.axis < 0 || layer->attr.axis.axis >= in[0].shape.rank) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "axis %d of a float input of %d axes", layer->attr.axis.axis,
                         in[0].shape.rank);
    }
    return BDNN_OK;
}

static bdnn_status infer_softmax(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                 bdnn_error *err)
{
    out[0] = in[0];
    return check_axis(layer, in, err);
}

/* y[n] = the softmax of x[n], for lines whose elements are neighbors; y may be x. Exponentials of all lines at once:
 * short lines leave vectors half empty. */
static void softmax(const float *x, int64_t lines, int64_t length, float *y)
{
    for (int64_t n = 0; n < lines; n++) {
        const float *line = x + n * length;
        float largest = -INFINITY;
        for (int64_t i = 0; i < length; i++) {
            largest = line[i] > largest ? line[i] : largest;
        }
        for (int64_t i = 0; i < length; i++) {
            y[n * length + i] = line[i] - largest;
        }
    }
    bdnn_elementwise_choose()->exponential(y, (size_t)(lines * length), y);
    for (int64_t n = 0; n < lines; n++) {
        float *line = y + n * length, sum = 0;
        for (int64_t i = 0; i < length; i++) {
            sum += line[i];
        }
        for (int64_t i = 0; i < length; i++) {
            line[i] /= sum;
        }
    }
}

/* Lines along the fastest axis lie one after another: a tile of them. */
static void softmax_tile(void *context, size_t tile)
{
    const bdnn_layer_call *call = context;
    const struct lines l =
        lines_of(&call->inputs[0].shape, call->layer->attr.axis.axis, call->layer->attr.axis.flatten);
    const int64_t each = lines_of_tile(&l), first = (int64_t)tile * each;
    softmax((const float *)call->inputs[0].data + first * l.length, bdnn_min(l.lines - first, each), l.length,
            (float *)call->outputs[0].data + first * l.length);
}

/* Any other line is brought together first. */
static void softmax_line(void *context, size_t slot, size_t line)
{
    const bdnn_layer_call *call = context;
    const struct lines l =
        lines_of(&call->inputs[0].shape, call->layer->attr.axis.axis, call->layer->attr.axis.flatten);
    const int64_t start = line_start(&l, (int64_t)line);
    float *own = bdnn_slot(call->scratch, (size_t)l.length * sizeof(float), slot);
    for (int64_t i = 0; i < l.length; i++) {
        own[i] = ((const float *)call->inputs[0].data)[start + place_in_line(&l, i)];
    }
    softmax(own, 1, l.length, own);
    for (int64_t i = 0; i < l.length; i++) {
        ((float *)call->outputs[0].data)[start + place_in_line(&l, i)] = own[i];
    }
}

static size_t softmax_scratch(const bdnn_layer *layer, const bdnn_value_info *in, const bdnn_value_info *out,
                              size_t threads)
{
    const struct lines l = lines_of(&in[0].shape, layer->attr.axis.axis, layer->attr.axis.flatten);
    (void)out;
    return are_contiguous(&l) ? 0 : bdnn_slots_bytes(threads, (size_t)l.length * sizeof(float));
}

static void run_softmax(const bdnn_layer_call *call)
{
    const struct lines l =
        lines_of(&call->inputs[0].shape, call->layer->attr.axis.axis, call->layer->attr.axis.flatten);
    if (l.length <= 0 || l.lines <= 0) {
        return;
    }
    if (are_contiguous(&l)) {
        const int64_t each = lines_of_tile(&l);
        bdnn_parallel(call->threads, softmax_tile, (void *)call, (size_t)bdnn_ceil_div(l.lines, each));
    } else {
        bdnn_parallel_slots(call->threads, softmax_line, (void *)call, (size_t)l.lines);
    }
}

const bdnn_layer_type bdnn_softmax_type = {.min_inputs = 1,
                                           .max_inputs = 1,
                                           .max_outputs = 1,
                                           .infer = infer_softmax,
                                           .scratch = softmax_scratch,
                                           .run = run_softmax,
                                           .in_place = true};

static bdnn_status infer_argmax(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                bdnn_error *err)
{
    bdnn_status status = check_axis(layer, in, err);
    out[0] = (bdnn_value_info){BDNN_INT64, {0}};
    for (int32_t a = 0; a < in[0].shape.rank && status == BDNN_OK; a++) {
        if (a != layer->attr.axis.axis) {
            out[0].shape.dim[out[0].shape.rank++] = in[0].shape.dim[a];
        } else if (layer->attr.axis.keep_dims) {
            out[0].shape.dim[out[0].shape.rank++] = 1;
        }
    }
    if (status == BDNN_OK && in[0].shape.dim[layer->attr.axis.axis] < 1) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "the largest of no elements along axis %d", layer->attr.axis.axis);
    }
    return status;
}

/* Line n of the input gives element n of the output, both in logical row-major order. */
static void argmax_line(void *context, size_t line)
{
    const bdnn_layer_call *call = context;
    const struct lines l = lines_of(&call->inputs[0].shape, call->layer->attr.axis.axis, false);
    const float *x = (const float *)call->inputs[0].data + line_start(&l, (int64_t)line);
    int64_t index[BDNN_MAX_RANK], strides[BDNN_MAX_RANK], best = 0;
    for (int64_t i = 1; i < l.length; i++) {
        const float v = x[place_in_line(&l, i)], most = x[place_in_line(&l, best)];
        if (v > most || (v == most && call->layer->attr.axis.select_last)) {
            best = i;
        }
    }
    bdnn_index_of(&call->outputs[0].shape, (int64_t)line, index);
    bdnn_shape_strides(&call->outputs[0].shape, strides);
    ((int64_t *)call->outputs[0].data)[bdnn_offset_of(strides, index, call->outputs[0].shape.rank)] = best;
}

static void run_argmax(const bdnn_layer_call *call)
{
    bdnn_parallel(call->threads, argmax_line, (void *)call, (size_t)bdnn_shape_elements(&call->outputs[0].shape));
}

const bdnn_layer_type bdnn_argmax_type = {
    .min_inputs = 1, .max_inputs = 1, .max_outputs = 1, .infer = infer_argmax, .run = run_argmax};
