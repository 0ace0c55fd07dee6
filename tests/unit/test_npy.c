/* SPDX-License-Identifier: BSD-2-Clause */
/* .npy: every number type, both orders, what NumPy writes - and headers that lie. */
#define _DEFAULT_SOURCE
#include "core/memory.h"
#include "import/npy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A file of format `version` with this header text and data; exactly as long as its memory. Returns its size. */
static size_t make_file(uint8_t **file, int version, const char *header, const void *data, size_t bytes)
{
    const size_t length = strlen(header), begin = version == 1 ? 10 : 12;
    *file = malloc(begin + length + bytes);
    memcpy(*file, "\x93NUMPY", 6);
    (*file)[6] = (uint8_t)version;
    (*file)[7] = 0;
    for (size_t i = 8; i < begin; i++) {
        (*file)[i] = (uint8_t)(length >> 8 * (i - 8));
    }
    memcpy(*file + begin, header, length);
    if (bytes) {
        memcpy(*file + begin + length, data, bytes);
    }
    return begin + length + bytes;
}

static bdnn_status parse(int version, const char *header, const void *data, size_t bytes, bdnn_npy *array, float *out,
                         bdnn_error *err)
{
    uint8_t *file;
    const size_t size = make_file(&file, version, header, data, bytes);
    const bdnn_status status = bdnn_npy_parse("a.npy", file, size, array, err);
    if (status == BDNN_OK && out) {
        bdnn_npy_floats(array, out);
    }
    free(file);
    return status;
}

static void every_type_is_read(void **state)
{
    static const uint16_t halves[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x8400, 0x7c00};
    static const float half_values[] = {1, -2, 65504, 0x1p-24f, -0x1p-14f, INFINITY};
    static const float singles[] = {0.1f, -3e38f, 1e-45f, 0, 5, -6};
    static const double doubles[] = {0.1, -3e300, 2, 0, 5, -6};
    static const float double_values[] = {0.1f, -INFINITY, 2, 0, 5, -6};
    static const int8_t bytes[] = {1, -1, 127, -128, 0, 5};
    static const uint8_t unsigned_bytes[] = {1, 255, 127, 128, 0, 5};
    static const int32_t ints[] = {1, -1, INT32_MAX, INT32_MIN, 0, 5};
    static const int64_t longs[] = {1, -1, INT64_MAX, INT64_MIN, 0, 5};
    static const uint8_t bools[] = {1, 0, 1, 1, 0, 2};
    static const float byte_values[] = {1, -1, 127, -128, 0, 5}, unsigned_values[] = {1, 255, 127, 128, 0, 5},
                       int_values[] = {1, -1, 2147483648.0f, -2147483648.0f, 0, 5},
                       long_values[] = {1, -1, 0x1p63f, -0x1p63f, 0, 5}, bool_values[] = {1, 0, 1, 1, 0, 1};
    const struct {
        const char *descr;
        const void *data;
        size_t size;
        const float *values;
    } cases[] = {{"<f2", halves, 2, half_values},
                 {"<f4", singles, 4, singles},
                 {"<f8", doubles, 8, double_values},
                 {"|i1", bytes, 1, byte_values},
                 {"|u1", unsigned_bytes, 1, unsigned_values},
                 {"<i4", ints, 4, int_values},
                 {"<i8", longs, 8, long_values},
                 {"|b1", bools, 1, bool_values}};
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        for (int version = 1; version <= 3; version++) {
            char header[96];
            bdnn_npy array;
            bdnn_error err;
            float out[6];
            snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (2, 3), }   \n",
                     cases[c].descr);
            if (parse(version, header, cases[c].data, 6 * cases[c].size, &array, out, &err) != BDNN_OK) {
                fail_msg("%s", err.message);
            }
            assert_int_equal(array.shape.rank, 2);
            assert_int_equal(array.shape.dim[0], 2);
            assert_int_equal(array.shape.dim[1], 3);
            for (int i = 0; i < 6; i++) {
                assert_true(out[i] == cases[c].values[i]);
            }
        }
    }
}

static void fortran_order_is_turned(void **state)
{
    static const char header[] = "{'fortran_order': True, \"shape\": (2, 3, 2), 'descr': '<i4'}";
    int32_t data[12];
    float out[12];
    bdnn_npy array;
    (void)state;
    for (int a = 0; a < 2; a++) {
        for (int b = 0; b < 3; b++) {
            for (int c = 0; c < 2; c++) {
                data[a + 2 * b + 6 * c] = 100 * a + 10 * b + c;
            }
        }
    }
    assert_int_equal(parse(1, header, data, sizeof data, &array, out, NULL), BDNN_OK);
    for (int i = 0; i < 12; i++) {
        assert_true(out[i] == (float)(100 * (i / 6) + 10 * (i / 2 % 3) + i % 2));
    }
}

static void shapes_of_every_rank_are_read(void **state)
{
    static const struct {
        const char *text;
        int32_t rank;
    } cases[] = {{"()", 0}, {"(1,)", 1}, {"(1, 1)", 2}, {"(1L, 1L,)", 2}, {"( 1 ,1, 1,1,1,1 )", 6}};
    const float one = 1;
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        char header[96];
        bdnn_npy array;
        bdnn_error err;
        snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': %s}", cases[c].text);
        if (parse(1, header, &one, 4, &array, NULL, &err) != BDNN_OK) {
            fail_msg("%s: %s", cases[c].text, err.message);
        }
        assert_int_equal(array.shape.rank, cases[c].rank);
    }
}

static void lies_are_refused(void **state)
{
    static const struct {
        const char *header, *words;
    } cases[] = {
        {"", "'{'"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)", "'}'"},
        {"{'descr': '<f4', 'fortran_order': False}", "all of"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'descr': '<f4'}", "one each"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': 1}", "one each"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} x", "nothing more"},
        {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (6,)}", "True or False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-6,)}", "a dimension"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6", "','"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 6}", "'('"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (7,)}", "24 bytes of data, the shape asks for 28"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (5,)}", "24 bytes of data, the shape asks for 20"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 6)}", "more than 6 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "exceeds"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (16777216, 16777216, 16777216)}", "more than"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (67108864, 67108864)}", "more than"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (6,)}", "number type '>f4'"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (3,)}", "number type '<c8'"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", "number type '|O'"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", "not a simple one"},
        {"{'descr': '<f4", "end of the number type"},
    };
    const float data[6] = {0};
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        bdnn_npy array;
        bdnn_error err = {BDNN_OK, ""};
        if (parse(1, cases[c].header, data, sizeof data, &array, NULL, &err) == BDNN_OK ||
            !strstr(err.message, cases[c].words) || !strstr(err.message, "a.npy")) {
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[c].header, err.message, cases[c].words);
        }
    }
}

/* Shapes whose elements or bytes are as many as the file has only when they are counted in 32 bits. */
static void counts_beyond_32_bits_are_refused(void **state)
{
    static const struct {
        const char *header;
        size_t bytes;
    } cases[] = {
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (4294967297,)}", 1},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (65537, 65536)}", 65536},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (536870913,)}", 8},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1073741825,)}", 4},
        {"{'descr': '|i1', 'fortran_order': False, 'shape': (1073741825,)}", 1}, /* times 4 as floats */
    };
    uint8_t *data = calloc(65536, 1);
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        bdnn_npy array;
        bdnn_error err = {BDNN_OK, ""};
        assert_int_equal(parse(1, cases[c].header, data, cases[c].bytes, &array, NULL, &err), BDNN_ERROR_FORMAT);
        assert_non_null(strstr(err.message, "a.npy"));
    }
    free(data);
}

static void damaged_files_are_refused(void **state)
{
    static const char header[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n";
    const float data[6] = {0};
    uint8_t *file, *cut;
    bdnn_npy array;
    const size_t size = make_file(&file, 1, header, data, sizeof data);
    (void)state;
    for (size_t length = 0; length < size; length++) {
        cut = malloc(length ? length : 1);
        memcpy(cut, file, length);
        assert_int_not_equal(bdnn_npy_parse("cut", cut, length, &array, NULL), BDNN_OK);
        free(cut);
    }
    for (size_t i = 0; i < 8 * (size - sizeof data); i++) {
        cut = malloc(size);
        memcpy(cut, file, size);
        cut[i / 8] ^= (uint8_t)(1 << i % 8);
        if (bdnn_npy_parse("flipped", cut, size, &array, NULL) == BDNN_OK) {
            float out[24];
            assert_true(bdnn_shape_elements(&array.shape) <= 24);
            bdnn_npy_floats(&array, out);
        }
        free(cut);
    }
    file[6] = 4;
    assert_int_equal(bdnn_npy_parse("version", file, size, &array, NULL), BDNN_ERROR_UNSUPPORTED);
    free(file);
}

static void what_is_saved_is_loaded(void **state)
{
    static const bdnn_shape shapes[] = {{0, {0}},   {1, {7}}, {2, {3, 2}}, {4, {1, 2, 3, 4}}, {6, {1, 2, 1, 2, 1, 2}},
                                        {2, {0, 5}}};
    char path[] = "/tmp/bdnn-test-XXXXXX";
    float data[24];
    (void)state;
    close(mkstemp(path));
    for (int i = 0; i < 24; i++) {
        data[i] = (float)i / 3;
    }
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        bdnn_shape shape;
        float *back;
        bdnn_error err;
        assert_int_equal(bdnn_npy_save(path, BDNN_NPY_FLOAT32, &shapes[s], data, &err), BDNN_OK);
        if (bdnn_npy_load(path, &shape, &back, &err) != BDNN_OK) {
            fail_msg("%s", err.message);
        }
        assert_true(bdnn_shape_equal(&shape, &shapes[s]));
        assert_memory_equal(back, data, (size_t)bdnn_shape_elements(&shape) * sizeof *data);
        bdnn_free(back);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(fortran_order_is_turned),
        cmocka_unit_test(shapes_of_every_rank_are_read),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(counts_beyond_32_bits_are_refused),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(what_is_saved_is_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
