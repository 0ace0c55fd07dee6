/* SPDX-License-Identifier: BSD-2-Clause */
/* The device's memory: reserved address space whose pages become accessible buffer by buffer. */
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Behind the memory: a pointer just outside of it faults, too. */
enum { GUARD = 1 << 20 };

/* More are refused: they are searched one by one, and a host program that leaks them should hear of it. */
enum { MAX_BUFFERS = 1 << 14 };

bool emu_memory_open(struct emu_memory *memory, uint64_t base, uint64_t size)
{
    *memory = (struct emu_memory){.base = base, .size = size};
    if (size > SIZE_MAX / 2 || base + size < base)
        return false;
    void *bytes = mmap(NULL, (size_t)size + GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (bytes == MAP_FAILED)
        return false;
    memory->bytes = bytes;
    return true;
}

void emu_memory_close(struct emu_memory *memory)
{
    if (memory->bytes)
        munmap(memory->bytes, (size_t)memory->size + GUARD);
    free(memory->buffers);
    *memory = (struct emu_memory){0};
}

static bool inside(const struct emu_memory *memory, uint64_t address, uint64_t size)
{
    return address >= memory->base && address - memory->base <= memory->size &&
           size <= memory->size - (address - memory->base);
}

/* First and last byte of the pages that a buffer touches; pages can be shared with a neighbor. */
static uint64_t page_down(uint64_t offset)
{
    return offset & ~((uint64_t)sysconf(_SC_PAGESIZE) - 1);
}

static bool shared_page(const struct emu_memory *memory, uint64_t page)
{
    uint64_t bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < memory->buffer_count; i++) {
        uint64_t start = memory->buffers[i].address - memory->base;
        if (start < page + bytes && page < start + memory->buffers[i].size)
            return true;
    }
    return false;
}

/* Gives back the pages of a buffer that is no longer listed, except those that a neighbor also uses. */
static void withdraw(const struct emu_memory *memory, struct emu_range buffer)
{
    uint64_t bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t start = page_down(buffer.address - memory->base);
    uint64_t end = page_down(buffer.address - memory->base + buffer.size + bytes - 1);
    if (start < end && shared_page(memory, start))
        start += bytes;
    if (start < end && shared_page(memory, end - bytes))
        end -= bytes;
    if (start < end) {
        madvise(memory->bytes + start, (size_t)(end - start), MADV_DONTNEED);
        mprotect(memory->bytes + start, (size_t)(end - start), PROT_NONE);
    }
}

static void remove_buffer(struct emu_memory *memory, size_t index)
{
    struct emu_range buffer = memory->buffers[index];
    memory->buffer_count--;
    memmove(memory->buffers + index, memory->buffers + index + 1,
            (memory->buffer_count - index) * sizeof memory->buffers[0]);
    memory->last_hit = 0;
    withdraw(memory, buffer);
}

static void remove_overlapping(struct emu_memory *memory, uint64_t address, uint64_t size)
{
    for (size_t i = memory->buffer_count; i-- > 0;) {
        const struct emu_range *buffer = &memory->buffers[i];
        if (buffer->address < address + size && address < buffer->address + buffer->size)
            remove_buffer(memory, i);
    }
}

bool emu_memory_allocate(struct emu_memory *memory, uint64_t address, uint64_t size)
{
    if (!size || !inside(memory, address, size))
        return false;
    remove_overlapping(memory, address, size);
    if (memory->buffer_count == MAX_BUFFERS)
        return false;
    if (memory->buffer_count == memory->buffer_capacity) {
        size_t capacity = memory->buffer_capacity ? 2 * memory->buffer_capacity : 16;
        struct emu_range *buffers = realloc(memory->buffers, capacity * sizeof buffers[0]);
        if (!buffers)
            return false;
        memory->buffers = buffers;
        memory->buffer_capacity = capacity;
    }
    uint64_t start = page_down(address - memory->base);
    if (mprotect(memory->bytes + start, (size_t)(address - memory->base - start + size), PROT_READ | PROT_WRITE) != 0)
        return false;
    memory->buffers[memory->buffer_count++] = (struct emu_range){address, size};
    return true;
}

bool emu_memory_free(struct emu_memory *memory, uint64_t address)
{
    for (size_t i = 0; i < memory->buffer_count; i++)
        if (memory->buffers[i].address == address) {
            remove_buffer(memory, i);
            return true;
        }
    return false;
}

static bool holds(const struct emu_range *buffer, uint64_t address, uint64_t size)
{
    return address >= buffer->address && address - buffer->address <= buffer->size &&
           size <= buffer->size - (address - buffer->address);
}

static const struct emu_range *buffer_of(struct emu_memory *memory, uint64_t address, uint64_t size)
{
    size_t last = memory->last_hit;
    if (last < memory->buffer_count && holds(&memory->buffers[last], address, size))
        return &memory->buffers[last];
    for (size_t i = 0; i < memory->buffer_count; i++)
        if (holds(&memory->buffers[i], address, size)) {
            memory->last_hit = i;
            return &memory->buffers[i];
        }
    return NULL;
}

uint8_t *emu_memory_at(struct emu_memory *memory, uint64_t address, uint64_t size)
{
    return buffer_of(memory, address, size) ? memory->bytes + (address - memory->base) : NULL;
}

uint8_t *emu_memory_room(struct emu_memory *memory, uint64_t address, uint64_t *room)
{
    const struct emu_range *buffer = buffer_of(memory, address, 1);
    *room = buffer ? buffer->size - (address - buffer->address) : 0;
    return buffer ? memory->bytes + (address - memory->base) : NULL;
}

bool emu_memory_contains(const struct emu_memory *memory, const void *pointer, uint64_t *address)
{
    uintptr_t at = (uintptr_t)pointer, start = (uintptr_t)memory->bytes;
    if (!memory->bytes || at < start || at - start >= memory->size + GUARD)
        return false;
    *address = memory->base + (at - start);
    return true;
}
