/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory, a cache, and the DMA functions of the kernel on them (memory.h). */
#define _DEFAULT_SOURCE
#define BDNN_TESTS_DRIVER_DOUBLE
#include "memory.h"
#include "kernel.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { PAGES = MEMORY_BYTES / PAGE_SIZE, LINES = MEMORY_BYTES / MEMORY_LINE };
#define DMA_BASE 0x40000000ull

struct memory_settings memory_settings;
struct memory_counts memory_counted;

static uint8_t memory[MEMORY_BYTES];
static struct line {
    bool valid, dirty;
    uint8_t bytes[MEMORY_LINE];
} lines[LINES];

/* By first page */
static struct allocation {
    size_t pages;
    bool cached;
} allocations[PAGES];

/* ---- The cache ---- */

static void write_back(struct line *line)
{
    if (line->dirty) {
        memcpy(memory + (size_t)(line - lines) * MEMORY_LINE, line->bytes, MEMORY_LINE);
        line->dirty = false;
    }
}

static void fill(struct line *line)
{
    if (!line->valid) {
        memcpy(line->bytes, memory + (size_t)(line - lines) * MEMORY_LINE, MEMORY_LINE);
        line->valid = true;
    }
}

static void pass(void)
{
    static uint32_t noise = 1;
    if (memory_settings.weather == MEMORY_CALM) {
        return;
    }
    for (struct line *line = lines; line < lines + LINES; line++) {
        noise = noise * 1664525 + 1013904223;
        if (memory_settings.weather == MEMORY_STORMY || noise >> 30 == 0) {
            write_back(line);
            fill(line);
        } else if (noise >> 30 == 1) {
            write_back(line);
            line->valid = false;
        }
    }
}

/* ---- Addresses ---- */

/* Where the kernel has memory mapped, with and without cache: nothing but this file reaches it. */
static uint8_t *view(bool cached)
{
    static uint8_t *views[2];
    if (!views[cached]) {
        views[cached] = mmap(NULL, MEMORY_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (views[cached] == MAP_FAILED) {
            kernel_broken("no addresses for the memory");
        }
    }
    return views[cached];
}

static const struct allocation *allocation_of(size_t offset)
{
    for (size_t first = 0; first < PAGES; first++) {
        if (offset / PAGE_SIZE - first < allocations[first].pages && offset / PAGE_SIZE >= first) {
            return &allocations[first];
        }
    }
    return NULL;
}

static bool in_view(const uint8_t *at, bool cached)
{
    return at >= view(cached) && at < view(cached) + MEMORY_BYTES;
}

static size_t offset_at(const uint8_t *at, bool *cached)
{
    *cached = in_view(at, true);
    const size_t offset = (size_t)(at - view(*cached));
    const struct allocation *a = offset < MEMORY_BYTES ? allocation_of(offset) : NULL;
    if (!a || a->cached != *cached) {
        kernel_broken("an access to memory that is not allocated, or otherwise");
    }
    return offset;
}

uint8_t memory_load(const uint8_t *at)
{
    bool cached;
    const size_t offset = offset_at(at, &cached);
    if (!cached) {
        return memory[offset];
    }
    fill(&lines[offset / MEMORY_LINE]);
    return lines[offset / MEMORY_LINE].bytes[offset % MEMORY_LINE];
}

void memory_store(uint8_t *at, uint8_t value)
{
    bool cached;
    const size_t offset = offset_at(at, &cached);
    if (!cached) {
        memory[offset] = value;
        return;
    }
    fill(&lines[offset / MEMORY_LINE]);
    lines[offset / MEMORY_LINE].bytes[offset % MEMORY_LINE] = value;
    lines[offset / MEMORY_LINE].dirty = true;
}

static uint8_t *at_device(uint64_t address)
{
    const size_t offset = (size_t)(address - DMA_BASE);
    const struct allocation *a = address >= DMA_BASE && offset < MEMORY_BYTES ? allocation_of(offset) : NULL;
    if (!a) {
        kernel_broken("the device reaches 0x%llx, where nothing is allocated", (unsigned long long)address);
    }
    return &memory[offset];
}

uint8_t memory_device_load(uint64_t address)
{
    return *at_device(address);
}

void memory_device_store(uint64_t address, uint8_t value)
{
    *at_device(address) = value;
}

void memory_reset(uint8_t value)
{
    if (memory_counted.allocations) {
        kernel_broken("%zu allocations are left", memory_counted.allocations);
    }
    memset(memory, value, sizeof memory);
    memset(lines, 0, sizeof lines);
    memory_counted = (struct memory_counts){.to_device = 0};
}

void *kernel_memset(void *to, int value, size_t bytes)
{
    if (!in_view(to, false) && !in_view(to, true)) {
        return memset(to, value, bytes);
    }
    for (size_t i = 0; i < bytes; i++) {
        memory_store((uint8_t *)to + i, (uint8_t)value);
    }
    pass();
    return to;
}

/* ---- Allocation ---- */

static uint8_t *allocate(size_t bytes, bool cached, dma_addr_t *address)
{
    const size_t pages = DIV_ROUND_UP(bytes, PAGE_SIZE);
    size_t first = 0, run = 0;
    while (run < pages && first + run < PAGES) {
        if (allocation_of((first + run) * PAGE_SIZE)) {
            first += run + 1;
            run = 0;
        } else {
            run++;
        }
    }
    if (kernel_fails() || run < pages) {
        return NULL;
    }
    allocations[first] = (struct allocation){pages, cached};
    memory_counted.allocations++;
    memory_counted.bytes += bytes;
    kernel.live++;
    *address = DMA_BASE + first * PAGE_SIZE;
    pass();
    return view(cached) + first * PAGE_SIZE;
}

static void release(size_t bytes, const void *at, dma_addr_t address, bool cached)
{
    const size_t first = (size_t)(address - DMA_BASE) / PAGE_SIZE;
    if (first >= PAGES || allocations[first].pages != DIV_ROUND_UP(bytes, PAGE_SIZE) ||
        allocations[first].cached != cached || at != view(cached) + first * PAGE_SIZE) {
        kernel_broken("%zu bytes are freed that were not allocated so", bytes);
    }
    pass();
    allocations[first].pages = 0;
    memory_counted.allocations--;
    memory_counted.bytes -= bytes;
    kernel.live--;
}

static void must_charge(gfp_t flags)
{
    kernel.unaccounted += !(flags & __GFP_ACCOUNT);
}

/* Cleared, and nothing of it is in the cache: so it is documented. */
void *dma_alloc_coherent(struct device *dev, size_t bytes, dma_addr_t *address, gfp_t flags)
{
    uint8_t *at = allocate(bytes, false, address);
    (void)dev;
    must_charge(flags);
    for (size_t i = 0; at && i < bytes; i += MEMORY_LINE) {
        const size_t offset = (size_t)(at - view(false)) + i;
        lines[offset / MEMORY_LINE].valid = lines[offset / MEMORY_LINE].dirty = false;
        memset(memory + offset, 0, MEMORY_LINE);
    }
    return at;
}

void dma_free_coherent(struct device *dev, size_t bytes, void *at, dma_addr_t address)
{
    (void)dev;
    release(bytes, at, address, false);
}

/* What is in it is not documented. */
void *dma_alloc_noncoherent(struct device *dev, size_t bytes, dma_addr_t *address, enum dma_data_direction direction,
                            gfp_t flags)
{
    uint8_t *at;
    (void)dev;
    must_charge(flags);
    if (memory_settings.no_map || direction != DMA_BIDIRECTIONAL) {
        kernel_broken("cached memory that is not of the pool");
    }
    at = allocate(bytes, true, address);
    for (size_t i = 0; at && memory_settings.clears && i < bytes; i++) {
        memory_store(at + i, 0);
    }
    return at;
}

void dma_free_noncoherent(struct device *dev, size_t bytes, void *at, dma_addr_t address,
                          enum dma_data_direction direction)
{
    (void)dev;
    (void)direction;
    release(bytes, at, address, true);
}

/* ---- Handing over ---- */

static void hand_over(dma_addr_t address, size_t bytes, void (*line_of)(struct line *, bool))
{
    const size_t offset = (size_t)(address - DMA_BASE);
    const struct allocation *a = address >= DMA_BASE && offset < MEMORY_BYTES ? allocation_of(offset) : NULL;
    if (!a || !a->cached || !bytes || offset + bytes > (size_t)(a - allocations + (ptrdiff_t)a->pages) * PAGE_SIZE) {
        kernel_broken("%zu bytes at 0x%llx are handed over", bytes, (unsigned long long)address);
    }
    pass();
    for (size_t l = offset / MEMORY_LINE; l <= (offset + bytes - 1) / MEMORY_LINE; l++) {
        /* Of a line that others share, nothing is lost. */
        line_of(&lines[l], l * MEMORY_LINE >= offset && (l + 1) * MEMORY_LINE <= offset + bytes);
    }
    pass();
}

static void clean(struct line *line, bool whole)
{
    (void)whole;
    write_back(line);
}

static void drop(struct line *line, bool whole)
{
    if (!whole) {
        write_back(line);
    }
    line->valid = line->dirty = false;
}

void dma_sync_single_for_device(struct device *dev, dma_addr_t address, size_t bytes, enum dma_data_direction direction)
{
    (void)dev;
    memory_counted.to_device++;
    /* To let go for the device to write is to drop, before Linux 6.1. */
    hand_over(address, bytes, direction == DMA_FROM_DEVICE ? drop : clean);
}

void dma_sync_single_for_cpu(struct device *dev, dma_addr_t address, size_t bytes, enum dma_data_direction direction)
{
    (void)dev;
    memory_counted.from_device++;
    if (direction == DMA_TO_DEVICE) {
        kernel_broken("the processor takes over what only it wrote");
    }
    hand_over(address, bytes, drop);
}

/* ---- Mapping ---- */

static int map(struct vm_area_struct *vma, size_t bytes, const void *at, bool cached)
{
    if (vma->vm_pgoff || vma->vm_end - vma->vm_start > bytes || !in_view(at, cached)) {
        kernel_broken("a mapping of something else");
    }
    if (kernel_fails()) {
        return -ENOMEM;
    }
    kernel.live++; /* page tables, until it is unmapped */
    vma->backing = (uint8_t *)(uintptr_t)at;
    return 0;
}

int dma_mmap_pages(struct device *dev, struct vm_area_struct *vma, size_t bytes, struct page *page)
{
    (void)dev;
    return map(vma, bytes, page, true);
}

int dma_mmap_coherent(struct device *dev, struct vm_area_struct *vma, void *at, dma_addr_t address, size_t bytes)
{
    (void)dev;
    (void)address;
    return map(vma, bytes, at, false);
}
