/* SPDX-License-Identifier: BSD-2-Clause */
/* The integer pipeline: which formats are chosen, what a network computes in them, and which are refused. */
#include "networks.h"

#include "kernels/quantize.h"
#include "layers/formats.h"

#define CHANNELS 5
#define SIDE     8

static void choose(bdnn_model *model)
{
    bdnn_error err;
    if (bdnn_formats_choose(&model->graph, &err) != BDNN_OK || bdnn_graph_infer(&model->graph, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
}

static bdnn_layer *last_layer(bdnn_model *model)
{
    return &model->graph.layers[model->graph.layer_count - 1];
}

static bdnn_format format_of(const bdnn_model *model, int32_t value)
{
    return model->graph.values[value].format;
}

/* What the decomposed layer reads that makes `value`, perhaps through an activation. */
static bdnn_format read_by(const bdnn_model *model, int32_t value)
{
    const bdnn_layer *layer = &model->graph.layers[bdnn_graph_producer(&model->graph, value)];
    return layer->decomposed ? bdnn_format_read_by(layer->decomposed) : read_by(model, layer->inputs[0]);
}

/* A convolution that reads 4 to 6 bits, so that accumulators are finer than any step here. */
static int32_t add_fine_conv(bdnn_model *model, int32_t in, int32_t channels, int32_t filters, int32_t kernel)
{
    const int32_t out = add_conv(model, in, channels, 1, filters, kernel);
    bdnn_decomposed *dec = last_layer(model)->decomposed;
    dec->bits = 4 + (int32_t)below(3);
    dec->step = 2.5f / (float)(1 << dec->bits);
    dec->zero_point = (int32_t)below(1 << dec->bits);
    return out;
}

static int32_t add_pool(bdnn_model *model, int32_t in, int32_t *indices)
{
    bdnn_layer *layer;
    int32_t out[2] = {bdnn_graph_add_value(&model->graph, indices ? "pooled" : "max", BDNN_FLOAT32, &(bdnn_shape){0}),
                      0};
    if (indices) {
        *indices = out[1] = bdnn_graph_add_value(&model->graph, "indices", BDNN_INT64, &(bdnn_shape){0});
    }
    layer = bdnn_graph_add_layer(&model->graph, BDNN_OP_MAX_POOL, indices ? "pooling" : "pool", &in, 1, out,
                                 indices ? 2 : 1);
    assert_non_null(layer);
    layer->attr.pool.window = (bdnn_window){.kernel = {1, 2, 2}, .stride = {1, 2, 2}, .dilation = {1, 1, 1}};
    return out[0];
}

/* conv, relu, pool, conv: everything between the convolutions is what the second one reads. */
static bdnn_model *chain(int32_t values[4])
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, CHANNELS, SIDE, SIDE}});
    values[0] = add_fine_conv(model, 0, CHANNELS, 12, 3);
    values[1] = add_relu(model, values[0]);
    values[2] = add_pool(model, values[1], NULL);
    values[3] = add_fine_conv(model, values[2], 12, 7, 3);
    finish(model, values[3]);
    choose(model);
    return model;
}

static void a_chain_is_quantized(void **unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++) {
        int32_t v[4];
        bdnn_model *model = chain(v);
        const bdnn_format wanted = read_by(model, v[3]);
        for (int n = 0; n < 3; n++) {
            const bdnn_format got = format_of(model, v[n]);
            assert_true(bdnn_format_equal(&got, &wanted));
        }
        assert_int_equal(format_of(model, 0).kind, BDNN_FORMAT_FLOAT);
        assert_int_equal(format_of(model, v[3]).kind, BDNN_FORMAT_FLOAT);
        bdnn_model_free(model);
    }
}

/* A block with a shortcut, then one with pooling indices: wide from end to end. */
static bdnn_model *residual(int32_t values[8])
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, CHANNELS, SIDE, SIDE}});
    bdnn_layer *layer;
    int32_t pair[2], indices;
    values[0] = add_relu(model, add_fine_conv(model, 0, CHANNELS, 12, 3));
    values[1] = add_relu(model, add_fine_conv(model, values[0], 12, 6, 1));
    values[2] = add_fine_conv(model, values[1], 6, 12, 3);
    pair[0] = values[2];
    pair[1] = values[0];
    values[3] = add_relu(model, add_layer(model, BDNN_OP_ADD, pair, 2, &layer));
    values[4] = add_pool(model, values[3], &indices);
    values[5] = add_fine_conv(model, values[4], 12, 12, 3);
    pair[0] = values[5];
    pair[1] = indices;
    values[6] = add_layer(model, BDNN_OP_MAX_UNPOOL, pair, 2, &layer);
    layer->attr.pool.window = (bdnn_window){.kernel = {1, 2, 2}, .stride = {1, 2, 2}, .dilation = {1, 1, 1}};
    values[7] = add_fine_conv(model, values[6], 12, 4, 3);
    finish(model, values[7]);
    choose(model);
    return model;
}

static void sums_and_read_indices_are_wide(void **unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++) {
        int32_t v[8];
        bdnn_model *model = residual(v);
        const bdnn_format first = format_of(model, v[0]), narrow = read_by(model, v[2]),
                          unpooled = read_by(model, v[7]);
        const bdnn_format a = read_by(model, v[1]), b = read_by(model, v[5]), got = format_of(model, v[1]);
        const float ranges[2] = {a.step * (float)((1 << a.bits) - 1), b.step * (float)((1 << b.bits) - 1)};
        assert_int_equal(first.kind, BDNN_FORMAT_WIDE);
        assert_true(first.step >= fmaxf(ranges[0], ranges[1]) / 8192);
        for (int n = 2; n <= 4; n++) {
            const bdnn_format same = format_of(model, v[n]);
            assert_true(bdnn_format_equal(&first, &same));
        }
        assert_true(bdnn_format_equal(&got, &narrow));
        for (int n = 5; n <= 6; n++) {
            const bdnn_format same = format_of(model, v[n]);
            assert_true(bdnn_format_equal(&unpooled, &same));
        }
        bdnn_model_free(model);
    }
}

static void run_on(const bdnn_model *model, const char *device, const float *x, size_t count, float *y)
{
    const bdnn_session_options options = {.struct_size = sizeof options, .device = device, .threads = 2};
    bdnn_session *session;
    bdnn_result result;
    bdnn_error err;
    if (bdnn_session_create(model, &options, &session, &err) != BDNN_OK ||
        bdnn_session_run(session, x, &err) != BDNN_OK || bdnn_session_output(session, 0, &result, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    memcpy(y, result.data, count * sizeof *y);
    bdnn_session_free(session);
}

/* Devices agree to the bit, and with floats in between results are the same but for a rounding here and there. */
static void integers_are_close_to_floats(void **unused)
{
    enum { MOST = 7 * SIDE * SIDE };
    size_t equal = 0, all = 0;
    double noise = 0, signal = 0;
    (void)unused;
    for (int i = 0; i < 60; i++) {
        int32_t v[8];
        bdnn_model *model = i % 2 ? residual(v) : chain(v);
        const size_t count = (size_t)bdnn_shape_elements(&model->graph.values[model->graph.outputs[0]].shape);
        bdnn_blob x = random_floats(CHANNELS * SIDE * SIDE);
        float reference[MOST], cpu[MOST], floats[MOST];
        run_on(model, "reference", x.data, count, reference);
        run_on(model, "cpu", x.data, count, cpu);
        assert_memory_equal(reference, cpu, count * sizeof *cpu);
        for (size_t n = 0; n < model->graph.value_count; n++) {
            model->graph.values[n].format = (bdnn_format){.kind = BDNN_FORMAT_FLOAT};
        }
        run_on(model, "cpu", x.data, count, floats);
        for (size_t n = 0; n < count; n++) {
            const double delta = (double)cpu[n] - floats[n];
            equal += i % 2 == 0 && delta == 0;
            all += i % 2 == 0;
            noise += delta * delta;
            signal += (double)floats[n] * floats[n];
        }
        bdnn_blob_free(&x);
        bdnn_model_free(model);
    }
    assert_true((double)equal > 0.999 * (double)all);
    /* A value that moves by a rounding may change which of two equals is a maximum, and so where unpooling puts it. */
    assert_true(noise < 5e-3 * signal);
}

static void wide_reading_is_the_definition(void **unused)
{
    enum { COUNT = 65535 };
    static int16_t x[COUNT];
    static uint8_t got[COUNT];
    (void)unused;
    for (int i = 0; i < COUNT; i++) {
        x[i] = (int16_t)(i - 32767);
    }
    for (int round = 0; round < 60; round++) {
        const float from = 0.001f + random_float() * random_float(), to = ldexpf(0.3f, (int)below(16) - 4);
        const int32_t bits = 1 + (int32_t)below(8), zero = (int32_t)below(1 << bits);
        int32_t multiplier, shift;
        if (!bdnn_format_rescale(fabsf(from), to, &multiplier, &shift)) {
            continue;
        }
        assert_in_range(multiplier, 1 << 14, (1 << 15) - 1);
        assert_true(fabs(ldexp(multiplier, -shift) * to / fabsf(from) - 1) <= 0x1p-15 * 1.001);
        bdnn_quantize_wide(x, COUNT, multiplier, shift, zero, bits, got, NULL);
        for (int i = 0; i < COUNT; i++) {
            const double level = floor(((double)x[i] * multiplier + ldexp(1, shift - 1)) / ldexp(1, shift)) + zero;
            assert_int_equal(got[i], level < 0 ? 0 : level > (1 << bits) - 1 ? (1 << bits) - 1 : (int)level);
        }
    }
}

static void refused(bdnn_model *model, const char *text)
{
    bdnn_error err;
    assert_int_equal(bdnn_graph_infer(&model->graph, &err), BDNN_ERROR_FORMAT);
    if (!strstr(err.message, text)) {
        fail_msg("'%s' does not say '%s'", err.message, text);
    }
}

static void impossible_formats_are_refused(void **unused)
{
    static const struct {
        int value; /* of the chain */
        bdnn_format format;
        const char *text;
    } cases[] = {
        {0, {7, 1, 0, 0}, "format number 7"},
        {0, {BDNN_FORMAT_WIDE, -1, 0, 0}, "a step of -1"},
        {0, {BDNN_FORMAT_WIDE, INFINITY, 0, 0}, "a step of inf"},
        {0, {BDNN_FORMAT_WIDE, NAN, 0, 0}, "a step of"},
        {0, {BDNN_FORMAT_FLOAT, 1, 0, 0}, "a step of 1"},
        {0, {BDNN_FORMAT_QUANTIZED, 1, 0, 9}, "integers of 9 bits"},
        {0, {BDNN_FORMAT_QUANTIZED, 1, 0, 0}, "integers of 0 bits"},
        {0, {BDNN_FORMAT_WIDE, 1, 0, 3}, "integers of 3 bits"},
        {0, {BDNN_FORMAT_QUANTIZED, 1, 8, 3}, "a zero point of 8"},
        {0, {BDNN_FORMAT_WIDE, 1, 1, 0}, "a zero point of 1"},
        {0, {BDNN_FORMAT_WIDE, 1, 0, 0}, "one format"},
        {2, {BDNN_FORMAT_WIDE, 1, 0, 0}, "one format"},
        {3, {BDNN_FORMAT_WIDE, 1, 0, 0}, "must be float"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t v[4];
        bdnn_model *model = chain(v);
        model->graph.values[v[cases[i].value]].format = cases[i].format;
        refused(model, cases[i].text);
        bdnn_model_free(model);
    }
}

static void impossible_steps_are_refused(void **unused)
{
    int32_t v[4];
    bdnn_model *model = chain(v);
    bdnn_layer *reader = last_layer(model);
    const float step = reader->decomposed->step;
    (void)unused;
    reader->decomposed->step = 2 * step;
    refused(model, "the layer reads");
    reader->decomposed->step = step;
    for (int n = 0; n < 3; n++) {
        model->graph.values[v[n]].format = (bdnn_format){.kind = BDNN_FORMAT_WIDE, .step = 1e-30f};
    }
    refused(model, "filter scales or biases too large");
    for (int n = 0; n < 3; n++) {
        model->graph.values[v[n]].format = (bdnn_format){.kind = BDNN_FORMAT_WIDE, .step = 1e30f};
    }
    refused(model, "a wide input of step 1e+30");
    bdnn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_quantized),           cmocka_unit_test(sums_and_read_indices_are_wide),
        cmocka_unit_test(integers_are_close_to_floats),   cmocka_unit_test(wide_reading_is_the_definition),
        cmocka_unit_test(impossible_formats_are_refused), cmocka_unit_test(impossible_steps_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
