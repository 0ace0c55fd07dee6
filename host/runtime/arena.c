/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan's memory: when each map is first written and last read, which may take another's place, and the places. */
#include "core/memory.h"
#include "runtime/place.h"
#include "runtime/plan.h"

#define PAGE 4096 /* device maps, so that a transfer of one touches no cache line of another */

struct arenas {
    bdnn_plan *plan;
    size_t *last;      /* per map: the last step that reads or writes it */
    int32_t *block_of; /* per map; BDNN_NONE until it is written */
    bdnn_block *blocks;
    size_t block_count;
};

/* ---- What a step reads and writes ---- */

typedef void visit(struct arenas *a, size_t step, int32_t map);

/* Calls with `at`, the maps that step `s` reads. */
static void visit_read(struct arenas *a, size_t s, size_t at, visit *call)
{
    const bdnn_step *step = &a->plan->steps[s];
    const bdnn_layer *layer = &a->plan->graph->layers[step->layer];
    for (int32_t i = 0; step->kind == BDNN_STEP_LAYER && i < layer->input_count; i++) {
        call(a, at, a->plan->host_map[layer->inputs[i]]);
    }
    call(a, at, step->input);
    call(a, at, step->addend);
}

static void visit_written(struct arenas *a, size_t s, size_t at, visit *call)
{
    const bdnn_step *step = &a->plan->steps[s];
    const bdnn_layer *layer = &a->plan->graph->layers[step->layer];
    for (int32_t o = 0; step->kind == BDNN_STEP_LAYER && o < layer->output_count; o++) {
        call(a, at, a->plan->host_map[layer->outputs[o]]);
    }
    call(a, at, step->output);
    call(a, at, step->next);
}

static void note_use(struct arenas *a, size_t s, int32_t map)
{
    if (map >= 0) {
        a->last[map] = s;
    }
}

/* ---- Blocks ---- */

static size_t padded_bytes(const bdnn_feature_map *map)
{
    return bdnn_round_up(map->bytes, map->place == BDNN_PLACE_DEVICE ? PAGE : BDNN_ALIGNMENT);
}

static void new_block(struct arenas *a, size_t s, int32_t map)
{
    if (map >= 0 && a->block_of[map] < 0) {
        a->block_of[map] = (int32_t)a->block_count;
        a->blocks[a->block_count++] =
            (bdnn_block){.bytes = padded_bytes(&a->plan->maps[map]), .first = s, .last = a->last[map]};
    }
}

/* Whether this step is the last that needs the block of `from`, which `to` could lie in as well as anywhere. */
static bool can_replace(const struct arenas *a, size_t s, int32_t from, int32_t to)
{
    const bdnn_feature_map *maps = a->plan->maps;
    return from >= 0 && to >= 0 && a->block_of[from] >= 0 && a->blocks[a->block_of[from]].last == s &&
           maps[from].type == maps[to].type && bdnn_shape_equal(&maps[from].shape, &maps[to].shape);
}

/* The output may take the memory of what it is made of, element by element: a layer's first input where its type allows
 * that and no other input is the same, an inner product's addend. */
static int32_t replaceable(const struct arenas *a, size_t s, int32_t *output)
{
    const bdnn_step *step = &a->plan->steps[s];
    const bdnn_layer *layer = &a->plan->graph->layers[step->layer];
    *output = step->output;
    if (step->kind != BDNN_STEP_LAYER) {
        return step->on_device ? BDNN_NONE : step->addend;
    }
    *output = a->plan->host_map[layer->outputs[0]];
    for (int32_t i = 1; i < layer->input_count; i++) {
        if (layer->inputs[i] == layer->inputs[0]) {
            return BDNN_NONE;
        }
    }
    return bdnn_layer_type_of(layer->op)->in_place ? a->plan->host_map[layer->inputs[0]] : BDNN_NONE;
}

static void find_blocks(struct arenas *a)
{
    bdnn_plan *plan = a->plan;
    for (size_t s = 0, count; s < plan->step_count; s += count) {
        /* What is still sent must not be written over by what is fetched already. */
        count = bdnn_plan_together(plan, s);
        for (size_t i = s; i < s + count; i++) {
            visit_read(a, i, s + count - 1, note_use);
            visit_written(a, i, s + count - 1, note_use);
        }
    }
    for (size_t i = 0; i < plan->graph->output_count; i++) {
        note_use(a, plan->step_count, plan->host_map[plan->graph->outputs[i]]);
    }
    for (size_t i = 0; i < plan->graph->input_count; i++) {
        new_block(a, 0, plan->host_map[plan->graph->inputs[i]]);
    }
    for (size_t s = 0; s < plan->step_count; s++) {
        int32_t output;
        const int32_t from = replaceable(a, s, &output);
        if (can_replace(a, s, from, output)) {
            a->block_of[output] = a->block_of[from];
            a->blocks[a->block_of[from]].last = a->last[output];
        }
        visit_written(a, s, s, new_block);
    }
}

/* Places the blocks of one place: `chosen` has room for all of them. */
static bool place_blocks(struct arenas *a, bdnn_place place, bdnn_block *chosen, size_t *arena_bytes)
{
    const bdnn_plan *plan = a->plan;
    size_t count = 0;
    bool *mine = bdnn_zalloc(a->block_count, sizeof *mine);
    if (!mine) {
        return false;
    }
    for (size_t m = 0; m < plan->map_count; m++) {
        if (a->block_of[m] >= 0 && plan->maps[m].place == place) {
            mine[a->block_of[m]] = true;
        }
    }
    for (size_t b = 0; b < a->block_count; b++) {
        if (mine[b]) {
            chosen[count++] = a->blocks[b];
        }
    }
    const bool placed = bdnn_place_blocks(chosen, count, plan->step_count + 1, arena_bytes);
    for (size_t b = 0, i = 0; placed && b < a->block_count; b++) {
        if (mine[b]) {
            a->blocks[b].offset = chosen[i++].offset;
        }
    }
    bdnn_free(mine);
    return placed;
}

bool bdnn_plan_arenas(bdnn_plan *plan)
{
    struct arenas a = {.plan = plan};
    a.last = bdnn_zalloc(plan->map_count, sizeof *a.last);
    a.block_of = bdnn_alloc(plan->map_count, sizeof *a.block_of);
    a.blocks = bdnn_alloc(plan->map_count, sizeof *a.blocks);
    bdnn_block *chosen = bdnn_alloc(plan->map_count, sizeof *chosen);
    bool placed = a.last && a.block_of && a.blocks && chosen;
    for (size_t m = 0; placed && m < plan->map_count; m++) {
        a.block_of[m] = BDNN_NONE;
    }
    if (placed) {
        find_blocks(&a);
        placed = place_blocks(&a, BDNN_PLACE_HOST, chosen, &plan->arena_bytes) &&
                 place_blocks(&a, BDNN_PLACE_DEVICE, chosen, &plan->device_bytes);
    }
    for (size_t m = 0; placed && m < plan->map_count; m++) {
        bdnn_feature_map *map = &plan->maps[m];
        map->offset = a.blocks[a.block_of[m]].offset;
        plan->total_bytes += map->place == BDNN_PLACE_HOST ? padded_bytes(map) : 0;
    }
    bdnn_free(a.last);
    bdnn_free(a.block_of);
    bdnn_free(a.blocks);
    bdnn_free(chosen);
    return placed;
}
