/* SPDX-License-Identifier: BSD-2-Clause */
/* Topology texts, with parameters that are there in name only: sizes are what inference asks for, contents are never
 * read. */
#include "fuzz.h"

#include "import/topology.h"
#include "layers/layer.h"

#include <stdio.h>

static bool present(void *user, const char *name)
{
    (void)user;
    return name[0] & 1;
}

static bdnn_blob claim(int64_t count)
{
    static const float nothing;
    return (bdnn_blob){&nothing, (size_t)count * sizeof nothing, false};
}

static bdnn_status load(void *user, const bdnn_graph *graph, bdnn_layer *layer, const bdnn_parameter_rules *rules,
                        bdnn_error *err)
{
    const bdnn_shape *in = &graph->values[layer->inputs[0]].shape;
    (void)user;
    (void)rules;
    if (layer->op == BDNN_OP_CONV || layer->op == BDNN_OP_CONV_TRANSPOSE) {
        const int32_t *kernel = layer->attr.conv.window.kernel;
        bdnn_shape shape = {5, {in->dim[1], layer->attr.conv.filters, kernel[0], kernel[1], kernel[2]}};
        int64_t count = bdnn_shape_elements(&shape);
        if (layer->attr.conv.groups < 1 || count < 0) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "no such weights");
        }
        layer->weight = claim(count / layer->attr.conv.groups);
    } else if (layer->op == BDNN_OP_DENSE) {
        bdnn_shape shape = {2, {bdnn_shape_item_elements(in), layer->attr.dense.filters}};
        if (bdnn_shape_elements(&shape) < 0) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "no such weights");
        }
        layer->weight = claim(bdnn_shape_elements(&shape));
    } else if (layer->op == BDNN_OP_AFFINE) {
        layer->weight = layer->bias = claim(in->rank > 1 ? in->dim[1] : 0);
    }
    return BDNN_OK;
}

static bdnn_status constant(void *user, bdnn_value *value, bdnn_error *err)
{
    (void)user;
    (void)err;
    value->constant = claim(bdnn_shape_elements(&value->shape));
    return BDNN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const bdnn_parameter_source source = {NULL, present, load, constant};
    bdnn_model *model = bdnn_model_new();
    bdnn_error err;
    if (model && bdnn_topology_parse("input", (const char *)data, size, &source, model, &err) == BDNN_OK) {
        FILE *nowhere = fopen("/dev/null", "w");
        if (nowhere) {
            bdnn_topology_print(model, nowhere, &err);
            fclose(nowhere);
        }
        bdnn_graph_infer(&model->graph, &err);
    }
    bdnn_model_free(model);
    return 0;
}
