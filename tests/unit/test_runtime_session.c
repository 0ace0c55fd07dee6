/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions on small networks of random decomposed layers: the devices "cpu" and "reference" agree to the bit, for any
 * number of threads and however inputs are batched; "float" is what the arithmetic on paper says. */
#include "networks.h"

#include "bdnn_measure.h"
#include "layers/formats.h"

#define SIDE    9
#define CLASSES 11

/* Two convolutions, the second in groups, a sum around them, a dense layer and its softmax; the class as second output.
 */
static bdnn_model *random_network(int32_t channels, int32_t filters, int32_t groups, bool integers)
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, channels, SIDE, SIDE}});
    bdnn_layer *layer;
    const int32_t first = add_relu(model, add_conv(model, 0, channels, 1, filters, 3));
    const int32_t pair[2] = {first, add_conv(model, first, filters, groups, filters, 1 + 2 * (int32_t)below(3))};
    const int32_t sum = add_relu(model, add_layer(model, BDNN_OP_ADD, pair, 2, &layer));
    const int32_t scores = add_layer(model, BDNN_OP_DENSE, &sum, 1, &layer);
    int32_t out;
    layer->attr.dense.filters = CLASSES;
    layer->decomposed = random_decomposed(CLASSES, (int64_t)SIDE * SIDE * filters);
    out = add_layer(model, BDNN_OP_SOFTMAX, &scores, 1, &layer);
    layer->attr.axis.axis = 1;
    finish(model, out);
    out = add_layer(model, BDNN_OP_ARGMAX, &scores, 1, &layer);
    layer->attr.axis.axis = 1;
    layer->attr.axis.keep_dims = true;
    model->graph.values[out].type = BDNN_INT64;
    finish(model, out);
    if (integers) {
        bdnn_error err;
        assert_int_equal(bdnn_formats_choose(&model->graph, &err), BDNN_OK);
        assert_int_equal(model->graph.values[sum].format.kind, BDNN_FORMAT_WIDE);
    }
    return model;
}

static bdnn_session *open_session(const bdnn_model *model, const char *device, size_t threads, size_t batch)
{
    const bdnn_session_options options = {
        .struct_size = sizeof options, .device = device, .threads = threads, .batch = batch};
    bdnn_session *session;
    bdnn_error err;
    if (bdnn_session_create(model, &options, &session, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    return session;
}

static const float *run(bdnn_session *session, const float *input, size_t output, int64_t count)
{
    bdnn_result result;
    bdnn_error err;
    int64_t elements = 1;
    if (bdnn_session_run(session, input, &err) != BDNN_OK ||
        bdnn_session_output(session, output, &result, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    for (int32_t i = 0; i < result.rank; i++) {
        elements *= result.shape[i];
    }
    assert_int_equal(elements, count);
    return result.data;
}

static void assert_same(const bdnn_model *model, const float *input, size_t batch, const char *device, size_t threads,
                        const float *expected)
{
    bdnn_session *session = open_session(model, device, threads, batch);
    assert_memory_equal(run(session, input, 0, (int64_t)batch * CLASSES), expected, batch * CLASSES * sizeof *expected);
    /* A second run begins with the first one's memory. */
    assert_memory_equal(run(session, input, 0, (int64_t)batch * CLASSES), expected, batch * CLASSES * sizeof *expected);
    bdnn_session_free(session);
}

static void try_network(int32_t channels, int32_t filters, int32_t groups, bool integers)
{
    enum { BATCH = 3 };
    bdnn_model *model = random_network(channels, filters, groups, integers);
    const int64_t item = (int64_t)channels * SIDE * SIDE;
    bdnn_blob input = random_floats(BATCH * item);
    const float *x = input.data;
    float expected[BATCH * CLASSES];
    bdnn_session *session = open_session(model, "reference", 1, 1);
    for (int n = 0; n < BATCH; n++) {
        memcpy(expected + n * CLASSES, run(session, x + n * item, 0, CLASSES), CLASSES * sizeof *expected);
    }
    bdnn_session_free(session);
    for (size_t threads = 1; threads <= 3; threads++) {
        assert_same(model, x, 1, "cpu", threads, expected);
        assert_same(model, x, BATCH, "cpu", threads, expected);
        assert_same(model, x, BATCH, "reference", threads, expected);
    }
    bdnn_blob_free(&input);
    bdnn_model_free(model);
}

static void devices_and_threads_agree_to_the_bit(void **unused)
{
    (void)unused;
    for (int i = 0; i < 4; i++) {
        try_network(1, 24, 1, i % 2);
        try_network(3, 24, 3, i % 2);
        try_network(5, 16, 16, i % 2);
        try_network(2, 65, 1, i % 2);
        try_network(7, 66, 2, i % 2);
    }
}

/* The device "float" differs from the integers by roundings alone. */
static void float_device_is_close(void **unused)
{
    (void)unused;
    for (int i = 0; i < 10; i++) {
        bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, 3, 6, 6}});
        bdnn_blob input = random_floats(3 * 6 * 6);
        bdnn_session *integer, *real;
        const float *a, *b;
        finish(model, add_conv(model, 0, 3, 1, 7, 3));
        integer = open_session(model, NULL, 1, 0);
        real = open_session(model, "float", 2, 0);
        a = run(integer, input.data, 0, 7 * 6 * 6);
        b = run(real, input.data, 0, 7 * 6 * 6);
        for (int e = 0; e < 7 * 6 * 6; e++) {
            assert_true(fabsf(a[e] - b[e]) <= 1e-5f * (1 + fabsf(a[e])));
        }
        bdnn_session_free(integer);
        bdnn_session_free(real);
        bdnn_blob_free(&input);
        bdnn_model_free(model);
    }
}

/* One filter over two channels of a 1x1 convolution, K = 2: W = (1 + 2, 1 - 2) = (3, -1), s = 0.5, step = 0.25, z = 1,
 * Q = 3, bias 10. y = 0.125 (3 (x0_q - 1) - (x1_q - 1)) + 10. */
static void results_are_those_on_paper(void **unused)
{
    /* Quantized: 0.5 -> 3, 9 -> 7 (clamped), -9 -> 0 (clamped), 0.125 -> 1 (a tie, to even);
     *            0 -> 1, 1 -> 5, 0.375 -> 3 (1.5 to even 2), -0.25 -> 0 */
    const float input[8] = {0.5f, 9, -9, 0.125f, 0, 1, 0.375f, -0.25f};
    const float expected[4] = {10 + 0.125f * 6, 10 + 0.125f * 14, 10 - 0.125f * 5, 10 + 0.125f * 1};
    const char *const devices[] = {"cpu", "reference", "float"};
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, 2, 2, 2}});
    const float bias = 10;
    bdnn_layer *layer;
    (void)unused;
    finish(model, add_conv(model, 0, 2, 1, 1, 1));
    layer = &model->graph.layers[0];
    bdnn_decomposed_free(layer->decomposed);
    bdnn_blob_free(&layer->bias);
    layer->bias = bdnn_blob_copy(&bias, sizeof bias);
    layer->decomposed = decomposed_of(1, 2, 2, 3);
    ((uint64_t *)layer->decomposed->planes.data)[0] = UINT64_MAX;
    ((uint64_t *)layer->decomposed->planes.data)[1] = UINT64_MAX - 2;
    memcpy((void *)layer->decomposed->scales.data, (const int8_t[]){1, 2}, 2);
    *(float *)layer->decomposed->filter_scale.data = 0.5f;
    layer->decomposed->step = 0.25f;
    layer->decomposed->zero_point = 1;
    for (size_t i = 0; i < 3; i++) {
        bdnn_session *session = open_session(model, devices[i], 1, 1);
        const float *y = run(session, input, 0, 4);
        for (int e = 0; e < 4; e++) {
            assert_true(y[e] == expected[e]); /* all numbers are exact in float32 */
        }
        bdnn_session_free(session);
    }
    bdnn_model_free(model);
}

static void classes_come_as_float(void **unused)
{
    bdnn_model *model = random_network(2, 8, 2, true);
    bdnn_blob input = random_floats(2 * 2 * SIDE * SIDE);
    bdnn_session *session = open_session(model, "cpu", 1, 2);
    float scores[2 * CLASSES];
    const float *classes;
    uint64_t planned, without_reuse;
    (void)unused;
    memcpy(scores, run(session, input.data, 0, 2 * CLASSES), sizeof scores);
    classes = run(session, input.data, 1, 2);
    for (int n = 0; n < 2; n++) {
        int best = 0;
        for (int c = 0; c < CLASSES; c++) {
            best = scores[n * CLASSES + c] > scores[n * CLASSES + best] ? c : best;
        }
        assert_true(classes[n] == (float)best);
    }
    bdnn_session_memory(session, &planned, &without_reuse);
    assert_true(planned > 0 && planned < without_reuse);
    bdnn_session_free(session);
    bdnn_blob_free(&input);
    bdnn_model_free(model);
}

static void nonsense_is_refused(void **unused)
{
    bdnn_model *model = random_network(1, 4, 1, true);
    static const char *const strange[] = {"cpu:0", "xrt:", "xrt:x", "xrt:1x", "xrt:-1", "xrt:99999", "xr", "xrtt"};
    bdnn_session_options options = {.struct_size = sizeof options, .device = "abacus"};
    bdnn_session *session;
    bdnn_result result;
    bdnn_error err;
    (void)unused;
    assert_int_equal(bdnn_session_create(model, &options, &session, &err), BDNN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "abacus"));
    assert_null(session);
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        options.device = strange[i];
        assert_int_equal(bdnn_session_create(model, &options, &session, &err), BDNN_ERROR_ARGUMENT);
        assert_non_null(strstr(err.message, strange[i]));
    }
    options = (bdnn_session_options){.struct_size = sizeof(bdnn_session_options), .batch = SIZE_MAX};
    assert_int_not_equal(bdnn_session_create(model, &options, &session, &err), BDNN_OK);
    assert_null(session);
    assert_int_equal(bdnn_session_create(model, NULL, &session, NULL), BDNN_OK);
    assert_int_equal(bdnn_session_output_count(session), 2);
    assert_int_equal(bdnn_session_output(session, 2, &result, &err), BDNN_ERROR_ARGUMENT);
    bdnn_session_free(session);
    bdnn_session_free(NULL);
    bdnn_model_free(model);
}

static void devices_are_described(void **unused)
{
    static const char *const asked[][2] = {
        {NULL, "cpu"}, {"cpu", "cpu"}, {"reference", "reference"}, {"float", "float"}};
    bdnn_device_info info;
    bdnn_error err;
    (void)unused;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        assert_int_equal(bdnn_device_describe(asked[i][0], NULL, &info, &err), BDNN_OK);
        assert_string_equal(info.name, asked[i][1]);
        assert_true(info.description[0]);
        assert_false(info.accelerator);
        assert_string_equal(info.problem, "");
    }
    assert_int_equal(bdnn_device_describe("cpu:1", NULL, &info, &err), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_device_describe("gpu", NULL, &info, &err), BDNN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "device 'gpu'"));
    assert_string_equal(info.name, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_described), cmocka_unit_test(devices_and_threads_agree_to_the_bit),
        cmocka_unit_test(float_device_is_close), cmocka_unit_test(results_are_those_on_paper),
        cmocka_unit_test(classes_come_as_float), cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
