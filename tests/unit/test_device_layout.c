/* SPDX-License-Identifier: BSD-2-Clause */
/* Which layers an accelerator's array takes, and the layouts of a layer small enough to be written down by hand. */
#include "backends/device/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const bdnn_device_array array = {
    .rows = 2, .columns = 4, .word_bits = 128, .weight_depth = 512, .activation_depth = 2048, .tiles = 8};

static const bdnn_device_output planes = {.mode = BDNN_HW_MODE_PLANES, .bits = 4, .low = 0, .high = 15};

static bdnn_ip_shape small_shape(void)
{
    return (bdnn_ip_shape){.batch = 1,
                           .in_size = {1, 3, 5},
                           .out_size = {1, 3, 5},
                           .channels = 70,
                           .filters = 3,
                           .groups = 1,
                           .kernel = {1, 1, 3},
                           .stride = {1, 1, 1},
                           .dilation = {1, 1, 1},
                           .pad_begin = {0, 0, 1},
                           .bases = 2,
                           .bits = 2,
                           .zero_point = 1};
}

static bool read_array(bdnn_device_array *read, uint32_t rows, uint32_t word_bits)
{
    return bdnn_device_array_read(read, BDNN_HW_PUT_ROWS(rows) | BDNN_HW_PUT_COLUMNS(4),
                                  BDNN_HW_PUT_WORD_BITS(word_bits) | BDNN_HW_PUT_MAX_TILES(8),
                                  BDNN_HW_PUT_WEIGHT_DEPTH(512) | BDNN_HW_PUT_ACTIVATION_DEPTH(2048));
}

static void test_registers_of_an_array(void **state)
{
    bdnn_device_array read;
    (void)state;
    assert_true(read_array(&read, 2, 128));
    assert_memory_equal(&read, &array, sizeof read);
    assert_false(bdnn_device_array_read(&read, 0, 0, 0));
    assert_false(bdnn_device_array_read(&read, UINT32_MAX, UINT32_MAX, UINT32_MAX));
    assert_false(read_array(&read, 3, 128));
    assert_false(read_array(&read, 2, 96));
}

static void test_job(void **state)
{
    const bdnn_ip_shape shape = small_shape();
    bdnn_device_layer layer;
    (void)state;
    assert_true(bdnn_device_plan(&array, &shape, &planes, &layer));
    /* Two units and two planes a pixel: 32 bytes; three taps of two units: three words of two. */
    assert_int_equal((int32_t)layer.job.origin, -32);
    assert_int_equal(layer.job.pixel_step, 32);
    assert_int_equal(layer.job.row_step, 160);
    assert_int_equal(layer.job.units, 2);
    assert_int_equal(layer.job.last_channels, 6);
    assert_int_equal(layer.job.words, 3);
    assert_int_equal(layer.job.pad_units, 0);
    assert_int_equal(layer.job.pixels, 15);
    assert_int_equal(layer.job.tiles, 4);
    assert_int_equal(layer.job.result_step, 32);
    assert_int_equal(layer.weight_words, 2 * 2 * 2 * 3 * 2);
    assert_int_equal(layer.filter_words, 4 * 3);
    assert_int_equal(layer.activation_words, 15 * 4);
    assert_int_equal(layer.result_words, 15 * 4);
}

/* Filter 2 lies in the second chunk; bit 70 of its second basis is channel 0 of the second tap. */
static void test_weights(void **state)
{
    const bdnn_ip_shape shape = small_shape();
    uint64_t stored[3][2][4], packed[48];
    int8_t scales[3][2] = {{1, 2}, {3, 4}, {-5, 100}};
    const bdnn_ip_weights weights = {&stored[0][0][0], &scales[0][0]};
    bdnn_device_layer layer;
    (void)state;
    memset(stored, 0xFF, sizeof stored);
    stored[2][1][70 / 64] &= ~((uint64_t)1 << 70 % 64);
    assert_true(bdnn_device_plan(&array, &shape, &planes, &layer));
    bdnn_device_pack_weights(&layer, &weights, 0, packed);
    for (size_t i = 0; i < 48; i++) {
        /* [chunk 1][basis 1][word 1][row 0][part 0] of [2][2][3][2][2] */
        const bool is_it = i == 1 * 24 + 1 * 12 + 1 * 4;
        assert_true(packed[i] == (is_it ? UINT64_MAX - 1 : UINT64_MAX));
    }
    bdnn_device_pack_filters(&layer, &weights, NULL, 0, packed);
    assert_true(packed[2 * 3] == (0x6400u | 0xFBu));
    assert_true(packed[2 * 3 + 1] == (uint64_t)(uint32_t)(-3 * 100 * 1) << 32);
    assert_true(packed[0 * 3 + 1] == 0 && packed[3 * 3] == 0);
}

static void assert_refused(bdnn_ip_shape shape)
{
    bdnn_device_layer layer;
    assert_false(bdnn_device_plan(&array, &shape, &planes, &layer));
}

static void test_what_an_array_does_not_take(void **state)
{
    bdnn_device_output output = planes;
    bdnn_device_layer layer;
    const bdnn_ip_shape good = small_shape();
    (void)state;
#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        bdnn_ip_shape s = good;                                                                                        \
        s.change;                                                                                                      \
        assert_refused(s);                                                                                             \
    } while (0)
    REFUSED(in_size[0] = 2);
    REFUSED(kernel[0] = 2);
    REFUSED(pad_begin[0] = 1);
    REFUSED(kernel[1] = 256);
    REFUSED(stride[2] = 256);
    REFUSED(dilation[1] = 256);
    REFUSED(pad_begin[2] = 256);
    REFUSED(in_size[1] = 65536);
    REFUSED(channels = 0);
    REFUSED(channels = 12000); /* 3 x 188 units are 282 words, of which there is room for 256 */
    REFUSED(channels = INT64_C(1) << 40);
    REFUSED(in_size[2] = 65535; s.channels = 1 << 20); /* a row is longer than 32 bits can step over */
    REFUSED(filters = 65536);
    REFUSED(groups = 0);
    REFUSED(groups = 4);
    REFUSED(bases = 9);
    REFUSED(bits = 9);
    REFUSED(zero_point = 4);
#undef REFUSED
    output.high = 16;
    assert_false(bdnn_device_plan(&array, &good, &output, &layer));
    output = (bdnn_device_output){.mode = BDNN_HW_MODE_INT16, .low = -40000, .high = 0};
    assert_false(bdnn_device_plan(&array, &good, &output, &layer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registers_of_an_array),
        cmocka_unit_test(test_job),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_what_an_array_does_not_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
