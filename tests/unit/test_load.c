/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn_model_load and the public calls around it: every form of a model, options, messages - and the trained networks
 * through all forms without a changed bit. */
#define _XOPEN_SOURCE 700
#include "core/file.h"
#include "core/memory.h"
#include "import/npy.h"
#include "layers/layer.h"
#include "model/graph.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/bdnn-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of a file in the folder; the last sixteen stay valid. */
static const char *in_folder(const char *name)
{
    static char paths[16][256];
    static int turn;
    turn = (turn + 1) % 16;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

static void write_bytes(const char *name, const char *bytes, size_t size)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

/* The same number in every element but element i, which is i + offset. */
static void write_counting(const char *name, bdnn_shape shape, float offset)
{
    const int64_t count = bdnn_shape_elements(&shape);
    float *data = bdnn_alloc((size_t)count, sizeof *data);
    for (int64_t i = 0; i < count; i++) {
        data[i] = (float)i + offset;
    }
    assert_int_equal(bdnn_npy_save(in_folder(name), BDNN_NPY_FLOAT32, &shape, data, NULL), BDNN_OK);
    bdnn_free(data);
}

static bdnn_model *load(const char *path, const bdnn_load_options *options)
{
    bdnn_model *model;
    bdnn_error err;
    if (bdnn_model_load(path, options, &model, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    return model;
}

static void expect_failure(const char *path, const bdnn_load_options *options, const char *words)
{
    bdnn_model *model;
    bdnn_error err = {BDNN_OK, ""};
    if (bdnn_model_load(path, options, &model, &err) == BDNN_OK || !strstr(err.message, words)) {
        fail_msg("%s: \"%s\" does not say \"%s\"", path, err.message, words);
    }
    assert_null(model);
    assert_int_not_equal(err.status, BDNN_OK);
}

/* A network of 2 x 3 color images with three classes, in DIR/net. */
static void write_network(void)
{
    assert_int_equal(mkdir(in_folder("net"), 0777), 0);
    write_text("net/topology.txt", "input data 1 3 2 3\nconv c filters=2 kernel=2 no_bias\ndense d\noutput d\n");
    write_counting("net/c_W.npy", (bdnn_shape){4, {2, 3, 2, 2}}, 0);
    write_counting("net/d_W.npy", (bdnn_shape){2, {3, 4}}, 5);
    write_counting("net/d_b.npy", (bdnn_shape){1, {3}}, -1);
}

/* ---- Equality ---- */

static void assert_blob_equal(const bdnn_blob *a, const bdnn_blob *b)
{
    assert_int_equal(a->bytes, b->bytes);
    if (a->bytes) {
        assert_memory_equal(a->data, b->data, a->bytes);
    }
}

static void assert_same_model(const bdnn_model *a, const bdnn_model *b)
{
    assert_int_equal(a->graph.layer_count, b->graph.layer_count);
    for (size_t i = 0; i < a->graph.layer_count; i++) {
        const bdnn_layer *one = &a->graph.layers[i], *two = &b->graph.layers[i];
        assert_string_equal(one->name, two->name);
        assert_int_equal(one->op, two->op);
        assert_string_equal(a->graph.values[one->inputs[0]].name, b->graph.values[two->inputs[0]].name);
        assert_true(bdnn_shape_equal(&a->graph.values[one->outputs[0]].shape, &b->graph.values[two->outputs[0]].shape));
        assert_blob_equal(&one->weight, &two->weight);
        assert_blob_equal(&one->bias, &two->bias);
    }
    assert_blob_equal(&a->mean_image, &b->mean_image);
    assert_int_equal(a->label_count, b->label_count);
    for (size_t i = 0; i < a->label_count; i++) {
        assert_string_equal(a->labels[i], b->labels[i]);
    }
}

/* ---- Tests ---- */

static void labels_are_read_line_by_line(void **state)
{
    const bdnn_load_options options = {.struct_size = sizeof options, .labels = in_folder("labels.txt")};
    const char *const *labels;
    bdnn_model *model;
    size_t count;
    (void)state;
    write_network();
    write_text("labels.txt", "\xef\xbb\xbf"
                             "cat, tabby\r\n\nlast\n\n\n");
    model = load(in_folder("net"), &options);
    labels = bdnn_model_labels(model, &count);
    assert_int_equal(count, 3);
    assert_string_equal(labels[0], "cat, tabby");
    assert_string_equal(labels[1], "");
    assert_string_equal(labels[2], "last");
    bdnn_model_free(model);
    write_text("labels.txt", "no line end");
    model = load(in_folder("net"), &options);
    labels = bdnn_model_labels(model, &count);
    assert_int_equal(count, 1);
    assert_string_equal(labels[0], "no line end");
    bdnn_model_free(model);
    write_bytes("labels.txt", "a\0b", 3);
    expect_failure(in_folder("net"), &options, "labels.txt: not a text file: byte 1");
    unlink(in_folder("labels.txt"));
    expect_failure(in_folder("net"), &options, "labels.txt: cannot open");
}

static void mean_images_are_cropped_to_the_input(void **state)
{
    const bdnn_load_options options = {.struct_size = sizeof options, .mean_image = in_folder("mean.npy")};
    bdnn_preprocess preprocess;
    bdnn_model *model;
    (void)state;
    write_network();
    write_counting("mean.npy", (bdnn_shape){3, {3, 2, 3}}, 0);
    model = load(in_folder("net"), &options);
    preprocess = bdnn_model_preprocess(model);
    assert_int_equal(preprocess.channels, 3);
    assert_int_equal(preprocess.width, 3);
    assert_true(preprocess.scale[2] == 1.0f && preprocess.mean[0] == 0.0f);
    for (int i = 0; i < 18; i++) {
        assert_true(preprocess.mean_image[i] == (float)i);
    }
    bdnn_model_free(model);
    write_counting("mean.npy", (bdnn_shape){4, {1, 3, 4, 5}}, 0);
    model = load(in_folder("net"), &options);
    preprocess = bdnn_model_preprocess(model);
    for (int i = 0; i < 18; i++) {
        assert_true(preprocess.mean_image[i] == (float)(i / 6 * 20 + (1 + i / 3 % 2) * 5 + 1 + i % 3));
    }
    bdnn_model_free(model);
    write_counting("mean.npy", (bdnn_shape){3, {3, 2, 2}}, 0);
    expect_failure(in_folder("net"), &options, "a mean image of 3x2x2, the network takes images of 3x2x3");
    write_counting("mean.npy", (bdnn_shape){3, {1, 2, 3}}, 0);
    expect_failure(in_folder("net"), &options, "a mean image of 1x2x3");
}

static void every_form_holds_the_same_model(void **state)
{
    const bdnn_load_options options = {
        .struct_size = sizeof options, .labels = in_folder("labels.txt"), .mean_image = in_folder("mean.npy")};
    bdnn_model *model, *file, *exported;
    (void)state;
    write_network();
    write_text("labels.txt", "one\ntwo\nthree\n");
    write_counting("mean.npy", (bdnn_shape){3, {3, 2, 3}}, 100);
    model = load(in_folder("net"), &options);
    assert_int_equal(bdnn_model_save(model, in_folder("a.bdnn"), NULL), BDNN_OK);
    file = load(in_folder("a.bdnn"), NULL);
    assert_same_model(model, file);
    /* What was loaded may be saved over the file that it is mapped from. */
    assert_int_equal(bdnn_model_save(file, in_folder("a.bdnn"), NULL), BDNN_OK);
    assert_same_model(model, file);
    assert_int_equal(bdnn_model_export_npy(file, in_folder("out"), NULL), BDNN_OK);
    exported = load(in_folder("out"), NULL);
    assert_same_model(model, exported);
    bdnn_model_free(model);
    bdnn_model_free(file);
    bdnn_model_free(exported);
}

static void messages_name_the_file(void **state)
{
    const bdnn_load_options architecture = {.struct_size = sizeof architecture, .architecture = "lenet"};
    (void)state;
    write_network();
    write_text("empty", "");
    write_text("text", "this is no network\n");
    write_bytes("cut.bdnn",
                "\x93"
                "BDNN\r\n\x1a\1\0\0\0",
                12);
    expect_failure(in_folder("nothing"), NULL, "nothing: cannot open");
    expect_failure(in_folder("empty"), NULL, "empty: the file is empty");
    expect_failure(in_folder("cut.bdnn"), NULL, "cut.bdnn: truncated: 12 bytes");
    expect_failure(in_folder("text"), NULL, "text: ");
    expect_failure(in_folder("net/c_W.npy"), NULL, "c_W.npy: one .npy array");
    expect_failure(in_folder("net"), &architecture, "unknown architecture 'lenet'; there are alexnet, vgg16");
    unlink(in_folder("net/topology.txt"));
    expect_failure(in_folder("net"), NULL, "net: no topology.txt");
    expect_failure("/dev/null", NULL, "/dev/null: not a regular file");
}

/* A sound file whose network cannot run: the graph is verified after the numbers. */
static void a_file_with_an_impossible_network_is_refused(void **state)
{
    bdnn_model *model;
    (void)state;
    write_network();
    model = load(in_folder("net"), NULL);
    model->graph.layers[0].attr.conv.window.stride[1] = 0;
    assert_int_equal(bdnn_model_save(model, in_folder("bad.bdnn"), NULL), BDNN_OK);
    expect_failure(in_folder("bad.bdnn"), NULL, "bad.bdnn: layer 'c'");
    model->graph.layers[0].attr.conv.window.stride[1] = 1;
    model->preprocess = bdnn_model_preprocess(model);
    model->preprocess.width = 30000;
    assert_int_equal(bdnn_model_save(model, in_folder("bad.bdnn"), NULL), BDNN_OK);
    expect_failure(in_folder("bad.bdnn"), NULL, "30000");
    bdnn_model_free(model);
}

static void layers_are_described(void **state)
{
    bdnn_layer_info info;
    bdnn_error err;
    bdnn_model *model;
    int64_t shape[6];
    (void)state;
    write_network();
    model = load(in_folder("net"), NULL);
    assert_int_equal(bdnn_model_input_shape(model, shape), 4);
    assert_int_equal(shape[1], 3);
    assert_int_equal(bdnn_model_layer_count(model), 2);
    assert_int_equal(bdnn_model_layer(model, 0, &info, &err), BDNN_OK);
    assert_string_equal(info.name, "c");
    assert_string_equal(info.operation, "conv");
    assert_true(info.has_weights && !info.decomposed);
    assert_int_equal(info.filters, 2);
    assert_int_equal(info.inner, 12);
    assert_int_equal(info.multiply_adds, 1 * 2 * 2 * 12);
    assert_int_equal(info.parameter_bytes, 2 * 12 * 4);
    assert_int_equal(info.float_bytes, 2 * 12 * 4);
    assert_int_equal(info.output_rank, 4);
    assert_int_equal(info.output_shape[1], 2);
    assert_int_equal(info.output_shape[3], 2);
    assert_int_equal(bdnn_model_layer(model, 1, &info, &err), BDNN_OK);
    assert_int_equal(info.multiply_adds, 3 * 4);
    assert_int_equal(info.float_bytes, (3 * 4 + 3) * 4);
    assert_int_equal(bdnn_model_layer(model, 2, &info, &err), BDNN_ERROR_ARGUMENT);
    assert_string_equal(bdnn_version(), BDNN_VERSION);
    assert_int_equal(bdnn_version_number(), BDNN_VERSION_NUMBER);
    bdnn_model_free(model);
}

static void preprocessing_must_fit_the_input(void **state)
{
    bdnn_preprocess preprocess;
    bdnn_error err;
    bdnn_model *model;
    (void)state;
    write_network();
    model = load(in_folder("net"), NULL);
    preprocess = bdnn_model_preprocess(model);
    preprocess.width = 4;
    assert_int_equal(bdnn_model_set_preprocess(model, &preprocess, &err), BDNN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "3 x 2 x 4"));
    preprocess.width = 3;
    preprocess.resize = BDNN_RESIZE_CROP;
    preprocess.resize_short = 2;
    assert_int_equal(bdnn_model_set_preprocess(model, &preprocess, &err), BDNN_ERROR_ARGUMENT);
    preprocess.resize_short = 3;
    preprocess.bgr = true;
    preprocess.mean[1] = 0.5f;
    assert_int_equal(bdnn_model_set_preprocess(model, &preprocess, &err), BDNN_OK);
    preprocess = bdnn_model_preprocess(model);
    assert_true(preprocess.bgr && preprocess.mean[1] == 0.5f && preprocess.resize_short == 3);
    bdnn_model_free(model);
}

static void trained_networks_survive_every_form(void **state)
{
    static const char *const names[] = {"alexnet", "vgg", "resnet", "segnet"};
    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        char source[512], saved[64], exported[64];
        bdnn_model *model, *other;
        bdnn_error err;
        bdnn_status status;
        snprintf(source, sizeof source, "%s/%s.onnx", BDNN_TEST_DATA, names[n]);
        snprintf(saved, sizeof saved, "%s.bdnn", names[n]);
        snprintf(exported, sizeof exported, "%s.npy", names[n]);
        status = bdnn_model_load(source, NULL, &model, &err);
        if (status == BDNN_ERROR_UNSUPPORTED) {
            skip(); /* a build without ONNX */
        }
        if (status != BDNN_OK || bdnn_model_save(model, in_folder(saved), &err) != BDNN_OK ||
            bdnn_model_export_npy(model, in_folder(exported), &err) != BDNN_OK) {
            fail_msg("%s", err.message);
        }
        other = load(in_folder(saved), NULL);
        assert_same_model(model, other);
        bdnn_model_free(other);
        other = load(in_folder(exported), NULL);
        assert_same_model(model, other);
        bdnn_model_free(other);
        bdnn_model_free(model);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(labels_are_read_line_by_line),
        TEST(mean_images_are_cropped_to_the_input),
        TEST(every_form_holds_the_same_model),
        TEST(messages_name_the_file),
        TEST(a_file_with_an_impossible_network_is_refused),
        TEST(layers_are_described),
        TEST(preprocessing_must_fit_the_input),
        TEST(trained_networks_survive_every_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
