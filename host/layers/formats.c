/* SPDX-License-Identifier: BSD-2-Clause */
/* The integer pipeline: choosing and checking the formats of values. */
#include "layers/formats.h"

#include "core/memory.h"

#include <math.h>
#include <string.h>

#define WIDE_MAX   32767
#define WIDE_RANGE 8192.0f /* units of a wide step in the range of its widest reader */

bdnn_format bdnn_format_read_by(const bdnn_decomposed *decomposed)
{
    return (bdnn_format){.kind = BDNN_FORMAT_QUANTIZED,
                         .step = decomposed->step,
                         .zero_point = decomposed->zero_point,
                         .bits = decomposed->bits};
}

void bdnn_format_limits(const bdnn_format *format, int32_t *low, int32_t *high)
{
    *low = format->kind == BDNN_FORMAT_QUANTIZED ? 0 : -WIDE_MAX;
    *high = format->kind == BDNN_FORMAT_QUANTIZED ? (1 << format->bits) - 1 : WIDE_MAX;
}

/* A real bound as an integer of the format, within its limits. A NaN bounds nothing: it gives `otherwise`. */
static int32_t bound(const bdnn_format *format, float real, int32_t low, int32_t high, int32_t otherwise)
{
    const float v = real / format->step;
    if (!(v == v)) {
        return otherwise;
    }
    if (v <= (float)(low - format->zero_point)) {
        return low;
    }
    return v >= (float)(high - format->zero_point) ? high : (int32_t)rintf(v) + format->zero_point;
}

void bdnn_format_clip(const bdnn_format *format, float clip_low, float clip_high, int32_t *low, int32_t *high)
{
    int32_t lowest, highest;
    bdnn_format_limits(format, &lowest, &highest);
    *low = bound(format, clip_low, lowest, highest, lowest);
    *high = bound(format, clip_high, lowest, highest, highest);
    *low = *low < *high ? *low : *high;
}

bool bdnn_format_requantize(const bdnn_layer *layer, int64_t filter, int64_t inner, const bdnn_format *format,
                            int64_t *multiplier, int64_t *offset)
{
    const bdnn_decomposed *dec = layer->decomposed;
    const float unit = dec->step * ((const float *)dec->filter_scale.data)[filter];
    const float bias = layer->bias.data ? ((const float *)layer->bias.data)[filter] : 0;
    const double ratio = (double)unit / format->step * 0x1p32, shift = (double)bias / format->step + format->zero_point;
    const double most = 127.0 * (double)inner * ((1 << dec->bits) - 1 + dec->zero_point);
    /* In these forms a NaN is refused too. */
    if (!(fabs(ratio) < 0x1p31 - 1) || !(fabs(shift) < 0x1p24) || !(fabs(ratio) * most < 0x1p62)) {
        return false;
    }
    *multiplier = llrint(ratio);
    *offset = llrint(shift * 0x1p32) + ((int64_t)1 << 31);
    return true;
}

bool bdnn_format_rescale(float from, float to, int32_t *multiplier, int32_t *shift)
{
    int exponent;
    const double mantissa = frexp((double)from / to, &exponent);
    *multiplier = (int32_t)lrint(mantissa * 0x1p15);
    if (*multiplier == 1 << 15) {
        *multiplier = 1 << 14;
        exponent++;
    }
    *shift = 15 - exponent;
    return *shift >= 1 && *shift <= 29 && *multiplier >= 1 << 14;
}

/* Sums over broadcast axes stay float. */
static bool same_shapes(const bdnn_graph *graph, const bdnn_layer *layer)
{
    for (int32_t i = 0; i < layer->input_count; i++) {
        if (!bdnn_shape_equal(&graph->values[layer->inputs[i]].shape, &graph->values[layer->outputs[0]].shape)) {
            return false;
        }
    }
    return true;
}

bool bdnn_layer_ties_formats(const bdnn_graph *graph, const bdnn_layer *layer)
{
    if (layer->op == BDNN_OP_ACTIVATION) {
        return layer->attr.activation.kind == BDNN_ACT_CLIP;
    }
    if (layer->op == BDNN_OP_ADD) {
        return layer->input_count < 65536 && same_shapes(graph, layer); /* sums that fit 32 bits */
    }
    return bdnn_op_has(layer->op, BDNN_OP_KEEPS_FORMAT);
}

/* How many of the layer's inputs are tied. */
static int32_t tied_inputs(const bdnn_layer *layer)
{
    return layer->op == BDNN_OP_MAX_UNPOOL ? 1 : layer->input_count;
}

static bool indices_are_read(const bdnn_graph *graph, const bdnn_layer *layer)
{
    return layer->op == BDNN_OP_MAX_POOL && layer->output_count > 1 && bdnn_graph_uses(graph, layer->outputs[1]) > 0;
}

static int64_t inner_length(const bdnn_graph *graph, const bdnn_layer *layer)
{
    bdnn_inner_geometry geometry;
    bdnn_inner_geometry_of(layer, &graph->values[layer->inputs[0]].shape, &graph->values[layer->outputs[0]].shape,
                           &geometry);
    return geometry.inner;
}

static int64_t filter_count(const bdnn_layer *layer)
{
    return (int64_t)(layer->decomposed->filter_scale.bytes / sizeof(float));
}

/* Whether every filter's constants are within bounds. */
static bool can_make(const bdnn_graph *graph, const bdnn_layer *layer, const bdnn_format *format)
{
    const int64_t inner = inner_length(graph, layer), filters = filter_count(layer);
    int64_t multiplier, offset, f = 0;
    while (f < filters && bdnn_format_requantize(layer, f, inner, format, &multiplier, &offset)) {
        f++;
    }
    return f == filters;
}

/* ---- Choosing ---- */

/* What is known of a class of values, kept at its root. */
struct class
{
    int32_t parent;      /* union-find; a root is its own */
    bool is_float;       /* made by a float layer, or seen from outside */
    bool wide;           /* cannot be quantized for one reader alone */
    int32_t readers;     /* decomposed layers outside of the class */
    bdnn_format reader;  /* the first one's */
    float range, finest; /* the widest reader's step (2^Q - 1); the largest a_f of a maker */
    bdnn_format format;  /* the result */
};

static int32_t root_of(struct class *classes, int32_t value)
{
    while (classes[value].parent != value) {
        value = classes[value].parent = classes[classes[value].parent].parent;
    }
    return value;
}

static void unite(struct class *classes, int32_t a, int32_t b)
{
    classes[root_of(classes, a)].parent = root_of(classes, b);
}

static void tie_values(const bdnn_graph *graph, struct class *classes)
{
    for (size_t v = 0; v < graph->value_count; v++) {
        classes[v].parent = (int32_t)v;
    }
    for (size_t l = 0; l < graph->layer_count; l++) {
        const bdnn_layer *layer = &graph->layers[l];
        const int32_t tied = bdnn_layer_ties_formats(graph, layer) ? tied_inputs(layer) : 0;
        for (int32_t i = 0; i < tied; i++) {
            unite(classes, layer->inputs[i], layer->outputs[0]);
        }
    }
}

static void note_maker(const bdnn_graph *graph, struct class *classes, const bdnn_layer *layer)
{
    struct class *c = &classes[root_of(classes, layer->outputs[0])];
    if (layer->decomposed) {
        const float *scale = layer->decomposed->filter_scale.data;
        for (int64_t f = 0; f < filter_count(layer); f++) {
            c->finest = fmaxf(c->finest, fabsf(layer->decomposed->step * scale[f]));
        }
    } else if (bdnn_layer_ties_formats(graph, layer)) {
        c->wide = c->wide || layer->op == BDNN_OP_ADD || indices_are_read(graph, layer);
    } else {
        c->is_float = true;
    }
}

static void note_reader(const bdnn_graph *graph, struct class *classes, const bdnn_layer *layer)
{
    const bool ties = bdnn_layer_ties_formats(graph, layer);
    for (int32_t i = 0; i < layer->input_count; i++) {
        struct class *c = &classes[root_of(classes, layer->inputs[i])];
        if (layer->decomposed) {
            const bdnn_format format = bdnn_format_read_by(layer->decomposed);
            c->wide = c->wide || (c->readers > 0 && !bdnn_format_equal(&c->reader, &format));
            c->reader = c->readers++ ? c->reader : format;
            c->range = fmaxf(c->range, format.step * (float)((1 << format.bits) - 1));
        } else if (!ties) {
            c->wide = true; /* a float layer that would otherwise see no more than the decomposed reader's few levels */
        }
    }
}

static void note_outside(const bdnn_graph *graph, struct class *classes)
{
    for (size_t i = 0; i < graph->input_count; i++) {
        classes[root_of(classes, graph->inputs[i])].is_float = true;
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        classes[root_of(classes, graph->outputs[i])].is_float = true;
    }
    for (size_t v = 0; v < graph->value_count; v++) {
        if (graph->values[v].constant.data || graph->values[v].type != BDNN_FLOAT32) {
            classes[root_of(classes, (int32_t)v)].is_float = true;
        }
    }
}

static bdnn_format format_of_class(const struct class *c)
{
    if (c->is_float || c->readers == 0) {
        return (bdnn_format){.kind = BDNN_FORMAT_FLOAT};
    }
    if (!c->wide) {
        return c->reader;
    }
    return (bdnn_format){.kind = BDNN_FORMAT_WIDE, .step = fmaxf(c->range / WIDE_RANGE, 2.001f * c->finest)};
}

/* Gives up the classes whose makers or readers the chosen format does not suit. */
static void drop_unsuited(const bdnn_graph *graph, struct class *classes)
{
    for (size_t l = 0; l < graph->layer_count; l++) {
        const bdnn_layer *layer = &graph->layers[l];
        struct class *in, *out;
        int32_t multiplier, shift;
        if (!layer->decomposed) {
            continue;
        }
        in = &classes[root_of(classes, layer->inputs[0])];
        out = &classes[root_of(classes, layer->outputs[0])];
        if (out->format.kind != BDNN_FORMAT_FLOAT && !can_make(graph, layer, &out->format)) {
            out->format = (bdnn_format){.kind = BDNN_FORMAT_FLOAT};
        }
        if (in->format.kind == BDNN_FORMAT_WIDE &&
            !bdnn_format_rescale(in->format.step, layer->decomposed->step, &multiplier, &shift)) {
            in->format = (bdnn_format){.kind = BDNN_FORMAT_FLOAT};
        }
    }
}

bdnn_status bdnn_formats_choose(bdnn_graph *graph, bdnn_error *err)
{
    struct class *classes = bdnn_zalloc(graph->value_count, sizeof *classes);
    if (!classes) {
        return bdnn_fail_memory(err, graph->value_count * sizeof *classes, "the formats of values");
    }
    tie_values(graph, classes);
    for (size_t l = 0; l < graph->layer_count; l++) {
        note_maker(graph, classes, &graph->layers[l]);
        note_reader(graph, classes, &graph->layers[l]);
    }
    note_outside(graph, classes);
    for (size_t v = 0; v < graph->value_count; v++) {
        classes[v].format = format_of_class(&classes[v]);
    }
    drop_unsuited(graph, classes);
    for (size_t v = 0; v < graph->value_count; v++) {
        graph->values[v].format = classes[root_of(classes, (int32_t)v)].format;
    }
    bdnn_free(classes);
    return BDNN_OK;
}

/* ---- Checking ---- */

static bdnn_status check_numbers(const bdnn_format *f, bdnn_error *err)
{
    const bool quantized = f->kind == BDNN_FORMAT_QUANTIZED, integers = f->kind != BDNN_FORMAT_FLOAT;
    if ((unsigned)f->kind > BDNN_FORMAT_WIDE) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "format number %d", (int)f->kind);
    }
    if (integers ? !(f->step > 0) || !isfinite(f->step) : f->step != 0) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a step of %g", (double)f->step);
    }
    if (quantized ? f->bits < 1 || f->bits > 8 : f->bits != 0) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "integers of %d bits", f->bits);
    }
    if (f->zero_point < 0 || f->zero_point > (quantized ? (1 << f->bits) - 1 : 0)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a zero point of %d", f->zero_point);
    }
    return BDNN_OK;
}

/* The values that no layer makes, and those that the network's user sees, are floats. */
static bdnn_status check_value(const bdnn_graph *graph, int32_t value, bool outside, bdnn_error *err)
{
    const bdnn_format *format = &graph->values[value].format;
    bdnn_status status = check_numbers(format, err);
    if (status == BDNN_OK && format->kind != BDNN_FORMAT_FLOAT &&
        (outside || bdnn_graph_producer(graph, value) < 0 || graph->values[value].type != BDNN_FLOAT32)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "format number %d of a value that must be float", (int)format->kind);
    }
    return status;
}

static bdnn_status check_tied(const bdnn_graph *graph, const bdnn_layer *layer, bdnn_error *err)
{
    const bdnn_format *out = &graph->values[layer->outputs[0]].format;
    for (int32_t i = 0; i < tied_inputs(layer); i++) {
        if (!bdnn_format_equal(&graph->values[layer->inputs[i]].format, out)) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "input %d and the output must have one format", i);
        }
    }
    if (layer->op == BDNN_OP_ADD && out->kind == BDNN_FORMAT_QUANTIZED) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a sum of quantized values");
    }
    return BDNN_OK;
}

static bdnn_status check_decomposed(const bdnn_graph *graph, const bdnn_layer *layer, bdnn_error *err)
{
    const bdnn_format *in = &graph->values[layer->inputs[0]].format, *out = &graph->values[layer->outputs[0]].format;
    const bdnn_format own = bdnn_format_read_by(layer->decomposed);
    int32_t multiplier, shift;
    if (in->kind == BDNN_FORMAT_QUANTIZED && !bdnn_format_equal(in, &own)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "the input has %d bits of step %g, the layer reads %d of step %g",
                         in->bits, (double)in->step, own.bits, (double)own.step);
    }
    if (in->kind == BDNN_FORMAT_WIDE && !bdnn_format_rescale(in->step, own.step, &multiplier, &shift)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a wide input of step %g, read in steps of %g", (double)in->step,
                         (double)own.step);
    }
    if (out->kind != BDNN_FORMAT_FLOAT && !can_make(graph, layer, out)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "filter scales or biases too large for an output step of %g",
                         (double)out->step);
    }
    return BDNN_OK;
}

bdnn_status bdnn_formats_check(const bdnn_graph *graph, bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    for (size_t v = 0; v < graph->value_count && status == BDNN_OK; v++) {
        status = check_value(graph, (int32_t)v, false, err);
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "value '%s'", graph->values[v].name);
        }
    }
    for (size_t i = 0; i < graph->output_count && status == BDNN_OK; i++) {
        status = check_value(graph, graph->outputs[i], true, err);
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "value '%s'", graph->values[graph->outputs[i]].name);
        }
    }
    for (size_t l = 0; l < graph->layer_count && status == BDNN_OK; l++) {
        const bdnn_layer *layer = &graph->layers[l];
        if (layer->decomposed) {
            status = check_decomposed(graph, layer, err);
        } else if (bdnn_layer_ties_formats(graph, layer)) {
            status = check_tied(graph, layer, err);
        } else {
            for (int32_t o = 0; o < layer->output_count && status == BDNN_OK; o++) {
                if (graph->values[layer->outputs[o]].format.kind != BDNN_FORMAT_FLOAT) {
                    status = bdnn_fail(err, BDNN_ERROR_FORMAT, "%s makes floats only", bdnn_op_name(layer->op));
                }
            }
        }
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "layer '%s'", layer->name);
        }
    }
    return status;
}
