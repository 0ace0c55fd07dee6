/* SPDX-License-Identifier: BSD-2-Clause */
/* The calibration streams. */
#include "decompose/streams.h"

#include "core/arithmetic.h"
#include "core/memory.h"

#include <math.h>
#include <string.h>

/* A slice is as many images as keep its largest value around this size, so that its outputs are still in the cache when
 * they are copied on, and at most this many. */
#define SLICE_BYTES  ((int64_t)32 << 20)
#define SLICE_IMAGES 32

static int64_t item_bytes(const bdnn_value_info *info, int64_t batch)
{
    return bdnn_shape_elements(&info->shape) / batch * (int64_t)bdnn_type_size(info->type);
}

bdnn_status bdnn_streams_fit(const bdnn_graph *graph, uint64_t limit, int64_t *images, bdnn_error *err)
{
    bdnn_value_info *info = bdnn_zalloc(graph->value_count, sizeof *info);
    size_t *readers = bdnn_zalloc(graph->value_count, sizeof *readers);
    uint64_t live = 0, most = 1;
    bdnn_status status = info && readers
                             ? bdnn_graph_infer_batch(graph, 1, info, err)
                             : bdnn_fail_memory(err, graph->value_count * sizeof *info, "the calibration plan");
    if (status != BDNN_OK) {
        bdnn_free(info);
        bdnn_free(readers);
        return status;
    }
    for (size_t v = 0; v < graph->value_count; v++) {
        readers[v] = graph->values[v].constant.data ? 0 : bdnn_graph_uses(graph, (int32_t)v);
    }
    for (size_t l = 0; l < graph->layer_count; l++) {
        const bdnn_layer *layer = &graph->layers[l];
        for (int32_t o = 0; o < layer->output_count; o++) {
            live += (uint64_t)item_bytes(&info[layer->outputs[o]], 1);
        }
        most = live > most ? live : most;
        for (int32_t i = 0; i < layer->input_count; i++) {
            int32_t v = layer->inputs[i];
            if (readers[v] > 0 && --readers[v] == 0 && bdnn_graph_producer(graph, v) >= 0) {
                live -= (uint64_t)item_bytes(&info[v], 1);
            }
        }
    }
    bdnn_free(info);
    bdnn_free(readers);
    limit /= 2 * most;
    *images = limit < 1 ? 1 : (limit < (uint64_t)*images ? (int64_t)limit : *images);
    return BDNN_OK;
}

int64_t bdnn_streams_item(const bdnn_streams *streams, int32_t value)
{
    return bdnn_shape_elements(&streams->info[0][value].shape) / streams->slice[0];
}

static bdnn_status infer_slices(bdnn_streams *s, bdnn_error *err)
{
    int64_t largest = 1;
    bdnn_status status;
    for (int part = 0; part < 2; part++) {
        s->info[part] = bdnn_zalloc(s->graph->value_count, sizeof **s->info);
        if (!s->info[part]) {
            return bdnn_fail_memory(err, s->graph->value_count * sizeof **s->info, "the calibration plan");
        }
    }
    status = bdnn_graph_infer_batch(s->graph, 1, s->info[0], err);
    if (status != BDNN_OK) {
        return status;
    }
    for (size_t v = 0; v < s->graph->value_count; v++) {
        int64_t bytes = item_bytes(&s->info[0][v], 1);
        largest = bdnn_max(bytes, largest);
    }
    s->slice[0] = SLICE_BYTES / largest;
    s->slice[0] = bdnn_min(bdnn_clamp(s->slice[0], 1, SLICE_IMAGES), s->images);
    s->slice[1] = s->images % s->slice[0];
    status = bdnn_graph_infer_batch(s->graph, s->slice[0], s->info[0], err);
    if (status == BDNN_OK && s->slice[1]) {
        status = bdnn_graph_infer_batch(s->graph, s->slice[1], s->info[1], err);
    }
    for (size_t v = 0; v < s->graph->value_count && status == BDNN_OK; v++) {
        const bdnn_shape *shape = &s->info[0][v].shape;
        if (!s->graph->values[v].constant.data && (shape->rank < 1 || shape->dim[0] != s->slice[0])) {
            char text[128];
            status = bdnn_fail(
                err, BDNN_ERROR_UNSUPPORTED, "value '%s' of shape %s does not have the batch of %lld as its first axis",
                s->graph->values[v].name, bdnn_shape_text(shape, text, sizeof text), (long long)s->slice[0]);
        }
    }
    return status;
}

bdnn_status bdnn_streams_open(bdnn_streams *s, const bdnn_graph *graph, const float *inputs, int64_t images,
                              bdnn_threads *threads, bdnn_error *err)
{
    bdnn_status status;
    bdnn_shape shape;
    int32_t input;
    memset(s, 0, sizeof *s);
    s->graph = graph;
    s->threads = threads;
    s->images = images;
    if (graph->input_count != 1) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "a network of %zu inputs cannot be calibrated, only one of 1",
                         graph->input_count);
    }
    s->exact = bdnn_zalloc(graph->value_count, sizeof *s->exact);
    s->approximate = bdnn_zalloc(graph->value_count, sizeof *s->approximate);
    s->readers = bdnn_zalloc(graph->value_count, sizeof *s->readers);
    if (!s->exact || !s->approximate || !s->readers) {
        return bdnn_fail_memory(err, graph->value_count * sizeof *s->exact, "the calibration streams");
    }
    status = infer_slices(s, err);
    if (status != BDNN_OK) {
        return status;
    }
    for (size_t v = 0; v < graph->value_count; v++) {
        s->readers[v] = bdnn_graph_uses(graph, (int32_t)v);
    }
    input = graph->inputs[0];
    shape = s->info[0][input].shape;
    shape.dim[0] = images;
    s->exact[input] = bdnn_alloc(bdnn_size(bdnn_shape_elements(&shape)), sizeof(float));
    s->approximate[input] = s->exact[input];
    if (!s->exact[input]) {
        return bdnn_fail_memory(err, bdnn_product(bdnn_size(bdnn_shape_elements(&shape)), sizeof(float)),
                                "the calibration inputs");
    }
    bdnn_from_row_major(&shape, BDNN_FLOAT32, inputs, s->exact[input]);
    return BDNN_OK;
}

static void free_value(bdnn_streams *s, int32_t value)
{
    if (s->approximate[value] != s->exact[value]) {
        bdnn_free(s->approximate[value]);
    }
    bdnn_free(s->exact[value]);
    s->exact[value] = s->approximate[value] = NULL;
}

void bdnn_streams_close(bdnn_streams *s)
{
    for (size_t v = 0; s->exact && s->approximate && v < s->graph->value_count; v++) {
        free_value(s, (int32_t)v);
    }
    bdnn_free(s->exact);
    bdnn_free(s->approximate);
    bdnn_free(s->readers);
    bdnn_free(s->info[0]);
    bdnn_free(s->info[1]);
    memset(s, 0, sizeof *s);
}

static bdnn_status allocate_outputs(bdnn_streams *s, const bdnn_layer *layer, void **stream, bdnn_error *err)
{
    for (int32_t o = 0; o < layer->output_count; o++) {
        int32_t v = layer->outputs[o];
        size_t bytes = bdnn_product(bdnn_size(s->images * bdnn_streams_item(s, v)), bdnn_type_size(s->info[0][v].type));
        stream[v] = bdnn_alloc(bytes, 1);
        if (!stream[v]) {
            return bdnn_fail_memory(err, bytes, "a layer's calibration outputs");
        }
    }
    return BDNN_OK;
}

/* The part of a value's stream that belongs to the images from `first` on. */
static bdnn_tensor view(const bdnn_streams *s, void **stream, int32_t value, int part, int64_t first)
{
    bdnn_tensor tensor = {.type = s->info[part][value].type, .shape = s->info[part][value].shape};
    const bdnn_blob *constant = &s->graph->values[value].constant;
    tensor.data = constant->data ? (void *)constant->data
                                 : (char *)stream[value] +
                                       first * bdnn_streams_item(s, value) * (int64_t)bdnn_type_size(tensor.type);
    return tensor;
}

/* A float layer over all slices of one stream. */
static bdnn_status run_float(bdnn_streams *s, const bdnn_layer *layer, void **stream, bdnn_error *err)
{
    const bdnn_layer_type *type = bdnn_layer_type_of(layer->op);
    const size_t tensors = (size_t)layer->input_count + (size_t)layer->output_count;
    bdnn_tensor *tensor = bdnn_zalloc(tensors, sizeof *tensor);
    bdnn_value_info *info = bdnn_zalloc(tensors, sizeof *info);
    bdnn_layer_call call = {.layer = layer,
                            .inputs = tensor,
                            .outputs = tensor ? tensor + layer->input_count : NULL,
                            .threads = s->threads};
    bdnn_status status = tensor && info ? BDNN_OK : bdnn_fail_memory(err, tensors * sizeof *tensor, "a layer's call");
    for (int64_t first = 0; first < s->images && status == BDNN_OK; first += s->slice[0]) {
        const int part = first + s->slice[0] > s->images;
        size_t scratch;
        for (size_t t = 0; t < tensors; t++) {
            int32_t v =
                t < (size_t)layer->input_count ? layer->inputs[t] : layer->outputs[t - (size_t)layer->input_count];
            tensor[t] = view(s, stream, v, part, first);
            info[t] = s->info[part][v];
        }
        scratch =
            type->scratch ? type->scratch(layer, info, info + layer->input_count, bdnn_threads_count(s->threads)) : 0;
        call.scratch = bdnn_alloc(scratch, 1);
        if (!call.scratch) {
            status = bdnn_fail_memory(err, scratch, "a layer's scratch memory");
        } else {
            type->run(&call);
        }
        bdnn_free(call.scratch);
    }
    bdnn_free(tensor);
    bdnn_free(info);
    return status;
}

/* A decomposed layer over the slices of one size. */
static bdnn_status run_decomposed_part(bdnn_streams *s, const bdnn_layer *layer, bdnn_backend *backend, int part,
                                       bdnn_error *err)
{
    const int32_t in = layer->inputs[0], out = layer->outputs[0];
    const int64_t whole = s->images - s->slice[1];
    bdnn_inner inner;
    void *scratch = NULL;
    const bdnn_inner_place place = {.in = &s->info[part][in].shape, .out = &s->info[part][out].shape};
    bdnn_status status = bdnn_inner_prepare(&inner, backend, layer, &place, err);
    if (status != BDNN_OK) {
        return status;
    }
    scratch = bdnn_alloc(bdnn_inner_scratch(&inner), 1);
    if (!scratch) {
        status = bdnn_fail_memory(err, bdnn_inner_scratch(&inner), "a layer's scratch memory");
    }
    for (int64_t first = part ? whole : 0; first < (part ? s->images : whole) && status == BDNN_OK;
         first += s->slice[part]) {
        const bdnn_format format = {.kind = BDNN_FORMAT_FLOAT};
        bdnn_feature_map x = bdnn_feature_map_host(place.in, BDNN_FLOAT32, &format);
        bdnn_feature_map y = bdnn_feature_map_host(place.out, BDNN_FLOAT32, &format);
        x.data = view(s, s->approximate, in, part, first).data;
        y.data = view(s, s->approximate, out, part, first).data;
        status = bdnn_inner_run(&inner, &(bdnn_operands){.input = &x, .output = &y}, scratch, s->threads, err);
    }
    bdnn_free(scratch);
    bdnn_inner_release(&inner);
    return status;
}

bdnn_status bdnn_streams_run_exact(bdnn_streams *s, size_t index, bdnn_error *err)
{
    const bdnn_layer *layer = &s->graph->layers[index];
    bdnn_status status = allocate_outputs(s, layer, s->exact, err);
    return status == BDNN_OK ? run_float(s, layer, s->exact, err) : status;
}

bdnn_status bdnn_streams_run_approximate(bdnn_streams *s, size_t index, const bdnn_layer *layer, bdnn_backend *backend,
                                         bdnn_error *err)
{
    const bdnn_layer *original = &s->graph->layers[index];
    bool same = !layer->decomposed;
    bdnn_status status;
    for (int32_t i = 0; i < original->input_count; i++) {
        same = same && s->approximate[original->inputs[i]] == s->exact[original->inputs[i]];
    }
    if (same) {
        for (int32_t o = 0; o < original->output_count; o++) {
            s->approximate[original->outputs[o]] = s->exact[original->outputs[o]];
        }
        return BDNN_OK;
    }
    status = allocate_outputs(s, original, s->approximate, err);
    if (status != BDNN_OK || !layer->decomposed) {
        return status == BDNN_OK ? run_float(s, layer, s->approximate, err) : status;
    }
    status = run_decomposed_part(s, layer, backend, 0, err);
    return status == BDNN_OK && s->slice[1] ? run_decomposed_part(s, layer, backend, 1, err) : status;
}

void bdnn_streams_retire(bdnn_streams *s, size_t index)
{
    const bdnn_layer *layer = &s->graph->layers[index];
    for (int32_t i = 0; i < layer->input_count; i++) {
        if (--s->readers[layer->inputs[i]] == 0) {
            free_value(s, layer->inputs[i]);
        }
    }
    for (int32_t o = 0; o < layer->output_count; o++) {
        if (s->readers[layer->outputs[o]] == 0) {
            free_value(s, layer->outputs[o]);
        }
    }
}

double bdnn_streams_snr(const bdnn_streams *s, int32_t value)
{
    const float *exact = s->exact[value], *approximate = s->approximate[value];
    const int64_t count = s->images * bdnn_streams_item(s, value);
    double signal = 0, noise = 0;
    for (int64_t i = 0; i < count; i++) {
        double d = (double)exact[i] - approximate[i];
        signal += (double)exact[i] * exact[i];
        noise += d * d;
    }
    return 10 * log10(signal / noise);
}
