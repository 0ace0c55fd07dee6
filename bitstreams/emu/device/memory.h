/* SPDX-License-Identifier: BSD-2-Clause */
/* The device's memory: one flat range of addresses of which only what was touched takes room, and the buffers that the
 * host has allocated in it. XRT chooses the addresses; only the pages of buffers can be accessed, so that a C kernel
 * that leaves its buffers is caught by the processor. */
#ifndef OPEN_EMU_MEMORY_H
#define OPEN_EMU_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct emu_range {
    uint64_t address, size;
};

struct emu_memory {
    uint64_t base, size;
    uint8_t *bytes; /* of address `base`; followed by a guard */
    struct emu_range *buffers;
    size_t buffer_count, buffer_capacity;
    size_t last_hit; /* accesses come in runs */
};

/* Reserves [base, base + size). False when the system refuses; errno tells why. */
bool emu_memory_open(struct emu_memory *memory, uint64_t base, uint64_t size);
void emu_memory_close(struct emu_memory *memory);

/* Adds and removes a buffer; false when it lies outside of the memory, there is none at the address, there are 16,384
 * already, or the system refuses. A buffer that was there and overlaps is replaced, as XRT may reuse an address without
 * a message. New buffers hold zeros. */
bool emu_memory_allocate(struct emu_memory *memory, uint64_t address, uint64_t size);
bool emu_memory_free(struct emu_memory *memory, uint64_t address);

/* Where [address, address + size) is, or null unless it lies within one buffer. */
uint8_t *emu_memory_at(struct emu_memory *memory, uint64_t address, uint64_t size);

/* Where `address` is, and how many bytes there are from there to the end of its buffer; null when it lies in none. */
uint8_t *emu_memory_room(struct emu_memory *memory, uint64_t address, uint64_t *room);

/* Whether `pointer` lies in the range or its guard; then *address is the device address. */
bool emu_memory_contains(const struct emu_memory *memory, const void *pointer, uint64_t *address);

#endif
