/* SPDX-License-Identifier: BSD-2-Clause */
/* Planning: fusion, places and layouts, and the steps. Their memory is arena.c's. */
#include "runtime/plan.h"

#include "core/memory.h"
#include "layers/formats.h"
#include "layers/pool.h"
#include "runtime/inner.h"

#include <inttypes.h>
#include <string.h>

struct planning {
    bdnn_plan *plan;
    const bdnn_backend *device;
    int32_t *reader;     /* per value: the first decomposed layer that reads it, or BDNN_NONE */
    int32_t *next_map;   /* per value: its map as that layer reads it, or BDNN_NONE */
    int32_t *device_map; /* per value: its map on the device, quantized, or BDNN_NONE */
    int32_t *maker;      /* per value: the layer that has made that map on the device, or BDNN_NONE */
};

size_t bdnn_plan_bytes(const bdnn_plan *plan, int32_t value)
{
    return (size_t)bdnn_shape_elements(&plan->info[value].shape) * bdnn_type_size(plan->info[value].type);
}

bdnn_format bdnn_plan_format(const bdnn_plan *plan, int32_t value)
{
    return plan->integers ? plan->graph->values[value].format : (bdnn_format){.kind = BDNN_FORMAT_FLOAT};
}

/* ---- Fusion ---- */

/* What is fused with layer `index`, a decomposed one, given the formats: integers alone are added and clipped on the
 * way. */
static void fuse(struct planning *p, size_t index)
{
    bdnn_plan *plan = p->plan;
    bdnn_fusion f = bdnn_fusion_of(plan->graph, index);
    const bdnn_format format = bdnn_plan_format(plan, plan->graph->layers[index].outputs[0]);
    if (format.kind == BDNN_FORMAT_FLOAT || (f.sum >= 0 && format.kind != BDNN_FORMAT_WIDE)) {
        f = (bdnn_fusion){BDNN_NONE, BDNN_NONE, BDNN_NONE, plan->graph->layers[index].outputs[0]};
    }
    plan->layers[index].fusion = f;
    if (f.sum >= 0) {
        plan->layers[f.sum].fused = true;
    }
    if (f.clip >= 0) {
        plan->layers[f.clip].fused = true;
    }
}

static void fuse_all(struct planning *p)
{
    const bdnn_graph *graph = p->plan->graph;
    for (size_t l = 0; l < graph->layer_count; l++) {
        p->plan->layers[l].next_reader = p->plan->layers[l].first_step = BDNN_NONE;
        if (graph->layers[l].decomposed && p->plan->integers) {
            const int32_t in = graph->layers[l].inputs[0];
            p->reader[in] = p->reader[in] < 0 ? (int32_t)l : p->reader[in];
            fuse(p, l);
        }
    }
}

/* ---- Maps ---- */

static int32_t add_map(bdnn_plan *plan, const bdnn_feature_map *map)
{
    plan->maps[plan->map_count] = *map;
    return (int32_t)plan->map_count++;
}

static int32_t add_host_map(bdnn_plan *plan, int32_t value)
{
    const bdnn_format format = bdnn_plan_format(plan, value);
    const bdnn_feature_map map = bdnn_feature_map_host(&plan->info[value].shape, plan->info[value].type, &format);
    return plan->host_map[value] = add_map(plan, &map);
}

static int32_t add_device_map(bdnn_plan *plan, int32_t value, const bdnn_format *format, int32_t groups, size_t bytes)
{
    bdnn_feature_map map = bdnn_feature_map_host(&plan->info[value].shape, BDNN_UINT8, format);
    map.place = BDNN_PLACE_DEVICE;
    map.layout = format->kind == BDNN_FORMAT_QUANTIZED ? BDNN_LAYOUT_PLANES : BDNN_LAYOUT_BLOCKS;
    map.groups = groups;
    map.bytes = bytes;
    return add_map(plan, &map);
}

static bdnn_step *add_step(bdnn_plan *plan, bdnn_step_kind kind, size_t layer)
{
    int32_t *link = &plan->layers[layer].first_step;
    while (*link >= 0) {
        link = &plan->steps[*link].following;
    }
    *link = (int32_t)plan->step_count;
    if (kind == BDNN_STEP_TO_DEVICE || kind == BDNN_STEP_FROM_DEVICE) {
        plan->transfers[plan->transfer_count++] = *link;
    }
    bdnn_step *step = &plan->steps[plan->step_count++];
    *step = (bdnn_step){.kind = kind,
                        .layer = (int32_t)layer,
                        .input = BDNN_NONE,
                        .output = BDNN_NONE,
                        .addend = BDNN_NONE,
                        .next = BDNN_NONE,
                        .following = BDNN_NONE};
    return step;
}

/* Brings a value to the host that so far is on the device alone. */
static void need_on_host(struct planning *p, int32_t value)
{
    if (p->plan->host_map[value] >= 0 || p->device_map[value] < 0) {
        return;
    }
    bdnn_step *step = add_step(p->plan, BDNN_STEP_FROM_DEVICE, (size_t)p->maker[value]);
    step->input = p->device_map[value];
    step->output = add_host_map(p->plan, value);
}

/* ---- Decomposed layers ---- */

/* What reads the host's map of a decomposed layer's input, quantized already where its maker has done that. */
static int32_t host_input(struct planning *p, size_t index)
{
    const bdnn_layer *layer = &p->plan->graph->layers[index];
    const int32_t value = layer->inputs[0], next = p->next_map[value];
    const bdnn_format own = bdnn_format_read_by(layer->decomposed);
    if (next >= 0 && bdnn_format_equal(&p->plan->maps[next].format, &own)) {
        return next;
    }
    need_on_host(p, value);
    return p->plan->host_map[value];
}

/* The kind and limits of what a decomposed layer makes, clip included: all that a place depends on. */
static bdnn_sink sink_of(const bdnn_plan *plan, size_t index, bdnn_requantizer *limits)
{
    const bdnn_fusion *f = &plan->layers[index].fusion;
    const bdnn_format format = bdnn_plan_format(plan, f->result);
    *limits = (bdnn_requantizer){0};
    bdnn_inner_limits(&format, f->clip < 0 ? NULL : &plan->graph->layers[f->clip], limits);
    return (bdnn_sink){.kind = bdnn_inner_sink_kind(&format), .requantizer = limits, .bits = format.bits};
}

/* The device's map of the input, where there is one that this layer can read as it lies. */
static int32_t resident_input(const struct planning *p, size_t index, int64_t channels, int32_t groups)
{
    const bdnn_layer *layer = &p->plan->graph->layers[index];
    const bdnn_format own = bdnn_format_read_by(layer->decomposed);
    const int32_t map = p->device_map[layer->inputs[0]];
    const bdnn_feature_map *m = map < 0 ? NULL : &p->plan->maps[map];
    return m && p->device->type->device->chains(p->device) && bdnn_format_equal(&m->format, &own) &&
                   bdnn_feature_map_same_blocks(channels, m->groups, groups, p->device->type->device->block_channels)
               ? map
               : BDNN_NONE;
}

static int32_t send_input(struct planning *p, size_t index)
{
    bdnn_plan *plan = p->plan;
    const bdnn_layer *layer = &plan->graph->layers[index];
    const bdnn_placement *placement = &plan->layers[index].placement;
    const bdnn_format own = bdnn_format_read_by(layer->decomposed);
    const int32_t value = layer->inputs[0], from = host_input(p, index);
    const int32_t to = add_device_map(plan, value, &own, placement->in_groups, placement->in_bytes);
    bdnn_step *step = add_step(plan, BDNN_STEP_TO_DEVICE, index);
    step->input = from;
    step->output = to;
    plan->layers[index].reads = plan->maps[from].format;
    if (!placement->gathered && p->device_map[value] < 0) {
        p->device_map[value] = to; /* for others that read the same */
    }
    return to;
}

/* The wide result is also written as its first decomposed reader reads it. */
static int32_t add_next_map(struct planning *p, size_t index)
{
    bdnn_plan *plan = p->plan;
    const int32_t value = plan->layers[index].fusion.result, reader = p->reader[value];
    if (reader < 0 || bdnn_plan_format(plan, value).kind != BDNN_FORMAT_WIDE) {
        return BDNN_NONE;
    }
    const bdnn_format format = bdnn_format_read_by(plan->graph->layers[reader].decomposed);
    const bdnn_feature_map map = bdnn_feature_map_host(&plan->info[value].shape, BDNN_UINT8, &format);
    plan->layers[index].next_reader = reader;
    return p->next_map[value] = add_map(plan, &map);
}

/* Output maps of a step on the host: the value itself, and as it is read. */
static void write_on_host(struct planning *p, size_t index, bdnn_step *step)
{
    const bdnn_fusion *f = &p->plan->layers[index].fusion;
    step->output = add_host_map(p->plan, f->result);
    step->addend = f->addend < 0 ? BDNN_NONE : p->plan->host_map[f->addend]; /* wide values always are on the host */
    step->next = add_next_map(p, index);
}

static void plan_on_host(struct planning *p, size_t index)
{
    const int32_t input = host_input(p, index);
    bdnn_step *step = add_step(p->plan, BDNN_STEP_INNER, index);
    step->input = input;
    p->plan->layers[index].reads = p->plan->maps[input].format;
    write_on_host(p, index, step);
}

static void plan_on_device(struct planning *p, size_t index, int32_t resident)
{
    bdnn_plan *plan = p->plan;
    const bdnn_layer *layer = &plan->graph->layers[index];
    const bdnn_placement *placement = &plan->layers[index].placement;
    const int32_t result = plan->layers[index].fusion.result;
    const bdnn_format format = bdnn_plan_format(plan, result);
    const int32_t input = resident >= 0 ? resident : send_input(p, index);
    bdnn_step *step = add_step(plan, BDNN_STEP_INNER, index);
    step->on_device = true;
    step->input = input;
    step->output = add_device_map(plan, result, &format, placement->out_groups, placement->out_bytes);
    if (resident >= 0) {
        plan->layers[index].reads = bdnn_format_read_by(layer->decomposed);
    }
    if (format.kind == BDNN_FORMAT_QUANTIZED) {
        p->device_map[result] = step->output;
        p->maker[result] = (int32_t)index;
    } else {
        bdnn_step *fetch = add_step(plan, BDNN_STEP_FROM_DEVICE, index);
        fetch->input = step->output;
        write_on_host(p, index, fetch);
        step->addend = fetch->addend;
    }
}

static void plan_inner(struct planning *p, size_t index)
{
    bdnn_plan *plan = p->plan;
    const bdnn_layer *layer = &plan->graph->layers[index];
    bdnn_ip_shape shape;
    bdnn_requantizer limits;
    const bdnn_sink sink = sink_of(plan, index, &limits);
    bdnn_inner_shape(layer, &plan->info[layer->inputs[0]].shape, &plan->info[layer->outputs[0]].shape, true, &shape);
    const int32_t resident = p->device ? resident_input(p, index, shape.channels, (int32_t)shape.groups) : BDNN_NONE;
    if (p->device &&
        p->device->type->device->place_layer(p->device, &shape, &sink, resident >= 0, &plan->layers[index].placement)) {
        plan_on_device(p, index, plan->layers[index].placement.gathered ? BDNN_NONE : resident);
    } else {
        plan_on_host(p, index);
    }
}

/* ---- Other layers ---- */

/* A max pooling of what is on the device, whose indices nobody reads. */
static bool plan_pool(struct planning *p, size_t index)
{
    bdnn_plan *plan = p->plan;
    const bdnn_layer *layer = &plan->graph->layers[index];
    const int32_t in = layer->inputs[0], out = layer->outputs[0], map = p->device_map[in];
    const bdnn_format format = bdnn_plan_format(plan, out);
    bdnn_ip_shape shape;
    if (!p->device || layer->op != BDNN_OP_MAX_POOL || map < 0 || format.kind != BDNN_FORMAT_QUANTIZED ||
        !bdnn_format_equal(&plan->maps[map].format, &format) ||
        (layer->output_count > 1 && bdnn_graph_uses(plan->graph, layer->outputs[1]) > 0) ||
        !bdnn_pool_shape(layer, &plan->info[in].shape, &plan->info[out].shape, &shape)) {
        return false;
    }
    shape.bits = format.bits;
    if (!p->device->type->device->chains(p->device) ||
        !bdnn_feature_map_same_blocks(shape.channels, plan->maps[map].groups, 1,
                                      p->device->type->device->block_channels) ||
        !p->device->type->device->place_pool(p->device, &shape, &plan->layers[index].placement)) {
        return false;
    }
    bdnn_step *step = add_step(plan, BDNN_STEP_POOL, index);
    step->on_device = true;
    step->input = map;
    step->output = p->device_map[out] = add_device_map(plan, out, &format, 1, plan->layers[index].placement.out_bytes);
    p->maker[out] = (int32_t)index;
    return true;
}

/* N items of C channels and nothing else: however many axes say so, they lie alike everywhere. */
static bool is_row(const bdnn_shape *shape)
{
    for (int32_t a = 2; a < shape->rank; a++) {
        if (shape->dim[a] != 1) {
            return false;
        }
    }
    return shape->rank >= 2;
}

/* A reshaping that moves nothing: the value is the same map. */
static bool plan_reshape(struct planning *p, size_t index)
{
    const bdnn_layer *layer = &p->plan->graph->layers[index];
    const int32_t in = layer->inputs[0], out = layer->outputs[0], map = p->device_map[in];
    const bdnn_shape *from = &p->plan->info[in].shape, *to = &p->plan->info[out].shape;
    const bdnn_format format = bdnn_plan_format(p->plan, out);
    if (layer->op != BDNN_OP_RESHAPE || map < 0 || p->maker[in] < 0 ||
        !bdnn_format_equal(&p->plan->maps[map].format, &format) || !is_row(from) || !is_row(to) ||
        from->dim[0] != to->dim[0]) {
        return false;
    }
    p->device_map[out] = map;
    p->maker[out] = p->maker[in];
    return true;
}

static void plan_host_layer(struct planning *p, size_t index)
{
    const bdnn_layer *layer = &p->plan->graph->layers[index];
    for (int32_t i = 0; i < layer->input_count; i++) {
        need_on_host(p, layer->inputs[i]);
    }
    add_step(p->plan, BDNN_STEP_LAYER, index);
    for (int32_t o = 0; o < layer->output_count; o++) {
        if (o == 0 || bdnn_graph_uses(p->plan->graph, layer->outputs[o]) > 0) {
            add_host_map(p->plan, layer->outputs[o]);
        }
    }
}

static void plan_steps(struct planning *p)
{
    const bdnn_graph *graph = p->plan->graph;
    for (size_t i = 0; i < graph->input_count; i++) {
        add_host_map(p->plan, graph->inputs[i]);
    }
    for (size_t l = 0; l < graph->layer_count; l++) {
        if (p->plan->layers[l].fused) {
            continue;
        }
        if (graph->layers[l].decomposed && p->plan->integers) {
            plan_inner(p, l);
        } else if (!plan_pool(p, l) && !plan_reshape(p, l)) {
            plan_host_layer(p, l);
        }
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        need_on_host(p, graph->outputs[i]);
    }
}

static int32_t *no_numbers(size_t count)
{
    int32_t *numbers = bdnn_alloc(count, sizeof *numbers);
    for (size_t i = 0; numbers && i < count; i++) {
        numbers[i] = BDNN_NONE;
    }
    return numbers;
}

/* A host map, one as it is read and one on the device for a value at most; a transferred input and a wide output on the
 * device for a layer. A step for a layer, its transfers, and one to the host for a value. */
static bool make_steps(bdnn_plan *plan, const bdnn_backend *device)
{
    const size_t values = plan->graph->value_count, layers = plan->graph->layer_count;
    struct planning p = {.plan = plan, .device = device && device->type->device ? device : NULL};
    p.reader = no_numbers(values);
    p.next_map = no_numbers(values);
    p.device_map = no_numbers(values);
    p.maker = no_numbers(values);
    plan->host_map = no_numbers(values);
    plan->layers = bdnn_zalloc(layers, sizeof *plan->layers);
    const size_t max_steps = bdnn_sum(bdnn_product(3, layers), values);
    plan->steps = bdnn_alloc(max_steps, sizeof *plan->steps);
    plan->transfers = bdnn_alloc(max_steps, sizeof *plan->transfers);
    plan->maps = bdnn_alloc(bdnn_product(3, bdnn_sum(values, layers)), sizeof *plan->maps);
    const bool made = p.reader && p.next_map && p.device_map && p.maker && plan->host_map && plan->layers &&
                      plan->steps && plan->transfers && plan->maps;
    if (made) {
        fuse_all(&p);
        plan_steps(&p);
    }
    bdnn_free(p.reader);
    bdnn_free(p.next_map);
    bdnn_free(p.device_map);
    bdnn_free(p.maker);
    return made;
}

size_t bdnn_plan_together(const bdnn_plan *plan, size_t first)
{
    const bdnn_step *step = &plan->steps[first];
    size_t end = first + 1;
    while ((step->kind == BDNN_STEP_TO_DEVICE || step->on_device) && end < plan->step_count &&
           plan->steps[end].layer == step->layer) {
        end++;
    }
    return end - first;
}

/* Types on the host, which follow from the formats. */
static void set_types(bdnn_plan *plan)
{
    const bdnn_graph *graph = plan->graph;
    for (size_t v = 0; v < graph->value_count; v++) {
        const bdnn_format format = bdnn_plan_format(plan, (int32_t)v);
        plan->info[v].type = format.kind == BDNN_FORMAT_FLOAT ? plan->info[v].type : bdnn_format_type(&format);
    }
    for (size_t l = 0; l < graph->layer_count && plan->integers; l++) {
        if (bdnn_pool_keeps_taps(graph, &graph->layers[l])) {
            plan->info[graph->layers[l].outputs[1]].type = BDNN_UINT8;
        }
    }
}

bdnn_status bdnn_plan_create(bdnn_plan *plan, const bdnn_graph *graph, int64_t batch, bool integers,
                             const bdnn_backend *device, bdnn_error *err)
{
    memset(plan, 0, sizeof *plan);
    plan->graph = graph;
    plan->integers = integers;
    plan->info = bdnn_zalloc(graph->value_count, sizeof *plan->info);
    if (!plan->info) {
        return bdnn_fail_memory(err, graph->value_count * sizeof *plan->info, "the plan");
    }
    bdnn_status status = bdnn_graph_infer_batch(graph, batch, plan->info, err);
    if (status == BDNN_OK) {
        set_types(plan);
        if (!make_steps(plan, device) || !bdnn_plan_arenas(plan)) {
            status = bdnn_fail(err, BDNN_ERROR_MEMORY,
                               "the values of the network at batch %" PRId64
                               " are more than memory can hold, or no memory is left to plan them",
                               batch);
        }
    }
    if (status != BDNN_OK) {
        bdnn_plan_free(plan);
    }
    return status;
}

void bdnn_plan_free(bdnn_plan *plan)
{
    bdnn_free(plan->info);
    bdnn_free(plan->layers);
    bdnn_free(plan->steps);
    bdnn_free(plan->transfers);
    bdnn_free(plan->maps);
    bdnn_free(plan->host_map);
    memset(plan, 0, sizeof *plan);
}
