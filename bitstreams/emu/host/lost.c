/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers in the place of a lost device. */
#include "lost.h"
#include "rpc.h"
#include "wire.h"

#include <string.h>

/* The request under way: how much of its header is still to come, which request it is, how many bytes it asks for. */
static _Thread_local struct {
    size_t header_size, body_left;
    uint8_t header[RPC_REQUEST_HEADER];
    uint32_t number;
    uint64_t size;
} request;

static _Thread_local struct {
    struct wire_buffer bytes;
    size_t at;
} answer;

static uint64_t number_at(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

/* A body that comes in parts is large, and then is one of those that ask for nothing. */
static void follow_body(const uint8_t *bytes, size_t size)
{
    const uint32_t size_field = request.number == RPC_DEVICE_TO_HOST || request.number == RPC_HOST_TO_DEVICE ? 5 : 3;
    if (size == request.body_left) {
        struct wire_reader reader = wire_read(bytes, size);
        struct wire_field field;
        while (wire_next(&reader, &field))
            if (field.number == size_field && !field.bytes)
                request.size = field.value;
    }
    request.body_left -= size;
}

void lost_follow_request(const uint8_t *bytes, size_t size)
{
    while (size) {
        if (request.header_size == RPC_REQUEST_HEADER && !request.body_left)
            request.header_size = 0; /* the one before is over */
        size_t part = RPC_REQUEST_HEADER - request.header_size;
        if (part) {
            part = part < size ? part : size;
            memcpy(request.header + request.header_size, bytes, part);
            request.header_size += part;
            if (request.header_size == RPC_REQUEST_HEADER) {
                request.body_left = (size_t)number_at(request.header + 1, 8);
                request.number = (uint32_t)number_at(request.header + 10, 4);
                request.size = 0;
            }
        } else {
            part = request.body_left < size ? request.body_left : size;
            follow_body(bytes, part);
        }
        bytes += part;
        size -= part;
    }
}

static bool put_ones(struct wire_buffer *body, uint64_t size)
{
    uint8_t *ones = size <= RPC_LONGEST_REQUEST ? wire_put_bytes(body, 2, (size_t)size) : NULL;
    if (ones)
        memset(ones, 0xff, (size_t)size);
    return ones != NULL;
}

static bool put_body(struct wire_buffer *body)
{
    switch (request.number) {
    case RPC_HOST_TO_DEVICE:
        return wire_put_varint(body, 1, request.size);
    case RPC_DEVICE_TO_HOST:
        return wire_put_varint(body, 1, request.size) && put_ones(body, request.size);
    case RPC_READ_REGISTERS:
    case RPC_READ_REGISTER:
        return wire_put_varint(body, 1, 1) && put_ones(body, request.size ? request.size : 4);
    case RPC_DEBUG_MESSAGES:
        return wire_put_bytes(body, 1, 0) && wire_put_bytes(body, 2, 0) && wire_put_bytes(body, 3, 0);
    default:
        return wire_put_varint(body, 1, request.number != RPC_ALLOCATE);
    }
}

/* Fields that no reader knows, of `size` bytes. */
static bool put_filler(struct wire_buffer *body, size_t size)
{
    enum { FIELD = 15 };
    if (size == 1)
        return false;
    if (size % 2) {
        uint8_t *one = wire_put_bytes(body, FIELD, 1);
        if (!one)
            return false;
        *one = 0;
        size -= 3;
    }
    for (; size; size -= 2)
        if (!wire_put_bytes(body, FIELD, 0))
            return false;
    return true;
}

bool lost_prepare_answer(size_t header_left, size_t body_left, size_t body_size)
{
    struct wire_buffer *bytes = &answer.bytes;
    bytes->size = answer.at = 0;
    if (header_left == 0 && body_left < body_size) { /* in the middle of a body: of bytes that were asked for */
        if (!wire_reserve(bytes, body_left))
            return false;
        memset(bytes->bytes, 0xff, body_left);
        bytes->size = body_left;
        return true;
    }
    if (header_left == 0)
        return put_body(bytes) && bytes->size <= body_size && put_filler(bytes, body_size - bytes->size);
    if (header_left != RPC_ANSWER_HEADER || !wire_reserve(bytes, RPC_ANSWER_HEADER))
        return false;
    bytes->size = RPC_ANSWER_HEADER;
    if (!put_body(bytes))
        return false;
    bytes->bytes[0] = 1 << 3 | 1;
    for (int i = 0; i < 8; i++)
        bytes->bytes[1 + i] = (uint8_t)((uint64_t)(bytes->size - RPC_ANSWER_HEADER) >> 8 * i);
    return true;
}

size_t lost_read(uint8_t *bytes, size_t size)
{
    const size_t left = answer.bytes.size - answer.at, part = left < size ? left : size;
    if (part)
        memcpy(bytes, answer.bytes.bytes + answer.at, part);
    answer.at += part;
    return part;
}
