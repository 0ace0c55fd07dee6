/* Transposed convolution in float, gathered: each output position collects the inputs whose windows cover it, so that
 * positions are independent of each other and of the number of threads. */
#include "layers/parameters.h"
#include "layers/window.h"

static bdnn_status infer_conv_transpose(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                        bdnn_error *err)
{
    const bdnn_window *w = &layer->attr.conv.window;
    const int32_t groups = layer->attr.conv.groups, filters = layer->attr.conv.filters, rank = in[0].shape.rank;
    int64_t taps = 1;
    bdnn_status status = bdnn_window_check(w, err);
    if (status != BDNN_OK) {
        return status;
    }
    if (in[0].type != BDNN_FLOAT32 || rank < 3 || rank > 2 + BDNN_SPATIAL) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a transposed convolution takes a float input of 3 to 5 axes, not %d",
                         rank);
    }
    if (groups < 1 || filters < 1 || filters % groups || in[0].shape.dim[1] % groups) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%d groups do not divide %d filters and %lld channels", groups,
                         filters, (long long)in[0].shape.dim[1]);
    }
    out[0] = in[0];
    out[0].shape.dim[1] = filters;
    for (int a = 0; a < BDNN_SPATIAL; a++) {
        const int32_t axis = a - (BDNN_SPATIAL + 2 - rank) + 2, extra = layer->attr.conv.output_pad[a];
        taps *= w->kernel[a];
        if (extra < 0 || extra > w->stride[a] * 64 || (axis < 2 && w->kernel[a] != 1)) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "output padding %d, kernel %d on spatial axis %d", extra,
                             w->kernel[a], a);
        }
        if (axis >= 2) {
            out[0].shape.dim[axis] = (in[0].shape.dim[axis] - 1) * w->stride[a] + extra +
                                     (int64_t)(w->kernel[a] - 1) * w->dilation[a] + 1 - w->pad_begin[a] - w->pad_end[a];
        }
    }
    if (taps > BDNN_MAX_ELEMENTS / (filters / groups) / (in[0].shape.dim[1] + 1)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a kernel of %lld positions", (long long)taps);
    }
    if (layer->bias.data) {
        status = bdnn_check_floats(&layer->bias, filters, "biases", err);
    }
    return status == BDNN_OK
               ? bdnn_check_floats(&layer->weight, in[0].shape.dim[1] * taps * (filters / groups), "weights", err)
               : status;
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
    const int64_t taps = (int64_t)w->kernel[0] * w->kernel[1] * w->kernel[2];
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
