/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that are none, and infinities: refused where they come in - weights, inputs, calibration, datasets, means -
 * and an error that names the layer where a network makes them. */
#define _XOPEN_SOURCE 700
#include "bdnn_data.h"
#include "core/finite.h"
#include "import/npy.h"
#include "networks.h"
#include "scratch.h"

#include <unistd.h>

#define SIDE 4

static void expect(bdnn_status status, bdnn_status wanted, const bdnn_error *err, const char *a, const char *b)
{
    if (status != wanted || !strstr(err->message, a) || !strstr(err->message, b)) {
        fail_msg("status %d: \"%s\" does not say \"%s\" and \"%s\"", (int)status, err->message, a, b);
    }
}

static void each_place_is_found(void **unused)
{
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    float x[200];
    (void)unused;
    for (size_t i = 0; i < 200; i++) {
        x[i] = i % 3 == 0 ? 3.4028234e38f : i % 3 == 1 ? -1e-45f : 0.0f;
    }
    for (size_t count = 0; count <= 200; count++) {
        assert_int_equal(bdnn_first_not_finite(x, count), count);
    }
    for (size_t at = 0; at < 200; at++) {
        const float kept = x[at];
        x[at] = bad[at % 4];
        assert_int_equal(bdnn_first_not_finite(x, 200), at);
        assert_int_equal(bdnn_first_not_finite(x, at), at);
        assert_int_equal(bdnn_first_not_finite(x + at, 200 - at), 0);
        x[at] = kept;
    }
}

/* in -> first (dense) -> second (dense) -> relu without an upper bound, of 3 values; or the class of them. */
static bdnn_model *dense_network(float weight, bool argmax)
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, 1, SIDE, SIDE}});
    int32_t last = 0;
    bdnn_layer *layer;
    for (int i = 0; i < 2; i++) {
        const int64_t inner = i ? 3 : SIDE * SIDE;
        last = add_layer(model, BDNN_OP_DENSE, &last, 1, &layer);
        layer->attr.dense.filters = 3;
        layer->weight = random_floats(3 * inner);
        layer->bias = random_floats(3);
        for (int64_t w = 0; w < 3 * inner; w++) {
            ((float *)layer->weight.data)[w] = weight;
        }
    }
    last = add_relu(model, last);
    if (argmax) {
        last = add_layer(model, BDNN_OP_ARGMAX, &last, 1, &layer);
        layer->attr.axis.axis = 1;
        model->graph.values[last].type = BDNN_INT64;
    }
    finish(model, last);
    return model;
}

static void inputs_must_be_finite(void **unused)
{
    bdnn_model *model = dense_network(1, false);
    const bdnn_session_options options = {.struct_size = sizeof options, .batch = 2, .threads = 1};
    float input[2 * SIDE * SIDE] = {0};
    bdnn_session *session;
    bdnn_error err = {0};
    (void)unused;
    assert_int_equal(bdnn_session_create(model, &options, &session, &err), BDNN_OK);
    assert_int_equal(bdnn_session_run(session, input, &err), BDNN_OK);
    input[21] = NAN;
    expect(bdnn_session_run(session, input, &err), BDNN_ERROR_ARGUMENT, &err, "element 21 of 2x1x4x4", "nan");
    input[21] = -INFINITY;
    expect(bdnn_session_run(session, input, &err), BDNN_ERROR_ARGUMENT, &err, "element 21", "-inf");
    input[21] = 0;
    assert_int_equal(bdnn_session_run(session, input, &err), BDNN_OK);
    bdnn_session_free(session);
    bdnn_model_free(model);
}

/* 16 inputs of 1, weights of 1e30: the first layer's sums are 1.6e31, the second's leave float32. */
static void overflow_names_the_layer(void **unused)
{
    static const char *const devices[] = {"cpu", "float"};
    float input[SIDE * SIDE];
    (void)unused;
    for (int i = 0; i < 2 * 2; i++) {
        bdnn_model *model = dense_network(1e30f, i / 2);
        const bdnn_session_options options = {.struct_size = sizeof options, .device = devices[i % 2], .threads = 2};
        bdnn_session *session;
        bdnn_error err = {0};
        for (int p = 0; p < SIDE * SIDE; p++) {
            input[p] = 1;
        }
        assert_int_equal(bdnn_session_create(model, &options, &session, &err), BDNN_OK);
        expect(bdnn_session_run(session, input, &err), BDNN_ERROR_UNSUPPORTED, &err, "layer 'layer1'", "inf");
        for (int p = 0; p < SIDE * SIDE; p++) {
            input[p] = 1e20f;
        }
        expect(bdnn_session_run(session, input, &err), BDNN_ERROR_UNSUPPORTED, &err, "layer 'layer0'", "inf");
        memset(input, 0, sizeof input);
        assert_int_equal(bdnn_session_run(session, input, &err), BDNN_OK);
        bdnn_session_free(session);
        bdnn_model_free(model);
    }
}

/* A decomposed layer's float output, of the step and a filter's scale. */
static void overflow_of_decomposed_layers_is_named(void **unused)
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, 2, SIDE, SIDE}});
    const int32_t out = add_conv(model, 0, 2, 1, 3, 3);
    bdnn_decomposed *dec = model->graph.layers[0].decomposed;
    float input[2 * SIDE * SIDE];
    bdnn_session *session;
    bdnn_error err = {0};
    (void)unused;
    dec->step = 1e19f;
    for (int f = 0; f < 3; f++) {
        ((float *)dec->filter_scale.data)[f] = 3e19f;
    }
    finish(model, out);
    for (int i = 0; i < 2 * SIDE * SIDE; i++) {
        input[i] = 1e21f;
    }
    assert_int_equal(bdnn_session_create(model, NULL, &session, &err), BDNN_OK);
    expect(bdnn_session_run(session, input, &err), BDNN_ERROR_UNSUPPORTED, &err, "layer 'layer0'", "an output is");
    bdnn_session_free(session);
    bdnn_model_free(model);
}

static void load_expects(bdnn_model *model, const char *a, const char *b)
{
    const char *path = scratch_path("net.bdnn");
    bdnn_model *loaded;
    bdnn_error err = {0};
    bdnn_status status;
    assert_int_equal(bdnn_model_save(model, path, &err), BDNN_OK);
    status = bdnn_model_load(path, NULL, &loaded, &err);
    if (a) {
        expect(status, BDNN_ERROR_FORMAT, &err, a, b);
        assert_non_null(strstr(err.message, path));
        assert_null(loaded);
    } else if (status != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    bdnn_model_free(loaded);
}

static void parameters_must_be_finite(void **unused)
{
    bdnn_model *model = dense_network(1, false);
    float *weight = (float *)model->graph.layers[0].weight.data, *bias = (float *)model->graph.layers[1].bias.data;
    (void)unused;
    load_expects(model, NULL, NULL); /* a relu has no upper bound */
    weight[17] = NAN;
    load_expects(model, "layer 'layer0'", "weight 17 is nan");
    weight[17] = INFINITY;
    load_expects(model, "layer 'layer0'", "weight 17 is inf");
    weight[17] = 1;
    bias[2] = -INFINITY;
    load_expects(model, "layer 'layer1'", "bias 2 is -inf");
    bias[2] = 0;
    model->graph.layers[2].attr.activation.high = NAN;
    load_expects(model, "layer 'layer2'", "the upper bound is not a number");
    bdnn_model_free(model);
}

/* The value that is padded with may be minus infinity, which a maximum then ignores; constants may not. */
static void constants_must_be_finite(void **unused)
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, 1, SIDE, SIDE}});
    const bdnn_shape shape = {4, {1, 1, SIDE, SIDE}};
    const int32_t constant = bdnn_graph_add_value(&model->graph, "offsets", BDNN_FLOAT32, &shape);
    int32_t inputs[2] = {0, constant};
    bdnn_layer *layer;
    (void)unused;
    model->graph.values[constant].constant = random_floats(SIDE * SIDE);
    inputs[0] = add_layer(model, BDNN_OP_ADD, inputs, 2, &layer);
    inputs[0] = add_layer(model, BDNN_OP_PAD, inputs, 1, &layer);
    layer->attr.pad.value = -INFINITY;
    finish(model, inputs[0]);
    load_expects(model, NULL, NULL);
    ((float *)model->graph.values[constant].constant.data)[5] = INFINITY;
    load_expects(model, "constant 'offsets'", "element 5 is inf");
    bdnn_model_free(model);
}

static void means_must_be_finite(void **unused)
{
    bdnn_model *model = dense_network(1, false);
    bdnn_preprocess p = bdnn_model_preprocess(model);
    float image[SIDE * SIDE] = {0};
    bdnn_error err = {0};
    (void)unused;
    p.mean[0] = NAN;
    expect(bdnn_model_set_preprocess(model, &p, &err), BDNN_ERROR_ARGUMENT, &err, "channel 0", "nan");
    p.mean[0] = 0;
    p.scale[0] = INFINITY;
    expect(bdnn_model_set_preprocess(model, &p, &err), BDNN_ERROR_ARGUMENT, &err, "channel 0", "inf");
    p.scale[0] = 1;
    p.mean_image = image;
    assert_int_equal(bdnn_model_set_preprocess(model, &p, &err), BDNN_OK);
    image[7] = NAN;
    expect(bdnn_model_set_preprocess(model, &p, &err), BDNN_ERROR_ARGUMENT, &err, "element 7", "nan");
    bdnn_model_free(model);
}

static void calibration_must_be_finite(void **unused)
{
    bdnn_model *model = dense_network(1, false), *decomposed;
    float inputs[3 * SIDE * SIDE];
    bdnn_error err = {0};
    (void)unused;
    for (int i = 0; i < 3 * SIDE * SIDE; i++) {
        inputs[i] = random_float();
    }
    inputs[2 * SIDE * SIDE + 3] = INFINITY;
    expect(bdnn_decompose(model, inputs, 3, NULL, &decomposed, NULL, NULL, &err), BDNN_ERROR_ARGUMENT, &err,
           "calibration input 2", "element 3 is inf");
    assert_null(decomposed);
    bdnn_model_free(model);
}

static void arrays_must_be_finite(void **unused)
{
    const bdnn_shape shape = {4, {2, 1, SIDE, SIDE}};
    const bdnn_preprocess p = {.channels = 1, .height = SIDE, .width = SIDE};
    const char *path = scratch_path("inputs.npy");
    float data[2 * SIDE * SIDE] = {0}, input[SIDE * SIDE], *loaded;
    double wide[2 * SIDE * SIDE] = {0};
    bdnn_shape found;
    bdnn_dataset *set;
    bdnn_error err = {0};
    (void)unused;
    data[20] = NAN;
    assert_int_equal(bdnn_npy_save(path, BDNN_NPY_FLOAT32, &shape, data, &err), BDNN_OK);
    expect(bdnn_npy_load(path, &found, &loaded, &err), BDNN_ERROR_FORMAT, &err, path, "element 20 of 2x1x4x4 is nan");
    assert_null(loaded);
    assert_int_equal(bdnn_dataset_open(path, NULL, &set, &err), BDNN_OK);
    assert_int_equal(bdnn_dataset_input(set, 0, &p, input, &err), BDNN_OK);
    expect(bdnn_dataset_input(set, 1, &p, input, &err), BDNN_ERROR_FORMAT, &err, "image 1: number 4 is nan", path);
    /* Shortened while it is open: an error, and no SIGBUS. */
    assert_int_equal(truncate(path, 200), 0);
    expect(bdnn_dataset_input(set, 1, &p, input, &err), BDNN_ERROR_IO, &err, path, "has become shorter");
    bdnn_dataset_free(set);
    wide[9] = 1e300;
    assert_int_equal(bdnn_npy_save(path, BDNN_NPY_FLOAT64, &shape, wide, &err), BDNN_OK);
    expect(bdnn_npy_load(path, &found, &loaded, &err), BDNN_ERROR_FORMAT, &err, path, "element 9 of 2x1x4x4 is inf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_place_is_found),       cmocka_unit_test(inputs_must_be_finite),
        cmocka_unit_test(overflow_names_the_layer),  cmocka_unit_test(overflow_of_decomposed_layers_is_named),
        cmocka_unit_test(parameters_must_be_finite), cmocka_unit_test(constants_must_be_finite),
        cmocka_unit_test(means_must_be_finite),      cmocka_unit_test(calibration_must_be_finite),
        cmocka_unit_test(arrays_must_be_finite),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
