/* SPDX-License-Identifier: BSD-2-Clause */
/* core: memory order of tensors, checked sizes, output files, thread slots. */
#define _DEFAULT_SOURCE
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/output.h"
#include "core/tensor.h"
#include "core/threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void memory_order_is_channels_last(void **state)
{
    const bdnn_shape shape = {4, {2, 3, 4, 5}};
    float rows[120], memory[120], back[120];
    int64_t stride[BDNN_MAX_RANK];
    (void)state;
    for (int i = 0; i < 120; i++) {
        rows[i] = (float)i;
    }
    bdnn_shape_strides(&shape, stride);
    bdnn_from_row_major(&shape, BDNN_FLOAT32, rows, memory);
    for (int n = 0; n < 2; n++) {
        for (int c = 0; c < 3; c++) {
            for (int h = 0; h < 4; h++) {
                for (int w = 0; w < 5; w++) {
                    assert_true(memory[n * stride[0] + c * stride[1] + h * stride[2] + w * stride[3]] ==
                                rows[((n * 3 + c) * 4 + h) * 5 + w]);
                }
            }
        }
    }
    bdnn_to_row_major(&shape, BDNN_FLOAT32, memory, back);
    assert_memory_equal(rows, back, sizeof rows);
}

/* Several tasks an item, by threads and without, there and back, for elements of every size. */
static void orders_change_by_threads_too(void **state)
{
    const bdnn_shape shape = {4, {2, 3, 100, 170}};
    const bdnn_type types[] = {BDNN_FLOAT32, BDNN_INT64, BDNN_UINT8, BDNN_INT16};
    enum { COUNT = 2 * 3 * 100 * 170 };
    bdnn_threads *threads = bdnn_threads_create(3);
    uint8_t *rows = malloc(3 * 8 * COUNT), *memory = rows + 8 * COUNT, *back = memory + 8 * COUNT;
    (void)state;
    assert_true(threads && rows);
    for (size_t i = 0; i < 8 * COUNT; i++) {
        rows[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        const size_t size = bdnn_type_size(types[t]);
        bdnn_from_row_major_threaded(&shape, types[t], rows, memory, threads);
        for (size_t i = 0; i < COUNT; i++) {
            const size_t c = i / 17000 % 3, place = i / 51000 * 51000 + i % 17000 * 3 + c;
            assert_memory_equal(memory + place * size, rows + i * size, size);
        }
        bdnn_from_row_major(&shape, types[t], rows, back);
        assert_memory_equal(memory, back, COUNT * size);
        bdnn_to_row_major_threaded(&shape, types[t], memory, back, threads);
        assert_memory_equal(rows, back, COUNT * size);
    }
    bdnn_threads_destroy(threads);
    free(rows);
}

static void impossible_shapes_have_no_size(void **state)
{
    const bdnn_shape huge = {4, {INT64_MAX, INT64_MAX, 2, 2}}, negative = {2, {-1, 4}}, empty = {2, {0, 4}},
                     scalar = {0, {0}};
    (void)state;
    assert_int_equal(bdnn_shape_elements(&huge), -1);
    assert_int_equal(bdnn_shape_elements(&negative), -1);
    assert_int_equal(bdnn_shape_elements(&empty), 0);
    assert_int_equal(bdnn_shape_elements(&scalar), 1);
    assert_null(bdnn_alloc(SIZE_MAX / 2, 3));
}

/* What fits in 64 bits but not in a size_t has no size, and no bytes are allocated for it. */
static void sizes_do_not_wrap(void **state)
{
    const int64_t beyond = ((int64_t)1 << 32) + 1, much = (int64_t)1 << 28;
    const bdnn_shape wide = {1, {beyond}}, square = {2, {65537, 65536}}, large = {1, {much}};
    const bool narrow = sizeof(size_t) == 4;
    (void)state;
    assert_int_equal(bdnn_shape_elements(&wide), narrow ? -1 : beyond);
    assert_int_equal(bdnn_shape_elements(&square), narrow ? -1 : (int64_t)65537 * 65536);
    assert_int_equal(bdnn_shape_elements(&large), narrow ? -1 : much);
    assert_true(narrow ? bdnn_size(beyond) == SIZE_MAX : (int64_t)bdnn_size(beyond) == beyond);
    assert_true(bdnn_size(-1) == SIZE_MAX);
    assert_true(bdnn_product(SIZE_MAX / 2, 3) == SIZE_MAX);
    assert_true(bdnn_product(SIZE_MAX, 0) == 0);
    assert_true(bdnn_sum(SIZE_MAX - 1, 2) == SIZE_MAX);
    assert_true(bdnn_sum(SIZE_MAX - 1, 1) == SIZE_MAX);
    assert_true(bdnn_round_up(SIZE_MAX - 3, 64) == SIZE_MAX);
    assert_true(bdnn_round_up(65, 64) == 128);
    assert_true(bdnn_slots_bytes(SIZE_MAX / 4096, 1) == SIZE_MAX);
    assert_null(bdnn_alloc(SIZE_MAX, 1));
    assert_null(bdnn_zalloc(bdnn_product(SIZE_MAX / 2, 3), 1));
}

static void output_appears_only_when_committed(void **state)
{
    char directory[] = "/tmp/bdnn-test-XXXXXX", path[64];
    bdnn_output output;
    bdnn_error err;
    bdnn_file_map map;
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/file", directory);
    assert_int_equal(bdnn_output_open(&output, path, &err), BDNN_OK);
    fputs("lost", output.stream);
    bdnn_output_discard(&output);
    assert_int_equal(bdnn_map_file(path, &map, &err), BDNN_ERROR_IO);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(bdnn_output_open(&output, path, &err), BDNN_OK);
    fputs("kept", output.stream);
    assert_int_equal(bdnn_output_commit(&output, &err), BDNN_OK);
    assert_int_equal(bdnn_map_file(path, &map, &err), BDNN_OK);
    assert_int_equal(map.size, 4);
    assert_memory_equal(map.data, "kept", 4);
    bdnn_unmap_file(&map);
    unlink(path);
    assert_int_equal(rmdir(directory), 0);
    assert_int_equal(bdnn_output_open(&output, "/nonexistent-directory/file", &err), BDNN_ERROR_IO);
}

struct sums {
    uint64_t of_slot[8];
};

static void add_index(void *context, size_t slot, size_t index)
{
    ((struct sums *)context)->of_slot[slot] += index;
}

static void slots_cover_every_index_once(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 3; count++) {
        bdnn_threads *threads = bdnn_threads_create(count);
        struct sums sums = {{0}};
        uint64_t total = 0;
        assert_int_equal(bdnn_threads_count(threads), count);
        bdnn_parallel_slots(threads, add_index, &sums, 1000);
        for (size_t i = 0; i < 8; i++) {
            total += sums.of_slot[i];
        }
        assert_int_equal(total, 999 * 1000 / 2);
        bdnn_threads_destroy(threads);
    }
}

static void count_call(void *context, size_t slot, size_t index)
{
    uint8_t *calls = context;
    (void)slot;
    calls[index]++;
}

/* Many calls of all sizes, with workers awake and asleep, more threads than processors: workers that come late from one
 * call must not disturb the next. */
static void calls_follow_one_another(void **state)
{
    enum { MOST = 300 };
    bdnn_threads *threads = bdnn_threads_create(5);
    (void)state;
    for (size_t round = 0; round < 3000; round++) {
        uint8_t calls[MOST] = {0};
        const size_t count = round * 7919 % MOST;
        if (round % 100 == 0) {
            bdnn_threads_hurry(threads);
        } else if (round % 100 == 60) {
            bdnn_threads_rest(threads);
        }
        bdnn_parallel_slots(threads, count_call, calls, count);
        for (size_t i = 0; i < MOST; i++) {
            assert_int_equal(calls[i], i < count);
        }
    }
    bdnn_threads_destroy(threads);
}

static void prefixes_keep_the_message(void **state)
{
    bdnn_error err;
    (void)state;
    bdnn_fail(&err, BDNN_ERROR_FORMAT, "kernel height %d", -3);
    bdnn_prefix(&err, BDNN_ERROR_FORMAT, "%s: layer '%s'", "net.bdnn", "conv1");
    assert_string_equal(err.message, "net.bdnn: layer 'conv1': kernel height -3");
}

/* 2^32 + 1 bytes, of which nothing is written: a size that 32 bits would take for 1. */
static void files_beyond_the_address_space_are_refused(void **state)
{
    char path[] = "/tmp/bdnn-test-XXXXXX";
    const int fd = mkstemp(path);
    const off_t size = ((off_t)1 << 32) + 1;
    bdnn_error err;
    bdnn_file_map map;
    bdnn_status status;
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
    status = bdnn_map_file(path, &map, &err);
    unlink(path);
    if (sizeof(size_t) == 4) {
        assert_int_equal(status, BDNN_ERROR_IO);
        assert_non_null(strstr(err.message, "4294967297 bytes"));
    } else {
        assert_int_equal(status, BDNN_OK);
        assert_true((off_t)map.size == size);
        bdnn_unmap_file(&map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_order_is_channels_last),
        cmocka_unit_test(orders_change_by_threads_too),
        cmocka_unit_test(impossible_shapes_have_no_size),
        cmocka_unit_test(sizes_do_not_wrap),
        cmocka_unit_test(output_appears_only_when_committed),
        cmocka_unit_test(slots_cover_every_index_once),
        cmocka_unit_test(calls_follow_one_another),
        cmocka_unit_test(prefixes_keep_the_message),
        cmocka_unit_test(files_beyond_the_address_space_are_refused),
    };
    return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
