/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders of .npy parameters: where each number of the authors' arrays goes, the round trip of float and decomposed
 * networks bit for bit, and folders that are incomplete or contradict themselves. */
#define _XOPEN_SOURCE 700
#include "core/memory.h"
#include "import/bases.h"
#include "import/import.h"
#include "import/npy.h"

#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- Folders ---- */

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

/* The path of a file in the folder; valid until the next call but one. */
static const char *in_folder(const char *name)
{
    static char paths[2][256];
    static int turn;
    turn = !turn;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_array(const char *name, bdnn_npy_type type, bdnn_shape shape, const void *data)
{
    bdnn_error err;
    if (bdnn_npy_save(in_folder(name), type, &shape, data, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
}

/* 0, 1, 2, ... in a .npy file of this shape. */
static void write_counting(const char *name, bdnn_shape shape)
{
    const int64_t count = bdnn_shape_elements(&shape);
    float *data = bdnn_alloc((size_t)count, sizeof *data);
    for (int64_t i = 0; i < count; i++) {
        data[i] = (float)i;
    }
    write_array(name, BDNN_NPY_FLOAT32, shape, data);
    bdnn_free(data);
}

static bdnn_model *load(const char *path, bool keep_batch_norm)
{
    const bdnn_load_options options = {.struct_size = sizeof options, .keep_batch_norm = keep_batch_norm};
    bdnn_model *model;
    bdnn_error err;
    if (bdnn_import_npy(path, &options, &model, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    return model;
}

static void expect_failure(const char *words)
{
    bdnn_model *model;
    bdnn_error err = {BDNN_OK, ""};
    if (bdnn_import_npy(folder, NULL, &model, &err) == BDNN_OK || !strstr(err.message, words)) {
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
    }
    assert_null(model);
}

/* ---- Layout ---- */

/* Two filters of 3 channels in each of 2 groups, 2 x 3 kernel; then a dense layer over 4 x 4 x 5. */
static const char small[] = "input data 1 6 5 7\nconv c filters=4 kernel=2,3 groups=2\ndense d\noutput d\n";

static void write_small(void)
{
    write_text("topology.txt", small);
    write_counting("c_W.npy", (bdnn_shape){4, {4, 3, 2, 3}});
    write_counting("c_b.npy", (bdnn_shape){1, {4}});
    write_counting("d_W.npy", (bdnn_shape){2, {2, 80}});
    write_counting("d_b.npy", (bdnn_shape){1, {2}});
}

static void arrays_go_where_the_layers_read_them(void **state)
{
    bdnn_model *model;
    const float *weight;
    (void)state;
    write_small();
    model = load(folder, false);
    weight = model->graph.layers[0].weight.data;
    for (int f = 0; f < 4; f++) {
        for (int c = 0; c < 3; c++) {
            for (int y = 0; y < 2; y++) {
                for (int x = 0; x < 3; x++) {
                    assert_true(weight[((f * 2 + y) * 3 + x) * 3 + c] == (float)(((f * 3 + c) * 2 + y) * 3 + x));
                }
            }
        }
    }
    assert_int_equal(model->graph.layers[1].attr.dense.filters, 2);
    weight = model->graph.layers[1].weight.data;
    for (int f = 0; f < 2; f++) {
        for (int c = 0; c < 4; c++) {
            for (int p = 0; p < 20; p++) {
                assert_true(weight[f * 80 + p * 4 + c] == (float)(f * 80 + c * 20 + p));
            }
        }
    }
    assert_true(((const float *)model->graph.layers[0].bias.data)[3] == 3);
    bdnn_model_free(model);
}

static void other_shapes_of_the_same_weights_do(void **state)
{
    bdnn_model *model, *other;
    (void)state;
    write_small();
    model = load(folder, false);
    write_counting("d_W.npy", (bdnn_shape){4, {1, 1, 2, 80}});
    write_counting("d_b.npy", (bdnn_shape){4, {1, 1, 1, 2}});
    other = load(folder, false);
    assert_memory_equal(model->graph.layers[1].weight.data, other->graph.layers[1].weight.data, 2 * 80 * 4);
    bdnn_model_free(other);
    write_counting("d_W.npy", (bdnn_shape){4, {2, 4, 4, 5}});
    other = load(folder, false);
    assert_memory_equal(model->graph.layers[1].weight.data, other->graph.layers[1].weight.data, 2 * 80 * 4);
    bdnn_model_free(other);
    bdnn_model_free(model);
}

static void wrong_arrays_are_named(void **state)
{
    (void)state;
    expect_failure("name its architecture");
    write_small();
    write_counting("c_W.npy", (bdnn_shape){4, {4, 3, 3, 2}});
    expect_failure("layer 'c': c_W.npy is 4x3x3x2");
    write_counting("c_W.npy", (bdnn_shape){4, {5, 3, 2, 3}});
    expect_failure("c_W.npy is 5x3x2x3");
    write_small();
    write_counting("c_b.npy", (bdnn_shape){1, {5}});
    expect_failure("c_b.npy is 5, expected 4");
    write_small();
    write_counting("d_W.npy", (bdnn_shape){2, {2, 81}});
    expect_failure("d_W.npy is 2x81");
    write_small();
    unlink(in_folder("d_b.npy"));
    expect_failure("d_b.npy: cannot open");
    write_text("d_b.npy", "no array");
    expect_failure("d_b.npy: not a .npy file");
}

static void batch_normalization_is_read_or_left_out(void **state)
{
    static const float mean[] = {1, 2}, variance[] = {4, 0.25f}, gamma[] = {3, 5}, beta[] = {-1, 7};
    const bdnn_shape two = {1, {2}};
    const float *scale, *shift;
    bdnn_model *model;
    (void)state;
    write_text("topology.txt",
               "input data 1 1 4 4\nconv c filters=2 kernel=1 optional_bias\naffine bn optional\nrelu r\noutput r\n");
    write_counting("c_W.npy", (bdnn_shape){4, {2, 1, 1, 1}});
    model = load(folder, true);
    assert_int_equal(model->graph.layer_count, 2);
    bdnn_model_free(model);
    write_array("bn_mean.npy", BDNN_NPY_FLOAT32, two, mean);
    write_array("bn_var.npy", BDNN_NPY_FLOAT32, two, variance);
    write_array("bn_gamma.npy", BDNN_NPY_FLOAT32, two, gamma);
    write_array("bn_beta.npy", BDNN_NPY_FLOAT32, two, beta);
    model = load(folder, true);
    assert_int_equal(model->graph.layer_count, 3);
    scale = model->graph.layers[1].weight.data;
    shift = model->graph.layers[1].bias.data;
    for (int c = 0; c < 2; c++) {
        const double factor = gamma[c] / sqrt((double)variance[c] + 1e-5);
        assert_true(fabs(scale[c] - factor) <= 1e-6 * factor);
        assert_true(fabs(shift[c] - (beta[c] - factor * mean[c])) <= 1e-5);
    }
    bdnn_model_free(model);
    model = load(folder, false); /* folded into the convolution */
    assert_int_equal(model->graph.layer_count, 2);
    bdnn_model_free(model);
}

/* ---- Round trip ---- */

/* Every operator with parameters, names that are no file names, a constant, pooling indices. */
static const char network[] = "input data 1 3 8 8\n"
                              "image resize=crop short=9 bgr mean=1,2.5,3 scale=0.1,0.25,0.3\n"
                              "constant some%3Aconstant 1 4 1 1\n"
                              "conv block%2Fconv%3A1 filters=4 kernel=3 pad=1\n"
                              "affine block%2Fbn out=normal\n"
                              "add plus in=normal,some%3Aconstant\n"
                              "relu r\n"
                              "max_pool p out=p,mask kernel=2 stride=2\n"
                              "conv grouped filters=6 kernel=3 pad=1 groups=2 no_bias\n"
                              "conv back filters=4 kernel=1\n"
                              "max_unpool u in=back,mask kernel=2 stride=2\n"
                              "conv_transpose t filters=2 kernel=2 stride=2 groups=2\n"
                              "dense last filters=5\n"
                              "softmax s axis=1\n"
                              "output s\noutput u\n";

static float noise(void)
{
    static uint32_t seed = 1;
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed / 2147483648.0f;
}

static void write_noise(const char *name, bdnn_shape shape)
{
    float data[4096];
    for (int64_t i = 0; i < bdnn_shape_elements(&shape); i++) {
        data[i] = noise();
    }
    write_array(name, BDNN_NPY_FLOAT32, shape, data);
}

static bdnn_model *make_network(void)
{
    write_text("topology.txt", network);
    write_noise("some%3Aconstant_constant.npy", (bdnn_shape){4, {1, 4, 1, 1}});
    write_noise("block%2Fconv%3A1_W.npy", (bdnn_shape){4, {4, 3, 3, 3}});
    write_noise("block%2Fconv%3A1_b.npy", (bdnn_shape){1, {4}});
    write_noise("block%2Fbn_W.npy", (bdnn_shape){1, {4}});
    write_noise("block%2Fbn_b.npy", (bdnn_shape){1, {4}});
    write_noise("grouped_W.npy", (bdnn_shape){4, {6, 2, 3, 3}});
    write_noise("back_W.npy", (bdnn_shape){4, {4, 6, 1, 1}});
    write_noise("back_b.npy", (bdnn_shape){1, {4}});
    write_noise("t_W.npy", (bdnn_shape){4, {4, 1, 2, 2}});
    write_noise("t_b.npy", (bdnn_shape){1, {2}});
    write_noise("last_W.npy", (bdnn_shape){2, {5, 512}});
    write_noise("last_b.npy", (bdnn_shape){1, {5}});
    return load(folder, true);
}

/* Replaces a layer's weights by random bases. */
static void decompose(bdnn_layer *layer, int32_t filters, int64_t inner, int32_t bases)
{
    const size_t words = (size_t)(inner + 63) / 64, rows = (size_t)(filters * bases);
    bdnn_decomposed *to = bdnn_zalloc(1, sizeof *to);
    uint64_t *planes = bdnn_alloc(rows * words, sizeof *planes);
    int8_t *scales = bdnn_alloc(rows, 1);
    float *factors = bdnn_alloc((size_t)filters, sizeof *factors);
    for (size_t i = 0; i < rows * words; i++) {
        planes[i] = 0;
        for (int b = 0; b < 64; b++) {
            planes[i] |= (uint64_t)(noise() > 0 || (int64_t)(i % words) * 64 + b >= inner) << b;
        }
    }
    for (size_t i = 0; i < rows; i++) {
        scales[i] = (int8_t)(noise() * (float)(127 / bases));
    }
    for (int32_t f = 0; f < filters; f++) {
        factors[f] = noise();
    }
    *to = (bdnn_decomposed){.bases = bases,
                            .bits = 5,
                            .step = 0.0377f,
                            .zero_point = 13,
                            .planes = {planes, rows * words * sizeof *planes, true},
                            .scales = {scales, rows, true},
                            .filter_scale = {factors, (size_t)filters * sizeof *factors, true}};
    bdnn_blob_free(&layer->weight);
    layer->decomposed = to;
}

static void assert_blob_equal(const bdnn_blob *a, const bdnn_blob *b)
{
    assert_int_equal(a->bytes, b->bytes);
    if (a->bytes) {
        assert_memory_equal(a->data, b->data, a->bytes);
    }
}

static void assert_model_equal(const bdnn_model *a, const bdnn_model *b)
{
    assert_int_equal(a->graph.layer_count, b->graph.layer_count);
    for (size_t i = 0; i < a->graph.layer_count; i++) {
        const bdnn_layer *one = &a->graph.layers[i], *two = &b->graph.layers[i];
        assert_string_equal(one->name, two->name);
        assert_int_equal(one->op, two->op);
        assert_memory_equal(&one->attr, &two->attr, sizeof one->attr);
        assert_blob_equal(&one->weight, &two->weight);
        assert_blob_equal(&one->bias, &two->bias);
        assert_int_equal(one->decomposed != NULL, two->decomposed != NULL);
        if (one->decomposed) {
            assert_int_equal(one->decomposed->bases, two->decomposed->bases);
            assert_int_equal(one->decomposed->bits, two->decomposed->bits);
            assert_int_equal(one->decomposed->zero_point, two->decomposed->zero_point);
            assert_true(one->decomposed->step == two->decomposed->step);
            assert_blob_equal(&one->decomposed->planes, &two->decomposed->planes);
            assert_blob_equal(&one->decomposed->scales, &two->decomposed->scales);
            assert_blob_equal(&one->decomposed->filter_scale, &two->decomposed->filter_scale);
        }
    }
    assert_memory_equal(a->preprocess.mean, b->preprocess.mean, sizeof a->preprocess.mean);
    assert_memory_equal(a->preprocess.scale, b->preprocess.scale, sizeof a->preprocess.scale);
    assert_int_equal(a->preprocess.bgr, b->preprocess.bgr);
    assert_int_equal(a->preprocess.resize_short, b->preprocess.resize_short);
}

static void round_trip(const bdnn_model *model)
{
    bdnn_model *back;
    bdnn_error err;
    if (bdnn_model_export_npy(model, in_folder("exported"), &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    back = load(in_folder("exported"), true);
    assert_model_equal(model, back);
    bdnn_model_free(back);
}

static void float_networks_come_back(void **state)
{
    bdnn_model *model = make_network();
    (void)state;
    round_trip(model);
    bdnn_model_free(model);
}

static void decomposed_networks_come_back(void **state)
{
    bdnn_model *model = make_network();
    bdnn_layer *layers = model->graph.layers;
    struct stat info;
    (void)state;
    decompose(&layers[0], 4, 27, 6);
    decompose(&layers[5], 6, 18, 1);
    decompose(&layers[9], 5, 512, 8);
    round_trip(model);
    assert_int_equal(stat(in_folder("exported/decomposition/block%2Fconv%3A1/basis_6/M.npy"), &info), 0);
    assert_int_equal(stat(in_folder("exported/block%2Fconv%3A1_b.npy"), &info), 0);
    assert_int_not_equal(stat(in_folder("exported/block%2Fconv%3A1_W.npy"), &info), 0);
    bdnn_model_free(model);
}

static void an_export_appears_complete_or_not_at_all(void **state)
{
    bdnn_model *model = make_network();
    bdnn_error err;
    (void)state;
    assert_int_equal(bdnn_model_export_npy(model, folder, &err), BDNN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "exists already"));
    assert_int_equal(bdnn_model_export_npy(model, in_folder("nowhere/x"), &err), BDNN_ERROR_IO);
    model->graph.values[model->graph.inputs[0]].type = BDNN_INT64; /* no topology can say that */
    assert_int_equal(bdnn_model_export_npy(model, in_folder("failed"), &err), BDNN_ERROR_UNSUPPORTED);
    assert_int_not_equal(access(in_folder("failed"), F_OK), 0);
    bdnn_model_free(model);
}

/* ---- The authors' decompositions ---- */

/* Signs of basis k, filter f, channel c, position p of the small network's convolution. */
static int sign(int f, int k, int c, int p)
{
    return (f * 31 + k * 17 + c * 7 + p * 5) % 3 ? 1 : -1;
}

typedef enum orientation { BASES_FIRST, BASES_LAST, CHANNELS_AND_KERNEL } orientation;

static void write_bases(bdnn_npy_type type, orientation how)
{
    static const bdnn_shape shapes[] = {{3, {4, 2, 18}}, {3, {4, 18, 2}}, {5, {4, 2, 3, 2, 3}}};
    const float c[8] = {0.5f, 0.25f, 1, -0.5f, 3, 1, 0, 2};
    float floats[144];
    int8_t bytes[144];
    for (int f = 0; f < 4; f++) {
        for (int k = 0; k < 2; k++) {
            for (int d = 0; d < 18; d++) {
                const int at = how == BASES_LAST ? (f * 18 + d) * 2 + k : (f * 2 + k) * 18 + d;
                const int value = sign(f, k, d / 6, d % 6);
                floats[at] = (float)value;
                bytes[at] = (int8_t)(type == BDNN_NPY_INT8 ? value : value > 0);
            }
        }
    }
    mkdir(in_folder("decomposition"), 0777);
    mkdir(in_folder("decomposition/c"), 0777);
    mkdir(in_folder("decomposition/c/basis_2"), 0777);
    write_array("decomposition/c/basis_2/M.npy", type, shapes[how],
                type == BDNN_NPY_FLOAT32 ? (const void *)floats : (const void *)bytes);
    write_array("decomposition/c/basis_2/c.npy", BDNN_NPY_FLOAT32, (bdnn_shape){2, {4, 2}}, c);
}

static void write_input(void)
{
    const float step = 0.5f;
    const int32_t zero = 3, bits = 4;
    write_array("decomposition/c/basis_2/input_step.npy", BDNN_NPY_FLOAT32, (bdnn_shape){0, {0}}, &step);
    write_array("decomposition/c/basis_2/input_zero.npy", BDNN_NPY_INT32, (bdnn_shape){1, {1}}, &zero);
    write_array("decomposition/c/basis_2/input_bits.npy", BDNN_NPY_INT32, (bdnn_shape){0, {0}}, &bits);
}

static void bases_are_read_in_every_orientation(void **state)
{
    static const struct {
        bdnn_npy_type type;
        orientation how;
    } cases[] = {{BDNN_NPY_INT8, BASES_FIRST},
                 {BDNN_NPY_FLOAT32, BASES_LAST},
                 {BDNN_NPY_BOOL, CHANNELS_AND_KERNEL},
                 {BDNN_NPY_UINT8, BASES_LAST}};
    (void)state;
    write_small();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bdnn_decomposed *decomposed;
        bdnn_model *model;
        write_bases(cases[i].type, cases[i].how);
        write_input();
        model = load(folder, false);
        decomposed = model->graph.layers[0].decomposed;
        assert_non_null(decomposed);
        assert_null(model->graph.layers[0].weight.data);
        assert_int_equal(decomposed->zero_point, 3);
        assert_int_equal(decomposed->bits, 4);
        for (int f = 0; f < 4; f++) {
            for (int k = 0; k < 2; k++) {
                uint64_t expected = UINT64_MAX;
                for (int d = 0; d < 18; d++) {
                    expected ^= (uint64_t)(sign(f, k, d % 3, d / 3) < 0) << d;
                }
                assert_int_equal(((const uint64_t *)decomposed->planes.data)[f * 2 + k], expected);
            }
        }
        bdnn_model_free(model);
    }
}

static void without_the_input_the_float_weights_stay(void **state)
{
    bdnn_model *model;
    (void)state;
    write_small();
    write_bases(BDNN_NPY_INT8, BASES_FIRST);
    model = load(folder, false);
    assert_null(model->graph.layers[0].decomposed);
    assert_int_equal(model->graph.layers[0].weight.bytes, 4 * 18 * sizeof(float));
    bdnn_model_free(model);
    unlink(in_folder("c_W.npy"));
    expect_failure("basis_2 says nothing about the input's quantization");
}

static void wrong_bases_are_named(void **state)
{
    int8_t signs[144];
    const int32_t nine = 9;
    const float scales[8] = {1, 1, 1, 1, 1, 1, 1, 1}, factors[4] = {1, 1, 1, 1};
    (void)state;
    write_small();
    write_bases(BDNN_NPY_INT8, BASES_FIRST);
    write_input();
    memset(signs, 1, sizeof signs);
    signs[100] = 0;
    write_array("decomposition/c/basis_2/M.npy", BDNN_NPY_INT8, (bdnn_shape){3, {4, 2, 18}}, signs);
    expect_failure("basis 1 of filter 2 has an element that is no sign");
    write_array("decomposition/c/basis_2/M.npy", BDNN_NPY_INT8, (bdnn_shape){3, {4, 4, 9}}, signs);
    expect_failure("M.npy is 4x4x9");
    write_bases(BDNN_NPY_INT8, BASES_FIRST);
    write_array("decomposition/c/basis_2/scales.npy", BDNN_NPY_FLOAT32, (bdnn_shape){2, {4, 2}}, scales);
    write_array("decomposition/c/basis_2/filter_scale.npy", BDNN_NPY_FLOAT32, (bdnn_shape){1, {4}}, factors);
    expect_failure("c.npy says 0.5 for scale 0");
    write_array("decomposition/c/basis_2/input_bits.npy", BDNN_NPY_INT32, (bdnn_shape){0, {0}}, &nine);
    expect_failure("quantized to 9 bits");
}

static void real_scales_become_integers(void **state)
{
    int8_t g[8];
    (void)state;
    for (int trial = 0; trial < 2000; trial++) {
        const int32_t count = trial % 8 + 1;
        float c[8], exact[8], scale, factor = noise() + 1.5f;
        double error = 0, norm = 0;
        int sum = 0;
        for (int32_t k = 0; k < count; k++) {
            c[k] = noise();
            exact[k] = factor * rintf(c[k] * (float)(127 / count));
        }
        scale = bdnn_scales_of_reals(c, count, g);
        for (int32_t k = 0; k < count; k++) {
            error += pow((double)c[k] - (double)scale * g[k], 2);
            norm += pow((double)c[k], 2);
            sum += abs(g[k]);
        }
        assert_true(sum <= 127 && sum > 0);
        /* Steps of about sum |c| / 127: a relative error of a few per cent at the very most. */
        assert_true(error <= 0.0004 * norm * count);
        scale = bdnn_scales_of_reals(exact, count, g);
        for (int32_t k = 0; k < count; k++) {
            assert_true(fabs((double)exact[k] - (double)scale * g[k]) <= 1e-5 * factor * 127);
        }
    }
    memset(g, 1, sizeof g);
    assert_true(bdnn_scales_of_reals((const float[]){0, 0}, 2, g) == 1.0f);
    assert_int_equal(g[0] | g[1], 0);
    assert_true(isfinite(bdnn_scales_of_reals((const float[]){INFINITY, 1}, 2, g)));
    assert_true(isfinite(bdnn_scales_of_reals((const float[]){1e-45f, 3e38f}, 2, g)));
    assert_true(isfinite(bdnn_scales_of_reals((const float[]){NAN, 1}, 2, g)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arrays_go_where_the_layers_read_them),
        TEST(other_shapes_of_the_same_weights_do),
        TEST(wrong_arrays_are_named),
        TEST(batch_normalization_is_read_or_left_out),
        TEST(float_networks_come_back),
        TEST(decomposed_networks_come_back),
        TEST(an_export_appears_complete_or_not_at_all),
        TEST(bases_are_read_in_every_orientation),
        TEST(without_the_input_the_float_weights_stay),
        TEST(wrong_bases_are_named),
        cmocka_unit_test(real_scales_become_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
