/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan's execution, simulated with every piece of both arenas labeled by the map that was written there last: what a
 * step reads must carry its own label. The including file has included cmocka.h's headers. */
#ifndef BDNN_TESTS_UNIT_PLAN_SIMULATION_H
#define BDNN_TESTS_UNIT_PLAN_SIMULATION_H

#include "core/memory.h"
#include "runtime/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SIMULATED_UNIT BDNN_ALIGNMENT

enum { PLACES = 2 };

struct simulation {
    const bdnn_plan *plan;
    int32_t *units[PLACES];
    size_t bytes[PLACES];
};

static inline void label(struct simulation *s, int32_t map)
{
    const bdnn_feature_map *m = &s->plan->maps[map];
    const size_t first = m->offset / SIMULATED_UNIT;
    assert_true(m->offset % (m->place == BDNN_PLACE_DEVICE ? 4096 : SIMULATED_UNIT) == 0);
    assert_true(m->offset + m->bytes <= s->bytes[m->place]);
    for (size_t u = first; u < first + (m->bytes + SIMULATED_UNIT - 1) / SIMULATED_UNIT; u++) {
        s->units[m->place][u] = map;
    }
}

static inline void assert_labeled(const struct simulation *s, int32_t map)
{
    const bdnn_feature_map *m = &s->plan->maps[map];
    for (size_t u = 0; u < (m->bytes + SIMULATED_UNIT - 1) / SIMULATED_UNIT; u++) {
        assert_int_equal(s->units[m->place][m->offset / SIMULATED_UNIT + u], map);
    }
}

/* What a step reads and writes, at most 16 maps each. */
static inline size_t maps_of(const bdnn_plan *plan, const bdnn_step *step, bool written, int32_t maps[16])
{
    const bdnn_layer *layer = &plan->graph->layers[step->layer];
    const int32_t *values = written ? layer->outputs : layer->inputs;
    const int32_t own[2] = {written ? step->output : step->input, written ? step->next : step->addend};
    size_t count = 0;
    for (int32_t i = 0; step->kind == BDNN_STEP_LAYER && i < (written ? layer->output_count : layer->input_count);
         i++) {
        const int32_t map = plan->host_map[values[i]];
        assert_true(map >= 0 || (written && bdnn_graph_uses(plan->graph, values[i]) == 0));
        maps[count] = map;
        count += map >= 0;
    }
    for (int i = 0; i < 2 && step->kind != BDNN_STEP_LAYER; i++) {
        maps[count] = own[i];
        count += own[i] >= 0;
    }
    return count;
}

/* A step may write over what it reads only where that is allowed: a layer's first input where its type says so, the
 * addend of an inner product; and there exactly. */
static inline void assert_no_clash(const bdnn_plan *plan, const bdnn_step *step, int32_t in, int32_t out)
{
    const bdnn_feature_map *i = &plan->maps[in], *o = &plan->maps[out];
    const bdnn_layer *layer = &plan->graph->layers[step->layer];
    const bool apart = i->place != o->place || i->offset + i->bytes <= o->offset || o->offset + o->bytes <= i->offset;
    const bool in_place = step->kind == BDNN_STEP_LAYER
                              ? in == plan->host_map[layer->inputs[0]] && out == plan->host_map[layer->outputs[0]] &&
                                    bdnn_layer_type_of(layer->op)->in_place
                              : in == step->addend && out == step->output;
    assert_true(apart || (i->offset == o->offset && in_place));
}

/* Steps that run as one: what the first of them sends as it lies must still be there when the last has written. Other
 * formats are quantized into scratch memory before. */
static inline void simulate_steps(struct simulation *s, size_t first, size_t count)
{
    const bdnn_plan *plan = s->plan;
    int32_t sent[16], reads[16], writes[16];
    const size_t sends = maps_of(plan, &plan->steps[first], false, sent);
    for (size_t i = first; i < first + count; i++) {
        const size_t read = maps_of(plan, &plan->steps[i], false, reads);
        const size_t written = maps_of(plan, &plan->steps[i], true, writes);
        for (size_t r = 0; r < read; r++) {
            assert_labeled(s, reads[r]);
            for (size_t w = 0; w < written; w++) {
                assert_no_clash(plan, &plan->steps[i], reads[r], writes[w]);
            }
        }
        for (size_t w = 0; w < written; w++) {
            label(s, writes[w]);
        }
        for (size_t w = 0; w < written; w++) {
            assert_labeled(s, writes[w]);
        }
    }
    for (size_t r = 0; r < sends && count > 1; r++) {
        if (plan->maps[sent[r]].format.kind == BDNN_FORMAT_QUANTIZED) {
            assert_labeled(s, sent[r]);
        }
    }
}

static inline void simulate_plan(const bdnn_plan *plan)
{
    struct simulation s = {.plan = plan, .bytes = {plan->arena_bytes, plan->device_bytes}};
    for (int p = 0; p < PLACES; p++) {
        s.units[p] = bdnn_alloc(s.bytes[p] / SIMULATED_UNIT + 1, sizeof *s.units[p]);
        assert_non_null(s.units[p]);
        memset(s.units[p], 0xff, (s.bytes[p] / SIMULATED_UNIT + 1) * sizeof *s.units[p]);
    }
    label(&s, plan->host_map[plan->graph->inputs[0]]);
    for (size_t i = 0, count; i < plan->step_count; i += count) {
        count = bdnn_plan_together(plan, i);
        simulate_steps(&s, i, count);
    }
    for (size_t i = 0; i < plan->graph->output_count; i++) {
        assert_labeled(&s, plan->host_map[plan->graph->outputs[i]]);
    }
    for (int p = 0; p < PLACES; p++) {
        bdnn_free(s.units[p]);
    }
}

#endif
