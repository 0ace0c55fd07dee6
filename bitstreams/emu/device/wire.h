/* SPDX-License-Identifier: BSD-2-Clause */
/* Protocol buffers' wire format, as much as XRT's emulation messages need: reading the fields of a message one by one,
 * and appending fields to a message. Groups are refused; everything else of the format is understood. */
#ifndef OPEN_EMU_WIRE_H
#define OPEN_EMU_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Reading ---- */

struct wire_reader {
    const uint8_t *at, *end;
    bool broken; /* set when the bytes are no message */
};

struct wire_field {
    uint32_t number;
    uint64_t value;       /* of a varint or fixed field */
    const uint8_t *bytes; /* of a length-delimited field, else null; points into the message */
    size_t length;
};

static inline struct wire_reader wire_read(const void *message, size_t size)
{
    const uint8_t *start = message;
    return (struct wire_reader){start, start + size, false};
}

/* The next field; false at the end and when the message is broken. */
bool wire_next(struct wire_reader *reader, struct wire_field *field);

/* ---- Writing ---- */

/* Grows as needed; zero-initialize before the first use, free with wire_release. */
struct wire_buffer {
    uint8_t *bytes;
    size_t size, capacity;
};

/* Makes room for `more` bytes after `size`. False when there is no memory, the buffer unchanged. */
bool wire_reserve(struct wire_buffer *buffer, size_t more);
bool wire_put_varint(struct wire_buffer *buffer, uint32_t number, uint64_t value);

/* Appends a bytes field and returns where its `length` bytes are to be written, or null when there is no memory. */
uint8_t *wire_put_bytes(struct wire_buffer *buffer, uint32_t number, size_t length);
void wire_release(struct wire_buffer *buffer);

#endif
