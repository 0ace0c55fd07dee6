/* SPDX-License-Identifier: BSD-2-Clause */
/* Layers that work on one element, or one channel, at a time: activations, and the affine form of a batch
 * normalization. */
#include "kernels/elementwise.h"
#include "layers/formats.h"
#include "layers/parameters.h"
#include "layers/walk.h"

static bdnn_status infer_same(const bdnn_value_info *in, bdnn_value_info *out, bdnn_error *err)
{
    if (in[0].type != BDNN_FLOAT32) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "the input must be float");
    }
    out[0] = in[0];
    return BDNN_OK;
}

static bdnn_status infer_activation(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                    bdnn_error *err)
{
    if ((unsigned)layer->attr.activation.kind > BDNN_ACT_SIGMOID) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "activation number %d", (int)layer->attr.activation.kind);
    }
    return infer_same(in, out, err);
}

/* 1 / (1 + e^-x), by e^-|x|, which does not overflow. */
static void sigmoid(const float *x, int64_t count, float *y)
{
    float power[64];
    for (int64_t first = 0; first < count; first += 64) {
        const int64_t n = bdnn_min(count - first, 64);
        for (int64_t i = 0; i < n; i++) {
            power[i] = x[first + i] > 0 ? -x[first + i] : x[first + i];
        }
        bdnn_elementwise_choose()->exponential(power, (size_t)n, power);
        for (int64_t i = 0; i < n; i++) {
            y[first + i] = (x[first + i] > 0 ? 1 : power[i]) / (1 + power[i]);
        }
    }
}

static void activation_tile(void *context, size_t tile)
{
    const bdnn_layer_call *call = context;
    const int64_t end = bdnn_walk_end(tile, bdnn_shape_elements(&call->outputs[0].shape));
    const float *x = call->inputs[0].data;
    float *y = call->outputs[0].data;
    const float low = call->layer->attr.activation.low, high = call->layer->attr.activation.high;
    const float alpha = call->layer->attr.activation.alpha;
    const int64_t begin = (int64_t)tile * BDNN_WALK_TILE;
    switch (call->layer->attr.activation.kind) {
    case BDNN_ACT_CLIP:
        bdnn_elementwise_choose()->clip(x + begin, (size_t)(end - begin), low, high, y + begin);
        break;
    case BDNN_ACT_LEAKY_RELU:
        for (int64_t i = (int64_t)tile * BDNN_WALK_TILE; i < end; i++) {
            y[i] = x[i] < 0 ? alpha * x[i] : x[i];
        }
        break;
    case BDNN_ACT_SIGMOID:
        sigmoid(x + begin, end - begin, y + begin);
        break;
    }
}

/* A clip of integers, between the integers that its bounds are in their format. */
static void clip_tile(void *context, size_t tile)
{
    const bdnn_layer_call *call = context;
    const bdnn_tensor *in = &call->inputs[0];
    const int64_t begin = (int64_t)tile * BDNN_WALK_TILE, end = bdnn_walk_end(tile, bdnn_shape_elements(&in->shape));
    int32_t low, high;
    bdnn_format_clip(&in->format, call->layer->attr.activation.low, call->layer->attr.activation.high, &low, &high);
    if (in->type == BDNN_UINT8) {
        bdnn_elementwise_choose()->clip_u8((const uint8_t *)in->data + begin, (size_t)(end - begin), (uint8_t)low,
                                           (uint8_t)high, (uint8_t *)call->outputs[0].data + begin);
    } else {
        bdnn_elementwise_choose()->clip_i16((const int16_t *)in->data + begin, (size_t)(end - begin), (int16_t)low,
                                            (int16_t)high, (int16_t *)call->outputs[0].data + begin);
    }
}

static void run_activation(const bdnn_layer_call *call)
{
    const bdnn_type type = call->inputs[0].type;
    bdnn_parallel(call->threads, type == BDNN_FLOAT32 ? activation_tile : clip_tile, (void *)call,
                  bdnn_walk_tiles(bdnn_shape_elements(&call->outputs[0].shape)));
}

const bdnn_layer_type bdnn_activation_type = {.min_inputs = 1,
                                              .max_inputs = 1,
                                              .max_outputs = 1,
                                              .infer = infer_activation,
                                              .run = run_activation,
                                              .in_place = true};

static bdnn_status infer_affine(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                bdnn_error *err)
{
    bdnn_status status =
        in[0].shape.rank < 2
            ? bdnn_fail(err, BDNN_ERROR_FORMAT, "an input of %d axes has no channels", in[0].shape.rank)
            : bdnn_check_floats(&layer->weight, in[0].shape.dim[1], "channel scales", err);
    if (status == BDNN_OK) {
        status = bdnn_check_floats(&layer->bias, in[0].shape.dim[1], "channel shifts", err);
    }
    return status == BDNN_OK ? infer_same(in, out, err) : status;
}

/* Channels lie next to one another in memory, at any rank from 2 on. */
static void affine_position(void *context, size_t position)
{
    const bdnn_layer_call *call = context;
    const int64_t channels = call->inputs[0].shape.dim[1];
    const float *x = (const float *)call->inputs[0].data + (int64_t)position * channels;
    const float *scale = call->layer->weight.data, *shift = call->layer->bias.data;
    float *y = (float *)call->outputs[0].data + (int64_t)position * channels;
    for (int64_t c = 0; c < channels; c++) {
        y[c] = x[c] * scale[c] + shift[c];
    }
}

static void run_affine(const bdnn_layer_call *call)
{
    const int64_t channels = call->inputs[0].shape.dim[1];
    bdnn_parallel(call->threads, affine_position, (void *)call,
                  channels ? (size_t)(bdnn_shape_elements(&call->inputs[0].shape) / channels) : 0);
}

const bdnn_layer_type bdnn_affine_type = {
    .min_inputs = 1, .max_inputs = 1, .max_outputs = 1, .infer = infer_affine, .run = run_affine, .in_place = true};
