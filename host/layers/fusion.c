/* SPDX-License-Identifier: BSD-2-Clause */
/* Fusion of residual sums and clips with the inner product before them. */
#include "layers/fusion.h"

/* The addition that alone reads `value`, made by layer `index`, and whose other operand exists by then. */
static void take_sum(const bdnn_graph *graph, size_t index, int32_t value, bdnn_fusion *fusion)
{
    const int32_t reader = bdnn_graph_only_reader(graph, value);
    const bdnn_layer *add = reader < 0 ? NULL : &graph->layers[reader];
    if (!add || add->op != BDNN_OP_ADD || add->input_count != 2) {
        return;
    }
    const int32_t other = add->inputs[add->inputs[0] == value];
    if (bdnn_graph_producer(graph, other) >= (int32_t)index ||
        !bdnn_shape_equal(&graph->values[other].shape, &graph->values[value].shape)) {
        return;
    }
    fusion->sum = reader;
    fusion->addend = other;
    fusion->result = add->outputs[0];
}

bdnn_fusion bdnn_fusion_of(const bdnn_graph *graph, size_t index)
{
    bdnn_fusion fusion = {BDNN_NONE, BDNN_NONE, BDNN_NONE, graph->layers[index].outputs[0]};
    take_sum(graph, index, fusion.result, &fusion);
    const int32_t reader = bdnn_graph_only_reader(graph, fusion.result);
    const bdnn_layer *clip = reader < 0 ? NULL : &graph->layers[reader];
    if (clip && clip->op == BDNN_OP_ACTIVATION && clip->attr.activation.kind == BDNN_ACT_CLIP) {
        fusion.clip = reader;
        fusion.result = clip->outputs[0];
    }
    return fusion;
}
