/* SPDX-License-Identifier: BSD-2-Clause */
/* Building, copying and asking the network graph. */
#include "model/graph.h"

#include "core/memory.h"

#include <string.h>

#define ENTRY(identifier, text, number, attributes, set) [number] = {.name = #text, .traits = (set)},
static const struct {
    const char *name;
    unsigned traits;
} operators[] = {BDNN_OPERATORS(ENTRY)};

#define AND_ONE(identifier, name, number, attributes, traits) +1
_Static_assert(0 BDNN_OPERATORS(AND_ONE) == BDNN_OP_COUNT && sizeof operators == BDNN_OP_COUNT * sizeof *operators,
               "the operators' numbers have no gaps");

const char *bdnn_op_name(bdnn_op op)
{
    return (unsigned)op < BDNN_OP_COUNT ? operators[op].name : "unknown";
}

bool bdnn_op_has(bdnn_op op, enum bdnn_op_traits trait)
{
    return (unsigned)op < BDNN_OP_COUNT && (operators[op].traits & trait);
}

/* Makes room for one more element in an array that doubles at powers of two. */
static bool grow(void **array, size_t count, size_t size)
{
    void *larger;
    if (count & (count - 1)) {
        return true;
    }
    larger = bdnn_zalloc(count ? 2 * count : 1, size);
    if (!larger) {
        return false;
    }
    if (count) {
        memcpy(larger, *array, count * size);
    }
    bdnn_free(*array);
    *array = larger;
    return true;
}

bdnn_model *bdnn_model_new(void)
{
    return bdnn_zalloc(1, sizeof(bdnn_model));
}

int32_t bdnn_graph_add_value(bdnn_graph *graph, const char *name, bdnn_type type, const bdnn_shape *shape)
{
    bdnn_value *value;
    char *copy;
    bdnn_graph_unlink(graph);
    if (graph->value_count >= INT32_MAX || !grow((void **)&graph->values, graph->value_count, sizeof *value) ||
        !(copy = bdnn_strdup(name))) {
        return -1;
    }
    value = &graph->values[graph->value_count];
    memset(value, 0, sizeof *value);
    value->name = copy;
    value->type = type;
    if (shape) {
        value->shape = *shape;
    }
    return (int32_t)graph->value_count++;
}

static int32_t *copy_numbers(const int32_t *numbers, int32_t count)
{
    int32_t *copy = bdnn_alloc((size_t)count, sizeof *copy);
    if (copy && count) {
        memcpy(copy, numbers, (size_t)count * sizeof *copy);
    }
    return copy;
}

bdnn_layer *bdnn_graph_add_layer(bdnn_graph *graph, bdnn_op op, const char *name, const int32_t *inputs,
                                 int32_t input_count, const int32_t *outputs, int32_t output_count)
{
    bdnn_layer layer = {.op = op, .input_count = input_count, .output_count = output_count};
    bdnn_graph_unlink(graph);
    if (!grow((void **)&graph->layers, graph->layer_count, sizeof layer)) {
        return NULL;
    }
    layer.name = bdnn_strdup(name);
    layer.inputs = copy_numbers(inputs, input_count);
    layer.outputs = copy_numbers(outputs, output_count);
    if (!layer.name || !layer.inputs || !layer.outputs) {
        bdnn_free(layer.name);
        bdnn_free(layer.inputs);
        bdnn_free(layer.outputs);
        return NULL;
    }
    graph->layers[graph->layer_count] = layer;
    return &graph->layers[graph->layer_count++];
}

static bool add_number(int32_t **numbers, size_t *count, int32_t number)
{
    if (!grow((void **)numbers, *count, sizeof **numbers)) {
        return false;
    }
    (*numbers)[(*count)++] = number;
    return true;
}

bool bdnn_graph_add_input(bdnn_graph *graph, int32_t value)
{
    return add_number(&graph->inputs, &graph->input_count, value);
}

bool bdnn_graph_add_output(bdnn_graph *graph, int32_t value)
{
    bdnn_graph_unlink(graph);
    return add_number(&graph->outputs, &graph->output_count, value);
}

bdnn_blob bdnn_blob_copy(const void *data, size_t bytes)
{
    bdnn_blob blob = {.bytes = bytes, .owned = true};
    void *copy = bdnn_alloc(bytes, 1);
    if (copy && data) {
        memcpy(copy, data, bytes);
    }
    blob.data = copy;
    return blob;
}

void bdnn_blob_free(bdnn_blob *blob)
{
    if (blob->owned) {
        bdnn_free((void *)blob->data);
    }
    memset(blob, 0, sizeof *blob);
}

void bdnn_decomposed_free(bdnn_decomposed *decomposed)
{
    if (decomposed) {
        bdnn_blob_free(&decomposed->planes);
        bdnn_blob_free(&decomposed->scales);
        bdnn_blob_free(&decomposed->filter_scale);
        bdnn_free(decomposed);
    }
}

static void free_layer(bdnn_layer *layer)
{
    bdnn_free(layer->name);
    bdnn_free(layer->inputs);
    bdnn_free(layer->outputs);
    bdnn_blob_free(&layer->weight);
    bdnn_blob_free(&layer->bias);
    bdnn_decomposed_free(layer->decomposed);
}

void bdnn_graph_remove_layer(bdnn_graph *graph, size_t index)
{
    /* The array's room stays that of its highest count; grow() only ever looks at powers of two on the way up again, so
     * a removal that crosses one costs a copy later and nothing else. */
    bdnn_graph_unlink(graph);
    free_layer(&graph->layers[index]);
    graph->layer_count--;
    memmove(&graph->layers[index], &graph->layers[index + 1], (graph->layer_count - index) * sizeof *graph->layers);
}

void bdnn_model_free(bdnn_model *model)
{
    if (!model) {
        return;
    }
    for (size_t i = 0; i < model->graph.layer_count; i++) {
        free_layer(&model->graph.layers[i]);
    }
    for (size_t i = 0; i < model->graph.value_count; i++) {
        bdnn_free(model->graph.values[i].name);
        bdnn_blob_free(&model->graph.values[i].constant);
    }
    for (size_t i = 0; i < model->label_count; i++) {
        bdnn_free(model->labels[i]);
    }
    bdnn_free(model->labels);
    bdnn_graph_unlink(&model->graph);
    bdnn_free(model->graph.layers);
    bdnn_free(model->graph.values);
    bdnn_free(model->graph.inputs);
    bdnn_free(model->graph.outputs);
    bdnn_blob_free(&model->mean_image);
    bdnn_unmap_file(&model->map);
    bdnn_free(model->file);
    bdnn_free(model);
}

void bdnn_model_release_pages(const bdnn_model *model)
{
    if (!model) {
        return;
    }
    bdnn_map_release_pages(&model->map);
}

static bool clone_blob(bdnn_blob *to, const bdnn_blob *from)
{
    memset(to, 0, sizeof *to);
    if (from->data) {
        *to = bdnn_blob_copy(from->data, from->bytes);
    }
    return to->data || !from->data;
}

static bool clone_layer(bdnn_graph *graph, const bdnn_layer *from)
{
    bdnn_layer *to = bdnn_graph_add_layer(graph, from->op, from->name, from->inputs, from->input_count, from->outputs,
                                          from->output_count);
    if (!to) {
        return false;
    }
    to->attr = from->attr;
    if (!clone_blob(&to->weight, &from->weight) || !clone_blob(&to->bias, &from->bias)) {
        return false;
    }
    if (!from->decomposed) {
        return true;
    }
    to->decomposed = bdnn_zalloc(1, sizeof *to->decomposed);
    if (!to->decomposed) {
        return false;
    }
    *to->decomposed = *from->decomposed;
    /* All three are overwritten, even when one fails, so that freeing the clone never touches the original's memory. */
    return (int)clone_blob(&to->decomposed->planes, &from->decomposed->planes) &
           (int)clone_blob(&to->decomposed->scales, &from->decomposed->scales) &
           (int)clone_blob(&to->decomposed->filter_scale, &from->decomposed->filter_scale);
}

static bool clone_graph(bdnn_graph *to, const bdnn_graph *from)
{
    for (size_t i = 0; i < from->value_count; i++) {
        const bdnn_value *value = &from->values[i];
        if (bdnn_graph_add_value(to, value->name, value->type, &value->shape) < 0 ||
            !clone_blob(&to->values[i].constant, &value->constant)) {
            return false;
        }
        to->values[i].format = value->format;
    }
    for (size_t i = 0; i < from->layer_count; i++) {
        if (!clone_layer(to, &from->layers[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < from->input_count; i++) {
        if (!bdnn_graph_add_input(to, from->inputs[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < from->output_count; i++) {
        if (!bdnn_graph_add_output(to, from->outputs[i])) {
            return false;
        }
    }
    return !from->links || bdnn_graph_link(to);
}

bdnn_model *bdnn_model_clone(const bdnn_model *model)
{
    bdnn_model *clone = bdnn_model_new();
    if (!clone) {
        return NULL;
    }
    clone->preprocess = model->preprocess;
    clone->preprocess.mean_image = NULL;
    if (!clone_graph(&clone->graph, &model->graph) || !clone_blob(&clone->mean_image, &model->mean_image) ||
        bdnn_model_set_labels(clone, (const char *const *)model->labels, model->label_count, NULL) != BDNN_OK) {
        bdnn_model_free(clone);
        return NULL;
    }
    clone->preprocess.mean_image = clone->mean_image.data;
    return clone;
}

const char *const *bdnn_model_labels(const bdnn_model *model, size_t *count)
{
    if (count) {
        *count = model ? model->label_count : 0;
    }
    return model ? (const char *const *)model->labels : NULL;
}

bdnn_status bdnn_model_set_labels(bdnn_model *model, const char *const *labels, size_t count, bdnn_error *err)
{
    if (!model || (count && !labels)) {
        return bdnn_fail_null(err, __func__);
    }
    for (size_t i = 0; i < count; i++) {
        if (!labels[i]) {
            return bdnn_fail_null(err, __func__);
        }
    }
    char **copy = bdnn_zalloc(count, sizeof *copy);
    bool complete = copy != NULL;
    for (size_t i = 0; complete && i < count; i++) {
        complete = (copy[i] = bdnn_strdup(labels[i])) != NULL;
    }
    for (size_t i = 0; !complete && copy && i < count; i++) {
        bdnn_free(copy[i]);
    }
    if (!complete) {
        bdnn_free(copy);
        return bdnn_fail_memory(err, count * sizeof *copy, "labels");
    }
    for (size_t i = 0; i < model->label_count; i++) {
        bdnn_free(model->labels[i]);
    }
    bdnn_free(model->labels);
    model->labels = count ? copy : NULL;
    model->label_count = count;
    if (!count) {
        bdnn_free(copy);
    }
    return BDNN_OK;
}
