/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocol buffers' wire format (developers.google.com/protocol-buffers/docs/encoding). */
#include "wire.h"

#include <stdlib.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static bool broken(struct wire_reader *reader)
{
    reader->broken = true;
    reader->at = reader->end;
    return false;
}

static bool read_varint(struct wire_reader *reader, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (reader->at == reader->end)
            return broken(reader);
        uint8_t byte = *reader->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return broken(reader);
}

static bool read_fixed(struct wire_reader *reader, size_t bytes, uint64_t *value)
{
    if ((size_t)(reader->end - reader->at) < bytes)
        return broken(reader);
    *value = 0;
    for (size_t i = bytes; i-- > 0;)
        *value = *value << 8 | reader->at[i];
    reader->at += bytes;
    return true;
}

bool wire_next(struct wire_reader *reader, struct wire_field *field)
{
    *field = (struct wire_field){0};
    uint64_t tag;
    if (reader->at == reader->end || !read_varint(reader, &tag))
        return false;
    if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
        return broken(reader);
    field->number = (uint32_t)(tag >> 3);
    switch (tag & 7) {
    case WIRE_VARINT:
        return read_varint(reader, &field->value);
    case WIRE_FIXED64:
        return read_fixed(reader, 8, &field->value);
    case WIRE_FIXED32:
        return read_fixed(reader, 4, &field->value);
    case WIRE_BYTES:
        if (!read_varint(reader, &field->value))
            return false;
        if (field->value > (size_t)(reader->end - reader->at))
            return broken(reader);
        field->bytes = reader->at;
        field->length = (size_t)field->value;
        reader->at += field->length;
        return true;
    default:
        return broken(reader);
    }
}

bool wire_reserve(struct wire_buffer *buffer, size_t more)
{
    if (buffer->capacity - buffer->size >= more)
        return true;
    if (more > SIZE_MAX / 2 - buffer->size)
        return false;
    size_t wanted = buffer->size + more;
    size_t capacity = buffer->capacity ? buffer->capacity : 256;
    while (capacity < wanted)
        capacity *= 2;
    uint8_t *bytes = realloc(buffer->bytes, capacity);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

static void put(struct wire_buffer *buffer, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buffer->bytes[buffer->size++] = (uint8_t)(value | 0x80);
    buffer->bytes[buffer->size++] = (uint8_t)value;
}

enum { WIRE_LONGEST_VARINT = 10 };

bool wire_put_varint(struct wire_buffer *buffer, uint32_t number, uint64_t value)
{
    if (!wire_reserve(buffer, 2 * WIRE_LONGEST_VARINT))
        return false;
    put(buffer, (uint64_t)number << 3 | WIRE_VARINT);
    put(buffer, value);
    return true;
}

uint8_t *wire_put_bytes(struct wire_buffer *buffer, uint32_t number, size_t length)
{
    if (length > SIZE_MAX / 4 || !wire_reserve(buffer, 2 * WIRE_LONGEST_VARINT + length))
        return NULL;
    put(buffer, (uint64_t)number << 3 | WIRE_BYTES);
    put(buffer, length);
    uint8_t *bytes = buffer->bytes + buffer->size;
    buffer->size += length;
    return bytes;
}

void wire_release(struct wire_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct wire_buffer){0};
}
