/* Planning activation memory: lifetimes of values in execution order; their places in the arena are place.c's. */
#include "runtime/plan.h"

#include "core/memory.h"
#include "layers/pool.h"
#include "runtime/place.h"

#include <inttypes.h>
#include <string.h>

struct planning {
    bdnn_plan *plan;
    int32_t *block_of;        /* per value; -1: none */
    size_t *last_use;         /* per value */
    int32_t *read_of;         /* per value: the block of the value as it is read; -1: none */
    int32_t *last_decomposed; /* per value: the last decomposed layer that reads it; -1: none */
    bdnn_block *blocks;       /* pieces of memory: a value, several that are one another's in-place results, or a wide
                                 value as it is read */
    size_t block_count;
};

size_t bdnn_plan_bytes(const bdnn_plan *plan, int32_t value)
{
    return (size_t)bdnn_shape_elements(&plan->info[value].shape) * bdnn_type_size(plan->info[value].type);
}

bdnn_format bdnn_plan_format(const bdnn_plan *plan, int32_t value)
{
    return plan->integers ? plan->graph->values[value].format : (bdnn_format){.kind = BDNN_FORMAT_FLOAT};
}

static void new_block(struct planning *p, int32_t value, size_t first)
{
    p->block_of[value] = (int32_t)p->block_count;
    p->blocks[p->block_count++] = (bdnn_block){.bytes = bdnn_round_up(bdnn_plan_bytes(p->plan, value), BDNN_ALIGNMENT),
                                               .first = first,
                                               .last = p->last_use[value]};
}

/* The output may take its first input's memory when the layer allows it, nothing reads the input later and it is no
 * graph input or constant. */
static bool fits_in_place(const struct planning *p, const bdnn_layer *layer, size_t index)
{
    const int32_t in = layer->inputs[0], out = layer->outputs[0];
    if (!bdnn_layer_type_of(layer->op)->in_place || p->block_of[in] < 0 || p->last_use[in] != index ||
        p->blocks[p->block_of[in]].last != index || p->plan->info[in].type != p->plan->info[out].type ||
        !bdnn_shape_equal(&p->plan->info[in].shape, &p->plan->info[out].shape)) {
        return false;
    }
    for (int32_t i = 1; i < layer->input_count; i++) {
        if (layer->inputs[i] == in) {
            return false;
        }
    }
    return true;
}

static void find_lifetimes(struct planning *p)
{
    const bdnn_graph *graph = p->plan->graph;
    for (size_t v = 0; v < graph->value_count; v++) {
        p->block_of[v] = -1;
        p->last_use[v] = 0;
    }
    for (size_t l = 0; l < graph->layer_count; l++) {
        for (int32_t i = 0; i < graph->layers[l].input_count; i++) {
            p->last_use[graph->layers[l].inputs[i]] = l;
        }
    }
    for (size_t i = 0; i < graph->output_count; i++) {
        p->last_use[graph->outputs[i]] = graph->layer_count;
    }
    for (size_t i = 0; i < graph->input_count; i++) {
        new_block(p, graph->inputs[i], 0);
    }
    for (size_t l = 0; l < graph->layer_count; l++) {
        const bdnn_layer *layer = &graph->layers[l];
        for (int32_t o = 0; o < layer->output_count; o++) {
            const int32_t v = layer->outputs[o];
            if (o == 0 && fits_in_place(p, layer, l)) {
                p->block_of[v] = p->block_of[layer->inputs[0]];
                p->blocks[p->block_of[v]].last = p->last_use[v] > l ? p->last_use[v] : l;
            } else if (o == 0 || bdnn_graph_uses(graph, v) > 0) {
                p->last_use[v] = p->last_use[v] > l ? p->last_use[v] : l;
                new_block(p, v, l);
            }
        }
    }
}

const bdnn_layer *bdnn_plan_reader(const bdnn_plan *plan, int32_t value)
{
    return plan->reader[value] < 0 ? NULL : &plan->graph->layers[plan->reader[value]];
}

/* Of every layer the decomposed layer that makes its output, perhaps with sums and clips on the way: of what a sum adds
 * up the last that is made. -1: none. NULL when memory is short. */
static int32_t *find_makers(const bdnn_graph *graph)
{
    int32_t *maker = bdnn_alloc(graph->layer_count, sizeof *maker);
    for (size_t l = 0; maker && l < graph->layer_count; l++) {
        const bdnn_layer *layer = &graph->layers[l];
        int32_t last = -1;
        for (int32_t i = 0; i < layer->input_count; i++) {
            const int32_t before = bdnn_graph_producer(graph, layer->inputs[i]);
            last = before > last ? before : last;
        }
        maker[l] = layer->decomposed                                                            ? (int32_t)l
                   : last >= 0 && (layer->op == BDNN_OP_ADD || layer->op == BDNN_OP_ACTIVATION) ? maker[last]
                                                                                                : -1;
    }
    return maker;
}

/* Wide values that a decomposed layer reads, as it reads them: from their makers to their last such reader. */
static bool find_readings(struct planning *p)
{
    const bdnn_graph *graph = p->plan->graph;
    int32_t *makers = find_makers(graph);
    for (size_t v = 0; makers && v < graph->value_count; v++) {
        const int32_t producer = bdnn_graph_producer(graph, (int32_t)v), maker = producer < 0 ? -1 : makers[producer];
        bdnn_block block = {.first = (size_t)maker, .last = (size_t)p->last_decomposed[v]};
        p->read_of[v] = -1;
        if (p->plan->reader[v] < 0 || maker < 0 || bdnn_plan_format(p->plan, (int32_t)v).kind != BDNN_FORMAT_WIDE) {
            continue;
        }
        block.bytes = bdnn_round_up((size_t)bdnn_shape_elements(&p->plan->info[v].shape), BDNN_ALIGNMENT);
        p->plan->total_bytes += block.bytes;
        p->read_of[v] = (int32_t)p->block_count;
        p->blocks[p->block_count++] = block;
    }
    bdnn_free(makers);
    return makers != NULL;
}

/* The first and the last decomposed layer that reads each value as its input. */
static void find_readers(struct planning *p)
{
    const bdnn_graph *graph = p->plan->graph;
    for (size_t v = 0; v < graph->value_count; v++) {
        p->plan->reader[v] = p->last_decomposed[v] = -1;
    }
    for (size_t l = 0; l < graph->layer_count; l++) {
        if (graph->layers[l].decomposed) {
            const int32_t in = graph->layers[l].inputs[0];
            p->plan->reader[in] = p->plan->reader[in] < 0 ? (int32_t)l : p->plan->reader[in];
            p->last_decomposed[in] = (int32_t)l;
        }
    }
}

static bool place_values(bdnn_plan *plan)
{
    const size_t values = plan->graph->value_count;
    struct planning p = {.plan = plan};
    bool placed = false;
    p.block_of = bdnn_alloc(values, sizeof *p.block_of);
    p.last_use = bdnn_alloc(values, sizeof *p.last_use);
    p.read_of = bdnn_alloc(values, sizeof *p.read_of);
    p.last_decomposed = bdnn_alloc(values, sizeof *p.last_decomposed);
    p.blocks = bdnn_zalloc(values, 2 * sizeof *p.blocks);
    if (p.block_of && p.last_use && p.read_of && p.last_decomposed && p.blocks) {
        find_lifetimes(&p);
        find_readers(&p);
        placed = find_readings(&p) &&
                 bdnn_place_blocks(p.blocks, p.block_count, plan->graph->layer_count + 1, &plan->arena_bytes);
        for (size_t v = 0; v < values && placed; v++) {
            plan->offset[v] = p.block_of[v] < 0 ? BDNN_NO_MEMORY : p.blocks[p.block_of[v]].offset;
            plan->read_offset[v] = p.read_of[v] < 0 ? BDNN_NO_MEMORY : p.blocks[p.read_of[v]].offset;
            plan->total_bytes +=
                p.block_of[v] < 0 ? 0 : bdnn_round_up(bdnn_plan_bytes(plan, (int32_t)v), BDNN_ALIGNMENT);
        }
    }
    bdnn_free(p.block_of);
    bdnn_free(p.last_use);
    bdnn_free(p.read_of);
    bdnn_free(p.last_decomposed);
    bdnn_free(p.blocks);
    return placed;
}

bdnn_status bdnn_plan_create(bdnn_plan *plan, const bdnn_graph *graph, int64_t batch, bool integers, bdnn_error *err)
{
    bdnn_status status;
    memset(plan, 0, sizeof *plan);
    plan->graph = graph;
    plan->integers = integers;
    plan->info = bdnn_zalloc(graph->value_count, sizeof *plan->info);
    plan->offset = bdnn_zalloc(graph->value_count, sizeof *plan->offset);
    plan->read_offset = bdnn_zalloc(graph->value_count, sizeof *plan->read_offset);
    plan->reader = bdnn_zalloc(graph->value_count, sizeof *plan->reader);
    if (!plan->info || !plan->offset || !plan->read_offset || !plan->reader) {
        bdnn_plan_free(plan);
        return bdnn_fail_memory(err, graph->value_count * sizeof *plan->info, "the plan");
    }
    status = bdnn_graph_infer_batch(graph, batch, plan->info, err);
    for (size_t v = 0; v < graph->value_count && status == BDNN_OK; v++) {
        const bdnn_format format = bdnn_plan_format(plan, (int32_t)v);
        plan->info[v].type = format.kind == BDNN_FORMAT_FLOAT ? plan->info[v].type : bdnn_format_type(&format);
    }
    for (size_t l = 0; l < graph->layer_count && status == BDNN_OK && integers; l++) {
        if (bdnn_pool_keeps_taps(graph, &graph->layers[l])) {
            plan->info[graph->layers[l].outputs[1]].type = BDNN_UINT8;
        }
    }
    if (status == BDNN_OK && !place_values(plan)) {
        status = bdnn_fail(err, BDNN_ERROR_MEMORY,
                           "the values of the network at batch %" PRId64
                           " are more than memory can hold, or no memory is left to plan them",
                           batch);
    }
    if (status != BDNN_OK) {
        bdnn_plan_free(plan);
    }
    return status;
}

void bdnn_plan_free(bdnn_plan *plan)
{
    bdnn_free(plan->info);
    bdnn_free(plan->offset);
    bdnn_free(plan->read_offset);
    bdnn_free(plan->reader);
    memset(plan, 0, sizeof *plan);
}
