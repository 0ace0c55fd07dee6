/* SPDX-License-Identifier: BSD-2-Clause */
/* From bytes to protobuf-c's tree: a walk over the wire format first, since protobuf-c recurses as deep as the file
 * says, merges repeated single messages in quadratic time and allocates a whole structure for every two bytes of empty
 * message. */
#include "import/onnx_wire.h"

#include <stdlib.h>
#include <string.h>

typedef struct wire_walk {
    const uint8_t *end;
    uint64_t budget; /* bytes of tree that may still be made */
    bdnn_error *err;
} wire_walk;

enum { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_BYTES = 2, WIRE_32BIT = 5 };

/* Bookkeeping of protobuf-c for one field, and of the allocator for one string or message. */
enum { FIELD_COST = 48, ALLOCATION_COST = 32 };

static bool read_varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            return true;
        }
    }
    return false;
}

/* Moves past one field's value; for WIRE_BYTES *length is its size and *at its first byte. */
static bool skip_value(const uint8_t **at, const uint8_t *end, unsigned wire, uint64_t *length)
{
    uint64_t ignored;
    size_t fixed = wire == WIRE_64BIT ? 8 : 4;
    switch (wire) {
    case WIRE_VARINT:
        return read_varint(at, end, &ignored);
    case WIRE_BYTES:
        return read_varint(at, end, length) && *length <= (uint64_t)(end - *at);
    case WIRE_64BIT:
    case WIRE_32BIT:
        if ((size_t)(end - *at) < fixed) {
            return false;
        }
        *at += fixed;
        return true;
    default:
        return false;
    }
}

static bool charge(wire_walk *walk, uint64_t cost)
{
    if (cost > walk->budget) {
        bdnn_fail(walk->err, BDNN_ERROR_FORMAT,
                  "so many empty messages that the file would unfold to over %d times its size", BDNN_ONNX_TREE_RATIO);
        return false;
    }
    walk->budget -= cost;
    return true;
}

static bool walk_message(wire_walk *walk, const ProtobufCMessageDescriptor *type, const uint8_t *at, const uint8_t *end,
                         int depth)
{
    uint64_t seen = 0; /* single messages met, by index of their field; no ONNX message has 64 fields */
    if (depth > BDNN_ONNX_MAX_DEPTH) {
        bdnn_fail(walk->err, BDNN_ERROR_FORMAT, "messages nested more than %d deep", BDNN_ONNX_MAX_DEPTH);
        return false;
    }
    if (!charge(walk, type->sizeof_message + ALLOCATION_COST)) {
        return false;
    }
    while (at < end) {
        const ProtobufCFieldDescriptor *field;
        const uint8_t *start = at;
        uint64_t tag, length = 0;
        if (!read_varint(&at, end, &tag) || tag >> 3 == 0 || tag >> 3 > INT32_MAX ||
            !skip_value(&at, end, tag & 7, &length)) {
            bdnn_fail(walk->err, BDNN_ERROR_FORMAT,
                      "not an ONNX file, truncated or damaged: %s breaks off %zu bytes before the end",
                      type->short_name, (size_t)(walk->end - start));
            return false;
        }
        field = protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        if (!charge(walk, FIELD_COST + ((tag & 7) == WIRE_BYTES ? ALLOCATION_COST : 0))) {
            return false;
        }
        if (field && field->type == PROTOBUF_C_TYPE_MESSAGE && (tag & 7) == WIRE_BYTES) {
            uint64_t bit = (uint64_t)1 << ((size_t)(field - type->fields) % 64);
            if (field->label != PROTOBUF_C_LABEL_REPEATED && seen & bit) {
                bdnn_fail(walk->err, BDNN_ERROR_FORMAT, "%s holds '%s' twice", type->short_name, field->name);
                return false;
            }
            seen |= bit;
            if (!walk_message(walk, field->descriptor, at, at + length, depth + 1)) {
                return false;
            }
        }
        at += length;
    }
    return true;
}

/* As protobuf-c allocates by itself, but it remembers that memory was short: NULL from unpacking does not say why. */
static void *allocate(void *is_short, size_t size)
{
    void *memory = malloc(size);
    *(bool *)is_short |= !memory;
    return memory;
}

static void release(void *is_short, void *memory)
{
    (void)is_short;
    free(memory);
}

static bdnn_status unpack(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size, void *message,
                          bdnn_error *err)
{
    static const uint8_t nothing[1];
    wire_walk walk = {.err = err, .budget = BDNN_ONNX_TREE_BASE + (uint64_t)size * BDNN_ONNX_TREE_RATIO};
    const uint8_t *start = size ? data : nothing;
    bool is_short = false;
    ProtobufCAllocator allocator = {allocate, release, &is_short};
    ProtobufCMessage *tree;
    walk.end = start + size;
    if (!walk_message(&walk, type, start, walk.end, 1)) {
        return BDNN_ERROR_FORMAT;
    }
    tree = protobuf_c_message_unpack(type, &allocator, size, start);
    if (!tree && is_short) {
        return bdnn_fail(err, BDNN_ERROR_MEMORY, "no memory for what its %zu bytes unfold to", size);
    }
    if (!tree) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "not an ONNX file, or damaged");
    }
    memcpy(message, &tree, sizeof tree);
    return BDNN_OK;
}

bdnn_status bdnn_onnx_unpack(const uint8_t *data, size_t size, Onnx__ModelProto **model, bdnn_error *err)
{
    return unpack(&onnx__model_proto__descriptor, data, size, model, err);
}

bdnn_status bdnn_onnx_unpack_tensor(const uint8_t *data, size_t size, Onnx__TensorProto **tensor, bdnn_error *err)
{
    return unpack(&onnx__tensor_proto__descriptor, data, size, tensor, err);
}
