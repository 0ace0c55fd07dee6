/* Planning activation memory: lifetimes of values in execution order, then places by decreasing size, each at the
 * lowest offset that no value alive at the same time occupies ("greedy by size", Pisarchyk and Lee 2020, arXiv
 * 2001.03288). */
#include "runtime/plan.h"

#include "core/memory.h"
#include "layers/pool.h"

#include <stdlib.h>
#include <string.h>

/* One piece of memory: a value, several that are one another's in-place results, or a wide value as it is read. */
struct block {
    size_t bytes, offset;
    size_t first, last; /* the layers that make it and that read it last */
    bool placed;
};

struct planning {
    bdnn_plan *plan;
    int32_t *block_of; /* per value; -1: none */
    size_t *last_use;  /* per value */
    int32_t *read_of;  /* per value: the block of the value as it is read; -1: none */
    struct block *blocks;
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
    p->blocks[p->block_count++] =
        (struct block){.bytes = bdnn_round_up(bdnn_plan_bytes(p->plan, value), BDNN_ALIGNMENT),
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
    for (size_t l = 0; l < plan->graph->layer_count; l++) {
        if (plan->graph->layers[l].decomposed && plan->graph->layers[l].inputs[0] == value) {
            return &plan->graph->layers[l];
        }
    }
    return NULL;
}

/* The decomposed layer that makes `value`, perhaps with sums and clips on the way: of what a sum adds up the last that
 * is made. -1: none. */
static int32_t maker_of(const bdnn_graph *graph, int32_t value)
{
    int32_t maker = bdnn_graph_producer(graph, value);
    while (maker >= 0 && !graph->layers[maker].decomposed) {
        const bdnn_layer *layer = &graph->layers[maker];
        if (layer->op != BDNN_OP_ADD && layer->op != BDNN_OP_ACTIVATION) {
            return -1;
        }
        maker = -1;
        for (int32_t i = 0; i < layer->input_count; i++) {
            const int32_t before = bdnn_graph_producer(graph, layer->inputs[i]);
            maker = before > maker ? before : maker;
        }
    }
    return maker;
}

/* Wide values that a decomposed layer reads, as it reads them: from their makers to their last such reader. */
static void find_readings(struct planning *p)
{
    const bdnn_graph *graph = p->plan->graph;
    for (size_t v = 0; v < graph->value_count; v++) {
        const bdnn_layer *reader = bdnn_plan_reader(p->plan, (int32_t)v);
        const int32_t maker = maker_of(graph, (int32_t)v);
        struct block block = {.first = (size_t)maker};
        p->read_of[v] = -1;
        if (!reader || maker < 0 || bdnn_plan_format(p->plan, (int32_t)v).kind != BDNN_FORMAT_WIDE) {
            continue;
        }
        block.bytes = bdnn_round_up((size_t)bdnn_shape_elements(&p->plan->info[v].shape), BDNN_ALIGNMENT);
        for (size_t l = (size_t)(reader - graph->layers); l < graph->layer_count; l++) {
            if (graph->layers[l].decomposed && graph->layers[l].inputs[0] == (int32_t)v) {
                block.last = l;
            }
        }
        p->plan->total_bytes += block.bytes;
        p->read_of[v] = (int32_t)p->block_count;
        p->blocks[p->block_count++] = block;
    }
}

static int by_size(const void *a, const void *b)
{
    const struct block *x = *(struct block *const *)a, *y = *(struct block *const *)b;
    return x->bytes != y->bytes ? (x->bytes < y->bytes ? 1 : -1) : (x->first > y->first) - (x->first < y->first);
}

static int by_offset(const void *a, const void *b)
{
    const struct block *x = *(struct block *const *)a, *y = *(struct block *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The lowest gap between the placed blocks that live at the same time; `alive` is scratch. */
static size_t lowest_gap(const struct block *block, struct block *const *placed, size_t count, struct block **alive)
{
    size_t alive_count = 0, at = 0;
    for (size_t i = 0; i < count; i++) {
        if (placed[i]->first <= block->last && block->first <= placed[i]->last) {
            alive[alive_count++] = placed[i];
        }
    }
    qsort(alive, alive_count, sizeof *alive, by_offset);
    for (size_t i = 0; i < alive_count && alive[i]->offset < bdnn_sum(at, block->bytes); i++) {
        const size_t end = alive[i]->offset + alive[i]->bytes;
        at = end > at ? end : at;
    }
    return at;
}

static bool place_blocks(struct planning *p)
{
    struct block **order = bdnn_alloc(p->block_count, sizeof *order),
                 **alive = bdnn_alloc(p->block_count, sizeof *alive);
    if (!order || !alive) {
        bdnn_free(order);
        bdnn_free(alive);
        return false;
    }
    for (size_t i = 0; i < p->block_count; i++) {
        order[i] = &p->blocks[i];
    }
    qsort(order, p->block_count, sizeof *order, by_size);
    for (size_t i = 0; i < p->block_count; i++) {
        order[i]->offset = lowest_gap(order[i], order, i, alive);
        const size_t end = bdnn_sum(order[i]->offset, order[i]->bytes);
        p->plan->arena_bytes = end > p->plan->arena_bytes ? end : p->plan->arena_bytes;
    }
    bdnn_free(order);
    bdnn_free(alive);
    return true;
}

static bool place_values(bdnn_plan *plan)
{
    const size_t values = plan->graph->value_count;
    struct planning p = {.plan = plan};
    bool placed = false;
    p.block_of = bdnn_alloc(values, sizeof *p.block_of);
    p.last_use = bdnn_alloc(values, sizeof *p.last_use);
    p.read_of = bdnn_alloc(values, sizeof *p.read_of);
    p.blocks = bdnn_zalloc(values, 2 * sizeof *p.blocks);
    if (p.block_of && p.last_use && p.read_of && p.blocks) {
        find_lifetimes(&p);
        find_readings(&p);
        placed = place_blocks(&p);
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
    if (!plan->info || !plan->offset || !plan->read_offset) {
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
        status = bdnn_fail_memory(err, graph->value_count * sizeof(struct block), "the plan");
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
    memset(plan, 0, sizeof *plan);
}
