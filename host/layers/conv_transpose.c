/* SPDX-License-Identifier: BSD-2-Clause */
/* Transposed convolution in float, gathered: each output position collects the inputs whose windows cover it, so that
 * positions are independent of each other and of the number of threads. */
#include "layers/parameters.h"
#include "layers/window.h"

/* Beyond the stride an output padding only adds positions that see no input. */
#define MAX_OUTPUT_PAD ((int32_t)1 << 24)

/* Sizes of the spatial axes. */
static bdnn_status infer_size(const bdnn_layer *layer, const bdnn_shape *in, bdnn_shape *out, bdnn_error *err)
{
    const bdnn_window *w = &layer->attr.conv.window;
    for (int32_t axis = 2; axis < in->rank; axis++) {
        const int a = BDNN_SPATIAL + axis - in->rank;
        const int32_t extra = layer->attr.conv.output_pad[a];
        const int64_t covered = bdnn_window_covered(w, a, in->dim[axis]);
        if (extra < 0 || extra > MAX_OUTPUT_PAD) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "output padding %d on spatial axis %d", extra, a);
        }
        if (covered + extra < 0) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT,
                             "%lld positions of kernel %d and stride %d with pads %d and %d leave no size on spatial "
                             "axis %d",
                             (long long)in->dim[axis], w->kernel[a], w->stride[a], w->pad_begin[a], w->pad_end[a], a);
        }
        out->dim[axis] = covered + extra;
    }
    return BDNN_OK;
}

static bdnn_status check_parameters(const bdnn_layer *layer, int64_t channels, bdnn_error *err)
{
    const int64_t taps = bdnn_window_taps(&layer->attr.conv.window);
    const int64_t filters = layer->attr.conv.filters / layer->attr.conv.groups;
    if (taps > BDNN_MAX_ELEMENTS / filters / (channels + 1)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a kernel of %lld positions between %lld channels and %d filters",
                         (long long)taps, (long long)channels, layer->attr.conv.filters);
    }
    if (layer->bias.data || layer->bias.bytes) {
        bdnn_status status = bdnn_check_floats(&layer->bias, layer->attr.conv.filters, "biases", err);
        if (status != BDNN_OK) {
            return status;
        }
    }
    return bdnn_check_floats(&layer->weight, channels * taps * filters, "weights", err);
}

static bdnn_status infer_conv_transpose(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                        bdnn_error *err)
{
    const bdnn_window *w = &layer->attr.conv.window;
    const int32_t groups = layer->attr.conv.groups, filters = layer->attr.conv.filters, rank = in[0].shape.rank;
    bdnn_status status = bdnn_window_check(w, err);
    if (status == BDNN_OK) {
        status = bdnn_window_check_rank(w, rank, err);
    }
    if (status != BDNN_OK) {
        return status;
    }
    if (in[0].type != BDNN_FLOAT32) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a transposed convolution takes a float input");
    }
    if (groups < 1 || filters < 1 || filters % groups || in[0].shape.dim[1] % groups) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%d groups do not divide %d filters and %lld channels", groups,
                         filters, (long long)in[0].shape.dim[1]);
    }
    out[0] = in[0];
    out[0].shape.dim[1] = filters;
    status = infer_size(layer, &in[0].shape, &out[0].shape, err);
    return status == BDNN_OK ? check_parameters(layer, in[0].shape.dim[1], err) : status;
}

struct job {
    const bdnn_layer_call *call;
    bdnn_extent in, out;
};

/* The input position whose tap k falls on output position `out`; -1: none. */
static int64_t source(const bdnn_window *w, int axis, int64_t out, int32_t k, int64_t size)
{
    const int64_t at = out + w->pad_begin[axis] - (int64_t)k * w->dilation[axis];
    return at < 0 || at % w->stride[axis] || at / w->stride[axis] >= size ? -1 : at / w->stride[axis];
}

/* Adds one tap of one input pixel: y[f] += x[c] w[c][tap][f] within each group. */
static void add_tap(const struct job *job, const float *x, int64_t tap, int64_t taps, float *y)
{
    const bdnn_layer *layer = job->call->layer;
    const int64_t groups = layer->attr.conv.groups, channels = job->in.channels / groups,
                  filters = job->out.channels / groups;
    for (int64_t c = 0; c < job->in.channels; c++) {
        const float *w = (const float *)layer->weight.data + (c * taps + tap) * filters;
        float *to = y + c / channels * filters;
        for (int64_t f = 0; f < filters; f++) {
            to[f] += x[c] * w[f];
        }
    }
}

static void transpose_position(void *context, size_t position)
{
    const struct job *job = context;
    const bdnn_window *w = &job->call->layer->attr.conv.window;
    const float *bias = job->call->layer->bias.data;
    const int64_t taps = bdnn_window_taps(w);
    float *y = (float *)job->call->outputs[0].data + (int64_t)position * job->out.channels;
    int64_t rest = (int64_t)position, at[BDNN_SPATIAL], tap = 0;
    for (int a = BDNN_SPATIAL - 1; a >= 0; a--) {
        at[a] = rest % job->out.size[a];
        rest /= job->out.size[a];
    }
    for (int64_t f = 0; f < job->out.channels; f++) {
        y[f] = bias ? bias[f] : 0;
    }
    for (int32_t kd = 0; kd < w->kernel[0]; kd++) {
        for (int32_t kh = 0; kh < w->kernel[1]; kh++) {
            for (int32_t kw = 0; kw < w->kernel[2]; kw++, tap++) {
                const int64_t d = source(w, 0, at[0], kd, job->in.size[0]),
                              h = source(w, 1, at[1], kh, job->in.size[1]);
                const int64_t v = source(w, 2, at[2], kw, job->in.size[2]);
                if (d >= 0 && h >= 0 && v >= 0) {
                    const int64_t pixel = ((rest * job->in.size[0] + d) * job->in.size[1] + h) * job->in.size[2] + v;
                    add_tap(job, (const float *)job->call->inputs[0].data + pixel * job->in.channels, tap, taps, y);
                }
            }
        }
    }
}

static void run_conv_transpose(const bdnn_layer_call *call)
{
    struct job job = {call, bdnn_extent_of(&call->inputs[0].shape), bdnn_extent_of(&call->outputs[0].shape)};
    bdnn_parallel(call->threads, transpose_position, &job,
                  (size_t)(job.out.batch * job.out.size[0] * job.out.size[1] * job.out.size[2]));
}

const bdnn_layer_type bdnn_conv_transpose_type = {
    .min_inputs = 1, .max_inputs = 1, .max_outputs = 1, .infer = infer_conv_transpose, .run = run_conv_transpose};
