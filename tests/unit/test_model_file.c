/* SPDX-License-Identifier: BSD-2-Clause */
/* The model file: what is written comes back; what is damaged, cut or made up is refused, and never crashes the reader.
 */
#define _DEFAULT_SOURCE
#include "core/memory.h"
#include "model/model_file.h"
#include "model/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include <cmocka.h>

static char directory[] = "/tmp/bdnn-test-XXXXXX";
static char path[64];

/* The bytes of the sample model's file, and a copy for damaging. */
static uint8_t *whole, *copy;
static size_t whole_size;

/* ---- A model with every kind of record ---- */

static bdnn_layer *add(bdnn_graph *graph, bdnn_op op, int32_t from)
{
    char name[32];
    int32_t to;
    const bdnn_shape shape = {4, {1, 2, 3, 3}};
    bdnn_layer *layer;
    snprintf(name, sizeof name, "value %zu", graph->value_count);
    to = bdnn_graph_add_value(graph, name, op == BDNN_OP_ARGMAX ? BDNN_INT64 : BDNN_FLOAT32, &shape);
    snprintf(name, sizeof name, "%s/%zu", bdnn_op_name(op), graph->layer_count);
    layer = bdnn_graph_add_layer(graph, op, name, &from, 1, &to, 1);
    assert_non_null(layer);
    return layer;
}

static bdnn_blob floats(size_t count)
{
    float *numbers = bdnn_alloc(count, sizeof *numbers);
    bdnn_blob blob = {numbers, count * sizeof *numbers, true};
    for (size_t i = 0; i < count; i++) {
        numbers[i] = (float)i * 0.37f - 1.5f;
    }
    return blob;
}

static void add_decomposed(bdnn_graph *graph)
{
    static const uint64_t planes[2][2] = {{~(uint64_t)0, ~(uint64_t)0 << 7 | 5},
                                          {~(uint64_t)0 << 18, ~(uint64_t)0 << 9 | 3}};
    static const int8_t scales[2][2] = {{100, -27}, {64, 63}};
    bdnn_layer *layer = add(graph, BDNN_OP_DENSE, 0);
    bdnn_decomposed *decomposed = bdnn_zalloc(1, sizeof *decomposed);
    layer->attr.dense.filters = 2;
    layer->decomposed = decomposed;
    decomposed->bases = 2;
    decomposed->bits = 6;
    decomposed->step = 0.123f;
    decomposed->zero_point = 17;
    decomposed->planes = bdnn_blob_copy(planes, sizeof planes);
    decomposed->scales = bdnn_blob_copy(scales, sizeof scales);
    decomposed->filter_scale = floats(2);
}

/* Fills an attribute union with a pattern, then makes its choices valid: every stored field differs from its
 * neighbors. */
static void fill_attributes(bdnn_layer *layer)
{
    int32_t *numbers = (int32_t *)&layer->attr;
    if (layer->op == BDNN_OP_MAX_POOL || layer->op == BDNN_OP_AVERAGE_POOL || layer->op == BDNN_OP_MAX_UNPOOL) {
        for (int i = 0; i < 15; i++) {
            numbers[i] = i - 7;
        }
        layer->attr.pool.global = true;
        layer->attr.pool.column_major = true;
        layer->attr.pool.output_shape = (bdnn_shape){3, {7, -8, 9}};
        return;
    }
    if (layer->op == BDNN_OP_RESHAPE) {
        layer->attr.reshape.shape = (bdnn_shape){2, {-2, -1}};
        return;
    }
    for (size_t i = 0; i < 30; i++) {
        numbers[i] = (int32_t)(0x3f800000 + 65536 * i);
    }
    if (layer->op == BDNN_OP_ACTIVATION) {
        layer->attr.activation.kind = BDNN_ACT_LEAKY_RELU;
    } else if (layer->op == BDNN_OP_CONCAT || layer->op == BDNN_OP_SOFTMAX || layer->op == BDNN_OP_ARGMAX) {
        layer->attr.axis.flatten = true;
        layer->attr.axis.keep_dims = false;
        layer->attr.axis.select_last = true;
    } else if (layer->op == BDNN_OP_PAD) {
        layer->attr.pad.mode = BDNN_PAD_REFLECT;
    } else if (layer->op == BDNN_OP_RESIZE) {
        layer->attr.resize.interpolation = BDNN_LINEAR;
        layer->attr.resize.coordinates = BDNN_COORD_ALIGN_CORNERS;
        layer->attr.resize.nearest = BDNN_ROUND_FLOOR;
    }
}

static bdnn_model *sample(void)
{
    static const char *const labels[] = {"T-shirt/top", "", "ankle boot \xc3\xa9"};
    const bdnn_shape shape = {4, {1, 1, 3, 5}}, constant = {3, {2, 1, 2}};
    bdnn_model *model = bdnn_model_new();
    int32_t second[2] = {0, 1};
    assert_non_null(model);
    assert_int_equal(bdnn_graph_add_value(&model->graph, "image", BDNN_FLOAT32, &shape), 0);
    assert_int_equal(bdnn_graph_add_value(&model->graph, "constant", BDNN_FLOAT32, &constant), 1);
    model->graph.values[1].constant = floats(4);
    for (int op = 0; op < BDNN_OP_COUNT; op++) {
        bdnn_layer *layer = add(&model->graph, (bdnn_op)op, op ? (int32_t)model->graph.value_count - 1 : 0);
        if (op != BDNN_OP_DENSE) {
            fill_attributes(layer);
        }
        if (op == BDNN_OP_CONV || op == BDNN_OP_AFFINE) {
            layer->weight = floats(18);
            layer->bias = floats(3);
        }
    }
    add_decomposed(&model->graph);
    assert_non_null(bdnn_graph_add_layer(&model->graph, BDNN_OP_ADD, "sum", second, 2, second + 1, 1));
    assert_true(bdnn_graph_add_input(&model->graph, 0));
    assert_true(bdnn_graph_add_output(&model->graph, 3));
    assert_true(bdnn_graph_add_output(&model->graph, 2));
    model->preprocess = (bdnn_preprocess){.channels = 1,
                                          .height = 3,
                                          .width = 5,
                                          .resize = BDNN_RESIZE_CROP,
                                          .resize_short = 8,
                                          .bgr = true,
                                          .mean = {1, 2, 3},
                                          .scale = {4, 5, 6}};
    model->mean_image = floats(15);
    model->preprocess.mean_image = model->mean_image.data;
    assert_int_equal(bdnn_model_set_labels(model, labels, 3, NULL), BDNN_OK);
    return model;
}

/* ---- Equality ---- */

static void assert_blob_equal(const bdnn_blob *a, const bdnn_blob *b)
{
    assert_int_equal(a->bytes, b->bytes);
    if (a->bytes) {
        assert_memory_equal(a->data, b->data, a->bytes);
        assert_int_equal((uintptr_t)b->data % BDNN_ALIGNMENT, 0);
    }
}

static void assert_layer_equal(const bdnn_layer *a, const bdnn_layer *b)
{
    uint8_t first[BDNN_LAYER_RECORD] = {0}, second[BDNN_LAYER_RECORD] = {0};
    bdnn_layer_record from = {.layer = *a}, to = {.layer = *b};
    bdnn_record one = {.out = first}, two = {.out = second};
    assert_string_equal(a->name, b->name);
    bdnn_record_layer(&one, &from);
    bdnn_record_layer(&two, &to);
    assert_memory_equal(first, second, sizeof first);
    assert_memory_equal(a->inputs, b->inputs, (size_t)a->input_count * sizeof *a->inputs);
    assert_memory_equal(a->outputs, b->outputs, (size_t)a->output_count * sizeof *a->outputs);
    assert_blob_equal(&a->weight, &b->weight);
    assert_blob_equal(&a->bias, &b->bias);
    assert_int_equal(a->decomposed != NULL, b->decomposed != NULL);
    if (a->decomposed) {
        assert_int_equal(a->decomposed->bases, b->decomposed->bases);
        assert_int_equal(a->decomposed->bits, b->decomposed->bits);
        assert_true(a->decomposed->step == b->decomposed->step);
        assert_int_equal(a->decomposed->zero_point, b->decomposed->zero_point);
        assert_blob_equal(&a->decomposed->planes, &b->decomposed->planes);
        assert_blob_equal(&a->decomposed->scales, &b->decomposed->scales);
        assert_blob_equal(&a->decomposed->filter_scale, &b->decomposed->filter_scale);
    }
}

static void assert_preprocess_equal(const bdnn_preprocess *a, const bdnn_preprocess *b)
{
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->resize, b->resize);
    assert_int_equal(a->resize_short, b->resize_short);
    assert_int_equal(a->bgr, b->bgr);
    assert_memory_equal(a->mean, b->mean, sizeof a->mean);
    assert_memory_equal(a->scale, b->scale, sizeof a->scale);
}

static void assert_model_equal(const bdnn_model *a, const bdnn_model *b)
{
    assert_int_equal(a->graph.value_count, b->graph.value_count);
    for (size_t i = 0; i < a->graph.value_count; i++) {
        assert_string_equal(a->graph.values[i].name, b->graph.values[i].name);
        assert_int_equal(a->graph.values[i].type, b->graph.values[i].type);
        assert_true(bdnn_shape_equal(&a->graph.values[i].shape, &b->graph.values[i].shape));
        assert_blob_equal(&a->graph.values[i].constant, &b->graph.values[i].constant);
    }
    assert_int_equal(a->graph.layer_count, b->graph.layer_count);
    for (size_t i = 0; i < a->graph.layer_count; i++) {
        assert_layer_equal(&a->graph.layers[i], &b->graph.layers[i]);
    }
    assert_int_equal(a->graph.input_count, b->graph.input_count);
    assert_memory_equal(a->graph.inputs, b->graph.inputs, a->graph.input_count * sizeof *a->graph.inputs);
    assert_int_equal(a->graph.output_count, b->graph.output_count);
    assert_memory_equal(a->graph.outputs, b->graph.outputs, a->graph.output_count * sizeof *a->graph.outputs);
    assert_preprocess_equal(&a->preprocess, &b->preprocess);
    assert_blob_equal(&a->mean_image, &b->mean_image);
    assert_ptr_equal(b->preprocess.mean_image, b->mean_image.data);
    assert_int_equal(a->label_count, b->label_count);
    for (size_t i = 0; i < a->label_count; i++) {
        assert_string_equal(a->labels[i], b->labels[i]);
    }
}

/* ---- Reading bytes ---- */

/* Reads `size` bytes as a file. The memory is exactly as long, so that a sanitizer sees every step beyond it. */
static bdnn_status read_bytes(const uint8_t *bytes, size_t size, bdnn_error *err)
{
    void *exact;
    bdnn_model *model;
    bdnn_status status;
    assert_int_equal(posix_memalign(&exact, BDNN_ALIGNMENT, size ? size : 1), 0);
    memcpy(exact, bytes, size);
    bdnn_file_map map = {.data = exact, .size = size};
    status = bdnn_model_read("file", &map, &model, err);
    if (status == BDNN_OK) {
        /* The bytes are ours, not a mapping to undo. */
        model->map.data = NULL;
        bdnn_model_free(model);
    } else {
        assert_ptr_equal(map.data, exact);
        assert_null(model);
    }
    free(exact);
    return status;
}

/* Makes all checksums of the damaged copy right again. */
static void forge(void)
{
    for (int s = 0; s < BDNN_SECTION_COUNT; s++) {
        uint8_t *entry = copy + BDNN_FILE_HEADER + s * BDNN_FILE_SECTION;
        uint64_t offset = bdnn_get64(entry + 8), bytes = bdnn_get64(entry + 16);
        if (offset <= whole_size && bytes <= whole_size - offset) {
            bdnn_put64(entry + 24, XXH3_64bits(copy + offset, (size_t)bytes));
        }
    }
    bdnn_put64(copy + BDNN_FILE_CHECKSUM_AT, 0);
    bdnn_put64(copy + BDNN_FILE_CHECKSUM_AT, XXH3_64bits(copy, BDNN_FILE_FIRST_SECTION));
}

/* ---- Tests ---- */

static void what_is_written_comes_back(void **state)
{
    bdnn_model *model = sample(), *back;
    bdnn_error err;
    bdnn_file_map map;
    char again[80];
    (void)state;
    assert_int_equal(bdnn_map_file(path, &map, &err), BDNN_OK);
    if (bdnn_model_read(path, &map, &back, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    assert_model_equal(model, back);
    bdnn_model_release_pages(back); /* what is read again comes again */
    assert_model_equal(model, back);
    /* One model, one encoding. */
    snprintf(again, sizeof again, "%s2", path);
    assert_int_equal(bdnn_model_save(back, again, &err), BDNN_OK);
    assert_int_equal(bdnn_map_file(again, &map, &err), BDNN_OK);
    assert_int_equal(map.size, whole_size);
    assert_memory_equal(map.data, whole, whole_size);
    bdnn_unmap_file(&map);
    unlink(again);
    bdnn_model_free(model);
    bdnn_model_free(back);
}

static void an_empty_network_comes_back(void **state)
{
    bdnn_model *model = bdnn_model_new(), *back;
    bdnn_error err;
    bdnn_file_map map;
    char other[80];
    (void)state;
    snprintf(other, sizeof other, "%s3", path);
    assert_int_equal(bdnn_model_save(model, other, &err), BDNN_OK);
    assert_int_equal(bdnn_map_file(other, &map, &err), BDNN_OK);
    assert_int_equal(bdnn_model_read(other, &map, &back, &err), BDNN_OK);
    assert_int_equal(back->graph.layer_count, 0);
    assert_null(back->mean_image.data);
    unlink(other);
    bdnn_model_free(model);
    bdnn_model_free(back);
}

static void a_cut_file_is_refused(void **state)
{
    bdnn_error err;
    (void)state;
    for (size_t size = 0; size < whole_size; size++) {
        assert_int_not_equal(read_bytes(whole, size, &err), BDNN_OK);
        assert_non_null(strstr(err.message, "file"));
    }
    memcpy(copy, whole, whole_size);
    copy[whole_size] = 0;
    assert_int_equal(read_bytes(copy, whole_size + 1, &err), BDNN_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "trailing"));
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8 * whole_size; i++) {
        memcpy(copy, whole, whole_size);
        copy[i / 8] ^= (uint8_t)(1 << i % 8);
        if (read_bytes(copy, whole_size, NULL) == BDNN_OK) {
            fail_msg("bit %zu of byte %zu", i % 8, i / 8);
        }
    }
}

/* Extreme values at every four-byte field of header, table and records, with right checksums: reading ends, one way or
 * the other. */
static void hostile_numbers_do_no_harm(void **state)
{
    static const uint64_t extremes[] = {0,
                                        1,
                                        63,
                                        64,
                                        255,
                                        0x7fffffff,
                                        0x80000000,
                                        0xffffffff,
                                        0xffffffc0,
                                        UINT64_MAX,
                                        UINT64_MAX - 63,
                                        INT64_MAX,
                                        (uint64_t)1 << 63,
                                        0x7f800000};
    const size_t end = (size_t)bdnn_get64(whole + BDNN_FILE_HEADER + BDNN_SECTION_BLOBS * BDNN_FILE_SECTION + 8);
    size_t refused = 0, tried = 0;
    (void)state;
    for (size_t at = 0; at + 8 <= end; at += 4) {
        for (size_t e = 0; e < 2 * sizeof extremes / sizeof *extremes; e++) {
            memcpy(copy, whole, whole_size);
            if (e % 2) {
                bdnn_put64(copy + at, extremes[e / 2]);
            } else {
                bdnn_put32(copy + at, (uint32_t)extremes[e / 2]);
            }
            forge();
            refused += read_bytes(copy, whole_size, NULL) != BDNN_OK;
            tried++;
        }
    }
    /* Free numbers (attributes, means, names) may be anything; the structure may not. */
    assert_true(refused > tried / 3);
}

/* Every byte of the strings, value numbers and records set to every value of a few. */
static void hostile_bytes_do_no_harm(void **state)
{
    (void)state;
    for (size_t at = 0; at < whole_size; at++) {
        for (int value = 0; value < 256; value += 51) {
            memcpy(copy, whole, whole_size);
            copy[at] = (uint8_t)value;
            forge();
            read_bytes(copy, whole_size, NULL);
        }
    }
}

static size_t section_begin(bdnn_section s)
{
    return (size_t)bdnn_get64(whole + BDNN_FILE_HEADER + s * BDNN_FILE_SECTION + 8);
}

/* Sets 32 bits at `at`, forges the checksums, and expects a message with `words`. */
static void expect_refusal(size_t at, uint32_t number, const char *words)
{
    bdnn_error err = {BDNN_OK, ""};
    memcpy(copy, whole, whole_size);
    bdnn_put32(copy + at, number);
    forge();
    if (read_bytes(copy, whole_size, &err) != BDNN_ERROR_FORMAT || !strstr(err.message, words)) {
        fail_msg("byte %zu = %u: \"%s\" does not say \"%s\"", at, number, err.message, words);
    }
}

static void messages_name_what_is_wrong(void **state)
{
    const size_t model = section_begin(BDNN_SECTION_MODEL), values = section_begin(BDNN_SECTION_VALUES),
                 layers = section_begin(BDNN_SECTION_LAYERS), table = BDNN_FILE_HEADER;
    (void)state;
    expect_refusal(12, 7, "7 sections");
    expect_refusal(24, 1, "reserved byte 24");
    expect_refusal(table + BDNN_FILE_SECTION, 1, "section 2 is of kind 1");
    expect_refusal(table + 8, 320, "section model begins at 320");
    expect_refusal(table + 5 * BDNN_FILE_SECTION + 20, 1, "section blobs takes");
    expect_refusal(model, 1, "not 1 records");
    expect_refusal(model + 16, 0x7fffffff, "too many");
    expect_refusal(model + 16, 300000, "300000 labels");
    expect_refusal(model + 20, 2, "2 channels");
    expect_refusal(model + 24, 4, "mean image");
    expect_refusal(values + 4, 2, "element type 2");
    expect_refusal(values + 8, 7, "rank 7");
    expect_refusal(values + 12, 1, "reserved field 1");
    expect_refusal(values + 20, 0x7fffffff, "impossible shape");
    expect_refusal(values + BDNN_VALUE_RECORD, 0, "its name is at 0, expected 6");
    expect_refusal(values + BDNN_VALUE_RECORD + 4, BDNN_INT64, "constant 'constant' of type 1");
    expect_refusal(layers, BDNN_OP_COUNT, "operator 19");
    expect_refusal(layers + 8, 0, "at number 0; expected at 3");
    expect_refusal(layers + 12, 0x80000000, "-2147483648 inputs");
    expect_refusal(layers + 12, 0x7fffffff, "2147483647 inputs");
    expect_refusal(layers + 48, 64, "weight at 64");
    expect_refusal(layers + 60, 1, "weight at");
    expect_refusal(layers + 3 * BDNN_LAYER_RECORD + 128 + 190, 1, "reserved byte 1");
    expect_refusal(section_begin(BDNN_SECTION_NUMBERS), 5000, "value number 5000");
    expect_refusal(section_begin(BDNN_SECTION_STRINGS), 'a', "its name is at 6, expected 2");
}

/* docs/reference/model-file.md is enough to read a file by: this reads the decomposed layer with nothing but the
 * numbers of that page. */
static void the_documented_offsets_hold(void **state)
{
    uint64_t layers, strings, blobs, planes;
    const uint8_t *layer;
    (void)state;
    assert_memory_equal(whole,
                        "\x93"
                        "BDNN\r\n\x1a",
                        8);
    assert_int_equal(bdnn_get32(whole + 8), 2);
    assert_int_equal(bdnn_get32(whole + 12), 6);
    assert_int_equal(bdnn_get64(whole + 16), whole_size);
    layers = bdnn_get64(whole + 64 + 2 * 32 + 8);
    strings = bdnn_get64(whole + 64 + 4 * 32 + 8);
    blobs = bdnn_get64(whole + 64 + 5 * 32 + 8);
    assert_int_equal(bdnn_get64(whole + 64 + 2 * 32 + 16) / 320, 21);
    layer = whole + layers + 19 * 320;
    assert_int_equal(bdnn_get32(layer), 2); /* dense */
    assert_string_equal((const char *)whole + strings + bdnn_get32(layer + 4), "dense/19");
    assert_int_equal(bdnn_get32(layer + 20), 1); /* decomposed */
    assert_int_equal(bdnn_get32(layer + 24), 2); /* K */
    assert_int_equal(bdnn_get32(layer + 28), 6); /* Q */
    assert_int_equal(bdnn_get32(layer + 36), 17);
    assert_int_equal(bdnn_get32(layer + 128), 2); /* F */
    planes = blobs + bdnn_get64(layer + 80);
    assert_int_equal(planes % 64, 0);
    assert_int_equal(bdnn_get64(layer + 88), 2 * 2 * 8);
    assert_int_equal(bdnn_get64(whole + planes + 8), ~(uint64_t)0 << 7 | 5);
    assert_int_equal((int8_t)whole[blobs + bdnn_get64(layer + 96) + 1], -27);
}

static int make_sample(void **state)
{
    bdnn_model *model = sample();
    bdnn_file_map map;
    bdnn_error err;
    (void)state;
    if (!mkdtemp(directory)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/a.bdnn", directory);
    if (bdnn_model_save(model, path, &err) != BDNN_OK || bdnn_map_file(path, &map, &err) != BDNN_OK) {
        return -1;
    }
    bdnn_model_free(model);
    whole_size = map.size;
    whole = malloc(whole_size);
    copy = malloc(whole_size + 1);
    memcpy(whole, map.data, whole_size);
    bdnn_unmap_file(&map);
    return 0;
}

static int remove_sample(void **state)
{
    (void)state;
    free(whole);
    free(copy);
    unlink(path);
    return rmdir(directory);
}

/* Files that exist name operators by these numbers. */
static void operators_keep_their_numbers(void **state)
{
    static const char *const stored[] = {
        "conv",         "conv_transpose", "dense",  "matmul",  "activation", "lrn",    "max_pool",
        "average_pool", "max_unpool",     "affine", "add",     "mul",        "concat", "pad",
        "reshape",      "transpose",      "resize", "softmax", "argmax"};
    (void)state;
    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++) {
        assert_string_equal(bdnn_op_name((bdnn_op)i), stored[i]);
    }
    assert_string_equal(bdnn_op_name(BDNN_OP_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_keep_their_numbers), cmocka_unit_test(what_is_written_comes_back),
        cmocka_unit_test(an_empty_network_comes_back),  cmocka_unit_test(a_cut_file_is_refused),
        cmocka_unit_test(every_flipped_bit_is_noticed), cmocka_unit_test(hostile_numbers_do_no_harm),
        cmocka_unit_test(hostile_bytes_do_no_harm),     cmocka_unit_test(messages_name_what_is_wrong),
        cmocka_unit_test(the_documented_offsets_hold),
    };
    return cmocka_run_group_tests(tests, make_sample, remove_sample);
}
