/* SPDX-License-Identifier: BSD-2-Clause */
/* The requests of XRT's shims on a device without a process around it: what they do, and that hostile ones do no harm.
 */
#include "rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MEMORY = 1 << 20, BUFFER = 8192, BASE = 0x10000 };

static const struct open_emu_device table = {.abi = OPEN_EMU_ABI, .memory_base = BASE, .memory_size = MEMORY};

struct bench {
    struct emu_device device;
    struct emu_fault_plan faults;
    struct rpc_context context;
    struct wire_buffer request, answer;
};

static void set_up(struct bench *bench)
{
    *bench = (struct bench){.device.table = &table};
    bench->context = (struct rpc_context){.device = &bench->device, .faults = &bench->faults};
    assert_true(emu_memory_open(&bench->device.memory, BASE, MEMORY));
}

static void tear_down(struct bench *bench)
{
    emu_memory_close(&bench->device.memory);
    wire_release(&bench->request);
    wire_release(&bench->answer);
}

static bool serve(struct bench *bench, uint32_t number)
{
    bench->answer.size = 0;
    bool sound = rpc_serve(&bench->context, number, bench->request.bytes, bench->request.size, &bench->answer);
    bench->request.size = 0;
    return sound;
}

static struct wire_field answer_field(const struct bench *bench, uint32_t number)
{
    struct wire_reader reader = wire_read(bench->answer.bytes, bench->answer.size);
    struct wire_field field;
    while (wire_next(&reader, &field))
        if (field.number == number)
            return field;
    fail_msg("no field %u in the answer", number);
    return field;
}

static bool allocate(struct bench *bench, uint64_t address, uint64_t size)
{
    wire_put_varint(&bench->request, 1, address);
    wire_put_varint(&bench->request, 2, size);
    assert_true(serve(bench, RPC_ALLOCATE));
    return answer_field(bench, 1).value != 0;
}

static uint64_t to_device(struct bench *bench, uint64_t address, uint64_t offset, const char *text)
{
    size_t size = strlen(text);
    wire_put_varint(&bench->request, 3, address);
    memcpy(wire_put_bytes(&bench->request, 4, size), text, size);
    wire_put_varint(&bench->request, 5, size);
    wire_put_varint(&bench->request, 6, offset);
    assert_true(serve(bench, RPC_HOST_TO_DEVICE));
    return answer_field(bench, 1).value;
}

static uint64_t to_host(struct bench *bench, uint64_t address, uint64_t offset, uint64_t size)
{
    wire_put_varint(&bench->request, 4, address);
    wire_put_varint(&bench->request, 5, size);
    wire_put_varint(&bench->request, 6, offset);
    assert_true(serve(bench, RPC_DEVICE_TO_HOST));
    return answer_field(bench, 1).value;
}

static void transfers_go_where_they_say(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    assert_true(allocate(&bench, BASE + 4096, BUFFER));
    assert_int_equal(to_device(&bench, BASE + 4096, 100, "bitplane"), 8);
    assert_int_equal(to_host(&bench, BASE + 4096, 99, 10), 10);
    struct wire_field bytes = answer_field(&bench, 2);
    assert_int_equal(bytes.length, 10);
    assert_memory_equal(bytes.bytes, "\0bitplane\0", 10);
    bench.context.software = true; /* the shim has added the offset itself */
    assert_int_equal(to_host(&bench, BASE + 4196, 100, 8), 8);
    assert_memory_equal(answer_field(&bench, 2).bytes, "bitplane", 8);
    tear_down(&bench);
}

static void nothing_outside_of_buffers_is_touched(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    assert_true(allocate(&bench, BASE, BUFFER));
    assert_false(allocate(&bench, 0, BUFFER));
    assert_false(allocate(&bench, BASE + MEMORY - 4096, BUFFER));
    assert_false(allocate(&bench, BASE + 4096, UINT64_MAX - 4096));
    assert_false(allocate(&bench, BASE + 4096, 0));
    assert_int_equal(to_device(&bench, BASE, BUFFER - 1, "ab"), 0);
    assert_int_equal(to_device(&bench, BASE, UINT64_MAX, "ab"), 0);
    assert_int_equal(to_host(&bench, BASE, BUFFER, 1), 0);
    assert_int_equal(answer_field(&bench, 2).length, 1); /* the shim copies what it asked for */
    wire_put_varint(&bench.request, 1, BASE);
    assert_true(serve(&bench, RPC_FREE));
    assert_int_equal(to_host(&bench, BASE, 0, 1), 0);
    tear_down(&bench);
}

static void a_new_buffer_replaces_and_is_zero(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    assert_true(allocate(&bench, BASE, BUFFER));
    assert_int_equal(to_device(&bench, BASE, 0, "old"), 3);
    assert_true(allocate(&bench, BASE, 4096));
    assert_int_equal(to_host(&bench, BASE, 0, 3), 3);
    assert_memory_equal(answer_field(&bench, 2).bytes, "\0\0\0", 3);
    assert_int_equal(to_host(&bench, BASE, 4096, 1), 0);
    tear_down(&bench);
}

static void buffers_have_a_bound(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    for (uint64_t i = 0; i < 1 << 14; i++)
        assert_true(allocate(&bench, BASE + i, 1));
    assert_false(allocate(&bench, BASE + (1 << 14), 1));
    assert_true(allocate(&bench, BASE, 1)); /* in the place of one that was there */
    tear_down(&bench);
}

/* tests/emu/trust.py tries paths; here is none that could be loaded. */
static void no_library_is_loaded_from_elsewhere(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    for (int software = 0; software <= 1; software++) {
        bench.context.software = software;
        memcpy(wire_put_bytes(&bench.request, 2, 11), "/etc/passwd", 11);
        assert_false(serve(&bench, RPC_LOAD_BITSTREAM));
        assert_false(serve(&bench, RPC_LOAD_BITSTREAM)); /* without a path */
    }
    tear_down(&bench);
}

static void broken_requests_are_refused(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    wire_put_varint(&bench.request, 3, BASE);
    memcpy(wire_put_bytes(&bench.request, 4, 2), "ab", 2);
    wire_put_varint(&bench.request, 5, 3); /* more than there is */
    assert_false(serve(&bench, RPC_HOST_TO_DEVICE));
    memcpy(wire_put_bytes(&bench.request, 4, 2), "ab", 2);
    bench.request.bytes[1] = 3; /* a length beyond the end */
    assert_false(serve(&bench, RPC_HOST_TO_DEVICE));
    wire_put_varint(&bench.request, 5, RPC_LONGEST_REQUEST + 1);
    assert_false(serve(&bench, RPC_DEVICE_TO_HOST));
    assert_true(serve(&bench, 77)); /* unknown: answered, with 0 */
    assert_int_equal(answer_field(&bench, 1).value, 0);
    tear_down(&bench);
}

static void random_requests_do_no_harm(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    assert_true(allocate(&bench, BASE, BUFFER));
    static const uint32_t numbers[] = {RPC_CLOSE,
                                       RPC_ALLOCATE,
                                       RPC_FREE,
                                       RPC_HOST_TO_DEVICE,
                                       RPC_DEVICE_TO_HOST,
                                       RPC_DEBUG_MESSAGES,
                                       RPC_READ_REGISTERS,
                                       RPC_WRITE_REGISTERS,
                                       RPC_SET_ENVIRONMENT,
                                       0};
    srand(1);
    for (int i = 0; i < 2000; i++) {
        size_t size = (size_t)rand() % 24;
        assert_true(wire_reserve(&bench.request, size));
        for (size_t k = 0; k < size; k++)
            bench.request.bytes[k] = (uint8_t)(rand() % 3 ? rand() % 64 : rand());
        bench.request.size = size;
        serve(&bench, numbers[i % 10]);
    }
    tear_down(&bench);
}

static void faults_are_parsed(void **state)
{
    (void)state;
    struct emu_fault_plan plan = {0};
    static const char *const refused[] = {"",        "kill",     "kill@", "kill@0", "kill@-1",
                                          "kill@1x", "slverr@0", "late",  "stuck@1"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_false(emu_fault_parse(refused[i], &plan));
    plan = (struct emu_fault_plan){0};
    assert_true(emu_fault_parse("garbage@7", &plan));
    assert_true(emu_fault_parse("decerr@2", &plan));
    assert_true(emu_fault_parse("latency", &plan));
    assert_int_equal(plan.kind, EMU_FAULT_GARBAGE);
    assert_int_equal(plan.at, 7);
    assert_int_equal(emu_fault_burst(&plan), AXI_OKAY);
    assert_int_equal(emu_fault_burst(&plan), AXI_DECERR);
    assert_int_equal(emu_fault_burst(&plan), AXI_OKAY);
    struct axi_timing timing = {40, 40, 100, 100};
    emu_fault_timing(&plan, &timing);
    assert_int_equal(timing.latency_high, 300);
    assert_int_equal(timing.ready_percent, 100);
}

static void room_ends_with_the_buffer(void **state)
{
    (void)state;
    struct bench bench;
    uint64_t room;
    set_up(&bench);
    assert_true(allocate(&bench, BASE, BUFFER));
    assert_true(allocate(&bench, BASE + BUFFER, 4096));
    assert_ptr_equal(emu_memory_room(&bench.device.memory, BASE + 100, &room), bench.device.memory.bytes + 100);
    assert_int_equal(room, BUFFER - 100);
    assert_non_null(emu_memory_room(&bench.device.memory, BASE + BUFFER + 4095, &room));
    assert_int_equal(room, 1);
    assert_null(emu_memory_room(&bench.device.memory, BASE + BUFFER + 4096, &room));
    assert_null(emu_memory_room(&bench.device.memory, BASE - 1, &room));
    tear_down(&bench);
}

static void headers(void **state)
{
    (void)state;
    const uint8_t header[RPC_REQUEST_HEADER] = {0x09, 0x34, 0x12, 0, 0, 0, 0, 0, 0, 0x15, 7, 0, 0, 0};
    uint64_t size;
    uint32_t number;
    assert_true(rpc_parse_header(header, &size, &number));
    assert_int_equal(size, 0x1234);
    assert_int_equal(number, RPC_DEVICE_TO_HOST);
    uint8_t answer[RPC_ANSWER_HEADER];
    rpc_make_header(answer, 0x1234);
    assert_memory_equal(answer, header, RPC_ANSWER_HEADER);
    assert_false(rpc_parse_header((const uint8_t[RPC_REQUEST_HEADER]){0x0a, 12}, &size, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transfers_go_where_they_say),
        cmocka_unit_test(nothing_outside_of_buffers_is_touched),
        cmocka_unit_test(a_new_buffer_replaces_and_is_zero),
        cmocka_unit_test(broken_requests_are_refused),
        cmocka_unit_test(random_requests_do_no_harm),
        cmocka_unit_test(faults_are_parsed),
        cmocka_unit_test(room_ends_with_the_buffer),
        cmocka_unit_test(headers),
        cmocka_unit_test(buffers_have_a_bound),
        cmocka_unit_test(no_library_is_loaded_from_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
