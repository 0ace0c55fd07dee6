/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums and products of values, by numpy's rules of broadcasting over logical axes. */
#include "kernels/elementwise.h"
#include "layers/layer.h"
#include "layers/walk.h"

#include <limits.h>
#include <string.h>

/* The broadcast shape; false when an axis has two sizes, neither of which is 1. */
static bool broadcast(const bdnn_value_info *in, int32_t count, bdnn_shape *out)
{
    *out = (bdnn_shape){0};
    for (int32_t i = 0; i < count; i++) {
        out->rank = (int32_t)bdnn_max(in[i].shape.rank, out->rank);
    }
    for (int32_t a = 0; a < out->rank; a++) {
        out->dim[a] = 1;
        for (int32_t i = 0; i < count; i++) {
            const int32_t own = a - (out->rank - in[i].shape.rank);
            const int64_t dim = own < 0 ? 1 : in[i].shape.dim[own];
            if (dim != 1 && out->dim[a] != 1 && dim != out->dim[a]) {
                return false;
            }
            out->dim[a] = dim != 1 ? dim : out->dim[a];
        }
    }
    return true;
}

static bdnn_status infer_elementwise(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                     bdnn_error *err)
{
    for (int32_t i = 0; i < layer->input_count; i++) {
        if (in[i].type != BDNN_FLOAT32) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "input %d must be float", i);
        }
    }
    out[0].type = BDNN_FLOAT32;
    if (!broadcast(in, layer->input_count, &out[0].shape)) {
        char a[160], b[160];
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "shapes %s and %s do not go together",
                         bdnn_shape_text(&in[0].shape, a, sizeof a),
                         bdnn_shape_text(&in[layer->input_count - 1].shape, b, sizeof b));
    }
    return BDNN_OK;
}

/* One operand met with the output: the operand's strides along the output's axes, 0 where it is broadcast. */
struct operand {
    const bdnn_layer_call *call;
    const float *x;
    int64_t strides[BDNN_MAX_RANK];
    bool same, first; /* same shape as the output; the first operand, which is copied */
};

static inline float combine(const struct operand *o, float y, float x)
{
    return o->first ? x : o->call->layer->op == BDNN_OP_ADD ? y + x : y * x;
}

static void operand_tile(void *context, size_t tile)
{
    const struct operand *o = context;
    const bdnn_shape *shape = &o->call->outputs[0].shape;
    const int64_t end = bdnn_walk_end(tile, bdnn_shape_elements(shape));
    float *y = o->call->outputs[0].data;
    int64_t index[BDNN_MAX_RANK], strides[BDNN_MAX_RANK];
    if (o->same) {
        for (int64_t i = (int64_t)tile * BDNN_WALK_TILE; i < end; i++) {
            y[i] = combine(o, y[i], o->x[i]);
        }
        return;
    }
    bdnn_shape_strides(shape, strides);
    for (int64_t i = (int64_t)tile * BDNN_WALK_TILE; i < end; i++) {
        float *to;
        bdnn_index_of(shape, i, index);
        to = y + bdnn_offset_of(strides, index, shape->rank);
        *to = combine(o, *to, o->x[bdnn_offset_of(o->strides, index, shape->rank)]);
    }
}

/* A sum of wide integers, all of one shape and step: clamped once, so that no order of the operands matters. */
static void wide_sum_tile(void *context, size_t tile)
{
    const bdnn_layer_call *call = context;
    const int64_t begin = (int64_t)tile * BDNN_WALK_TILE,
                  end = bdnn_walk_end(tile, bdnn_shape_elements(&call->outputs[0].shape));
    int16_t *y = call->outputs[0].data;
    int32_t sum[BDNN_WALK_TILE];
    if (call->layer->input_count == 2) {
        bdnn_elementwise_choose()->sum_i16((const int16_t *)call->inputs[0].data + begin,
                                           (const int16_t *)call->inputs[1].data + begin, (size_t)(end - begin),
                                           y + begin);
        return;
    }
    for (int64_t i = 0; i < end - begin; i++) {
        sum[i] = ((const int16_t *)call->inputs[0].data)[begin + i];
    }
    for (int32_t n = 1; n < call->layer->input_count; n++) {
        const int16_t *x = (const int16_t *)call->inputs[n].data + begin;
        for (int64_t i = 0; i < end - begin; i++) {
            sum[i] += x[i];
        }
    }
    for (int64_t i = 0; i < end - begin; i++) {
        const int32_t v = sum[i] > -32767 ? sum[i] : -32767;
        y[begin + i] = (int16_t)(v < 32767 ? v : 32767);
    }
}

static void run_float_elementwise(const bdnn_layer_call *call)
{
    const bdnn_shape *out = &call->outputs[0].shape;
    for (int32_t i = 0; i < call->layer->input_count; i++) {
        const bdnn_shape *in = &call->inputs[i].shape;
        struct operand o = {
            .call = call, .x = call->inputs[i].data, .same = bdnn_shape_equal(in, out), .first = i == 0};
        int64_t strides[BDNN_MAX_RANK];
        bdnn_shape_strides(in, strides);
        for (int32_t a = 0; a < in->rank; a++) {
            o.strides[a + out->rank - in->rank] = in->dim[a] == 1 ? 0 : strides[a];
        }
        if (!(o.first && o.x == call->outputs[0].data)) {
            bdnn_parallel(call->threads, operand_tile, &o, bdnn_walk_tiles(bdnn_shape_elements(out)));
        }
    }
}

static void run_elementwise(const bdnn_layer_call *call)
{
    if (call->outputs[0].type == BDNN_INT16) {
        bdnn_parallel(call->threads, wide_sum_tile, (void *)call,
                      bdnn_walk_tiles(bdnn_shape_elements(&call->outputs[0].shape)));
        return;
    }
    run_float_elementwise(call);
}

const bdnn_layer_type bdnn_add_type = {.min_inputs = 1,
                                       .max_inputs = INT_MAX,
                                       .max_outputs = 1,
                                       .infer = infer_elementwise,
                                       .run = run_elementwise,
                                       .in_place = true};
const bdnn_layer_type bdnn_mul_type = {.min_inputs = 1,
                                       .max_inputs = INT_MAX,
                                       .max_outputs = 1,
                                       .infer = infer_elementwise,
                                       .run = run_elementwise,
                                       .in_place = true};
