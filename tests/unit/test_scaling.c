/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks of very many layers: everything from the file to the first result takes time in proportion to their number.
 * A step that looks at all layers for each layer would take sixteen times as long for four times as many; the bounds
 * are of processor time, and far wider than proportion asks for, so that a loaded machine does not matter. */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include "networks.h"

#include "bdnn_data.h"
#include "layers/formats.h"

#include <time.h>

#define MAX_LAYERS  60000
#define MAX_SECONDS 60 /* with sanitizers and on a slow machine; quadratic work took many times that */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const bdnn_shape small = {4, {1, 4, 1, 1}};

/* Each makes a network of about n layers. */

static bdnn_model *chain(int n)
{
    bdnn_model *model = model_with_input(&small);
    int32_t last = 0;
    for (int i = 0; i < n; i++) {
        last = add_relu(model, last);
    }
    finish(model, last);
    return model;
}

/* Decomposed convolutions with a residual sum around each, and a clip: wide values. */
static bdnn_model *residual(int n)
{
    bdnn_model *model = model_with_input(&small);
    int32_t last = add_conv(model, 0, 4, 1, 4, 1);
    bdnn_error err;
    for (int i = 0; i < n / 3; i++) {
        bdnn_layer *layer;
        int32_t both[2] = {last, add_conv(model, last, 4, 1, 4, 1)};
        last = add_relu(model, add_layer(model, BDNN_OP_ADD, both, 2, &layer));
    }
    finish(model, add_conv(model, last, 4, 1, 4, 1));
    assert_int_equal(bdnn_formats_choose(&model->graph, &err), BDNN_OK);
    return model;
}

/* One value that all layers read, and one layer that reads all of theirs. */
static bdnn_model *fan(int n)
{
    bdnn_model *model = model_with_input(&small);
    int32_t *all = bdnn_alloc((size_t)n, sizeof *all);
    bdnn_layer *layer;
    assert_non_null(all);
    for (int i = 0; i < n; i++) {
        all[i] = add_relu(model, 0);
    }
    finish(model, add_layer(model, BDNN_OP_ADD, all, n, &layer));
    bdnn_free(all);
    return model;
}

/* A first value that is read by each of a chain's sums, so that it lives from the beginning to the end. */
static bdnn_model *long_lived(int n)
{
    bdnn_model *model = model_with_input(&small);
    int32_t last = add_relu(model, 0);
    for (int i = 0; i < n / 2; i++) {
        bdnn_layer *layer;
        int32_t both[2] = {last, 0};
        last = add_relu(model, add_layer(model, BDNN_OP_ADD, both, 2, &layer));
    }
    finish(model, last);
    return model;
}

/* First all the way down, then back: value i is read again by layer 2 n - i. */
static bdnn_model *nested(int n)
{
    bdnn_model *model = model_with_input(&small);
    int32_t last = 0;
    for (int i = 0; i < n / 2; i++) {
        last = add_relu(model, last);
    }
    for (int i = n / 2; i > 0; i--) {
        bdnn_layer *layer;
        int32_t both[2] = {last, (int32_t)i};
        last = add_layer(model, BDNN_OP_ADD, both, 2, &layer);
    }
    finish(model, last);
    return model;
}

/* Every value is an output of the network. */
static bdnn_model *outputs(int n)
{
    bdnn_model *model = model_with_input(&small);
    int32_t last = 0;
    for (int i = 0; i < n; i++) {
        last = add_relu(model, last);
        if (i + 1 < n) {
            assert_true(bdnn_graph_add_output(&model->graph, last));
        }
    }
    finish(model, last);
    return model;
}

static int32_t add_pool_and_unpool(bdnn_model *model, int32_t in)
{
    static const bdnn_window window = {.kernel = {1, 2, 2}, .stride = {1, 2, 2}, .dilation = {1, 1, 1}};
    const bdnn_shape unknown = {0};
    int32_t pooled[2];
    bdnn_layer *layer;
    char name[32];
    for (int o = 0; o < 2; o++) {
        snprintf(name, sizeof name, "value%zu", model->graph.value_count);
        pooled[o] = bdnn_graph_add_value(&model->graph, name, o ? BDNN_INT64 : BDNN_FLOAT32, &unknown);
    }
    snprintf(name, sizeof name, "layer%zu", model->graph.layer_count);
    layer = bdnn_graph_add_layer(&model->graph, BDNN_OP_MAX_POOL, name, &in, 1, pooled, 2);
    assert_non_null(layer);
    layer->attr.pool.window = window;
    in = add_layer(model, BDNN_OP_MAX_UNPOOL, pooled, 2, &layer);
    layer->attr.pool.window = window;
    return in;
}

/* Poolings whose indices an unpooling reads, on integers. */
static bdnn_model *pools(int n)
{
    const bdnn_shape image = {4, {1, 4, 2, 2}};
    bdnn_model *model = model_with_input(&image);
    int32_t last = add_conv(model, 0, 4, 1, 4, 1);
    bdnn_error err;
    for (int i = 0; i < n / 2; i++) {
        last = add_pool_and_unpool(model, last);
    }
    finish(model, add_conv(model, last, 4, 1, 4, 1));
    assert_int_equal(bdnn_formats_choose(&model->graph, &err), BDNN_OK);
    return model;
}

/* Saves, loads, makes a session and runs. */
static void use(const bdnn_model *made, const char *path)
{
    static const float input[16] = {1, 2, 3, 4};
    const bdnn_session_options options = {.struct_size = sizeof options, .threads = 1};
    bdnn_model *model = NULL, *clone;
    bdnn_session *session = NULL;
    bdnn_error err;
    if (bdnn_model_save(made, path, &err) != BDNN_OK || bdnn_model_load(path, NULL, &model, &err) != BDNN_OK ||
        bdnn_session_create(model, &options, &session, &err) != BDNN_OK ||
        bdnn_session_run(session, input, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    bdnn_session_free(session);
    clone = bdnn_model_clone(model);
    assert_non_null(clone);
    for (size_t v = 0; v < clone->graph.value_count; v++) {
        bdnn_graph_uses(&clone->graph, (int32_t)v);
        bdnn_graph_producer(&clone->graph, (int32_t)v);
        bdnn_graph_only_reader(&clone->graph, (int32_t)v);
    }
    bdnn_model_free(clone);
    bdnn_model_free(model);
}

static double time_network(bdnn_model *make(int n), int n)
{
    const double start = seconds();
    bdnn_model *model = make(n);
    use(model, scratch_path("many.bdnn"));
    bdnn_model_free(model);
    return seconds() - start;
}

static void layers_cost_in_proportion_to_their_number(void **unused)
{
    static const struct {
        const char *name;
        bdnn_model *(*make)(int n);
    } networks[] = {{"chain", chain},   {"residual", residual}, {"fan", fan},    {"long lived", long_lived},
                    {"nested", nested}, {"outputs", outputs},   {"pools", pools}};
    (void)unused;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        const double few = time_network(networks[i].make, MAX_LAYERS / 4);
        const double many = time_network(networks[i].make, MAX_LAYERS);
        print_message("%s: %d layers %.3f s, %d %.3f s\n", networks[i].name, MAX_LAYERS / 4, few, MAX_LAYERS, many);
        assert_true(many < MAX_SECONDS && many < 9 * few + 1);
    }
}

/* A file of `count` class names, read with the network, saved in it and read again. */
static double time_labels(size_t count)
{
    char *text = malloc(16 * count), labels[512], last[32];
    bdnn_model *made = chain(1), *model;
    size_t size = 0, found;
    double start;
    bdnn_error err;
    const char *path = scratch_path("labeled.bdnn");
    assert_non_null(text);
    for (size_t i = 0; i < count; i++) {
        size += (size_t)sprintf(text + size, "class %zu\n", i);
    }
    snprintf(labels, sizeof labels, "%s", scratch_write("labels.txt", text, size));
    free(text);
    assert_int_equal(bdnn_model_save(made, path, &err), BDNN_OK);
    bdnn_model_free(made);
    start = seconds();
    for (int again = 0; again < 2; again++) {
        const bdnn_load_options options = {.struct_size = sizeof options, .labels = again ? NULL : labels};
        if (bdnn_model_load(path, &options, &model, &err) != BDNN_OK || bdnn_model_save(model, path, &err) != BDNN_OK) {
            fail_msg("%s", err.message);
        }
        snprintf(last, sizeof last, "class %zu", count - 1);
        assert_string_equal(bdnn_model_labels(model, &found)[count - 1], last);
        assert_int_equal(found, count);
        bdnn_model_free(model);
    }
    return seconds() - start;
}

static void labels_cost_in_proportion_to_their_number(void **unused)
{
    const double few = time_labels(250000), many = time_labels(1000000);
    (void)unused;
    print_message("250000 labels %.3f s, 1000000 %.3f s\n", few, many);
    assert_true(many < MAX_SECONDS && many < 9 * few + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(layers_cost_in_proportion_to_their_number),
                                       cmocka_unit_test(labels_cost_in_proportion_to_their_number)};
    return cmocka_run_group_tests_name("scaling", tests, scratch_make, scratch_remove);
}
