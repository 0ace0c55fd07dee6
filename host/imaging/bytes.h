/* SPDX-License-Identifier: BSD-2-Clause */
/* A file's bytes, and the order in which its numbers have them. */
#ifndef BDNN_IMAGING_BYTES_H
#define BDNN_IMAGING_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *data;
    size_t size;
    bool big_endian;
};

/* The number of `length` bytes (at most 4) at `at`; 0 where the file ends before it. */
static inline uint32_t number(const struct bytes *b, size_t at, size_t length)
{
    uint32_t value = 0;
    if (at > b->size || length > b->size - at) {
        return 0;
    }
    for (size_t i = 0; i < length; i++) {
        value = value << 8 | b->data[b->big_endian ? at + i : at + length - 1 - i];
    }
    return value;
}

#endif
