/* SPDX-License-Identifier: BSD-2-Clause */
/* Who makes and who reads a value: asked of every value by planning, checking and decomposing, so that a walk over all
 * layers for each question would make them quadratic in the number of layers. */
#include "model/graph.h"

#include "core/memory.h"

void bdnn_graph_unlink(bdnn_graph *graph)
{
    if (graph->links) {
        bdnn_free(graph->links->producer);
        bdnn_free(graph->links->uses);
        bdnn_free(graph->links->first);
        bdnn_free(graph->links->readers);
        bdnn_free(graph->links);
        graph->links = NULL;
    }
}

/* Counts each value's readers into first[value + 1]; the sum of all. */
static size_t count_readers(const bdnn_graph *graph, bdnn_links *links)
{
    size_t sum = 0;
    for (size_t v = 0; v < graph->value_count; v++) {
        links->producer[v] = -1;
    }
    for (size_t l = 0; l < graph->layer_count; l++) {
        const bdnn_layer *layer = &graph->layers[l];
        for (int32_t i = 0; i < layer->input_count; i++) {
            links->uses[layer->inputs[i]]++;
            links->first[layer->inputs[i] + 1]++;
            sum++;
        }
        for (int32_t o = 0; o < layer->output_count; o++) {
            links->producer[layer->outputs[o]] = (int32_t)l;
        }
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        links->uses[graph->outputs[i]]++;
    }
    return sum;
}

/* Counting sort: from the last layer to the first, each into the last free place of its value's part. */
static void sort_readers(const bdnn_graph *graph, bdnn_links *links)
{
    for (size_t v = 0; v < graph->value_count; v++) {
        links->first[v + 1] += links->first[v];
    }
    /* Now first[v + 1] is the end of v's part; it sinks to the part's beginning while the part is filled. */
    for (size_t l = graph->layer_count; l-- > 0;) {
        const bdnn_layer *layer = &graph->layers[l];
        for (int32_t i = 0; i < layer->input_count; i++) {
            links->readers[--links->first[layer->inputs[i] + 1]] = (int32_t)l;
        }
    }
    for (size_t v = 0; v < graph->value_count; v++) {
        links->first[v] = links->first[v + 1];
    }
}

bool bdnn_graph_link(bdnn_graph *graph)
{
    bdnn_links *links = bdnn_zalloc(1, sizeof *links);
    size_t reads;
    bdnn_graph_unlink(graph);
    graph->links = links;
    if (!links) {
        return false;
    }
    links->producer = bdnn_alloc(graph->value_count, sizeof *links->producer);
    links->uses = bdnn_zalloc(graph->value_count, sizeof *links->uses);
    links->first = bdnn_zalloc(graph->value_count + 1, sizeof *links->first);
    if (!links->producer || !links->uses || !links->first) {
        bdnn_graph_unlink(graph);
        return false;
    }
    reads = count_readers(graph, links);
    links->readers = bdnn_alloc(reads, sizeof *links->readers);
    if (!links->readers) {
        bdnn_graph_unlink(graph);
        return false;
    }
    sort_readers(graph, links);
    links->first[graph->value_count] = reads;
    return true;
}

int32_t bdnn_graph_producer(const bdnn_graph *graph, int32_t value)
{
    if (graph->links) {
        return graph->links->producer[value];
    }
    for (size_t i = 0; i < graph->layer_count; i++) {
        for (int32_t o = 0; o < graph->layers[i].output_count; o++) {
            if (graph->layers[i].outputs[o] == value) {
                return (int32_t)i;
            }
        }
    }
    return -1;
}

size_t bdnn_graph_uses(const bdnn_graph *graph, int32_t value)
{
    size_t uses = 0;
    if (graph->links) {
        return graph->links->uses[value];
    }
    for (size_t i = 0; i < graph->layer_count; i++) {
        for (int32_t n = 0; n < graph->layers[i].input_count; n++) {
            uses += graph->layers[i].inputs[n] == value;
        }
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        uses += graph->outputs[i] == value;
    }
    return uses;
}

static bool reads(const bdnn_layer *layer, int32_t value)
{
    int32_t i = 0;
    while (i < layer->input_count && layer->inputs[i] != value) {
        i++;
    }
    return i < layer->input_count;
}

int32_t bdnn_graph_next_reader(const bdnn_graph *graph, int32_t value, size_t *cursor)
{
    const bdnn_links *links = graph->links;
    int32_t layer = -1;
    if (links) {
        const size_t end = links->first[value + 1];
        size_t at = links->first[value] + *cursor;
        layer = at < end ? links->readers[at] : -1;
        while (at < end && links->readers[at] == layer) {
            at++;
        }
        *cursor = at - links->first[value];
        return layer;
    }
    while (layer < 0 && *cursor < graph->layer_count) {
        layer = reads(&graph->layers[*cursor], value) ? (int32_t)*cursor : -1;
        ++*cursor;
    }
    return layer;
}

int32_t bdnn_graph_only_reader(const bdnn_graph *graph, int32_t value)
{
    size_t cursor = 0;
    return bdnn_graph_uses(graph, value) == 1 ? bdnn_graph_next_reader(graph, value, &cursor) : -1;
}
