/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory plan on random networks: what is needed is never written over, and memory is used again. */
#include "runtime/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan_simulation.h"

#define MAX_VALUES 64

static uint64_t state = 88172645463325252u;

/* xorshift64 (Marsaglia 2003). */
static int64_t below(int64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (int64_t)(state % (uint64_t)n);
}

static bdnn_shape image(int64_t channels, int64_t size)
{
    return (bdnn_shape){4, {1, channels, size, size}};
}

static int32_t add_value(bdnn_graph *g, bdnn_type type, const bdnn_shape *shape)
{
    char name[32];
    int32_t value;
    snprintf(name, sizeof name, "value%zu", g->value_count);
    value = bdnn_graph_add_value(g, name, type, shape);
    assert_true(value >= 0);
    return value;
}

static bdnn_layer *add_layer(bdnn_graph *g, bdnn_op op, const int32_t *inputs, int32_t input_count,
                             const int32_t *outputs, int32_t output_count)
{
    char name[32];
    bdnn_layer *layer;
    snprintf(name, sizeof name, "layer%zu", g->layer_count);
    layer = bdnn_graph_add_layer(g, op, name, inputs, input_count, outputs, output_count);
    assert_non_null(layer);
    return layer;
}

/* A float value of the graph, and of the same size as `like` where that is not negative; -1: there is none. */
static int32_t pick(const bdnn_graph *g, int32_t like)
{
    for (int tries = 0; tries < 100; tries++) {
        const int32_t v = (int32_t)below((int64_t)g->value_count);
        if (g->values[v].type == BDNN_FLOAT32 &&
            (like < 0 || bdnn_shape_equal(&g->values[v].shape, &g->values[like].shape))) {
            return v;
        }
    }
    return -1;
}

static void add_pool(bdnn_graph *g, int32_t in)
{
    const bdnn_shape shape = g->values[in].shape;
    const int32_t outputs[2] = {add_value(g, BDNN_FLOAT32, &shape), add_value(g, BDNN_INT64, &shape)};
    bdnn_layer *layer = add_layer(g, BDNN_OP_MAX_POOL, &in, 1, outputs, 2);
    layer->attr.pool.window = (bdnn_window){
        .kernel = {1, 3, 3}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_begin = {0, 1, 1}, .pad_end = {0, 1, 1}};
    if (below(4) == 0) {
        assert_true(bdnn_graph_add_output(g, outputs[1]));
    }
}

static void add_random_layer(bdnn_graph *g)
{
    const int32_t a = pick(g, -1), b = pick(g, a), inputs[2] = {a, b};
    const bdnn_shape shape = g->values[a].shape;
    bdnn_shape both = shape;
    int32_t out;
    switch (below(5)) {
    case 0:
    case 1:
        out = add_value(g, BDNN_FLOAT32, &shape);
        add_layer(g, BDNN_OP_ACTIVATION, inputs, 1, &out, 1)->attr.activation.high = 6;
        break;
    case 2:
        out = add_value(g, BDNN_FLOAT32, &shape);
        add_layer(g, BDNN_OP_ADD, inputs, 2, &out, 1);
        break;
    case 3:
        add_pool(g, a);
        break;
    default:
        both.dim[1] += shape.dim[1];
        out = add_value(g, BDNN_FLOAT32, &both);
        add_layer(g, BDNN_OP_CONCAT, inputs, 2, &out, 1)->attr.axis.axis = 1;
        break;
    }
}

static bdnn_model *random_network(void)
{
    bdnn_model *model = bdnn_model_new();
    bdnn_graph *g;
    const bdnn_shape shape = image(1 + below(9), 1 + below(9));
    const int64_t layers = 1 + below(20);
    bdnn_error err;
    assert_non_null(model);
    g = &model->graph;
    assert_true(bdnn_graph_add_input(g, add_value(g, BDNN_FLOAT32, &shape)));
    for (int64_t l = 0; l < layers; l++) {
        add_random_layer(g);
    }
    assert_true(bdnn_graph_add_output(g, g->layers[g->layer_count - 1].outputs[0]));
    if (below(2)) { /* a value from the middle that must survive */
        assert_true(bdnn_graph_add_output(g, pick(g, -1)));
    }
    if (bdnn_graph_infer(g, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    return model;
}

static void values_that_are_needed_are_never_overwritten(void **unused)
{
    (void)unused;
    for (int n = 0; n < 600; n++) {
        bdnn_model *model = random_network();
        bdnn_plan plan;
        bdnn_error err;
        if (bdnn_plan_create(&plan, &model->graph, 1 + below(3), false, NULL, &err) != BDNN_OK) {
            fail_msg("%s", err.message);
        }
        simulate_plan(&plan);
        assert_true(plan.arena_bytes <= plan.total_bytes);
        bdnn_plan_free(&plan);
        bdnn_model_free(model);
    }
}

/* A chain of `count` layers of one operator over 64-byte values: bytes of its arena and without reuse. */
static void chain(bdnn_op op, int count, size_t *arena, uint64_t *total)
{
    bdnn_model *model = bdnn_model_new();
    bdnn_graph *g = &model->graph;
    const bdnn_shape shape = image(16, 1);
    bdnn_plan plan;
    bdnn_error err;
    int32_t last = add_value(g, BDNN_FLOAT32, &shape);
    assert_true(bdnn_graph_add_input(g, last));
    for (int l = 0; l < count; l++) {
        const int32_t in = last;
        bdnn_layer *layer;
        last = add_value(g, BDNN_FLOAT32, &shape);
        layer = add_layer(g, op, &in, 1, &last, 1);
        if (op == BDNN_OP_ACTIVATION) {
            layer->attr.activation.high = 1;
        } else {
            layer->attr.pool.window = (bdnn_window){.kernel = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
        }
    }
    assert_true(bdnn_graph_add_output(g, last));
    if (bdnn_graph_infer(g, &err) != BDNN_OK || bdnn_plan_create(&plan, g, 1, false, NULL, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    simulate_plan(&plan);
    *arena = plan.arena_bytes;
    *total = plan.total_bytes;
    bdnn_plan_free(&plan);
    bdnn_model_free(model);
}

static void chains_reuse_memory(void **unused)
{
    size_t arena;
    uint64_t total;
    (void)unused;
    chain(BDNN_OP_ACTIVATION, 9, &arena, &total);
    assert_int_equal(arena, 64);
    assert_int_equal(total, 10 * 64);
    chain(BDNN_OP_MAX_POOL, 9, &arena, &total);
    assert_int_equal(arena, 2 * 64);
    assert_int_equal(total, 10 * 64);
}

/* Nine values of 512 MiB that live at the same time: together more than 32 bits count. */
static void arenas_do_not_wrap(void **unused)
{
    enum { VALUES = 9 };
    const uint64_t each = (uint64_t)512 << 20;
    bdnn_model *model = bdnn_model_new();
    bdnn_graph *g = &model->graph;
    const bdnn_shape shape = image(128 << 20, 1);
    int32_t in = add_value(g, BDNN_FLOAT32, &shape), values[VALUES], sum;
    bdnn_plan plan;
    bdnn_error err;
    (void)unused;
    assert_true(bdnn_graph_add_input(g, in));
    for (int i = 0; i < VALUES; i++) {
        values[i] = add_value(g, BDNN_FLOAT32, &shape);
        add_layer(g, BDNN_OP_ACTIVATION, &in, 1, &values[i], 1)->attr.activation.high = 1;
    }
    sum = add_value(g, BDNN_FLOAT32, &shape);
    add_layer(g, BDNN_OP_ADD, values, VALUES, &sum, 1);
    assert_true(bdnn_graph_add_output(g, sum));
    assert_int_equal(bdnn_graph_infer(g, &err), BDNN_OK);
    if (VALUES * each > SIZE_MAX) {
        assert_int_equal(bdnn_plan_create(&plan, g, 1, false, NULL, &err), BDNN_ERROR_MEMORY);
        assert_non_null(strstr(err.message, "values of the network"));
    } else {
        assert_int_equal(bdnn_plan_create(&plan, g, 1, false, NULL, &err), BDNN_OK);
        assert_true(plan.arena_bytes >= VALUES * each);
        assert_true(plan.total_bytes >= VALUES * each);
        bdnn_plan_free(&plan);
    }
    bdnn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arenas_do_not_wrap),
        cmocka_unit_test(values_that_are_needed_are_never_overwritten),
        cmocka_unit_test(chains_reuse_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
