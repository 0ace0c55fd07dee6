/* SPDX-License-Identifier: BSD-2-Clause */
/* Local response normalization across channels (Krizhevsky et al. 2012; ONNX LRN):
 *     y[c] = x[c] / (bias + alpha / size * sum of x[i]^2 over the `size` channels around c)^beta */
#include "kernels/elementwise.h"
#include "kernels/power.h"
#include "layers/layer.h"

#include <string.h>

static bdnn_status infer_lrn(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out, bdnn_error *err)
{
    if (layer->attr.lrn.size < 1 || in[0].type != BDNN_FLOAT32 || in[0].shape.rank < 2) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a window of %d channels over a float input of %d axes",
                         layer->attr.lrn.size, in[0].shape.rank);
    }
    out[0] = in[0];
    return BDNN_OK;
}

/* How many channels a window has before and after its own: no more than there are. */
static void window_of(const bdnn_layer *layer, int64_t channels, int64_t *before, int64_t *after)
{
    const int64_t size = layer->attr.lrn.size, most = channels > 0 ? channels - 1 : 0;
    *before = bdnn_min((size - 1) / 2, most);
    *after = bdnn_min(size / 2, most);
}

/* Squares of a position's channels with zeros around them, so that windows at the ends need no special case. */
static size_t padded_channels(const bdnn_layer *layer, int64_t channels)
{
    int64_t before, after;
    window_of(layer, channels, &before, &after);
    return (size_t)(channels + before + after);
}

static void lrn_position(void *context, size_t slot, size_t position)
{
    const bdnn_layer_call *call = context;
    const int64_t channels = call->inputs[0].shape.dim[1];
    const float *x = (const float *)call->inputs[0].data + (int64_t)position * channels;
    float *y = (float *)call->outputs[0].data + (int64_t)position * channels;
    float *squares = bdnn_slot(call->scratch, padded_channels(call->layer, channels) * sizeof(float), slot);
    const float scale = call->layer->attr.lrn.alpha / (float)call->layer->attr.lrn.size,
                beta = call->layer->attr.lrn.beta, bias = call->layer->attr.lrn.bias;
    int64_t before, after;
    window_of(call->layer, channels, &before, &after);
    memset(squares, 0, padded_channels(call->layer, channels) * sizeof *squares);
    for (int64_t c = 0; c < channels; c++) {
        squares[c + before] = x[c] * x[c];
    }
    if (beta == 0.75f) {
        bdnn_elementwise_choose()->normalize(x, squares, (size_t)channels, (size_t)(before + after + 1), scale, bias,
                                             y);
        return;
    }
    for (int64_t c = 0; c < channels; c++) {
        float sum = 0;
        for (int64_t i = c; i <= c + before + after; i++) {
            sum += squares[i];
        }
        y[c] = x[c] * bdnn_power(bias + scale * sum, -beta);
    }
}

static size_t lrn_scratch(const bdnn_layer *layer, const bdnn_value_info *in, const bdnn_value_info *out,
                          size_t threads)
{
    (void)out;
    return bdnn_slots_bytes(threads, padded_channels(layer, in[0].shape.dim[1]) * sizeof(float));
}

static void run_lrn(const bdnn_layer_call *call)
{
    const int64_t channels = call->inputs[0].shape.dim[1];
    bdnn_parallel_slots(call->threads, lrn_position, (void *)call,
                        channels ? (size_t)(bdnn_shape_elements(&call->inputs[0].shape) / channels) : 0);
}

const bdnn_layer_type bdnn_lrn_type = {
    .min_inputs = 1, .max_inputs = 1, .max_outputs = 1, .infer = infer_lrn, .scratch = lrn_scratch, .run = run_lrn};
