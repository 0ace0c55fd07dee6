/* SPDX-License-Identifier: BSD-2-Clause */
/* Convolution in float: rows of the matrix form (im2col) in tiles, times the weights. */
#include "core/memory.h"
#include "kernels/gemm.h"
#include "kernels/rows.h"
#include "layers/parameters.h"
#include "layers/window.h"

#include <string.h>

/* Floats of one tile's rows: about a second-level cache. */
#define TILE_FLOATS ((int64_t)256 << 10)
#define MAX_ROWS    256

static bdnn_status infer_conv(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out, bdnn_error *err)
{
    const int32_t groups = layer->attr.conv.groups, filters = layer->attr.conv.filters;
    bdnn_inner_geometry geometry;
    bdnn_status status;
    if (in[0].type != BDNN_FLOAT32 || in[0].shape.rank < 3) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a convolution takes a float input of 3 to 5 axes, not %d",
                         in[0].shape.rank);
    }
    if (groups < 1 || filters < 1 || filters % groups || in[0].shape.dim[1] % groups) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%d groups do not divide %d filters and %lld channels", groups,
                         filters, (long long)in[0].shape.dim[1]);
    }
    out[0].type = BDNN_FLOAT32;
    status = bdnn_window_shape(&layer->attr.conv.window, false, &in[0].shape, filters, &out[0].shape, err);
    if (status != BDNN_OK) {
        return status;
    }
    if (bdnn_window_taps(&layer->attr.conv.window) > BDNN_MAX_ELEMENTS / (in[0].shape.dim[1] + 1)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a kernel of %lld positions over %lld channels",
                         (long long)bdnn_window_taps(&layer->attr.conv.window), (long long)in[0].shape.dim[1]);
    }
    bdnn_inner_geometry_of(layer, &in[0].shape, &out[0].shape, &geometry);
    return bdnn_check_inner_product(layer, filters, geometry.inner, err);
}

static bool is_depthwise(const bdnn_inner_geometry *g)
{
    return g->in.channels == g->groups && g->filters == g->groups && g->groups > 1;
}

static int64_t tile_rows(const bdnn_inner_geometry *g)
{
    const int64_t fit = TILE_FLOATS / g->inner;
    return bdnn_clamp(fit, 16, MAX_ROWS);
}

struct job {
    const bdnn_layer_call *call;
    bdnn_inner_geometry geometry;
    bdnn_ip_shape shape;
    bool in_place; /* the rows are the input */
};

/* Per thread: gathered rows. */
static size_t slot_bytes(const bdnn_inner_geometry *g)
{
    return bdnn_product(bdnn_size(tile_rows(g) * g->inner), sizeof(float));
}

static void add_bias(const float *bias, int64_t filters, int64_t rows, float *y)
{
    for (int64_t r = 0; r < rows && bias; r++) {
        for (int64_t f = 0; f < filters; f++) {
            y[r * filters + f] += bias[f];
        }
    }
}

static void run_tile(void *context, size_t slot, size_t tile)
{
    const struct job *job = context;
    const bdnn_inner_geometry *g = &job->geometry;
    const int64_t rows = tile_rows(g), first = (int64_t)tile * rows, all = bdnn_ip_positions(&job->shape);
    const int64_t count = bdnn_min(rows, all - first), filters = g->filters / g->groups;
    const float *x = job->call->inputs[0].data, *w = job->call->layer->weight.data;
    float *y = (float *)job->call->outputs[0].data + first * g->filters;
    float *gathered = bdnn_slot(job->call->scratch, slot_bytes(g), slot);
    for (int64_t group = 0; group < g->groups; group++) {
        const float *operand = gathered;
        if (job->in_place) {
            operand = x + first * g->inner;
        } else {
            bdnn_ip_gather(&job->shape, x, sizeof *x, first, count, group, g->inner, gathered);
        }
        bdnn_gemm_transposed(count, filters, g->inner, operand, g->inner, w + group * filters * g->inner, g->inner,
                             y + group * filters, g->filters);
    }
    add_bias(job->call->layer->bias.data, g->filters, count, y);
}

/* One filter a channel: a product of vectors a tap, where a matrix product would have nothing to do. */
static void run_depthwise_position(void *context, size_t position)
{
    const struct job *job = context;
    const bdnn_inner_geometry *g = &job->geometry;
    const bdnn_window *w = &g->window;
    const float *weight = job->call->layer->weight.data, *bias = job->call->layer->bias.data;
    float *y = (float *)job->call->outputs[0].data + (int64_t)position * g->filters;
    int64_t rest = (int64_t)position, at[BDNN_SPATIAL], tap = 0;
    for (int a = BDNN_SPATIAL - 1; a >= 0; a--) {
        at[a] = rest % g->out.size[a] * w->stride[a] - w->pad_begin[a];
        rest /= g->out.size[a];
    }
    for (int64_t c = 0; c < g->filters; c++) {
        y[c] = bias ? bias[c] : 0;
    }
    for (int32_t kd = 0; kd < w->kernel[0]; kd++) {
        for (int32_t kh = 0; kh < w->kernel[1]; kh++) {
            for (int32_t kw = 0; kw < w->kernel[2]; kw++, tap++) {
                const int64_t d = at[0] + (int64_t)kd * w->dilation[0], h = at[1] + (int64_t)kh * w->dilation[1];
                const int64_t v = at[2] + (int64_t)kw * w->dilation[2];
                const float *x = job->call->inputs[0].data;
                if (d < 0 || d >= g->in.size[0] || h < 0 || h >= g->in.size[1] || v < 0 || v >= g->in.size[2]) {
                    continue;
                }
                x += (((rest * g->in.size[0] + d) * g->in.size[1] + h) * g->in.size[2] + v) * g->in.channels;
                for (int64_t c = 0; c < g->filters; c++) {
                    y[c] += x[c] * weight[c * g->inner + tap];
                }
            }
        }
    }
}

static void run_conv(const bdnn_layer_call *call)
{
    struct job job = {.call = call};
    int64_t rows;
    bdnn_inner_geometry_of(call->layer, &call->inputs[0].shape, &call->outputs[0].shape, &job.geometry);
    bdnn_ip_shape_of(&job.geometry, &job.shape);
    job.in_place = bdnn_ip_rows_in_place(&job.shape);
    if (is_depthwise(&job.geometry)) {
        bdnn_parallel(call->threads, run_depthwise_position, &job, (size_t)bdnn_ip_positions(&job.shape));
        return;
    }
    rows = tile_rows(&job.geometry);
    bdnn_parallel_slots(call->threads, run_tile, &job, (size_t)bdnn_ceil_div(bdnn_ip_positions(&job.shape), rows));
}

static size_t conv_scratch(const bdnn_layer *layer, const bdnn_value_info *in, const bdnn_value_info *out,
                           size_t threads)
{
    bdnn_inner_geometry geometry;
    bdnn_inner_geometry_of(layer, &in[0].shape, &out[0].shape, &geometry);
    return bdnn_slots_bytes(threads, slot_bytes(&geometry));
}

const bdnn_layer_type bdnn_conv_type = {
    .min_inputs = 1,
    .max_inputs = 1,
    .max_outputs = 1,
    .infer = infer_conv,
    .scratch = conv_scratch,
    .run = run_conv,
};
