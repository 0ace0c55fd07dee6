/* SPDX-License-Identifier: BSD-2-Clause */
/* open_emu's requests: a stream of them, as the socket brings it, on a device with memory and one compute unit. What
 * must hold after each: no library was loaded, buffers lie in the memory and none on another, registers lie in the
 * unit, and the answer is a message. */
#include "fuzz.h"

#include "report.h"
#include "rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BASE = 0x10000, MEMORY = 1 << 20, UNIT = 0x1800000, SPAN = 0x80 };

static void check(bool sound, const char *what)
{
    if (!sound) {
        fprintf(stderr, "fuzz_rpc: %s\n", what);
        abort();
    }
}

/* In the place of report.c, which would print a line for nearly every request. */
bool emu_verbose;
void (*emu_before_fault)(void);

void emu_say(const char *format, ...)
{
    (void)format;
}

void emu_detail(const char *format, ...)
{
    (void)format;
}

_Noreturn void emu_fault(const char *format, ...)
{
    fprintf(stderr, "fuzz_rpc: fault '%s'\n", format);
    abort();
}

/* In the place of device.c: the run folder is not known, so that nothing may come here. */
bool emu_device_load(struct emu_device *device, const char *path)
{
    (void)device;
    (void)path;
    check(false, "a device library is loaded");
    return false;
}

static uint32_t registers[SPAN / 4];

static void write_register(struct emu_unit *unit, uint32_t offset, uint32_t value)
{
    (void)unit;
    check(offset % 4 == 0 && offset < SPAN, "a write of no register");
    registers[offset / 4] = value;
}

static uint32_t read_register(struct emu_unit *unit, uint32_t offset)
{
    (void)unit;
    check(offset % 4 == 0 && offset < SPAN, "a read of no register");
    return registers[offset / 4];
}

static uint32_t poll_control(struct emu_unit *unit)
{
    return read_register(unit, AP_CONTROL);
}

static const struct emu_unit_type unit_type = {write_register, read_register, poll_control, NULL};
static const struct open_emu_kernel kernel = {.name = "kernel", .span = SPAN};
static const struct open_emu_instance instance = {"unit", &kernel, UNIT};
static const struct open_emu_device table = {
    .abi = OPEN_EMU_ABI, .memory_base = BASE, .memory_size = MEMORY, .instance_count = 1, .instances = &instance};

static void check_buffers(const struct emu_memory *memory)
{
    for (size_t i = 0; i < memory->buffer_count; i++) {
        const struct emu_range *a = &memory->buffers[i];
        check(a->size > 0 && a->address >= BASE && a->address - BASE <= MEMORY &&
                  a->size <= MEMORY - (a->address - BASE),
              "a buffer outside of the memory");
        for (size_t k = 0; k < i; k++) {
            const struct emu_range *b = &memory->buffers[k];
            check(a->address >= b->address + b->size || b->address >= a->address + a->size, "two buffers overlap");
        }
    }
}

static void check_answer(const struct wire_buffer *answer)
{
    struct wire_reader reader = wire_read(answer->bytes, answer->size);
    struct wire_field field;
    size_t fields = 0;
    while (wire_next(&reader, &field)) {
        fields++;
    }
    check(!reader.broken && fields > 0, "an answer that is no message");
    check(answer->size <= MEMORY + 64, "an answer larger than the device's memory");
}

/* One request; false when the stream ends with it. */
static bool take_request(struct rpc_context *context, struct wire_buffer *answer, const uint8_t **data, size_t *size)
{
    uint64_t length;
    uint32_t number;
    if (*size < RPC_REQUEST_HEADER || !rpc_parse_header(*data, &length, &number) || length > RPC_LONGEST_REQUEST) {
        return false;
    }
    *data += RPC_REQUEST_HEADER;
    *size -= RPC_REQUEST_HEADER;
    /* A body that the stream cuts short never reaches the requests. */
    if (length > *size) {
        length = *size;
    }
    /* The body in a block of its own, so that a sanitizer sees each step beyond it. */
    uint8_t *body = malloc(length ? (size_t)length : 1);
    check(body != NULL, "no memory");
    memcpy(body, *data, (size_t)length);
    answer->size = 0;
    const bool sound = rpc_serve(context, number, body, (size_t)length, answer);
    free(body);
    if (sound) {
        check_answer(answer);
    }
    check_buffers(&context->device->memory);
    *data += length;
    *size -= (size_t)length;
    return sound && !context->closed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct emu_unit unit = {&unit_type, &instance};
    struct emu_unit *units[] = {&unit};
    struct emu_fault_plan faults = {0};
    struct emu_device device = {.faults = &faults};
    struct rpc_context context = {.device = &device, .faults = &faults};
    struct wire_buffer answer = {0};
    if (size == 0) {
        return 0;
    }
    /* The first byte: which shim it is, and whether a device is loaded. */
    context.software = data[0] & 1;
    if (!(data[0] & 2)) {
        device.table = &table;
        device.units.unit = units;
        device.units.count = 1;
        check(emu_memory_open(&device.memory, BASE, MEMORY), "no memory for the device");
    }
    data++, size--;
    memset(registers, 0, sizeof registers);
    while (take_request(&context, &answer, &data, &size)) {
    }
    emu_memory_close(&device.memory);
    wire_release(&answer);
    return 0;
}
