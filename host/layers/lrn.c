/* Local response normalisation across channels (Krizhevsky et al. 2012; ONNX LRN):
 *     y[c] = x[c] / (bias + alpha / size * sum of x[i]^2 over the `size` channels around c)^beta */
#include "layers/layer.h"

#include <math.h>

static bdnn_status infer_lrn(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out, bdnn_error *err)
{
    if (layer->attr.lrn.size < 1 || in[0].type != BDNN_FLOAT32 || in[0].shape.rank < 2) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a window of %d channels over a float input of %d axes",
                         layer->attr.lrn.size, in[0].shape.rank);
    }
    out[0] = in[0];
    return BDNN_OK;
}

/* v^-beta. The exponent of every published network, 0.75, by two square roots, which IEEE 754 rounds the same
 * everywhere. */
static inline float power(float v, float beta)
{
    if (beta == 0.75f) {
        const float root = sqrtf(v);
        return 1 / (root * sqrtf(root));
    }
    return powf(v, -beta);
}

static void lrn_position(void *context, size_t position)
{
    const bdnn_layer_call *call = context;
    const int64_t channels = call->inputs[0].shape.dim[1], size = call->layer->attr.lrn.size;
    const float *x = (const float *)call->inputs[0].data + (int64_t)position * channels;
    float *y = (float *)call->outputs[0].data + (int64_t)position * channels;
    const float alpha = call->layer->attr.lrn.alpha / (float)size, beta = call->layer->attr.lrn.beta;
    for (int64_t c = 0; c < channels; c++) {
        const int64_t first = c - (size - 1) / 2 > 0 ? c - (size - 1) / 2 : 0;
        const int64_t last = c + size / 2 < channels - 1 ? c + size / 2 : channels - 1;
        float sum = 0;
        for (int64_t i = first; i <= last; i++) {
            sum += x[i] * x[i];
        }
        y[c] = x[c] * power(call->layer->attr.lrn.bias + alpha * sum, beta);
    }
}

static void run_lrn(const bdnn_layer_call *call)
{
    const int64_t channels = call->inputs[0].shape.dim[1];
    bdnn_parallel(call->threads, lrn_position, (void *)call,
                  channels ? (size_t)(bdnn_shape_elements(&call->inputs[0].shape) / channels) : 0);
}

const bdnn_layer_type bdnn_lrn_type = {
    .min_inputs = 1, .max_inputs = 1, .max_outputs = 1, .infer = infer_lrn, .run = run_lrn};
