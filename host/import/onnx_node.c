/* SPDX-License-Identifier: BSD-2-Clause */
/* The current node: its inputs and attributes, and the layers it becomes. */
#include "import/onnx_node.h"

#include "core/memory.h"
#include "layers/layer.h"

#include <stdio.h>
#include <string.h>

/* ---- Inputs and outputs ---- */

onnx_operand *bdnn_onnx_input(onnx_importer *im, size_t index)
{
    const size_t *number;
    if (im->status != BDNN_OK || index >= im->node->n_input || !im->node->input[index][0]) {
        return NULL;
    }
    number = bdnn_names_find(&im->names, im->node->input[index]);
    return number ? im->operands[*number] : NULL;
}

onnx_operand *bdnn_onnx_need(onnx_importer *im, size_t index, const char *what)
{
    onnx_operand *x = bdnn_onnx_input(im, index);
    if (!x) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "input %zu (%s) is missing", index, what);
    }
    return x;
}

onnx_operand *bdnn_onnx_need_constant(onnx_importer *im, size_t index, bdnn_type type, const char *what)
{
    onnx_operand *x = bdnn_onnx_need(im, index, what);
    if (x && !x->data) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "%s '%.80s' are computed by the network, not constant", what,
                       im->node->input[index]);
        return NULL;
    }
    if (x && x->type != type) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "%s '%.80s' are %s", what, im->node->input[index],
                       type == BDNN_INT64 ? "not integers" : "integers");
        return NULL;
    }
    return x;
}

bool bdnn_onnx_has_output(const onnx_importer *im, size_t index)
{
    return index < im->node->n_output && im->node->output[index][0];
}

void bdnn_onnx_define(onnx_importer *im, size_t index, onnx_operand *x)
{
    const char *name;
    if (im->status != BDNN_OK || !bdnn_onnx_has_output(im, index)) {
        return;
    }
    name = im->node->output[index];
    if (bdnn_names_find(&im->names, name)) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "output '%.80s' exists already", name);
        return;
    }
    if (!x) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "output '%.80s' is not made", name);
        return;
    }
    x->name = x->name ? x->name : name;
    if (!bdnn_names_add(&im->names, name, x->number)) {
        bdnn_onnx_short_of_memory(im);
    }
}

/* ---- Attributes ---- */

const Onnx__AttributeProto *bdnn_onnx_attribute(const onnx_importer *im, const char *attribute)
{
    for (size_t i = 0; im->status == BDNN_OK && i < im->node->n_attribute; i++) {
        const Onnx__AttributeProto *a = im->node->attribute[i];
        if (a->name && strcmp(a->name, attribute) == 0) {
            return a;
        }
    }
    return NULL;
}

bool bdnn_onnx_has(const onnx_importer *im, const char *attribute)
{
    return bdnn_onnx_attribute(im, attribute) != NULL;
}

/* The attribute, which must have this type; files older than the field `type` leave it out. */
static const Onnx__AttributeProto *typed_attribute(onnx_importer *im, const char *attribute,
                                                   Onnx__AttributeProto__AttributeType type)
{
    const Onnx__AttributeProto *a = bdnn_onnx_attribute(im, attribute);
    if (a && a->has_type && a->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED && a->type != type) {
        const ProtobufCEnumValue *found =
            protobuf_c_enum_descriptor_get_value(&onnx__attribute_proto__attribute_type__descriptor, (int)a->type);
        const ProtobufCEnumValue *wanted =
            protobuf_c_enum_descriptor_get_value(&onnx__attribute_proto__attribute_type__descriptor, (int)type);
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute '%s' has type %s instead of %s", attribute,
                       found ? found->name : "unknown", wanted->name);
        return NULL;
    }
    return a;
}

int64_t bdnn_onnx_int(onnx_importer *im, const char *attribute, int64_t otherwise)
{
    const Onnx__AttributeProto *a = typed_attribute(im, attribute, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    return a ? a->i : otherwise;
}

float bdnn_onnx_float(onnx_importer *im, const char *attribute, float otherwise)
{
    const Onnx__AttributeProto *a = typed_attribute(im, attribute, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    return a ? a->f : otherwise;
}

int bdnn_onnx_choice(onnx_importer *im, const char *attribute, const char *const *choices, int otherwise)
{
    const Onnx__AttributeProto *a = typed_attribute(im, attribute, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    if (!a) {
        return otherwise;
    }
    for (int i = 0; choices[i]; i++) {
        if (strlen(choices[i]) == a->s.len && (!a->s.len || memcmp(choices[i], a->s.data, a->s.len) == 0)) {
            return i;
        }
    }
    bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "attribute '%s' is '%.*s'", attribute,
                   (int)(a->s.len < 40 ? a->s.len : 40), a->s.len ? (const char *)a->s.data : "");
    return otherwise;
}

int bdnn_onnx_ints(onnx_importer *im, const char *attribute, int64_t *out, int max)
{
    const Onnx__AttributeProto *a = typed_attribute(im, attribute, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    if (!a) {
        return -1;
    }
    if (a->n_ints > (size_t)max) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "attribute '%s' has %zu numbers, more than %d", attribute, a->n_ints,
                       max);
        return -1;
    }
    if (a->n_ints) {
        memcpy(out, a->ints, a->n_ints * sizeof *out);
    }
    return (int)a->n_ints;
}

int bdnn_onnx_floats(onnx_importer *im, const char *attribute, float *out, int max)
{
    const Onnx__AttributeProto *a = typed_attribute(im, attribute, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);
    if (!a) {
        return -1;
    }
    if (a->n_floats > (size_t)max) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "attribute '%s' has %zu numbers, more than %d", attribute,
                       a->n_floats, max);
        return -1;
    }
    if (a->n_floats) {
        memcpy(out, a->floats, a->n_floats * sizeof *out);
    }
    return (int)a->n_floats;
}

const Onnx__TensorProto *bdnn_onnx_attribute_tensor(onnx_importer *im, const char *attribute)
{
    const Onnx__AttributeProto *a = typed_attribute(im, attribute, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR);
    if (a && !a->t) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute '%s' has no tensor", attribute);
    }
    return a ? a->t : NULL;
}

int bdnn_onnx_list(onnx_importer *im, const onnx_operand *x, const char *what, int64_t *out, int max)
{
    int64_t count;
    if (!x) {
        return -1;
    }
    count = bdnn_shape_elements(&x->shape);
    if (!x->data) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "%s are computed by the network, not constant", what);
        return -1;
    }
    if (x->type != BDNN_INT64 || x->shape.rank > 1 || count > max) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "%s are not a list of at most %d integers", what, max);
        return -1;
    }
    memcpy(out, x->data, (size_t)count * sizeof *out);
    return (int)count;
}

int bdnn_onnx_ints_or_input(onnx_importer *im, const char *attribute, size_t index, int64_t *out, int max)
{
    int count = bdnn_onnx_ints(im, attribute, out, max);
    return count >= 0 ? count : bdnn_onnx_list(im, bdnn_onnx_input(im, index), attribute, out, max);
}

int32_t bdnn_onnx_axis(onnx_importer *im, int64_t axis, int32_t rank)
{
    if (axis < -rank || axis >= rank) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "axis %lld of a tensor of rank %d", (long long)axis, (int)rank);
        return 0;
    }
    return (int32_t)(axis < 0 ? axis + rank : axis);
}

bool bdnn_onnx_int32(onnx_importer *im, const char *what, int64_t value, int64_t low, int64_t high, int32_t *out)
{
    if (value < low || value > high) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "%s %lld is outside %lld..%lld", what, (long long)value, (long long)low,
                       (long long)high);
        return false;
    }
    *out = (int32_t)value;
    return true;
}

/* ---- Layers ---- */

/* Layers that cost about as much as their elements, and so may be computed at import. */
static bool foldable(bdnn_op op, int input_count)
{
    enum { FEW = 16 }; /* operands that each cost as much as the result */
    return bdnn_op_has(op, BDNN_OP_CHEAP) && ((op != BDNN_OP_ADD && op != BDNN_OP_MUL) || input_count <= FEW);
}

/* One layer on its way into the graph. */
typedef struct new_layer {
    bdnn_layer spec;
    onnx_operand *const *inputs;
    bdnn_value_info *in; /* input_count */
    bdnn_value_info out[2];
} new_layer;

/* Memory for a tensor; a constant's elements are copied into it. */
static bool make_tensor(bdnn_tensor *tensor, const bdnn_value_info *info, const void *row_major)
{
    tensor->type = info->type;
    tensor->shape = info->shape;
    tensor->data = bdnn_alloc((size_t)bdnn_shape_elements(&info->shape), bdnn_type_size(info->type));
    if (tensor->data && row_major) {
        bdnn_from_row_major(&info->shape, info->type, row_major, tensor->data);
    }
    return tensor->data != NULL;
}

/* Computes the layer on constants: memory order in, row-major out. */
static void compute(onnx_importer *im, const new_layer *nl, onnx_operand **outputs)
{
    const bdnn_layer *layer = &nl->spec;
    const bdnn_layer_type *type = bdnn_layer_type_of(layer->op);
    bdnn_tensor *in = bdnn_zalloc((size_t)layer->input_count, sizeof *in), out = {0};
    void *scratch = bdnn_alloc(type->scratch ? type->scratch(layer, nl->in, nl->out, 1) : 0, 1), *result;
    bool complete;
    outputs[0] = bdnn_onnx_constant(im, nl->out[0].type, &nl->out[0].shape, &result);
    complete = outputs[0] && in && scratch && make_tensor(&out, &nl->out[0], NULL);
    for (int32_t i = 0; complete && i < layer->input_count; i++) {
        complete = make_tensor(&in[i], &nl->in[i], nl->inputs[i]->data);
    }
    if (complete) {
        const bdnn_layer_call call = {.layer = layer, .inputs = in, .outputs = &out, .scratch = scratch};
        type->run(&call);
        bdnn_to_row_major(&out.shape, out.type, out.data, result);
    } else {
        bdnn_onnx_short_of_memory(im);
    }
    for (int32_t i = 0; in && i < layer->input_count; i++) {
        bdnn_free(in[i].data);
    }
    bdnn_free(in);
    bdnn_free(out.data);
    bdnn_free(scratch);
}

/* The graph value of an operand; a constant becomes one on its first use. */
int32_t bdnn_onnx_value_of(onnx_importer *im, onnx_operand *x)
{
    bdnn_value *value;
    if (im->status != BDNN_OK || !x) {
        return -1;
    }
    if (x->value >= 0) {
        return x->value;
    }
    x->value = bdnn_graph_add_value(im->graph, "", x->type, &x->shape);
    if (x->value < 0) {
        bdnn_onnx_short_of_memory(im);
        return -1;
    }
    if (x->data) {
        size_t bytes = (size_t)bdnn_shape_elements(&x->shape) * bdnn_type_size(x->type);
        if (!bdnn_onnx_charge(im, bytes, &x->shape)) {
            return -1;
        }
        value = &im->graph->values[x->value];
        value->constant = bdnn_blob_copy(NULL, bytes);
        if (!value->constant.data) {
            bdnn_onnx_short_of_memory(im);
            return -1;
        }
        bdnn_from_row_major(&x->shape, x->type, x->data, (void *)value->constant.data);
    }
    return x->value;
}

/* The node's name, else that of its first output. */
static const char *node_name(const onnx_importer *im)
{
    if (im->node->name && im->node->name[0]) {
        return im->node->name;
    }
    return im->node->n_output ? im->node->output[0] : "";
}

/* NULL when memory is short. */
static const char *layer_name(onnx_importer *im, const char *role)
{
    const char *base = node_name(im), *name;
    size_t bytes = strlen(base) + (role ? strlen(role) : 0) + 2;
    char *full = bdnn_alloc(bytes, 1);
    if (!full) {
        return NULL;
    }
    snprintf(full, bytes, role ? "%s/%s" : "%s%s", base, role ? role : "");
    name = bdnn_names_unique(&im->layer_names, full);
    bdnn_free(full);
    return name;
}

/* Moves the inferred layer into the graph, which takes its blobs. */
static void add_to_graph(onnx_importer *im, new_layer *nl, const char *role, onnx_operand **outputs)
{
    bdnn_layer *spec = &nl->spec, *layer = NULL;
    int32_t *numbers = bdnn_alloc((size_t)spec->input_count, sizeof *numbers), made[2];
    const char *name = layer_name(im, role);
    for (int32_t i = 0; numbers && i < spec->input_count; i++) {
        numbers[i] = bdnn_onnx_value_of(im, nl->inputs[i]);
    }
    for (int32_t o = 0; o < spec->output_count; o++) {
        outputs[o] = bdnn_onnx_operand(im, nl->out[o].type, &nl->out[o].shape);
        made[o] = bdnn_onnx_value_of(im, outputs[o]);
        if (outputs[o]) {
            outputs[o]->layer = name;
        }
    }
    if (name && numbers && im->status == BDNN_OK) {
        layer = bdnn_graph_add_layer(im->graph, spec->op, name, numbers, spec->input_count, made, spec->output_count);
    }
    bdnn_free(numbers);
    if (!layer) {
        bdnn_onnx_short_of_memory(im);
        return;
    }
    layer->attr = spec->attr;
    layer->weight = spec->weight;
    layer->bias = spec->bias;
    memset(&spec->weight, 0, sizeof spec->weight);
    memset(&spec->bias, 0, sizeof spec->bias);
}

static bool infer(onnx_importer *im, new_layer *nl)
{
    bdnn_layer *spec = &nl->spec;
    const bdnn_layer_type *type = bdnn_layer_type_of(spec->op);
    bdnn_error err = {.status = BDNN_ERROR_FORMAT};
    bdnn_status status;
    if (spec->input_count < type->min_inputs || spec->input_count > type->max_inputs) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "%d inputs", (int)spec->input_count);
        return false;
    }
    for (int32_t i = 0; i < spec->input_count; i++) {
        nl->in[i].type = nl->inputs[i]->type;
        nl->in[i].shape = nl->inputs[i]->shape;
        if (nl->in[i].type != BDNN_FLOAT32 && spec->op != BDNN_OP_RESHAPE && spec->op != BDNN_OP_MAX_UNPOOL) {
            bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "integers in input %d; layers compute in floating point",
                           (int)i);
            return false;
        }
    }
    status = type->infer(spec, nl->in, nl->out, &err);
    if (status != BDNN_OK) {
        bdnn_onnx_fail(im, status, "%s", err.message);
        return false;
    }
    for (int32_t o = 0; o < spec->output_count; o++) {
        if (bdnn_shape_elements(&nl->out[o].shape) < 0) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "its output has too many elements");
            return false;
        }
    }
    return true;
}

void bdnn_onnx_add(onnx_importer *im, const bdnn_layer *spec, const char *role, onnx_operand *const *inputs,
                   int input_count, onnx_operand **outputs, int output_count)
{
    new_layer nl = {.spec = *spec, .inputs = inputs};
    bool complete = im->status == BDNN_OK, constant = foldable(spec->op, input_count);
    nl.spec.input_count = input_count;
    nl.spec.output_count = output_count;
    memset(outputs, 0, (size_t)output_count * sizeof(*outputs));
    for (int i = 0; complete && i < input_count; i++) {
        complete = inputs[i] != NULL;
        constant = constant && complete && inputs[i]->data != NULL;
    }
    nl.in = bdnn_zalloc((size_t)input_count, sizeof *nl.in);
    if (!nl.in) {
        bdnn_onnx_short_of_memory(im);
    } else if (complete && bdnn_onnx_charge(im, nl.spec.weight.bytes + nl.spec.bias.bytes, NULL) && infer(im, &nl)) {
        if (constant) {
            compute(im, &nl, outputs);
        } else {
            add_to_graph(im, &nl, role, outputs);
        }
    }
    bdnn_free(nl.in);
    bdnn_blob_free(&nl.spec.weight);
    bdnn_blob_free(&nl.spec.bias);
    if (im->status != BDNN_OK) {
        memset(outputs, 0, (size_t)output_count * sizeof(*outputs));
    }
}

onnx_operand *bdnn_onnx_add1(onnx_importer *im, const bdnn_layer *spec, const char *role, onnx_operand *x)
{
    onnx_operand *y;
    bdnn_onnx_add(im, spec, role, &x, 1, &y, 1);
    return y;
}

onnx_operand *bdnn_onnx_add2(onnx_importer *im, bdnn_op op, const char *role, onnx_operand *a, onnx_operand *b)
{
    const bdnn_layer spec = {.op = op};
    onnx_operand *const inputs[2] = {a, b};
    onnx_operand *y;
    bdnn_onnx_add(im, &spec, role, inputs, 2, &y, 1);
    return y;
}

onnx_operand *bdnn_onnx_reshape(onnx_importer *im, onnx_operand *x, const bdnn_shape *shape, const char *role)
{
    bdnn_layer spec = {.op = BDNN_OP_RESHAPE};
    if (im->status != BDNN_OK || !x) {
        return NULL;
    }
    if (bdnn_shape_elements(shape) != bdnn_shape_elements(&x->shape)) {
        char from[128], to[128];
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "%s cannot become %s", bdnn_shape_text(&x->shape, from, sizeof from),
                       bdnn_shape_text(shape, to, sizeof to));
        return NULL;
    }
    if (bdnn_shape_equal(shape, &x->shape)) {
        return x;
    }
    if (x->data) {
        return bdnn_onnx_reshaped(im, x, shape);
    }
    spec.attr.reshape.shape = *shape;
    if (shape->rank > 0 && x->shape.rank > 0 && shape->dim[0] == x->shape.dim[0]) {
        spec.attr.reshape.shape.dim[0] = -2; /* the batch, of any size */
    }
    return bdnn_onnx_add1(im, &spec, role, x);
}

onnx_operand *bdnn_onnx_transpose(onnx_importer *im, onnx_operand *x, const int32_t *permutation, const char *role)
{
    bdnn_layer spec = {.op = BDNN_OP_TRANSPOSE};
    if (im->status != BDNN_OK || !x) {
        return NULL;
    }
    memcpy(spec.attr.transpose.permutation, permutation, (size_t)x->shape.rank * sizeof *permutation);
    return bdnn_onnx_add1(im, &spec, role, x);
}
