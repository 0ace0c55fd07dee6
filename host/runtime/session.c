/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions: preparing a network for a device. Running it is walk.c's. */
#include "runtime/session.h"

#include "core/memory.h"
#include "core/options.h"
#include "layers/pool.h"
#include "runtime/float_form.h"

#include <string.h>

bdnn_tensor bdnn_session_tensor(const bdnn_session *s, int32_t value)
{
    const bdnn_blob *constant = &s->graph->values[value].constant;
    const int32_t map = s->plan.host_map[value];
    if (map >= 0) {
        return bdnn_feature_map_tensor(&s->plan.maps[map]);
    }
    return (bdnn_tensor){.type = s->plan.info[value].type,
                         .format = bdnn_plan_format(&s->plan, value),
                         .shape = s->plan.info[value].shape,
                         .data = (void *)constant->data};
}

/* ---- Steps on the host ---- */

size_t bdnn_session_float_bytes(const bdnn_session *s, int32_t value)
{
    return bdnn_round_up((size_t)bdnn_shape_elements(&s->plan.info[value].shape) * sizeof(float), BDNN_ALIGNMENT);
}

/* Inputs that the layer reads in real units, but that are not kept so: de-quantized before the layer runs. */
bool bdnn_session_converts(const bdnn_session *s, size_t step, int32_t input)
{
    const bdnn_layer *layer = &s->graph->layers[s->plan.steps[step].layer];
    const bdnn_type type = s->plan.info[layer->inputs[input]].type;
    return s->layers[s->plan.steps[step].layer].form ||
           (s->steps[step].in_float && (type == BDNN_UINT8 || type == BDNN_INT16));
}

static void need_scratch(bdnn_session *s, size_t bytes)
{
    s->scratch_bytes = bytes > s->scratch_bytes ? bytes : s->scratch_bytes;
}

static bdnn_status layer_scratch(bdnn_session *s, size_t step, const bdnn_layer *layer, bdnn_error *err)
{
    const bdnn_layer_type *type = bdnn_layer_type_of(layer->op);
    const int32_t inputs = layer->input_count, count = inputs + layer->output_count;
    bdnn_value_info *info = bdnn_alloc((size_t)count, sizeof *info);
    size_t bytes;
    if (!info) {
        return bdnn_fail_memory(err, (size_t)count * sizeof *info, "a layer's shapes");
    }
    for (int32_t i = 0; i < count; i++) {
        info[i] = s->plan.info[i < inputs ? layer->inputs[i] : layer->outputs[i - inputs]];
    }
    bytes = type->scratch ? type->scratch(layer, info, info + inputs, bdnn_threads_count(s->threads)) : 0;
    for (int32_t i = 0; i < inputs; i++) {
        bytes = bdnn_sum(bytes, bdnn_session_converts(s, step, i) ? bdnn_session_float_bytes(s, layer->inputs[i]) : 0);
    }
    need_scratch(s, bytes);
    bdnn_free(info);
    return BDNN_OK;
}

static bdnn_status prepare_layer(bdnn_session *s, size_t step, bdnn_error *err)
{
    const int32_t index = s->plan.steps[step].layer;
    const bdnn_layer *layer = &s->graph->layers[index];
    bdnn_ready_step *ready = &s->steps[step];
    bdnn_ready_layer *own = &s->layers[index];
    bdnn_status status = BDNN_OK;
    ready->inputs = bdnn_zalloc(2 * (size_t)layer->input_count + (size_t)layer->output_count, sizeof *ready->inputs);
    if (!ready->inputs) {
        return bdnn_fail_memory(err, (size_t)layer->input_count * sizeof *ready->inputs, "a layer's tensors");
    }
    ready->read = ready->inputs + layer->input_count;
    ready->outputs = ready->read + layer->input_count;
    ready->in_float = bdnn_plan_format(&s->plan, layer->outputs[0]).kind == BDNN_FORMAT_FLOAT;
    if (layer->decomposed) {
        status = bdnn_float_form_create(layer, &s->plan.info[layer->inputs[0]].shape,
                                        &s->plan.info[layer->outputs[0]].shape, &own->form, err);
    }
    return status == BDNN_OK ? layer_scratch(s, step, own->form ? own->form : layer, err) : status;
}

/* ---- Steps on backends ---- */

static bdnn_status prepare_inner(bdnn_session *s, const bdnn_step *step, bdnn_error *err)
{
    const bdnn_layer_plan *plan = &s->plan.layers[step->layer];
    const bdnn_layer *layers = s->graph->layers, *layer = &layers[step->layer];
    const bdnn_inner_place place = {
        .in = &s->plan.info[layer->inputs[0]].shape,
        .out = &s->plan.info[layer->outputs[0]].shape,
        .in_format = plan->reads,
        .out_format = bdnn_plan_format(&s->plan, layer->outputs[0]),
        .clip = plan->fusion.clip < 0 ? NULL : &layers[plan->fusion.clip],
        .reader = plan->next_reader < 0 ? NULL : layers[plan->next_reader].decomposed,
        .placement = step->on_device ? &plan->placement : NULL,
    };
    return bdnn_inner_prepare(&s->layers[step->layer].inner, step->on_device ? s->backend : s->host, layer, &place,
                              err);
}

static bdnn_status prepare_pool(bdnn_session *s, const bdnn_step *step, bdnn_error *err)
{
    const bdnn_layer *layer = &s->graph->layers[step->layer];
    bdnn_ip_shape shape;
    bdnn_pool_shape(layer, &s->plan.info[layer->inputs[0]].shape, &s->plan.info[layer->outputs[0]].shape, &shape);
    shape.bits = s->plan.maps[step->input].format.bits;
    return bdnn_inner_prepare_pool(&s->layers[step->layer].inner, s->backend, &shape, err);
}

static bdnn_status prepare_step(bdnn_session *s, size_t index, bdnn_error *err)
{
    const bdnn_step *step = &s->plan.steps[index];
    bdnn_status status = BDNN_OK;
    switch (step->kind) {
    case BDNN_STEP_LAYER:
        return prepare_layer(s, index, err);
    case BDNN_STEP_INNER:
        status = prepare_inner(s, step, err);
        break;
    case BDNN_STEP_POOL:
        status = prepare_pool(s, step, err);
        break;
    case BDNN_STEP_TO_DEVICE:
    case BDNN_STEP_FROM_DEVICE:
        return BDNN_OK; /* by the layer's backend */
    }
    if (status == BDNN_OK) {
        need_scratch(s, bdnn_inner_scratch(&s->layers[step->layer].inner));
    }
    return status;
}

static bdnn_status prepare_steps(bdnn_session *s, bdnn_error *err)
{
    s->layers = bdnn_zalloc(s->graph->layer_count, sizeof *s->layers);
    s->steps = bdnn_zalloc(s->plan.step_count, sizeof *s->steps);
    if (!s->layers || !s->steps) {
        return bdnn_fail_memory(err, s->plan.step_count * sizeof *s->steps, "the plan's steps");
    }
    for (size_t i = 0; i < s->plan.step_count; i++) {
        bdnn_status status = prepare_step(s, i, err);
        if (status != BDNN_OK) {
            return bdnn_prefix(err, status, "layer '%s'", s->graph->layers[s->plan.steps[i].layer].name);
        }
    }
    return BDNN_OK;
}

/* ---- Memory ---- */

static void fill_tensors(bdnn_session *s)
{
    for (size_t m = 0; m < s->plan.map_count; m++) {
        bdnn_feature_map *map = &s->plan.maps[m];
        map->data = map->place == BDNN_PLACE_HOST ? s->arena + map->offset : NULL;
    }
    for (size_t i = 0; i < s->plan.step_count; i++) {
        const bdnn_layer *layer = &s->graph->layers[s->plan.steps[i].layer];
        bdnn_ready_step *ready = &s->steps[i];
        for (int32_t n = 0; ready->inputs && n < layer->input_count; n++) {
            ready->inputs[n] = bdnn_session_tensor(s, layer->inputs[n]);
        }
        for (int32_t n = 0; ready->inputs && n < layer->output_count; n++) {
            ready->outputs[n] = bdnn_session_tensor(s, layer->outputs[n]);
        }
    }
}

static bdnn_status allocate(bdnn_session *s, bdnn_error *err)
{
    s->arena = bdnn_alloc(s->plan.arena_bytes, 1);
    s->scratch = bdnn_alloc(s->scratch_bytes, 1);
    s->results = bdnn_zalloc(s->graph->output_count, sizeof *s->results);
    if (!s->arena || !s->scratch || !s->results) {
        return bdnn_fail_memory(err, bdnn_sum(s->plan.arena_bytes, s->scratch_bytes), "activations");
    }
    fill_tensors(s);
    for (size_t i = 0; i < s->graph->output_count; i++) {
        const size_t count = (size_t)bdnn_shape_elements(&s->plan.info[s->graph->outputs[i]].shape);
        /* Integer outputs pass through it on their way to float. */
        s->results[i] = bdnn_alloc(count, sizeof(int64_t));
        if (!s->results[i]) {
            return bdnn_fail_memory(err, count * sizeof(int64_t), "an output");
        }
    }
    return s->plan.device_bytes > 0 ? s->backend->type->device->reserve(s->backend, s->plan.device_bytes, err)
                                    : BDNN_OK;
}

/* The backend of the device, and for what it does not take the CPU. */
static bdnn_status open_backends(bdnn_session *s, const bdnn_session_options *o, bdnn_error *err)
{
    const bdnn_backend_options host = {.threads = s->threads};
    bdnn_status status = bdnn_backend_open(o, s->threads, &s->backend, err);
    s->host = s->backend;
    if (status == BDNN_OK && s->backend && s->backend->type->device) {
        s->host = NULL;
        status = bdnn_backend_cpu.open(&host, &s->host, err);
    }
    return status;
}

bdnn_status bdnn_session_create(const bdnn_model *model, const bdnn_session_options *options, bdnn_session **session,
                                bdnn_error *err)
{
    if (session) {
        *session = NULL;
    }
    if (!model || !session) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_session_options taken;
    bdnn_status status = bdnn_take_session_options(&taken, options, __func__, err);
    if (status != BDNN_OK) {
        return status;
    }
    const bdnn_session_options *o = &taken;
    bdnn_session *s = bdnn_zalloc(1, sizeof *s);
    if (!s) {
        return bdnn_fail_memory(err, sizeof *s, "a session");
    }
    s->model = model;
    s->graph = &model->graph;
    s->allow_not_finite = o->allow_not_finite;
    s->threads = bdnn_threads_create(o->threads);
    status = s->threads ? BDNN_OK : bdnn_fail(err, BDNN_ERROR_MEMORY, "cannot start %zu threads", o->threads);
    if (status == BDNN_OK && s->graph->input_count != 1) {
        status = bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "the network has %zu inputs, not 1", s->graph->input_count);
    }
    if (status == BDNN_OK && o->batch > INT32_MAX) {
        status = bdnn_fail(err, BDNN_ERROR_ARGUMENT, "a batch of %zu", o->batch);
    }
    if (status == BDNN_OK) {
        status = open_backends(s, o, err);
    }
    if (status == BDNN_OK) {
        status =
            bdnn_plan_create(&s->plan, s->graph, o->batch ? (int64_t)o->batch : 1, s->backend != NULL, s->backend, err);
    }
    if (status == BDNN_OK) {
        status = prepare_steps(s, err);
    }
    if (status == BDNN_OK) {
        status = allocate(s, err);
    }
    if (status != BDNN_OK) {
        bdnn_session_free(s);
        return status;
    }
    *session = s;
    return BDNN_OK;
}

void bdnn_session_free(bdnn_session *s)
{
    if (!s) {
        return;
    }
    for (size_t l = 0; s->layers && l < s->graph->layer_count; l++) {
        if (s->layers[l].inner.backend) {
            bdnn_inner_release(&s->layers[l].inner);
        }
        bdnn_float_form_free(s->layers[l].form);
    }
    for (size_t i = 0; s->steps && i < s->plan.step_count; i++) {
        bdnn_free(s->steps[i].inputs);
    }
    for (size_t i = 0; s->results && i < s->graph->output_count; i++) {
        bdnn_free(s->results[i]);
    }
    bdnn_free(s->steps);
    bdnn_free(s->layers);
    bdnn_free(s->results);
    bdnn_free(s->nanoseconds);
    bdnn_free(s->arena);
    bdnn_free(s->scratch);
    if (s->host && s->host != s->backend) {
        s->host->type->close(s->host);
    }
    if (s->backend) {
        s->backend->type->close(s->backend);
    }
    bdnn_plan_free(&s->plan);
    bdnn_threads_destroy(s->threads);
    bdnn_free(s);
}

size_t bdnn_session_output_count(const bdnn_session *s)
{
    if (!s) {
        return 0;
    }
    return s->graph->output_count;
}

bdnn_status bdnn_session_output(const bdnn_session *s, size_t index, bdnn_result *result, bdnn_error *err)
{
    if (!s || !result) {
        return bdnn_fail_null(err, __func__);
    }
    const bdnn_value_info *info;
    if (index >= s->graph->output_count) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "output %zu of %zu", index, s->graph->output_count);
    }
    info = &s->plan.info[s->graph->outputs[index]];
    result->name = s->graph->values[s->graph->outputs[index]].name;
    result->rank = info->shape.rank;
    memcpy(result->shape, info->shape.dim, sizeof result->shape);
    result->data = s->results[index];
    return BDNN_OK;
}

void bdnn_session_memory(const bdnn_session *s, uint64_t *planned, uint64_t *without_reuse)
{
    if (planned) {
        *planned = s ? (uint64_t)s->plan.arena_bytes + s->scratch_bytes : 0;
    }
    if (without_reuse) {
        *without_reuse = s ? s->plan.total_bytes + s->scratch_bytes : 0;
    }
}
