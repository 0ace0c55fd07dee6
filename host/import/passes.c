/* SPDX-License-Identifier: BSD-2-Clause */
/* What every importer does to its graph before anybody sees it: layers that do nothing go, batch normalizations,
 * constant factors and summands, and flattening disappear into the weights, and with them the values that nobody reads.
 * Every pass is linear in the size of the graph. */
#include "core/memory.h"
#include "import/import.h"
#include "layers/layer.h"

#include <math.h>
#include <string.h>

typedef struct passes {
    bdnn_graph *graph;
    int32_t *producer; /* per value: the layer that makes it, or -1 */
    int32_t *uses;     /* per value: how many layers and graph outputs read it */
    bool *is_output;   /* per value: of the graph */
    bool *gone;        /* per layer */
    int32_t *reader;   /* per value: what reads it now reads this value instead */
} passes;

static void free_passes(passes *p)
{
    bdnn_free(p->producer);
    bdnn_free(p->uses);
    bdnn_free(p->is_output);
    bdnn_free(p->gone);
    bdnn_free(p->reader);
}

static bool make_passes(passes *p, bdnn_graph *graph)
{
    p->graph = graph;
    p->producer = bdnn_alloc(graph->value_count, sizeof *p->producer);
    p->uses = bdnn_zalloc(graph->value_count, sizeof *p->uses);
    p->is_output = bdnn_zalloc(graph->value_count, sizeof *p->is_output);
    p->reader = bdnn_alloc(graph->value_count, sizeof *p->reader);
    p->gone = bdnn_zalloc(graph->layer_count, sizeof *p->gone);
    if (!p->producer || !p->uses || !p->is_output || !p->reader || !p->gone) {
        return false;
    }
    for (size_t v = 0; v < graph->value_count; v++) {
        p->producer[v] = -1;
        p->reader[v] = (int32_t)v;
    }
    for (size_t l = 0; l < graph->layer_count; l++) {
        const bdnn_layer *layer = &graph->layers[l];
        for (int32_t i = 0; i < layer->input_count; i++) {
            p->uses[layer->inputs[i]]++;
        }
        for (int32_t i = 0; i < layer->output_count; i++) {
            p->producer[layer->outputs[i]] = (int32_t)l;
        }
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        p->uses[graph->outputs[i]]++;
        p->is_output[graph->outputs[i]] = true;
    }
    return true;
}

/* ---- Taking layers out ---- */

/* The layer that makes `in` makes `out` instead; nobody else reads `in`. */
static void hand_over(passes *p, int32_t in, int32_t out)
{
    bdnn_layer *layer = &p->graph->layers[p->producer[in]];
    for (int32_t i = 0; i < layer->output_count; i++) {
        if (layer->outputs[i] == in) {
            layer->outputs[i] = out;
        }
    }
    p->producer[out] = p->producer[in];
    p->producer[in] = -1;
    p->uses[in] = 0;
}

/* Takes out layer `l`, whose first output is its first input. A graph output keeps its name, so there the layer before
 * must be able to make it; where that cannot be, the layer stays. */
static void bypass(passes *p, size_t l)
{
    bdnn_layer *layer = &p->graph->layers[l];
    const int32_t in = layer->inputs[0], out = layer->outputs[0];
    if (!p->is_output[out]) {
        p->reader[out] = in;
        p->uses[in] += p->uses[out] - 1;
        p->uses[out] = 0;
        p->gone[l] = true;
    } else if (p->producer[in] >= 0 && p->uses[in] == 1) {
        hand_over(p, in, out);
        p->gone[l] = true;
    }
}

static bool is_identity_pad(const bdnn_layer *layer)
{
    for (int i = 0; i < BDNN_MAX_RANK; i++) {
        if (layer->attr.pad.begin[i] || layer->attr.pad.end[i]) {
            return false;
        }
    }
    return true;
}

static bool is_identity_transpose(const bdnn_layer *layer, int32_t rank)
{
    for (int32_t i = 0; i < rank; i++) {
        if (layer->attr.transpose.permutation[i] != i) {
            return false;
        }
    }
    return true;
}

static bool is_identity(const bdnn_graph *graph, const bdnn_layer *layer)
{
    const bdnn_shape *in = &graph->values[layer->inputs[0]].shape;
    switch (layer->op) {
    case BDNN_OP_RESHAPE:
        return bdnn_shape_equal(in, &graph->values[layer->outputs[0]].shape);
    case BDNN_OP_TRANSPOSE:
        return is_identity_transpose(layer, in->rank);
    case BDNN_OP_PAD:
        return is_identity_pad(layer);
    case BDNN_OP_ADD:
    case BDNN_OP_MUL:
    case BDNN_OP_CONCAT:
        return layer->input_count == 1;
    case BDNN_OP_ACTIVATION:
        return layer->attr.activation.kind == BDNN_ACT_CLIP && layer->attr.activation.low == -INFINITY &&
               layer->attr.activation.high == INFINITY;
    default:
        return false;
    }
}

/* ---- Into the weights ---- */

static bool own(bdnn_blob *blob)
{
    bdnn_blob copy;
    if (blob->owned) {
        return true;
    }
    copy = bdnn_blob_copy(blob->data, blob->bytes);
    if (!copy.data) {
        return false;
    }
    *blob = copy;
    return true;
}

/* Multiplies filter f of the weights by scale[f]. */
static void scale_filters(bdnn_layer *layer, const float *scale, int64_t filters)
{
    float *weight = (float *)layer->weight.data;
    const int64_t count = (int64_t)(layer->weight.bytes / sizeof *weight);
    if (layer->op != BDNN_OP_CONV_TRANSPOSE) {
        for (int64_t i = 0; i < count; i++) {
            weight[i] *= scale[i / (count / filters)];
        }
    } else {
        /* [C][kernel][F / groups], the channels of a group in a row: a group's filters follow one another within its
         * part. */
        const int64_t each = filters / layer->attr.conv.groups, part = count / layer->attr.conv.groups;
        for (int64_t i = 0; i < count; i++) {
            weight[i] *= scale[i / part * each + i % each];
        }
    }
}

/* The inner-product layer that makes `value` for one reader alone, so that the reader can become part of it; else NULL.
 */
static bdnn_layer *sole_inner_product(const passes *p, int32_t value)
{
    bdnn_layer *layer = p->producer[value] < 0 ? NULL : &p->graph->layers[p->producer[value]];
    if (!layer || layer->decomposed || p->uses[value] != 1 ||
        (layer->op != BDNN_OP_CONV && layer->op != BDNN_OP_CONV_TRANSPOSE && layer->op != BDNN_OP_DENSE)) {
        return NULL;
    }
    return layer;
}

/* Layer `l` computes scale (w x + b) + shift, which is (scale w) x + (scale b + shift): the layer before it, which
 * makes `in`, does that instead. */
static bdnn_status fold(passes *p, size_t l, int32_t in, const float *scale, const float *shift, bdnn_error *err)
{
    bdnn_layer *layer = &p->graph->layers[p->producer[in]];
    const int64_t filters = p->graph->values[in].shape.dim[1];
    float *bias;
    if (!layer->bias.bytes) {
        layer->bias = bdnn_blob_copy(NULL, (size_t)filters * sizeof *bias);
        if (layer->bias.data) {
            memset((void *)layer->bias.data, 0, layer->bias.bytes);
        }
    }
    if (!layer->bias.data || !own(&layer->bias) || !own(&layer->weight)) {
        return bdnn_fail_memory(err, layer->weight.bytes, layer->name);
    }
    scale_filters(layer, scale, filters);
    bias = (float *)layer->bias.data;
    for (int64_t f = 0; f < filters; f++) {
        bias[f] = (float)((double)bias[f] * scale[f] + shift[f]);
    }
    hand_over(p, in, p->graph->layers[l].outputs[0]);
    p->gone[l] = true;
    return BDNN_OK;
}

static bdnn_status fold_affine(passes *p, size_t l, bdnn_error *err)
{
    const bdnn_layer *affine = &p->graph->layers[l];
    const int32_t in = affine->inputs[0];
    return sole_inner_product(p, in) ? fold(p, l, in, affine->weight.data, affine->bias.data, err) : BDNN_OK;
}

/* A constant that is one number, or one a channel, of a tensor of shape `out`: into channels[]. */
static bool per_channel(const bdnn_value *constant, const bdnn_shape *out, float *channels)
{
    const int32_t axis = 1 - (out->rank - constant->shape.rank); /* the constant's own number of the channel axis */
    const int64_t count = bdnn_shape_elements(&constant->shape);
    const float *data = constant->constant.data;
    if (!data || constant->type != BDNN_FLOAT32 || constant->shape.rank > out->rank ||
        (count != 1 && (axis < 0 || constant->shape.dim[axis] != count || count != out->dim[1]))) {
        return false;
    }
    for (int64_t c = 0; c < out->dim[1]; c++) {
        channels[c] = data[count == 1 ? 0 : c];
    }
    return true;
}

/* A constant added to or multiplied with what an inner-product layer makes: another form of its bias and weights. */
static bdnn_status fold_constant(passes *p, size_t l, bdnn_error *err)
{
    const bdnn_layer *layer = &p->graph->layers[l];
    const int constant = p->graph->values[layer->inputs[0]].constant.data ? 0 : 1;
    const int32_t in = layer->inputs[1 - constant];
    const bdnn_shape *out = &p->graph->values[in].shape;
    bdnn_status status = BDNN_OK;
    float *scale, *shift;
    if (!sole_inner_product(p, in)) {
        return BDNN_OK;
    }
    scale = bdnn_alloc((size_t)out->dim[1], sizeof *scale);
    shift = bdnn_zalloc((size_t)out->dim[1], sizeof *shift);
    if (!scale || !shift) {
        status = bdnn_fail_memory(err, (size_t)out->dim[1] * sizeof *scale, layer->name);
    } else if (per_channel(&p->graph->values[layer->inputs[constant]], out, layer->op == BDNN_OP_ADD ? shift : scale)) {
        for (int64_t c = 0; c < out->dim[1] && layer->op == BDNN_OP_ADD; c++) {
            scale[c] = 1.0f;
        }
        status = fold(p, l, in, scale, shift, err);
    }
    bdnn_free(scale);
    bdnn_free(shift);
    return status;
}

/* A dense layer reads its input in memory order, channels last; one behind a flattening reads the channels first.
 * Without the flattening its weights lie in the other order. */
static bdnn_status absorb_reshape(passes *p, size_t l, bdnn_error *err)
{
    bdnn_layer *dense = &p->graph->layers[l];
    const int32_t flat = dense->inputs[0], producer = p->producer[flat];
    bdnn_layer *reshape = producer < 0 ? NULL : &p->graph->layers[producer];
    const bdnn_shape *in, *out;
    bdnn_blob weight;
    bdnn_shape rows;
    if (!reshape || reshape->op != BDNN_OP_RESHAPE || dense->decomposed) {
        return BDNN_OK;
    }
    in = &p->graph->values[reshape->inputs[0]].shape;
    out = &p->graph->values[flat].shape;
    if (out->rank != 2 || in->rank < 2 || in->dim[0] != out->dim[0] || bdnn_shape_item_elements(in) != out->dim[1]) {
        return BDNN_OK;
    }
    rows = *in;
    rows.dim[0] = dense->attr.dense.filters;
    weight = bdnn_blob_copy(NULL, dense->weight.bytes);
    if (!weight.data) {
        return bdnn_fail_memory(err, dense->weight.bytes, dense->name);
    }
    bdnn_from_row_major(&rows, BDNN_FLOAT32, dense->weight.data, (void *)weight.data);
    bdnn_blob_free(&dense->weight);
    dense->weight = weight;
    p->uses[flat]--;
    p->uses[reshape->inputs[0]]++;
    dense->inputs[0] = reshape->inputs[0];
    return BDNN_OK;
}

/* ---- What nobody reads ---- */

/* From the end, so that one walk also finds the layers that only dead layers read. */
static void bury_dead_layers(passes *p)
{
    for (size_t l = p->graph->layer_count; l-- > 0;) {
        bdnn_layer *layer = &p->graph->layers[l];
        int32_t used = 0;
        if (p->gone[l]) {
            continue;
        }
        for (int32_t i = 0; i < layer->output_count; i++) {
            used = p->uses[layer->outputs[i]] ? i + 1 : used;
        }
        if (used) {
            layer->output_count = used; /* unread indices at the end */
            continue;
        }
        p->gone[l] = true;
        for (int32_t i = 0; i < layer->input_count; i++) {
            p->uses[layer->inputs[i]]--;
        }
    }
}

/* Network inputs that no layer reads, as training leaves them behind; one stays in any case. */
static void drop_inputs(passes *p)
{
    bdnn_graph *graph = p->graph;
    size_t kept = 0;
    for (size_t i = 0; i < graph->input_count; i++) {
        if (p->uses[graph->inputs[i]] || (!kept && i + 1 == graph->input_count)) {
            graph->inputs[kept++] = graph->inputs[i];
        }
    }
    graph->input_count = kept;
}

/* Removes the layers that are gone, keeping the others' order. */
static void remove_layers(passes *p)
{
    bdnn_graph *graph = p->graph;
    size_t kept = 0;
    for (size_t l = 0; l < graph->layer_count; l++) {
        if (!p->gone[l]) {
            bdnn_layer layer = graph->layers[l];
            graph->layers[l] = graph->layers[kept];
            graph->layers[kept++] = layer;
        }
    }
    while (graph->layer_count > kept) {
        bdnn_graph_remove_layer(graph, graph->layer_count - 1);
    }
}

static void renumber(int32_t *numbers, size_t count, const int32_t *to)
{
    for (size_t i = 0; i < count; i++) {
        numbers[i] = to[numbers[i]];
    }
}

/* Removes the values that no layer, input or output names. `reader` is used up. */
static void remove_values(passes *p)
{
    bdnn_graph *graph = p->graph;
    int32_t *number = p->reader, kept = 0;
    memset(p->is_output, 0, graph->value_count * sizeof *p->is_output); /* now: is named */
    for (size_t l = 0; l < graph->layer_count; l++) {
        for (int32_t i = 0; i < graph->layers[l].input_count; i++) {
            p->is_output[graph->layers[l].inputs[i]] = true;
        }
        for (int32_t i = 0; i < graph->layers[l].output_count; i++) {
            p->is_output[graph->layers[l].outputs[i]] = true;
        }
    }
    for (size_t i = 0; i < graph->input_count; i++) {
        p->is_output[graph->inputs[i]] = true;
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        p->is_output[graph->outputs[i]] = true;
    }
    for (size_t v = 0; v < graph->value_count; v++) {
        if (p->is_output[v]) {
            number[v] = kept;
            graph->values[kept++] = graph->values[v];
        } else {
            number[v] = -1;
            bdnn_free(graph->values[v].name);
            bdnn_blob_free(&graph->values[v].constant);
        }
    }
    graph->value_count = (size_t)kept;
    for (size_t l = 0; l < graph->layer_count; l++) {
        renumber(graph->layers[l].inputs, (size_t)graph->layers[l].input_count, number);
        renumber(graph->layers[l].outputs, (size_t)graph->layers[l].output_count, number);
    }
    renumber(graph->inputs, graph->input_count, number);
    renumber(graph->outputs, graph->output_count, number);
}

/* ---- All of it ---- */

/* One walk in execution order: when a layer is looked at, those before it are in their final form. */
static bdnn_status walk(passes *p, bool keep_batch_norm, bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    for (size_t l = 0; status == BDNN_OK && l < p->graph->layer_count; l++) {
        bdnn_layer *layer = &p->graph->layers[l];
        renumber(layer->inputs, (size_t)layer->input_count, p->reader);
        if (is_identity(p->graph, layer)) {
            bypass(p, l);
        } else if (layer->op == BDNN_OP_AFFINE && !keep_batch_norm) {
            status = fold_affine(p, l, err);
        } else if ((layer->op == BDNN_OP_ADD || layer->op == BDNN_OP_MUL) && layer->input_count == 2) {
            status = fold_constant(p, l, err);
        } else if (layer->op == BDNN_OP_DENSE) {
            status = absorb_reshape(p, l, err);
        }
    }
    return status;
}

bdnn_status bdnn_simplify(bdnn_graph *graph, bool keep_batch_norm, bdnn_error *err)
{
    passes p = {0};
    bdnn_status status = bdnn_graph_infer(graph, err);
    if (status != BDNN_OK) {
        return status;
    }
    bdnn_graph_unlink(graph); /* the passes renumber in place */
    if (!make_passes(&p, graph)) {
        status = bdnn_fail_memory(err, graph->value_count, "simplifying the network");
    } else if ((status = walk(&p, keep_batch_norm, err)) == BDNN_OK) {
        bury_dead_layers(&p);
        drop_inputs(&p);
        remove_layers(&p);
        remove_values(&p);
    }
    free_passes(&p);
    return status;
}
