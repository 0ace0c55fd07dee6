/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of XRT's shims. The messages are defined by rpc_messages.proto of XRT's sources; the field numbers here are
 * its. */
#include "rpc.h"
#include "report.h"
#include "trust.h"

#include <stdio.h>
#include <string.h>

/* The fields of a request: all that are used have numbers below this. */
enum { FIELDS = 9 };

struct request {
    uint64_t value[FIELDS];
    const uint8_t *bytes[FIELDS];
    size_t length[FIELDS];
};

static bool parse(const uint8_t *body, size_t size, struct request *request)
{
    *request = (struct request){0};
    struct wire_reader reader = wire_read(body, size);
    struct wire_field field;
    while (wire_next(&reader, &field)) {
        if (field.number >= FIELDS)
            continue;
        request->value[field.number] = field.value;
        request->bytes[field.number] = field.bytes;
        request->length[field.number] = field.length;
    }
    return !reader.broken;
}

static bool acknowledge(struct wire_buffer *answer, bool done)
{
    return wire_put_varint(answer, 1, done);
}

static bool loaded(const struct rpc_context *context, const char *what)
{
    if (!context->device->table)
        emu_say("%s before a device was loaded", what);
    return context->device->table != NULL;
}

/* Close {3 closeall} -> {1 valid}. In sw_emu only closeall ends the device. */
static bool serve_close(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    context->closed = !context->software || request->value[3];
    return acknowledge(answer, true);
}

/* LoadBitstream {2 path of the library} -> {1 ack}. Only sw_emu's shim sends it: it has written the library into its
 * run folder. Any other path ends the connection before anything is loaded. */
static bool serve_load(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    char path[PATH_MAX], library[PATH_MAX];
    struct emu_doubt doubt;
    if (!context->software || !request->bytes[2] || request->length[2] >= sizeof path ||
        memchr(request->bytes[2], '\0', request->length[2])) {
        emu_say("a request to load a device library, in hw_emu or without a path");
        return false;
    }
    memcpy(path, request->bytes[2], request->length[2]);
    path[request->length[2]] = '\0';
    if (!emu_trust_file(context->run_folder, path, library, &doubt)) {
        emu_say("the device library is not loaded: %s", doubt.text);
        return false;
    }
    if (!emu_device_load(context->device, library))
        emu_fault("no device: the xclbin does not hold one for open_emu");
    return acknowledge(answer, true);
}

/* Alloc {1 address, 2 size} -> {1 ack} */
static bool serve_allocate(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    uint64_t address = request->value[1], size = request->value[2];
    bool done = loaded(context, "allocation") && emu_memory_allocate(&context->device->memory, address, size);
    if (!done)
        emu_say("cannot allocate 0x%llx bytes at device address 0x%llx", (unsigned long long)size,
                (unsigned long long)address);
    return acknowledge(answer, done);
}

/* Free {1 address} -> {1 ack} */
static bool serve_free(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    return acknowledge(answer, context->device->table && emu_memory_free(&context->device->memory, request->value[1]));
}

/* Where a transfer's bytes are: hw_emu gives the buffer's address and an offset, sw_emu the address alone. */
static uint8_t *transfer(struct rpc_context *context, uint64_t address, uint64_t offset, uint64_t size,
                         const char *what)
{
    if (!loaded(context, what))
        return NULL;
    address += context->software ? 0 : offset;
    uint8_t *at = emu_memory_at(&context->device->memory, address, size);
    if (!at)
        emu_say("%s: 0x%llx bytes at device address 0x%llx lie in no buffer", what, (unsigned long long)size,
                (unsigned long long)address);
    return at;
}

/* H2D {3 address, 4 bytes, 5 size, 6 offset} -> {1 size} */
static bool serve_to_device(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    uint64_t size = request->value[5];
    if (!request->bytes[4] || request->length[4] < size)
        return false;
    uint8_t *at = transfer(context, request->value[3], request->value[6], size, "transfer to the device");
    if (at)
        memcpy(at, request->bytes[4], (size_t)size);
    return wire_put_varint(answer, 1, at ? size : 0);
}

/* D2H {4 address, 5 size, 6 offset} -> {1 size, 2 bytes}. The shim copies as many bytes as it asked for: zeros if there
 * are none, but no more than the device's memory has. */
static bool serve_to_host(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    uint64_t size = request->value[5];
    if (size > RPC_LONGEST_REQUEST || size > context->device->memory.size)
        return false;
    uint8_t *at = transfer(context, request->value[4], request->value[6], size, "transfer from the device");
    uint8_t *bytes = wire_put_varint(answer, 1, at ? size : 0) ? wire_put_bytes(answer, 2, (size_t)size) : NULL;
    if (!bytes)
        return false;
    if (at)
        memcpy(bytes, at, (size_t)size);
    else
        memset(bytes, 0, (size_t)size);
    return true;
}

/* The host sends `size` bytes for the registers at `address`. */
static bool write_registers(struct rpc_context *context, uint64_t address, const uint8_t *bytes, size_t size,
                            struct wire_buffer *answer)
{
    bool done = loaded(context, "register write") && emu_units_write(&context->device->units, address, bytes, size);
    if (!done)
        emu_say("no compute unit has the %zu bytes of registers at 0x%llx", size, (unsigned long long)address);
    uint32_t offset;
    if (done && size && emu_unit_at(&context->device->units, address, &offset) && offset == AP_CONTROL &&
        (bytes[0] & AP_START))
        context->faults->started = true;
    return acknowledge(answer, done);
}

/* -> {1 valid, 2 bytes} */
static bool read_registers(struct rpc_context *context, uint64_t address, uint64_t size, struct wire_buffer *answer)
{
    uint8_t bytes[OPEN_EMU_MAX_SPAN];
    if (size > sizeof bytes)
        return false;
    bool done =
        loaded(context, "register read") && emu_units_read(&context->device->units, address, bytes, (size_t)size);
    if (!done) {
        emu_say("no compute unit has the %llu bytes of registers at 0x%llx", (unsigned long long)size,
                (unsigned long long)address);
        memset(bytes, 0, (size_t)size);
    }
    emu_fault_registers(context->faults, bytes, (size_t)size);
    uint8_t *out = acknowledge(answer, done) ? wire_put_bytes(answer, 2, (size_t)size) : NULL;
    if (out)
        memcpy(out, bytes, (size_t)size);
    return out != NULL;
}

/* WriteKernelCtrl {2 address, 3 size, 4 bytes} -> {1 valid} */
static bool serve_write(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    if (!request->bytes[4] || request->length[4] < request->value[3])
        return false;
    return write_registers(context, request->value[2], request->bytes[4], (size_t)request->value[3], answer);
}

/* ReadKernelCtrl {2 address, 3 size}, a word unless it says more */
static bool serve_read(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    return read_registers(context, request->value[2], request->value[3] ? request->value[3] : 4, answer);
}

/* RegWrite {1 base address, 2 offset, 3 bytes} -> {1 valid}: sw_emu's access to single registers; hw_emu uses those
 * above */
static bool serve_write_one(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    uint64_t address = request->value[1] + request->value[2];
    return request->bytes[3] && write_registers(context, address, request->bytes[3], request->length[3], answer);
}

/* RegRead {1 base address, 2 offset, 3 size} */
static bool serve_read_one(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    return read_registers(context, request->value[1] + request->value[2], request->value[3], answer);
}

/* GetDebugMessages -> three texts, all empty */
static bool serve_messages(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    (void)context;
    (void)request;
    return wire_put_bytes(answer, 1, 0) && wire_put_bytes(answer, 2, 0) && wire_put_bytes(answer, 3, 0);
}

/* SetEnvironment and SetupInstance say nothing that matters here. */
static bool serve_accepted(struct rpc_context *context, const struct request *request, struct wire_buffer *answer)
{
    (void)context;
    (void)request;
    return acknowledge(answer, true);
}

static const struct {
    enum rpc_number number;
    bool (*serve)(struct rpc_context *context, const struct request *request, struct wire_buffer *answer);
} handlers[] = {
    {RPC_CLOSE, serve_close},
    {RPC_LOAD_BITSTREAM, serve_load},
    {RPC_ALLOCATE, serve_allocate},
    {RPC_FREE, serve_free},
    {RPC_HOST_TO_DEVICE, serve_to_device},
    {RPC_DEVICE_TO_HOST, serve_to_host},
    {RPC_WRITE_REGISTERS, serve_write},
    {RPC_READ_REGISTERS, serve_read},
    {RPC_DEBUG_MESSAGES, serve_messages},
    {RPC_SET_ENVIRONMENT, serve_accepted},
    {RPC_SETUP_INSTANCE, serve_accepted},
    {RPC_WRITE_REGISTER, serve_write_one},
    {RPC_READ_REGISTER, serve_read_one},
};

bool rpc_parse_header(const uint8_t header[RPC_REQUEST_HEADER], uint64_t *size, uint32_t *number)
{
    struct wire_reader reader = wire_read(header, RPC_REQUEST_HEADER);
    struct wire_field first, second;
    if (!wire_next(&reader, &first) || !wire_next(&reader, &second) || first.number != 1 || second.number != 2 ||
        reader.at != reader.end)
        return false;
    *size = first.value;
    *number = (uint32_t)second.value;
    return true;
}

void rpc_make_header(uint8_t header[RPC_ANSWER_HEADER], uint64_t size)
{
    header[0] = 1 << 3 | 1; /* field 1, 64 bits */
    for (int i = 0; i < 8; i++)
        header[1 + i] = (uint8_t)(size >> 8 * i);
}

bool rpc_serve(struct rpc_context *context, uint32_t number, const uint8_t *body, size_t size,
               struct wire_buffer *answer)
{
    struct request request;
    if (!parse(body, size, &request))
        return false;
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++)
        if (handlers[i].number == number)
            return handlers[i].serve(context, &request, answer);
    emu_say("request %u is not known here; it is answered with 0", (unsigned)number);
    return acknowledge(answer, false);
}
