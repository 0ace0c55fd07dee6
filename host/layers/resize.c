/* SPDX-License-Identifier: BSD-2-Clause */
/* Resizing of spatial axes, nearest and linear, by the definitions of ONNX Resize. */
#include "layers/window.h"

#include <math.h>

static bdnn_status infer_resize(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                bdnn_error *err)
{
    const int32_t rank = in[0].shape.rank;
    if (in[0].type != BDNN_FLOAT32 || rank < 3 || rank > 2 + BDNN_SPATIAL) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "resizing takes a float input of 3 to 5 axes, not %d", rank);
    }
    if ((unsigned)layer->attr.resize.interpolation > BDNN_LINEAR ||
        (unsigned)layer->attr.resize.coordinates > BDNN_COORD_ASYMMETRIC ||
        (unsigned)layer->attr.resize.nearest > BDNN_ROUND_CEIL) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "resizing mode %d, coordinates %d, rounding %d",
                         (int)layer->attr.resize.interpolation, (int)layer->attr.resize.coordinates,
                         (int)layer->attr.resize.nearest);
    }
    out[0] = in[0];
    for (int32_t a = 0; a < rank; a++) {
        const float scale = layer->attr.resize.scale[a];
        const int64_t size = layer->attr.resize.size[a], from = in[0].shape.dim[a];
        int64_t to = size;
        if (size == 0) {
            if (!(scale > 0) || !(scale < 1e6f)) {
                return bdnn_fail(err, BDNN_ERROR_FORMAT, "scale %g on axis %d", (double)scale, a);
            }
            to = (int64_t)floor((double)from * scale);
        }
        /* A batch of another size may pass: axis 0 is kept, whatever size it was imported with. */
        if (to < 1 || from < 1 || to > BDNN_MAX_ELEMENTS || (a == 1 && to != from) ||
            (a == 0 && size == 0 && scale != 1)) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "axis %d from %lld to %lld: only spatial axes can be resized", a,
                             (long long)from, (long long)to);
        }
        out[0].shape.dim[a] = a == 0 ? from : to;
    }
    return BDNN_OK;
}

/* Where an output coordinate reads: two neighbors and the weight of the second. */
struct tap {
    int64_t first, second;
    float weight;
};

/* length: the output's size before it is rounded to whole elements, by which ONNX's reference aligns the corners. */
static float source_coordinate(bdnn_coordinates rule, int64_t out, int64_t to, int64_t from, float scale, float length)
{
    const float x = (float)out;
    switch (rule) {
    case BDNN_COORD_ALIGN_CORNERS:
        return to > 1 ? x * (float)(from - 1) / (length - 1) : 0;
    case BDNN_COORD_ASYMMETRIC:
        return x / scale;
    case BDNN_COORD_PYTORCH_HALF_PIXEL:
        return to > 1 ? (x + 0.5f) / scale - 0.5f : 0;
    case BDNN_COORD_HALF_PIXEL:
        break;
    }
    return (x + 0.5f) / scale - 0.5f;
}

static float round_coordinate(bdnn_nearest rule, float x)
{
    switch (rule) {
    case BDNN_ROUND_PREFER_FLOOR:
        return ceilf(x - 0.5f);
    case BDNN_ROUND_PREFER_CEIL:
        return floorf(x + 0.5f);
    case BDNN_ROUND_CEIL:
        return ceilf(x);
    case BDNN_ROUND_FLOOR:
        break;
    }
    return floorf(x);
}

static int64_t clamp(int64_t at, int64_t size)
{
    return bdnn_clamp(at, 0, size - 1);
}

/* `axis` counts depth, height, width; `logical` is the same among the layer's axes, negative where it has none. */
static struct tap tap_of(const bdnn_layer *layer, int32_t logical, int64_t out, int64_t to, int64_t from)
{
    const bool scaled = logical >= 0 && layer->attr.resize.size[logical] == 0;
    const float scale = scaled ? layer->attr.resize.scale[logical] : (float)to / (float)from;
    float x;
    if (logical < 0 || (to == from && (!scaled || scale == 1))) {
        return (struct tap){out, out, 0};
    }
    x = source_coordinate(layer->attr.resize.coordinates, out, to, from, scale,
                          scaled ? (float)((double)scale * (double)from) : (float)to);
    if (layer->attr.resize.interpolation == BDNN_NEAREST) {
        const int64_t at = clamp((int64_t)round_coordinate(layer->attr.resize.nearest, x), from);
        return (struct tap){at, at, 0};
    }
    return (struct tap){clamp((int64_t)floorf(x), from), clamp((int64_t)floorf(x) + 1, from), x - floorf(x)};
}

static void resize_position(void *context, size_t position)
{
    const bdnn_layer_call *call = context;
    const bdnn_extent in = bdnn_extent_of(&call->inputs[0].shape), out = bdnn_extent_of(&call->outputs[0].shape);
    const int32_t rank = call->inputs[0].shape.rank;
    float *y = (float *)call->outputs[0].data + (int64_t)position * out.channels;
    struct tap tap[BDNN_SPATIAL];
    int64_t rest = (int64_t)position;
    for (int a = BDNN_SPATIAL - 1; a >= 0; a--) {
        const int32_t logical = a >= BDNN_SPATIAL + 2 - rank ? a - (BDNN_SPATIAL + 2 - rank) + 2 : -1;
        tap[a] = tap_of(call->layer, logical, rest % out.size[a], out.size[a], in.size[a]);
        rest /= out.size[a];
    }
    for (int64_t c = 0; c < out.channels; c++) {
        y[c] = 0;
    }
    for (int corner = 0; corner < 1 << BDNN_SPATIAL; corner++) {
        float weight = 1;
        int64_t pixel = rest;
        for (int a = 0; a < BDNN_SPATIAL; a++) {
            const bool second = corner >> a & 1;
            weight *= second ? tap[a].weight : 1 - tap[a].weight;
            pixel = pixel * in.size[a] + (second ? tap[a].second : tap[a].first);
        }
        for (int64_t c = 0; c < out.channels && weight != 0; c++) {
            y[c] += weight * ((const float *)call->inputs[0].data)[pixel * in.channels + c];
        }
    }
}

static void run_resize(const bdnn_layer_call *call)
{
    const bdnn_extent out = bdnn_extent_of(&call->outputs[0].shape);
    bdnn_parallel(call->threads, resize_position, (void *)call,
                  (size_t)(out.batch * out.size[0] * out.size[1] * out.size[2]));
}

const bdnn_layer_type bdnn_resize_type = {
    .min_inputs = 1, .max_inputs = 1, .max_outputs = 1, .infer = infer_resize, .run = run_resize};
