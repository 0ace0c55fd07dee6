/* SPDX-License-Identifier: BSD-2-Clause */
/* Poolings and their inverse. */
#include "layers/pool.h"
#include "kernels/pooling.h"
#include "layers/walk.h"
#include "layers/window.h"

#include <math.h>
#include <string.h>

static bdnn_status infer_pool(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out, bdnn_error *err)
{
    if (in[0].type != BDNN_FLOAT32 || in[0].shape.rank < 3 || in[0].shape.rank > 2 + BDNN_SPATIAL) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "pooling takes a float input of 3 to 5 axes, not %d",
                         in[0].shape.rank);
    }
    for (int32_t o = 0; o < layer->output_count; o++) {
        out[o].type = o == 0 ? BDNN_FLOAT32 : BDNN_INT64;
        if (layer->attr.pool.global) {
            out[o].shape = in[0].shape;
            for (int32_t a = 2; a < in[0].shape.rank; a++) {
                if (in[0].shape.dim[a] < 1 || in[0].shape.dim[a] > INT32_MAX) {
                    return bdnn_fail(err, BDNN_ERROR_FORMAT, "pooling over %lld positions",
                                     (long long)in[0].shape.dim[a]);
                }
                out[o].shape.dim[a] = 1;
            }
        } else {
            bdnn_status status = bdnn_window_shape(&layer->attr.pool.window, layer->attr.pool.ceil_mode, &in[0].shape,
                                                   in[0].shape.dim[1], &out[o].shape, err);
            if (status != BDNN_OK) {
                return status;
            }
        }
    }
    return BDNN_OK;
}

/* A pooling ready to run: its window, which for a global one is the whole input. */
struct pool {
    const bdnn_layer_call *call;
    bdnn_extent in, out;
    bdnn_window window;
    int64_t *indices; /* NULL when nobody reads them */
    uint8_t *taps;    /* the same as numbers of taps; see bdnn_pool_keeps_taps */
};

/* A global pooling's window is its whole input. */
static bdnn_window window_of(const bdnn_layer *layer, const bdnn_extent *in)
{
    bdnn_window window = layer->attr.pool.window;
    for (int a = 0; a < BDNN_SPATIAL && layer->attr.pool.global; a++) {
        window.kernel[a] = (int32_t)in->size[a];
        window.stride[a] = window.dilation[a] = 1;
        window.pad_begin[a] = window.pad_end[a] = 0;
    }
    return window;
}

static struct pool pool_of(const bdnn_layer_call *call)
{
    struct pool p = {
        .call = call, .in = bdnn_extent_of(&call->inputs[0].shape), .out = bdnn_extent_of(&call->outputs[0].shape)};
    p.window = window_of(call->layer, &p.in);
    if (call->layer->output_count > 1 && call->outputs[1].type == BDNN_UINT8) {
        p.taps = call->outputs[1].data;
    } else if (call->layer->output_count > 1) {
        p.indices = call->outputs[1].data;
    }
    return p;
}

/* The part of a window that lies on the input along one axis: taps first..last-1, tap t at begin + t * dilation.
 * padded: taps on the input and its pads. */
struct span {
    int64_t begin, first, last, padded;
};

static struct span span_of(const struct pool *p, int axis, int64_t out)
{
    const bdnn_window *w = &p->window;
    struct span s = {.begin = out * w->stride[axis] - w->pad_begin[axis]};
    const int64_t step = w->dilation[axis], kernel = w->kernel[axis], size = p->in.size[axis];
    s.first = s.begin < 0 ? bdnn_ceil_div(-s.begin, step) : 0;
    s.last = s.begin >= size ? 0 : bdnn_ceil_div(size - s.begin, step);
    s.last = bdnn_min(s.last, kernel);
    s.padded = bdnn_ceil_div(size + w->pad_end[axis] - s.begin, step);
    s.padded = bdnn_min(s.padded, kernel);
    return s;
}

static void spans_of(const struct pool *p, size_t position, struct span span[BDNN_SPATIAL], int64_t *image)
{
    int64_t rest = (int64_t)position;
    for (int a = BDNN_SPATIAL - 1; a >= 0; a--) {
        span[a] = span_of(p, a, rest % p->out.size[a]);
        rest /= p->out.size[a];
    }
    *image = rest;
}

/* Number of an input element in ONNX's order of indices: row-major (N, C, spatial), or with the spatial axes in
 * reverse. */
static int64_t index_of(const struct pool *p, int64_t image, int64_t channel, int64_t d, int64_t h, int64_t w)
{
    const int64_t *size = p->in.size;
    const int64_t base = (image * p->in.channels + channel) * size[0] * size[1] * size[2];
    return base +
           (p->call->layer->attr.pool.column_major ? (w * size[1] + h) * size[0] + d : (d * size[1] + h) * size[2] + w);
}

#define ELEMENT     float
#define LOWEST      (-INFINITY)
#define MAX         max
#define NAMED(name) name##_float
#include "layers/max_pool.h"

#define ELEMENT     uint8_t
#define LOWEST      0
#define MAX         max_u8
#define MAX_TAP     max_tap_u8
#define NAMED(name) name##_uint8
#include "layers/max_pool.h"

#define ELEMENT     int16_t
#define LOWEST      (-32767)
#define MAX         max_i16
#define MAX_TAP     max_tap_i16
#define NAMED(name) name##_int16
#include "layers/max_pool.h"

static void average_position(void *context, size_t position)
{
    const struct pool *p = context;
    const bdnn_window *w = &p->window;
    const int64_t channels = p->in.channels;
    float *y = (float *)p->call->outputs[0].data + (int64_t)position * channels;
    struct span s[BDNN_SPATIAL];
    int64_t image, count = 1;
    spans_of(p, position, s, &image);
    memset(y, 0, (size_t)channels * sizeof *y);
    for (int64_t kd = s[0].first; kd < s[0].last; kd++) {
        for (int64_t kh = s[1].first; kh < s[1].last; kh++) {
            for (int64_t kw = s[2].first; kw < s[2].last; kw++) {
                const int64_t d = s[0].begin + kd * w->dilation[0], h = s[1].begin + kh * w->dilation[1];
                const int64_t v = s[2].begin + kw * w->dilation[2];
                const float *x = (const float *)p->call->inputs[0].data +
                                 (((image * p->in.size[0] + d) * p->in.size[1] + h) * p->in.size[2] + v) * channels;
                for (int64_t c = 0; c < channels; c++) {
                    y[c] += x[c];
                }
            }
        }
    }
    for (int a = 0; a < BDNN_SPATIAL; a++) {
        const int64_t taps = s[a].last - s[a].first;
        count *= p->call->layer->attr.pool.count_include_pad ? s[a].padded : taps > 0 ? taps : 1;
    }
    for (int64_t c = 0; c < channels; c++) {
        y[c] /= (float)count;
    }
}

static void run_pool(const bdnn_layer_call *call, bdnn_task *task)
{
    struct pool p = pool_of(call);
    bdnn_parallel(call->threads, task, &p, (size_t)(p.out.batch * p.out.size[0] * p.out.size[1] * p.out.size[2]));
}

static void run_max_pool(const bdnn_layer_call *call)
{
    const bdnn_type type = call->inputs[0].type;
    run_pool(call, type == BDNN_UINT8   ? max_position_uint8
                   : type == BDNN_INT16 ? max_position_int16
                                        : max_position_float);
}

static void run_average_pool(const bdnn_layer_call *call)
{
    run_pool(call, average_position);
}

const bdnn_layer_type bdnn_max_pool_type = {
    .min_inputs = 1, .max_inputs = 1, .max_outputs = 2, .infer = infer_pool, .run = run_max_pool};
const bdnn_layer_type bdnn_average_pool_type = {
    .min_inputs = 1, .max_inputs = 1, .max_outputs = 1, .infer = infer_pool, .run = run_average_pool};

/* The shape that the indices count in: what the window makes of the input. Negative sizes: none. */
static void unpooled_shape(const bdnn_layer *layer, const bdnn_shape *in, bdnn_shape *out)
{
    *out = *in;
    for (int32_t a = 2; a < in->rank; a++) {
        out->dim[a] = bdnn_window_covered(&layer->attr.pool.window, BDNN_SPATIAL + a - in->rank, in->dim[a]);
    }
}

static bdnn_status infer_unpool(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                bdnn_error *err)
{
    const bdnn_shape *given = &layer->attr.pool.output_shape;
    bdnn_status status = bdnn_window_check(&layer->attr.pool.window, err);
    if (status == BDNN_OK) {
        status = bdnn_window_check_rank(&layer->attr.pool.window, in[0].shape.rank, err);
    }
    if (status != BDNN_OK) {
        return status;
    }
    if (in[0].type != BDNN_FLOAT32 || in[1].type != BDNN_INT64 || !bdnn_shape_equal(&in[0].shape, &in[1].shape)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "unpooling takes a float input and integer indices of the same shape");
    }
    out[0].type = BDNN_FLOAT32;
    unpooled_shape(layer, &in[0].shape, &out[0].shape);
    if (bdnn_shape_elements(&out[0].shape) < 0) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "the unpooled shape is too large, or negative");
    }
    if (given->rank != 0) {
        if (given->rank != in[0].shape.rank || given->dim[1] != in[0].shape.dim[1]) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT,
                             "an output shape of %d axes for an input of %d, or of another number of channels",
                             given->rank, in[0].shape.rank);
        }
        for (int32_t a = 2; a < given->rank; a++) {
            if (given->dim[a] < 1) {
                return bdnn_fail(err, BDNN_ERROR_FORMAT, "an output size of %lld", (long long)given->dim[a]);
            }
            out[0].shape.dim[a] = given->dim[a];
        }
    }
    return BDNN_OK;
}

/* Where an index of the unpooled tensor lies in the memory of its batch item; -1 when it names no element of that item.
 */
static int64_t unpooled_place(const bdnn_shape *unpooled, const int64_t *strides, int64_t image, int64_t index)
{
    int64_t at[BDNN_MAX_RANK] = {0};
    if (index < 0 || index >= bdnn_shape_elements(unpooled)) {
        return -1;
    }
    bdnn_index_of(unpooled, index, at);
    if (at[0] != image) {
        return -1;
    }
    at[0] = 0;
    return bdnn_offset_of(strides, at, unpooled->rank);
}

/* One element, of whatever type. */
static inline void move_element(void *y, int64_t to, const void *x, int64_t from, size_t size)
{
    memcpy((char *)y + (size_t)to * size, (const char *)x + (size_t)from * size, size);
}

/* One batch item and its indices: each names an element of the item's own unpooled tensor; others are ignored. An index
 * almost always names an element of the channel that holds it, whose place needs no division. */
static inline void unpool_item(const bdnn_layer_call *call, int64_t image, size_t size)
{
    const bdnn_shape *in = &call->inputs[0].shape, *out = &call->outputs[0].shape;
    const int64_t item = bdnn_shape_item_elements(in), out_item = bdnn_shape_item_elements(out), channels = in->dim[1];
    const char *x = (const char *)call->inputs[0].data + (size_t)(image * item) * size;
    const int64_t *indices = (const int64_t *)call->inputs[1].data + image * item;
    char *y = (char *)call->outputs[0].data + (size_t)(image * out_item) * size;
    int64_t strides[BDNN_MAX_RANK], positions;
    bdnn_shape unpooled;
    bool whole;
    /* A pooling that rounds its size up leaves less to unpool than its windows cover: then the given shape is the
     * pooled one. */
    unpooled_shape(call->layer, in, &unpooled);
    for (int32_t a = 2; a < out->rank; a++) {
        unpooled.dim[a] = bdnn_min(unpooled.dim[a], out->dim[a]);
    }
    whole = bdnn_shape_equal(&unpooled, out);
    positions = channels > 0 ? out_item / channels : 0;
    bdnn_shape_strides(out, strides);
    memset(y, call->outputs[0].format.zero_point, (size_t)out_item * size);
    for (int64_t i = 0; i < item; i++) {
        const int64_t c = i % channels;
        /* Unsigned: indices may be anything. */
        const uint64_t at = (uint64_t)indices[i] - (uint64_t)((image * channels + c) * positions);
        const int64_t to = whole && at < (uint64_t)positions ? (int64_t)at * channels + c
                                                             : unpooled_place(&unpooled, strides, image, indices[i]);
        if (to >= 0) {
            move_element(y, to, x, i, size);
        }
    }
}

static void unpool_task(void *context, size_t image)
{
    const bdnn_layer_call *call = context;
    /* Constant sizes, so that moving an element is one instruction. */
    switch (call->inputs[0].type) {
    case BDNN_UINT8:
        unpool_item(call, (int64_t)image, sizeof(uint8_t));
        break;
    case BDNN_INT16:
        unpool_item(call, (int64_t)image, sizeof(int16_t));
        break;
    default:
        unpool_item(call, (int64_t)image, sizeof(float));
    }
}

/* One pooled position whose maxima are numbered by taps: windows do not overlap, so each writes its own elements. */
static void unpool_taps(void *context, size_t position)
{
    const bdnn_layer_call *call = context;
    const bdnn_window *w = &call->layer->attr.pool.window;
    const bdnn_extent in = bdnn_extent_of(&call->inputs[0].shape), out = bdnn_extent_of(&call->outputs[0].shape);
    const size_t channels = (size_t)in.channels, at = position * channels;
    const uint8_t *taps = (const uint8_t *)call->inputs[1].data + at;
    int64_t rest = (int64_t)position, first[BDNN_SPATIAL];
    uint8_t tap = 0;
    for (int a = BDNN_SPATIAL - 1; a >= 0; a--) {
        first[a] = rest % in.size[a] * w->stride[a];
        rest /= in.size[a];
    }
    for (int64_t d = first[0]; d < first[0] + w->kernel[0]; d++) {
        for (int64_t h = first[1]; h < first[1] + w->kernel[1]; h++) {
            for (int64_t v = first[2]; v < first[2] + w->kernel[2]; v++, tap++) {
                const size_t to = (size_t)(((rest * out.size[0] + d) * out.size[1] + h) * out.size[2] + v) * channels;
                if (d >= out.size[0] || h >= out.size[1] || v >= out.size[2]) {
                    continue;
                }
                if (call->inputs[0].type == BDNN_UINT8) {
                    bdnn_pooling_choose()->select_u8((const uint8_t *)call->inputs[0].data + at, taps, channels, tap,
                                                     (uint8_t)call->outputs[0].format.zero_point,
                                                     (uint8_t *)call->outputs[0].data + to);
                } else {
                    bdnn_pooling_choose()->select_i16((const int16_t *)call->inputs[0].data + at, taps, channels, tap,
                                                      0, (int16_t *)call->outputs[0].data + to);
                }
            }
        }
    }
}

/* What no window covers, at the end of each axis. */
static void clear_rest(const bdnn_layer_call *call)
{
    const bdnn_window *w = &call->layer->attr.pool.window;
    const bdnn_extent in = bdnn_extent_of(&call->inputs[0].shape), out = bdnn_extent_of(&call->outputs[0].shape);
    bool whole = true;
    for (int a = 0; a < BDNN_SPATIAL; a++) {
        whole = whole && in.size[a] * w->stride[a] >= out.size[a];
    }
    if (!whole) {
        memset(call->outputs[0].data, call->outputs[0].format.zero_point,
               (size_t)bdnn_shape_elements(&call->outputs[0].shape) * bdnn_type_size(call->outputs[0].type));
    }
}

static void run_unpool(const bdnn_layer_call *call)
{
    if (call->inputs[1].type == BDNN_UINT8) {
        const bdnn_shape *in = &call->inputs[0].shape;
        const int64_t elements = bdnn_shape_elements(in);
        clear_rest(call);
        bdnn_parallel(call->threads, unpool_taps, (void *)call, elements > 0 ? (size_t)(elements / in->dim[1]) : 0);
        return;
    }
    bdnn_parallel(call->threads, unpool_task, (void *)call, (size_t)call->inputs[0].shape.dim[0]);
}

const bdnn_layer_type bdnn_max_unpool_type = {
    .min_inputs = 2, .max_inputs = 2, .max_outputs = 1, .infer = infer_unpool, .run = run_unpool};

bool bdnn_pool_keeps_taps(const bdnn_graph *graph, const bdnn_layer *layer)
{
    const bdnn_window *w = &layer->attr.pool.window;
    int64_t taps = 1;
    size_t uses, reads = 0, cursor = 0;
    int32_t l;
    if (layer->op != BDNN_OP_MAX_POOL || layer->output_count < 2 || layer->attr.pool.global ||
        layer->attr.pool.column_major || graph->values[layer->outputs[0]].format.kind == BDNN_FORMAT_FLOAT) {
        return false;
    }
    uses = bdnn_graph_uses(graph, layer->outputs[1]);
    if (uses == 0) {
        return false;
    }
    for (int a = 0; a < BDNN_SPATIAL; a++) {
        taps *= w->kernel[a];
        if (w->kernel[a] > 16 || w->stride[a] != w->kernel[a] || w->dilation[a] != 1 || w->pad_begin[a] ||
            w->pad_end[a]) {
            return false;
        }
    }
    while ((l = bdnn_graph_next_reader(graph, layer->outputs[1], &cursor)) >= 0) {
        const bdnn_layer *reader = &graph->layers[l];
        for (int32_t i = 0; i < reader->input_count; i++) {
            if (reader->inputs[i] != layer->outputs[1]) {
                continue;
            }
            if (reader->op != BDNN_OP_MAX_UNPOOL || i != 1 ||
                graph->values[reader->outputs[0]].format.kind == BDNN_FORMAT_FLOAT ||
                memcmp(&reader->attr.pool.window, w, sizeof *w) != 0 ||
                !bdnn_shape_equal(&graph->values[reader->outputs[0]].shape, &graph->values[layer->inputs[0]].shape)) {
                return false;
            }
            reads++;
        }
    }
    /* What is read more often than that is an output of the network. */
    return reads == uses && taps <= UINT8_MAX;
}

bool bdnn_pool_shape(const bdnn_layer *layer, const bdnn_shape *in, const bdnn_shape *out, bdnn_ip_shape *shape)
{
    const bdnn_extent from = bdnn_extent_of(in), to = bdnn_extent_of(out);
    bdnn_inner_geometry geometry = {
        .in = from, .out = to, .window = window_of(layer, &from), .groups = 1, .filters = from.channels};
    if (layer->op != BDNN_OP_MAX_POOL || from.channels < 1) {
        return false;
    }
    bdnn_ip_shape_of(&geometry, shape);
    shape->bases = 1;
    return true;
}
