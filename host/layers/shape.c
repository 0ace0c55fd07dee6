/* SPDX-License-Identifier: BSD-2-Clause */
/* Layers that only move elements: concatenation, padding, reshaping, transposition. */
#include "layers/layer.h"
#include "layers/walk.h"

#include <limits.h>
#include <string.h>

static bdnn_status infer_concat(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                bdnn_error *err)
{
    const int32_t axis = layer->attr.axis.axis, rank = in[0].shape.rank;
    if (axis < 0 || axis >= rank) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "axis %d of inputs of %d axes", axis, rank);
    }
    out[0] = in[0];
    out[0].shape.dim[axis] = 0;
    for (int32_t i = 0; i < layer->input_count; i++) {
        for (int32_t a = 0; a < rank; a++) {
            if (in[i].type != BDNN_FLOAT32 || in[i].shape.rank != rank ||
                (a != axis && in[i].shape.dim[a] != in[0].shape.dim[a])) {
                return bdnn_fail(err, BDNN_ERROR_FORMAT,
                                 "input %d differs from input 0 on axis %d, and is joined on axis %d", i, a, axis);
            }
        }
        if (__builtin_add_overflow(out[0].shape.dim[axis], in[i].shape.dim[axis], &out[0].shape.dim[axis])) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "axis %d overflows", axis);
        }
    }
    return BDNN_OK;
}

/* How many axes of memory order lie inside `axis`: elements that stay together. */
static int64_t run_length(const bdnn_shape *shape, int32_t axis)
{
    int64_t strides[BDNN_MAX_RANK];
    bdnn_shape_strides(shape, strides);
    return strides[axis] * shape->dim[axis];
}

static void run_concat(const bdnn_layer_call *call)
{
    const int32_t axis = call->layer->attr.axis.axis;
    const int64_t out_run = run_length(&call->outputs[0].shape, axis);
    const size_t size = bdnn_type_size(call->outputs[0].type);
    char *y = call->outputs[0].data;
    for (int32_t i = 0; i < call->layer->input_count; i++) {
        const int64_t run = run_length(&call->inputs[i].shape, axis),
                      elements = bdnn_shape_elements(&call->inputs[i].shape);
        const char *x = call->inputs[i].data;
        for (int64_t r = 0; run > 0 && r < elements / run; r++) {
            memcpy(y + (size_t)(r * out_run) * size, x + (size_t)(r * run) * size, (size_t)run * size);
        }
        y += (size_t)run * size;
    }
}

const bdnn_layer_type bdnn_concat_type = {
    .min_inputs = 1, .max_inputs = INT_MAX, .max_outputs = 1, .infer = infer_concat, .run = run_concat};

static bdnn_status infer_pad(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out, bdnn_error *err)
{
    const bdnn_pad_mode mode = layer->attr.pad.mode;
    out[0] = in[0];
    if (in[0].type != BDNN_FLOAT32 || (unsigned)mode > BDNN_PAD_EDGE) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "padding mode %d of a float input", (int)mode);
    }
    for (int32_t a = 0; a < in[0].shape.rank; a++) {
        const int64_t begin = layer->attr.pad.begin[a], end = layer->attr.pad.end[a], size = in[0].shape.dim[a];
        const int64_t most = mode == BDNN_PAD_REFLECT ? size - 1 : BDNN_MAX_ELEMENTS;
        if (begin > most || end > most || begin < -size || end < -size || size + begin + end < 0 ||
            (mode == BDNN_PAD_EDGE && size < 1)) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "pads %lld and %lld on axis %d of size %lld", (long long)begin,
                             (long long)end, a, (long long)size);
        }
        out[0].shape.dim[a] = size + begin + end;
    }
    return BDNN_OK;
}

/* Where an output element comes from; -1: the constant. */
static int64_t pad_source(const bdnn_layer *layer, const bdnn_shape *in, const int64_t *strides, const int64_t *index)
{
    int64_t offset = 0;
    for (int32_t a = 0; a < in->rank; a++) {
        int64_t at = index[a] - layer->attr.pad.begin[a];
        const int64_t last = in->dim[a] - 1;
        if (at < 0 || at > last) {
            if (layer->attr.pad.mode == BDNN_PAD_CONSTANT) {
                return -1;
            }
            if (layer->attr.pad.mode == BDNN_PAD_REFLECT) {
                at = at < 0 ? -at : 2 * last - at;
            }
            at = bdnn_clamp(at, 0, last);
        }
        offset += at * strides[a];
    }
    return offset;
}

static void pad_tile(void *context, size_t tile)
{
    const bdnn_layer_call *call = context;
    const bdnn_shape *in = &call->inputs[0].shape, *out = &call->outputs[0].shape;
    const int64_t end = bdnn_walk_end(tile, bdnn_shape_elements(out));
    int64_t in_strides[BDNN_MAX_RANK], out_strides[BDNN_MAX_RANK], index[BDNN_MAX_RANK];
    bdnn_shape_strides(in, in_strides);
    bdnn_shape_strides(out, out_strides);
    for (int64_t i = (int64_t)tile * BDNN_WALK_TILE; i < end; i++) {
        int64_t from;
        bdnn_index_of(out, i, index);
        from = pad_source(call->layer, in, in_strides, index);
        ((float *)call->outputs[0].data)[bdnn_offset_of(out_strides, index, out->rank)] =
            from < 0 ? call->layer->attr.pad.value : ((const float *)call->inputs[0].data)[from];
    }
}

static void run_pad(const bdnn_layer_call *call)
{
    bdnn_parallel(call->threads, pad_tile, (void *)call, bdnn_walk_tiles(bdnn_shape_elements(&call->outputs[0].shape)));
}

const bdnn_layer_type bdnn_pad_type = {
    .min_inputs = 1, .max_inputs = 1, .max_outputs = 1, .infer = infer_pad, .run = run_pad};

static bdnn_status infer_reshape(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                 bdnn_error *err)
{
    const bdnn_shape *wanted = &layer->attr.reshape.shape;
    const int64_t elements = bdnn_shape_elements(&in[0].shape);
    int32_t open = -1;
    int64_t known = 1;
    if (wanted->rank < 0 || wanted->rank > BDNN_MAX_RANK) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a shape of %d axes; at most %d are supported", wanted->rank,
                         BDNN_MAX_RANK);
    }
    out[0].type = in[0].type;
    out[0].shape = *wanted;
    for (int32_t a = 0; a < wanted->rank; a++) {
        int64_t *dim = &out[0].shape.dim[a];
        if (*dim == -2 && a < in[0].shape.rank) {
            *dim = in[0].shape.dim[a];
        }
        if (*dim == -1 && open < 0) {
            open = a;
        } else if (*dim < 0 || __builtin_mul_overflow(known, *dim, &known)) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "size %lld for axis %d", (long long)*dim, a);
        }
    }
    if (open >= 0) {
        out[0].shape.dim[open] = known > 0 ? elements / known : 0;
        known *= out[0].shape.dim[open];
    }
    if (known != elements) {
        char from[160], to[160];
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s does not reshape to %s",
                         bdnn_shape_text(&in[0].shape, from, sizeof from),
                         bdnn_shape_text(&out[0].shape, to, sizeof to));
    }
    return BDNN_OK;
}

/* The elements keep their logical row-major order; memory order differs when channels move. */
static void run_reshape(const bdnn_layer_call *call)
{
    const bdnn_tensor *in = &call->inputs[0], *out = &call->outputs[0];
    if (in->shape.rank < 3 || call->scratch == NULL) {
        bdnn_from_row_major(&out->shape, in->type, in->data, out->data);
        return;
    }
    bdnn_to_row_major(&in->shape, in->type, in->data, call->scratch);
    bdnn_from_row_major(&out->shape, in->type, call->scratch, out->data);
}

static size_t reshape_scratch(const bdnn_layer *layer, const bdnn_value_info *in, const bdnn_value_info *out,
                              size_t threads)
{
    (void)layer;
    (void)out;
    (void)threads;
    return (size_t)bdnn_shape_elements(&in[0].shape) * bdnn_type_size(in[0].type);
}

const bdnn_layer_type bdnn_reshape_type = {.min_inputs = 1,
                                           .max_inputs = 1,
                                           .max_outputs = 1,
                                           .infer = infer_reshape,
                                           .scratch = reshape_scratch,
                                           .run = run_reshape};

static bdnn_status infer_transpose(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                   bdnn_error *err)
{
    unsigned seen = 0;
    out[0] = in[0];
    for (int32_t a = 0; a < in[0].shape.rank; a++) {
        const int32_t from = layer->attr.transpose.permutation[a];
        if (in[0].type != BDNN_FLOAT32 || from < 0 || from >= in[0].shape.rank || seen >> from & 1) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "axis %d of a permutation of %d axes", from, in[0].shape.rank);
        }
        seen |= 1u << from;
        out[0].shape.dim[a] = in[0].shape.dim[from];
    }
    return BDNN_OK;
}

static void transpose_tile(void *context, size_t tile)
{
    const bdnn_layer_call *call = context;
    const bdnn_shape *in = &call->inputs[0].shape, *out = &call->outputs[0].shape;
    const int64_t end = bdnn_walk_end(tile, bdnn_shape_elements(out));
    int64_t in_strides[BDNN_MAX_RANK], out_strides[BDNN_MAX_RANK], index[BDNN_MAX_RANK];
    bdnn_shape_strides(in, in_strides);
    bdnn_shape_strides(out, out_strides);
    for (int64_t i = (int64_t)tile * BDNN_WALK_TILE; i < end; i++) {
        int64_t from = 0;
        bdnn_index_of(out, i, index);
        for (int32_t a = 0; a < out->rank; a++) {
            from += index[a] * in_strides[call->layer->attr.transpose.permutation[a]];
        }
        ((float *)call->outputs[0].data)[bdnn_offset_of(out_strides, index, out->rank)] =
            ((const float *)call->inputs[0].data)[from];
    }
}

static void run_transpose(const bdnn_layer_call *call)
{
    bdnn_parallel(call->threads, transpose_tile, (void *)call,
                  bdnn_walk_tiles(bdnn_shape_elements(&call->outputs[0].shape)));
}

const bdnn_layer_type bdnn_transpose_type = {
    .min_inputs = 1, .max_inputs = 1, .max_outputs = 1, .infer = infer_transpose, .run = run_transpose};
