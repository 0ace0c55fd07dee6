/* SPDX-License-Identifier: BSD-2-Clause */
/* What a session tells about its layers: kernels, bytes that follow from the shapes, times that fit into the run's. */
#include "networks.h"

#include "bdnn_measure.h"
#include "core/clock.h"
#include "layers/formats.h"

#define SIDE    12
#define FILTERS 20
#define CLASSES 11
#define BATCH   2
#define BASES   3
#define LAYERS  5

/* conv, relu, LRN (in float), dense, softmax. */
static bdnn_model *small_network(void)
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, 3, SIDE, SIDE}});
    const int32_t maps = add_relu(model, add_conv(model, 0, 3, 1, FILTERS, 3));
    bdnn_layer *layer;
    bdnn_error err;
    int32_t last = add_layer(model, BDNN_OP_LRN, &maps, 1, &layer);
    layer->attr.lrn.size = 5;
    layer->attr.lrn.bias = 1;
    last = add_layer(model, BDNN_OP_DENSE, &last, 1, &layer);
    layer->attr.dense.filters = CLASSES;
    layer->decomposed = decomposed_of(CLASSES, (int64_t)FILTERS * SIDE * SIDE, BASES, 4);
    memset((void *)layer->decomposed->planes.data, 255, layer->decomposed->planes.bytes);
    memset((void *)layer->decomposed->scales.data, 1, layer->decomposed->scales.bytes);
    layer->decomposed->step = 1;
    for (int f = 0; f < CLASSES; f++) {
        ((float *)layer->decomposed->filter_scale.data)[f] = 0.01f;
    }
    last = add_layer(model, BDNN_OP_SOFTMAX, &last, 1, &layer);
    layer->attr.axis.axis = 1;
    finish(model, last);
    assert_int_equal(bdnn_formats_choose(&model->graph, &err), BDNN_OK);
    return model;
}

static bdnn_session *open_session(const bdnn_model *model, const char *device)
{
    const bdnn_session_options options = {
        .struct_size = sizeof options, .device = device, .threads = 1, .batch = BATCH};
    bdnn_session *session;
    bdnn_error err;
    if (bdnn_session_create(model, &options, &session, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    return session;
}

static bdnn_layer_cost cost_of(const bdnn_session *session, size_t layer)
{
    bdnn_layer_cost cost;
    assert_int_equal(bdnn_session_layer(session, layer, &cost, NULL), BDNN_OK);
    assert_non_null(cost.kernel);
    return cost;
}

static uint64_t all_times(const bdnn_session *session)
{
    uint64_t sum = 0;
    for (size_t l = 0; l < LAYERS; l++) {
        sum += cost_of(session, l).nanoseconds;
    }
    return sum;
}

static void times_are_taken_when_asked_for(void **unused)
{
    bdnn_model *model = small_network();
    bdnn_session *session = open_session(model, "reference");
    bdnn_blob input = random_floats((int64_t)BATCH * 3 * SIDE * SIDE);
    float before[BATCH * CLASSES];
    bdnn_result result;
    uint64_t start, took;
    (void)unused;
    assert_int_equal(bdnn_session_run(session, input.data, NULL), BDNN_OK);
    assert_int_equal(all_times(session), 0);
    assert_int_equal(bdnn_session_output(session, 0, &result, NULL), BDNN_OK);
    memcpy(before, result.data, sizeof before);
    assert_int_equal(bdnn_session_profile(session, NULL), BDNN_OK);
    assert_int_equal(bdnn_session_profile(session, NULL), BDNN_OK);
    for (int run = 0; run < 2; run++) {
        start = bdnn_clock();
        assert_int_equal(bdnn_session_run(session, input.data, NULL), BDNN_OK);
        took = bdnn_clock() - start;
        /* The times of this run alone, each layer's own. */
        assert_true(all_times(session) <= took);
        for (size_t l = 0; l < LAYERS; l++) {
            assert_true((cost_of(session, l).nanoseconds > 0) == (strcmp(cost_of(session, l).kernel, "fused") != 0));
        }
    }
    assert_memory_equal(result.data, before, sizeof before);
    bdnn_session_free(session);
    bdnn_blob_free(&input);
    bdnn_model_free(model);
}

static void bytes_follow_from_shapes(void **unused)
{
    const uint64_t image = (uint64_t)BATCH * 3 * SIDE * SIDE * sizeof(float);
    const uint64_t maps = (uint64_t)BATCH * FILTERS * SIDE * SIDE * sizeof(float);
    const uint64_t words = (FILTERS * SIDE * SIDE + 63) / 64;
    bdnn_model *model = small_network();
    bdnn_session *session = open_session(model, "reference");
    bdnn_layer_cost cost = cost_of(session, 0);
    (void)unused;
    assert_string_equal(cost.kernel, "xnor_scalar");
    assert_int_equal(cost.input_bytes, image);
    assert_int_equal(cost.output_bytes, maps);
    cost = cost_of(session, 2);
    assert_string_equal(cost.kernel, "float");
    assert_int_equal(cost.weight_bytes, 0);
    assert_int_equal(cost.input_bytes, maps);
    cost = cost_of(session, 3);
    assert_int_equal(cost.weight_bytes, CLASSES * BASES * words * 8 + CLASSES * BASES);
    assert_int_equal(cost.input_bytes, maps);
    assert_int_equal(cost.output_bytes, BATCH * CLASSES * sizeof(float));
    bdnn_session_free(session);
    session = open_session(model, "float");
    cost = cost_of(session, 3);
    assert_string_equal(cost.kernel, "float");
    assert_int_equal(cost.weight_bytes, CLASSES * FILTERS * SIDE * SIDE * sizeof(float));
    bdnn_session_free(session);
    bdnn_model_free(model);
}

/* A sum and a clip that a convolution does while it requantizes. */
static void what_is_done_on_the_way_costs_nothing(void **unused)
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, 4, SIDE, SIDE}});
    const int32_t first = add_relu(model, add_conv(model, 0, 4, 1, 8, 3));
    const int32_t second = add_relu(model, add_conv(model, first, 8, 1, 8, 3));
    bdnn_blob input = random_floats((int64_t)BATCH * 4 * SIDE * SIDE);
    bdnn_session *session;
    bdnn_error err;
    bdnn_layer_cost cost;
    (void)unused;
    finish(model, add_conv(model, second, 8, 1, 8, 3));
    assert_int_equal(bdnn_formats_choose(&model->graph, &err), BDNN_OK);
    session = open_session(model, "cpu");
    assert_int_equal(bdnn_session_profile(session, NULL), BDNN_OK);
    assert_int_equal(bdnn_session_run(session, input.data, NULL), BDNN_OK);
    cost = cost_of(session, 1);
    assert_string_equal(cost.kernel, "fused");
    assert_int_equal(cost.nanoseconds + cost.input_bytes + cost.output_bytes + cost.weight_bytes, 0);
    cost = cost_of(session, 2);
    assert_int_equal(cost.input_bytes, BATCH * 8 * SIDE * SIDE); /* Q bits in one byte */
    assert_true(cost.nanoseconds > 0);
    bdnn_session_free(session);
    bdnn_blob_free(&input);
    bdnn_model_free(model);
}

static void an_absent_layer_is_refused(void **unused)
{
    bdnn_model *model = small_network();
    bdnn_session *session = open_session(model, NULL);
    bdnn_layer_cost cost;
    bdnn_error err;
    (void)unused;
    assert_int_equal(bdnn_session_layer(session, LAYERS - 1, &cost, &err), BDNN_OK);
    assert_int_equal(bdnn_session_layer(session, LAYERS, &cost, &err), BDNN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "layer 5 of a network of 5"));
    bdnn_session_free(session);
    bdnn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_taken_when_asked_for),
        cmocka_unit_test(bytes_follow_from_shapes),
        cmocka_unit_test(what_is_done_on_the_way_costs_nothing),
        cmocka_unit_test(an_absent_layer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
