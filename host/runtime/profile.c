/* SPDX-License-Identifier: BSD-2-Clause */
/* What the layers of a session cost. */
#include "core/memory.h"
#include "runtime/session.h"

#include <string.h>

bdnn_status bdnn_session_profile(bdnn_session *s, bdnn_error *err)
{
    if (!s) {
        return bdnn_fail_null(err, __func__);
    }
    if (!s->nanoseconds) {
        s->nanoseconds = bdnn_zalloc(s->plan.step_count, sizeof *s->nanoseconds);
    }
    if (s->backend) {
        s->backend->counting = true;
    }
    return s->nanoseconds ? BDNN_OK : bdnn_fail_memory(err, s->plan.step_count * sizeof *s->nanoseconds, "timing");
}

/* Bytes of a map; of no map 0. */
static uint64_t map_bytes(const bdnn_session *s, int32_t map)
{
    return map < 0 ? 0 : s->plan.maps[map].bytes;
}

/* Of the host maps of these values; constants are counted as weights. */
static uint64_t value_bytes(const bdnn_session *s, const int32_t *values, int32_t count)
{
    uint64_t bytes = 0;
    for (int32_t i = 0; i < count; i++) {
        bytes += map_bytes(s, s->plan.host_map[values[i]]);
    }
    return bytes;
}

static uint64_t constant_bytes(const bdnn_session *s, int32_t index)
{
    const bdnn_layer *layer = &s->graph->layers[index], *form = s->layers[index].form;
    uint64_t bytes = form ? form->weight.bytes : layer->weight.bytes;
    for (int32_t i = 0; i < layer->input_count; i++) {
        bytes += s->graph->values[layer->inputs[i]].constant.bytes;
    }
    return bytes;
}

/* Bytes that a transfer moves are those of its map on the device. */
static void add_transfer(const bdnn_session *s, const bdnn_step *step, bdnn_layer_cost *cost)
{
    if (step->kind == BDNN_STEP_TO_DEVICE) {
        cost->accelerator.bytes_to_device += map_bytes(s, step->output);
    } else {
        cost->accelerator.bytes_from_device += map_bytes(s, step->input);
    }
}

/* A step of the layer that computes. */
static void add_work(const bdnn_session *s, size_t index, bdnn_layer_cost *cost)
{
    const bdnn_step *step = &s->plan.steps[index];
    const bdnn_layer *layer = &s->graph->layers[step->layer];
    const bdnn_inner *inner = &s->layers[step->layer].inner;
    if (!inner->backend) {
        cost->kernel = s->steps[index].in_float || !s->backend ? "float" : "integers";
        cost->weight_bytes = constant_bytes(s, step->layer);
        cost->input_bytes = value_bytes(s, layer->inputs, layer->input_count);
        cost->output_bytes = value_bytes(s, layer->outputs, layer->output_count);
        return;
    }
    cost->kernel = inner->backend->type->describe(inner->backend, inner->resident, &cost->weight_bytes);
    cost->input_bytes = map_bytes(s, step->input) + map_bytes(s, step->addend);
    cost->output_bytes = map_bytes(s, step->output) + map_bytes(s, step->next);
    if (inner->backend->type->device) {
        const bdnn_accelerator_cost transfers = cost->accelerator;
        inner->backend->type->device->cost(inner->backend, inner->resident, &cost->accelerator);
        cost->accelerator.bytes_to_device = transfers.bytes_to_device;
        cost->accelerator.bytes_from_device = transfers.bytes_from_device;
    }
}

bdnn_status bdnn_session_layer(const bdnn_session *s, size_t index, bdnn_layer_cost *cost, bdnn_error *err)
{
    if (!s || !cost) {
        return bdnn_fail_null(err, __func__);
    }
    memset(cost, 0, sizeof *cost);
    if (index >= s->graph->layer_count) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "layer %zu of a network of %zu", index, s->graph->layer_count);
    }
    cost->kernel = "fused";
    for (int32_t i = s->plan.layers[index].first_step; i >= 0; i = s->plan.steps[i].following) {
        const bdnn_step *step = &s->plan.steps[i];
        cost->nanoseconds += s->nanoseconds ? s->nanoseconds[i] : 0;
        if (step->kind == BDNN_STEP_TO_DEVICE || step->kind == BDNN_STEP_FROM_DEVICE) {
            add_transfer(s, step, cost);
        } else {
            add_work(s, (size_t)i, cost);
        }
    }
    return BDNN_OK;
}

size_t bdnn_session_transfer_count(const bdnn_session *s)
{
    return s ? s->plan.transfer_count : 0;
}

bdnn_status bdnn_session_transfer(const bdnn_session *s, size_t index, bdnn_transfer *transfer, bdnn_error *err)
{
    if (!s || !transfer) {
        return bdnn_fail_null(err, __func__);
    }
    if (index >= s->plan.transfer_count) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "transfer %zu of %zu", index, s->plan.transfer_count);
    }
    const bdnn_step *step = &s->plan.steps[s->plan.transfers[index]];
    const bdnn_layer *layer = &s->graph->layers[step->layer];
    const bool to_device = step->kind == BDNN_STEP_TO_DEVICE;
    const int32_t value = to_device           ? layer->inputs[0]
                          : layer->decomposed ? s->plan.layers[step->layer].fusion.result
                                              : layer->outputs[0];
    *transfer = (bdnn_transfer){.value = s->graph->values[value].name,
                                .layer = layer->name,
                                .to_device = to_device,
                                .bytes = map_bytes(s, to_device ? step->output : step->input)};
    return BDNN_OK;
}
