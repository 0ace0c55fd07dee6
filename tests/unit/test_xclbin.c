/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of xclbin files: what it finds, and what damaged files do to it. */
#define _XOPEN_SOURCE 700
#include "backends/xrt/xclbin.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

enum { SECTIONS = 456, LAYOUT = 600, CLOCKS = 900, METADATA = 1200, SIZE = 1500 };

#define PORT(name, mode, bits) "<port name=\"" name "\" mode=\"" mode "\" dataWidth=\"" bits "\"/>"
#define METADATA_TEXT                                                                                                  \
    "<core clockFreq=\"312MHz\"><kernel name=\"bdnn_kernel\">" PORT("S", "slave", "32") PORT("A", "master", "128")     \
        PORT("B", "master", "64") "</kernel>" PORT("C", "master", "512")

static uint8_t file[SIZE];

static void put(size_t at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        file[at + (size_t)i] = (uint8_t)(value >> 8 * i);
    }
}

static void put_section(int index, uint32_t kind, uint64_t offset, uint64_t size)
{
    const size_t at = SECTIONS + 40 * (size_t)index;
    put(at, kind, 4);
    put(at + 24, offset, 8);
    put(at + 32, size, 8);
}

static void put_ip(int index, uint32_t type, const char *name)
{
    const size_t at = LAYOUT + 8 + 80 * (size_t)index;
    put(at, type, 4);
    strcpy((char *)file + at + 16, name);
}

/* For hw_emu, with two compute units of ours among four. */
static void make(void)
{
    memset(file, 0, sizeof file);
    strcpy((char *)file, "xclbin2");
    put(332, 4, 2);
    strcpy((char *)file + 352, "platform");
    for (size_t i = 0; i < 16; i++) {
        file[416 + i] = (uint8_t)(16 * i + 15 - i);
    }
    put(448, 3, 4);
    put_section(0, 8, LAYOUT, 8 + 4 * 80);
    put_section(1, 11, CLOCKS, 2 + 2 * 136);
    put_section(2, 2, METADATA, SIZE - METADATA);
    put(LAYOUT, 4, 4);
    put_ip(0, 1, "bdnn:one");
    put_ip(1, 1, "bdnn_kernel:first");
    put_ip(2, 2, "bdnn_kernel:memory");
    put_ip(3, 1, "bdnn_kernel:second");
    put(CLOCKS, 2, 2);
    put(CLOCKS + 2, 100, 2);
    file[CLOCKS + 4] = 1;
    put(CLOCKS + 2 + 136, 275, 2);
    file[CLOCKS + 2 + 136 + 2] = 2;
    strcpy((char *)file + METADATA, METADATA_TEXT);
}

static bdnn_status read_back(size_t size, bdnn_xclbin *xclbin, bdnn_error *err)
{
    return bdnn_xclbin_read(scratch_write("test.xclbin", file, size), "bdnn_kernel", xclbin, err);
}

static void test_contents(void **state)
{
    bdnn_xclbin xclbin;
    bdnn_error err;
    char text[37];
    (void)state;
    make();
    assert_int_equal(read_back(SIZE, &xclbin, &err), BDNN_OK);
    assert_int_equal(xclbin.target, BDNN_XCLBIN_HW_EMU);
    assert_string_equal(bdnn_xclbin_target_name(xclbin.target), "hw_emu");
    assert_string_equal(xclbin.platform, "platform");
    assert_string_equal(bdnn_xclbin_uuid_text(xclbin.uuid, text), "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
    assert_int_equal(xclbin.unit_count, 2);
    assert_string_equal(xclbin.units[0], "first");
    assert_string_equal(xclbin.units[1], "second");
    assert_int_equal(xclbin.clock_mhz, 275);
    assert_int_equal(xclbin.ports, 2);
    assert_int_equal(xclbin.port_bits, 128);
    put_section(1, 99, 0, 0); /* no clocks: the metadata's */
    assert_int_equal(read_back(SIZE, &xclbin, &err), BDNN_OK);
    assert_int_equal(xclbin.clock_mhz, 312);
    put(332, 0, 2);
    assert_int_equal(read_back(SIZE, &xclbin, &err), BDNN_OK);
    assert_int_equal(xclbin.target, BDNN_XCLBIN_HARDWARE);
}

static void test_messages(void **state)
{
    bdnn_xclbin xclbin;
    bdnn_error err;
    (void)state;
    assert_int_equal(bdnn_xclbin_read(scratch_path("absent"), "bdnn_kernel", &xclbin, &err), BDNN_ERROR_IO);
    make();
    file[3] = 'X';
    assert_int_equal(read_back(SIZE, &xclbin, &err), BDNN_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "test.xclbin: this is no xclbin"));
    make();
    put_ip(1, 0, "bdnn_kernel:first");
    put_ip(3, 1, "bdnn_kernels:second");
    assert_int_equal(read_back(SIZE, &xclbin, &err), BDNN_ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "no compute unit of the kernel bdnn_kernel"));
}

/* Every length, and numbers of everything that reach beyond the file: an error, never a read beyond it. */
static void test_damage(void **state)
{
    static const struct {
        size_t at;
        int bytes;
    } numbers[] = {{448, 4},           {SECTIONS + 24, 8},  {SECTIONS + 32, 8},
                   {SECTIONS + 64, 8}, {SECTIONS + 72, 8},  {SECTIONS + 104, 8},
                   {LAYOUT, 4},        {SECTIONS + 112, 8}, {CLOCKS, 2}};
    bdnn_xclbin xclbin;
    bdnn_error err;
    (void)state;
    for (size_t size = 0; size < SIZE; size += size < SECTIONS ? 57 : 13) {
        make();
        assert_int_not_equal(read_back(size, &xclbin, &err), BDNN_OK);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        static const uint64_t values[] = {1500, 1501, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff, UINT64_MAX};
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            make();
            put(numbers[i].at, values[v], numbers[i].bytes);
            const bdnn_status status = read_back(SIZE, &xclbin, &err);
            assert_true(status == BDNN_ERROR_FORMAT || status == BDNN_OK || status == BDNN_ERROR_UNSUPPORTED);
        }
    }
    make(); /* a name that fills its field */
    memset(file + LAYOUT + 8 + 80 + 16 + 12, 'x', 64 - 12);
    assert_int_equal(read_back(SIZE, &xclbin, &err), BDNN_OK);
    assert_int_equal(strlen(xclbin.units[0]), 52);
}

/* Very many ports, none of which says its width: as many searches for it to the end would take minutes. */
static void test_many_ports(void **state)
{
    enum { PORTS = 60000, TEXT = 13 };
    const char *port = "mode=\"master\"";
    uint8_t *large = malloc(SIZE + PORTS * TEXT);
    const clock_t start = clock();
    bdnn_xclbin xclbin;
    bdnn_error err;
    (void)state;
    assert_non_null(large);
    make();
    memset(file + METADATA, 0, SIZE - METADATA);
    strcpy((char *)file + METADATA, "<kernel name=\"bdnn_kernel\"");
    put_section(2, 2, METADATA, SIZE - METADATA + PORTS * TEXT);
    memcpy(large, file, SIZE);
    for (size_t i = 0; i < PORTS; i++) {
        memcpy(large + SIZE + i * TEXT, port, TEXT);
    }
    assert_int_equal(
        bdnn_xclbin_read(scratch_write("ports.xclbin", large, SIZE + PORTS * TEXT), "bdnn_kernel", &xclbin, &err),
        BDNN_OK);
    assert_int_equal(xclbin.ports, PORTS);
    assert_int_equal(xclbin.port_bits, 0);
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_many_ports),
    };
    return cmocka_run_group_tests_name("xclbin", tests, scratch_make, scratch_remove);
}
