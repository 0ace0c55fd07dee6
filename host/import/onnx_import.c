/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn_import_onnx: the file's head, its constants and inputs, node after node, outputs, names. */
#include "import/import.h"

#include "core/memory.h"
#include "import/onnx_node.h"
#include "import/onnx_operators.h"
#include "import/onnx_tensor.h"
#include "layers/layer.h"

#include <stdio.h>
#include <string.h>

/* More nodes than any network has; keeps the work on a hostile file small. */
enum { MAX_NODES = 1 << 16, MIN_OPSET = 1, MAX_OPSET = 17 };

/* What parameters and computed constants may take beyond four times the file and the bound inputs. */
#define BUDGET_BASE ((uint64_t)16 << 20)

/* ---- Names ---- */

/* Gives an operand its ONNX name; false (and a failure) when the name is taken or empty. */
static bool name_operand(onnx_importer *im, onnx_operand *x, const char *name)
{
    if (!x) {
        return false;
    }
    if (!name || !*name) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "an input or constant has no name");
        return false;
    }
    if (bdnn_names_find(&im->names, name)) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "'%.100s' is defined twice", name);
        return false;
    }
    x->name = name;
    if (!bdnn_names_add(&im->names, name, x->number)) {
        bdnn_onnx_short_of_memory(im);
        return false;
    }
    return true;
}

/* ---- Inputs and constants of the graph ---- */

static const bdnn_bound_input *bound_input(const onnx_importer *im, const char *name)
{
    for (size_t i = 0; name && i < im->options->bound_count; i++) {
        if (strcmp(im->options->bound[i].name, name) == 0) {
            return &im->options->bound[i];
        }
    }
    return NULL;
}

/* Row-major constants that the caller supplies; they come before the file's own of the same name. */
static void bind_inputs(onnx_importer *im)
{
    for (size_t i = 0; im->status == BDNN_OK && i < im->options->bound_count; i++) {
        const bdnn_bound_input *bound = &im->options->bound[i];
        onnx_operand *x;
        if (!bound->data) {
            continue;
        }
        x = bdnn_onnx_operand(im, bound->type, &bound->shape);
        if (x) {
            x->data = bound->data;
            im->budget += 4 * (uint64_t)bdnn_shape_elements(&bound->shape) * bdnn_type_size(bound->type);
        }
        name_operand(im, x, bound->name);
    }
}

static void import_initializers(onnx_importer *im, const Onnx__GraphProto *graph)
{
    if (graph->n_sparse_initializer) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "sparse tensors");
    }
    for (size_t i = 0; im->status == BDNN_OK && i < graph->n_initializer; i++) {
        const Onnx__TensorProto *tensor = graph->initializer[i];
        const bdnn_bound_input *bound = bound_input(im, tensor->name);
        if (!bound || !bound->data) {
            name_operand(im, bdnn_onnx_tensor(im, tensor), tensor->name);
        }
    }
}

/* The shape of a graph input; a batch that the file leaves open becomes 1. */
static bool input_shape(onnx_importer *im, const char *name, const Onnx__TensorShapeProto *proto, bdnn_shape *shape)
{
    memset(shape, 0, sizeof *shape);
    if (!proto) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "input '%.80s' has no shape; bind one", name);
        return false;
    }
    if (proto->n_dim > BDNN_MAX_RANK) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "input '%.80s' has rank %zu, more than %d", name, proto->n_dim,
                       BDNN_MAX_RANK);
        return false;
    }
    shape->rank = (int32_t)proto->n_dim;
    for (int32_t i = 0; i < shape->rank; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = proto->dim[i];
        bool symbolic = dim->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        shape->dim[i] = symbolic ? -1 : dim->dim_value;
        if (shape->dim[i] <= 0 && i == 0) {
            shape->dim[i] = 1;
        }
        if (shape->dim[i] <= 0) {
            const char *label =
                dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM ? dim->dim_param : "";
            bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED,
                           "dimension %d%s%.60s%s of input '%.80s' is not fixed; bind the input's shape", (int)i,
                           *label ? " ('" : "", label, *label ? "')" : "", name);
            return false;
        }
    }
    return true;
}

static void import_input(onnx_importer *im, const Onnx__ValueInfoProto *info)
{
    const char *name = info->name ? info->name : "";
    const bdnn_bound_input *bound = bound_input(im, name);
    const Onnx__TypeProto__Tensor *tensor;
    onnx_operand *x;
    bdnn_shape shape;
    bdnn_type type;
    if (bdnn_names_find(&im->names, name)) {
        return; /* a parameter: files of IR version 3 and before list those as inputs, too; or bound */
    }
    if (!info->type || info->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "input '%.80s' is no tensor", name);
        return;
    }
    tensor = info->type->tensor_type;
    if (!bdnn_onnx_type(tensor->elem_type, &type) || type != BDNN_FLOAT32) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "input '%.80s' is %s; a network's inputs are floating point", name,
                       bdnn_onnx_type_name(tensor->elem_type));
        return;
    }
    if (bound) {
        shape = bound->shape;
    } else if (!input_shape(im, name, tensor->shape, &shape)) {
        return;
    }
    if (bdnn_shape_elements(&shape) < 0) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "input '%.80s' has too many elements", name);
        return;
    }
    x = bdnn_onnx_operand(im, type, &shape);
    if (name_operand(im, x, name) && bdnn_onnx_value_of(im, x) >= 0 && !bdnn_graph_add_input(im->graph, x->value)) {
        bdnn_onnx_short_of_memory(im);
    }
}

/* ---- Nodes and outputs ---- */

/* Whether a later node makes this name, to tell nodes out of order (or in a circle) from names that nothing makes. */
static bool made_later(const Onnx__GraphProto *graph, size_t from, const char *name)
{
    for (size_t i = from; i < graph->n_node; i++) {
        for (size_t o = 0; o < graph->node[i]->n_output; o++) {
            if (strcmp(graph->node[i]->output[o], name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void import_node(onnx_importer *im, const Onnx__GraphProto *graph, size_t index)
{
    const Onnx__NodeProto *node = graph->node[index];
    bdnn_onnx_handler *handler;
    im->node = node;
    if (!node->op_type) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "a node without operator");
    } else if (node->domain && node->domain[0] && strcmp(node->domain, "ai.onnx") != 0) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "operators of the domain '%.60s' are not supported", node->domain);
    }
    for (size_t i = 0; im->status == BDNN_OK && i < node->n_input; i++) {
        if (node->input[i][0] && !bdnn_names_find(&im->names, node->input[i])) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT,
                           made_later(graph, index, node->input[i])
                               ? "input '%.100s' is made only later: nodes are out of order or form a circle"
                               : "input '%.100s' is made by nothing",
                           node->input[i]);
        }
    }
    if (im->status == BDNN_OK) {
        handler = bdnn_onnx_find(node->op_type);
        if (handler) {
            handler(im);
        } else {
            bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "the operator is not supported");
        }
    }
    im->node = NULL;
}

/* The graph's outputs; each gets a value of its own, so that it can carry the output's name. */
static void import_output(onnx_importer *im, const Onnx__ValueInfoProto *info, bool *taken)
{
    const char *name = info->name ? info->name : "";
    const size_t *number = bdnn_names_find(&im->names, name);
    /* A name that is found is an operand's. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    onnx_operand *x = number ? im->operands[*number] : NULL;
    Onnx__NodeProto copy = ONNX__NODE_PROTO__INIT;
    if (!x) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "output '%.100s' is made by nothing", name);
        return;
    }
    if (taken[x->number]) { /* an input handed through, or one value under two names: a layer that copies */
        bdnn_layer spec = {.op = BDNN_OP_RESHAPE};
        char *output[1] = {(char *)name};
        spec.attr.reshape.shape = x->shape;
        for (int32_t i = 0; i < x->shape.rank; i++) {
            spec.attr.reshape.shape.dim[i] = -2;
        }
        copy.op_type = (char *)"Identity";
        copy.output = output;
        copy.n_output = 1;
        im->node = &copy;
        x = x->data ? bdnn_onnx_reshaped(im, x, &x->shape) : bdnn_onnx_add1(im, &spec, NULL, x);
        im->node = NULL;
    } else {
        taken[x->number] = true;
    }
    if (x) {
        x->name = name;
        if (bdnn_onnx_value_of(im, x) >= 0 && !bdnn_graph_add_output(im->graph, x->value)) {
            bdnn_onnx_short_of_memory(im);
        }
    }
}

static void import_outputs(onnx_importer *im, const Onnx__GraphProto *graph)
{
    bool *taken = bdnn_zalloc(im->operand_count, sizeof *taken);
    bool *is_input = bdnn_zalloc(im->graph->value_count, sizeof *is_input);
    for (size_t i = 0; is_input && i < im->graph->input_count; i++) {
        is_input[im->graph->inputs[i]] = true;
    }
    for (size_t i = 0; taken && is_input && i < im->operand_count; i++) {
        taken[i] = im->operands[i]->value >= 0 && is_input[im->operands[i]->value];
    }
    bdnn_free(is_input);
    if (!taken || !is_input) {
        bdnn_free(taken);
        bdnn_onnx_short_of_memory(im);
        return;
    }
    if (!graph->n_output) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "the graph has no outputs");
    }
    for (size_t i = 0; im->status == BDNN_OK && i < graph->n_output; i++) {
        import_output(im, graph->output[i], taken);
    }
    bdnn_free(taken);
}

/* Values get their ONNX names, and what lies between the layers of a node that of its layer; all unique. */
static void name_values(onnx_importer *im)
{
    bdnn_names unique = {0};
    for (int pass = 0; pass < 2; pass++) { /* first the names that mean something outside */
        for (size_t i = 0; im->status == BDNN_OK && i < im->operand_count; i++) {
            const onnx_operand *x = im->operands[i];
            bdnn_value *value = x->value >= 0 ? &im->graph->values[x->value] : NULL;
            char *name;
            if (!value || (pass == 0) != (x->name != NULL)) {
                continue;
            }
            name = bdnn_strdup(bdnn_names_unique(&unique, x->name ? x->name : x->layer ? x->layer : "constant"));
            if (!name) {
                bdnn_onnx_short_of_memory(im);
                break;
            }
            bdnn_free(value->name);
            value->name = name;
        }
    }
    bdnn_names_free(&unique);
}

static void import_graph(onnx_importer *im, const Onnx__GraphProto *graph)
{
    if (graph->n_node > MAX_NODES) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "%zu nodes, more than %d", graph->n_node, MAX_NODES);
    }
    bind_inputs(im);
    import_initializers(im, graph);
    for (size_t i = 0; im->status == BDNN_OK && i < graph->n_input; i++) {
        import_input(im, graph->input[i]);
    }
    for (size_t i = 0; im->status == BDNN_OK && i < graph->n_node; i++) {
        import_node(im, graph, i);
    }
    if (im->status == BDNN_OK) {
        import_outputs(im, graph);
    }
    name_values(im);
}

/* ---- The file ---- */

static void import_model(onnx_importer *im, const Onnx__ModelProto *proto)
{
    im->opset = proto->n_opset_import ? 0 : 1; /* files of IR version 1 and 2 name none */
    for (size_t i = 0; i < proto->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *id = proto->opset_import[i];
        if (!id->domain || !id->domain[0] || strcmp(id->domain, "ai.onnx") == 0) {
            im->opset = id->version;
        }
    }
    if (im->opset < MIN_OPSET || im->opset > MAX_OPSET) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "operator set %lld; %d to %d are supported", (long long)im->opset,
                       MIN_OPSET, MAX_OPSET);
    } else if (!proto->graph) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "no graph in it");
    } else {
        import_graph(im, proto->graph);
    }
}

bdnn_status bdnn_import_onnx(const char *name, const uint8_t *data, size_t size, const bdnn_onnx_options *options,
                             bdnn_model **model, bdnn_error *err)
{
    static const bdnn_onnx_options defaults = {0};
    onnx_importer im = {.options = options ? options : &defaults, .budget = BUDGET_BASE + 4 * (uint64_t)size};
    Onnx__ModelProto *proto;
    bdnn_model *made = bdnn_model_new();
    bdnn_status status;
    *model = NULL;
    if (!made) {
        return bdnn_fail_memory(err, sizeof *made, "a model");
    }
    im.graph = &made->graph;
    status = bdnn_onnx_unpack(data, size, &proto, err);
    if (status == BDNN_OK) {
        import_model(&im, proto);
        bdnn_onnx_release(&im);
        bdnn_onnx_free(proto);
        status = im.status;
        if (status != BDNN_OK) {
            bdnn_fail(err, status, "%s", im.error.message);
        }
    }
    if (status == BDNN_OK) {
        status = bdnn_simplify(&made->graph, im.options->keep_batch_norm, err);
    }
    if (status == BDNN_OK) {
        status = bdnn_graph_infer(&made->graph, err);
    }
    if (status != BDNN_OK) {
        bdnn_model_free(made);
        return bdnn_prefix(err, status, "%s", name);
    }
    *model = made;
    return BDNN_OK;
}
