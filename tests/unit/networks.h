/* SPDX-License-Identifier: BSD-2-Clause */
/* Building small networks of random decomposed layers. Every function fails the running test when it cannot. */
#ifndef BDNN_TESTS_UNIT_NETWORKS_H
#define BDNN_TESTS_UNIT_NETWORKS_H

#include "core/memory.h"
#include "layers/layer.h"
#include "model/graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 88172645463325252u;

/* xorshift64 (Marsaglia 2003). */
static inline int64_t below(int64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (int64_t)(state >> 11) % n;
}

static inline float random_float(void)
{
    return (float)below(2000001) * 1e-6f - 1.0f;
}

static inline bdnn_blob random_floats(int64_t count)
{
    bdnn_blob blob = bdnn_blob_copy(NULL, (size_t)count * sizeof(float));
    for (int64_t i = 0; i < count; i++) {
        ((float *)blob.data)[i] = random_float();
    }
    return blob;
}

static inline bdnn_decomposed *decomposed_of(int64_t filters, int64_t inner, int32_t bases, int32_t bits)
{
    const int64_t words = (inner + 63) / 64;
    bdnn_decomposed *dec = bdnn_zalloc(1, sizeof *dec);
    assert_non_null(dec);
    dec->bases = bases;
    dec->bits = bits;
    dec->planes = bdnn_blob_copy(NULL, (size_t)(filters * bases * words) * sizeof(uint64_t));
    dec->scales = bdnn_blob_copy(NULL, (size_t)(filters * bases));
    dec->filter_scale = bdnn_blob_copy(NULL, (size_t)filters * sizeof(float));
    return dec;
}

static inline bdnn_decomposed *random_decomposed(int64_t filters, int64_t inner)
{
    const int32_t bases = 1 + (int32_t)below(8), bits = 1 + (int32_t)below(8);
    const int64_t words = (inner + 63) / 64;
    bdnn_decomposed *dec = decomposed_of(filters, inner, bases, bits);
    dec->step = 2.5f / (float)(1 << bits);
    dec->zero_point = (int32_t)below(1 << bits);
    for (int64_t i = 0; i < filters * bases * words; i++) {
        const bool last = i % words == words - 1 && inner % 64;
        const uint64_t bits64 = (uint64_t)below((int64_t)1 << 32) << 32 | (uint64_t)below((int64_t)1 << 32);
        ((uint64_t *)dec->planes.data)[i] = bits64 | (last ? UINT64_MAX << inner % 64 : 0);
    }
    for (int64_t i = 0; i < filters * bases; i++) {
        ((int8_t *)dec->scales.data)[i] = (int8_t)(below(2 * (127 / bases) + 1) - 127 / bases);
    }
    for (int64_t f = 0; f < filters; f++) {
        ((float *)dec->filter_scale.data)[f] = 0.02f / (float)(1 + below(5));
    }
    return dec;
}

static inline int32_t add_layer(bdnn_model *model, bdnn_op op, const int32_t *inputs, int32_t count, bdnn_layer **layer)
{
    bdnn_graph *g = &model->graph;
    const bdnn_shape unknown = {0};
    char name[32];
    int32_t out;
    snprintf(name, sizeof name, "value%zu", g->value_count);
    out = bdnn_graph_add_value(g, name, BDNN_FLOAT32, &unknown);
    snprintf(name, sizeof name, "layer%zu", g->layer_count);
    *layer = bdnn_graph_add_layer(g, op, name, inputs, count, &out, 1);
    assert_non_null(*layer);
    return out;
}

static inline bdnn_model *model_with_input(const bdnn_shape *shape)
{
    bdnn_model *model = bdnn_model_new();
    assert_non_null(model);
    assert_true(bdnn_graph_add_input(&model->graph, bdnn_graph_add_value(&model->graph, "in", BDNN_FLOAT32, shape)));
    return model;
}

static inline int32_t add_conv(bdnn_model *model, int32_t in, int32_t channels, int32_t groups, int32_t filters,
                               int32_t kernel)
{
    bdnn_layer *layer;
    const int32_t out = add_layer(model, BDNN_OP_CONV, &in, 1, &layer), pad = kernel / 2;
    layer->attr.conv.window = (bdnn_window){.kernel = {1, kernel, kernel},
                                            .stride = {1, 1, 1},
                                            .dilation = {1, 1, 1},
                                            .pad_begin = {0, pad, pad},
                                            .pad_end = {0, pad, pad}};
    layer->attr.conv.groups = groups;
    layer->attr.conv.filters = filters;
    layer->decomposed = random_decomposed(filters, (int64_t)kernel * kernel * channels / groups);
    layer->bias = random_floats(filters);
    return out;
}

static inline int32_t add_relu(bdnn_model *model, int32_t in)
{
    bdnn_layer *layer;
    const int32_t out = add_layer(model, BDNN_OP_ACTIVATION, &in, 1, &layer);
    layer->attr.activation.high = INFINITY;
    return out;
}

static inline void finish(bdnn_model *model, int32_t output)
{
    bdnn_error err;
    assert_true(bdnn_graph_add_output(&model->graph, output));
    if (bdnn_graph_infer(&model->graph, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
}

#endif
