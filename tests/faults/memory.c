/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that runs out. malloc and its kin stand in the test's executable, in front of libc's or the sanitizer's, which
 * do the work: so they see also what the libraries below allocate for the code under test.
 *
 * Whose allocations fail: the tool's and libbdnn's (this executable), and those of the libraries in C that have
 * promised to take it: libc (streams, folders, threads), libpng, zlib, libprotobuf-c, libjpeg-turbo, cJSON, xxHash.
 * OpenCV and the libraries that it loads are left alone, and so is all of C++: there is no promise about them in
 * OpenCV's documentation, and libstdc++ ends the process where even the exception cannot be had. What is bdnn's own
 * beside OpenCV - the bridge's results - is in C and fails like the rest. */
#define _GNU_SOURCE
#include "fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What does the work ---- */

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void (*free)(void *);
} below;

/* What is asked for while the functions below are being looked for. */
static _Alignas(64) char early[4096];
static size_t early_used;

static bool is_early(const void *memory)
{
    return (const char *)memory >= early && (const char *)memory < early + sizeof early;
}

static void *take_early(size_t size)
{
    void *memory = early + early_used;
    early_used += (size + 63) / 64 * 64;
    return early_used <= sizeof early ? memory : NULL;
}

/* False while it is at it. */
static bool find_below(void)
{
    static bool looking;
    if (below.free) {
        return true;
    }
    if (looking) {
        return false;
    }
    looking = true;
    *(void **)&below.malloc = dlsym(RTLD_NEXT, "malloc");
    *(void **)&below.calloc = dlsym(RTLD_NEXT, "calloc");
    *(void **)&below.realloc = dlsym(RTLD_NEXT, "realloc");
    *(void **)&below.memalign = dlsym(RTLD_NEXT, "memalign");
    *(void **)&below.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
    *(void **)&below.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
    *(void **)&below.free = dlsym(RTLD_NEXT, "free");
    looking = false;
    return true;
}

/* ---- Who asks ---- */

#define MAX_RANGES 64

static struct range {
    uintptr_t begin, end;
    bool counted; /* blocks it does not give back are */
} suffering[MAX_RANGES];
static size_t range_count;

static int take_library(struct dl_phdr_info *info, size_t size, void *unused)
{
    static const char *const names[] = {
#ifndef BDNN_INSTRUMENTED /* the sanitizers use libc too, and end the process where it has no memory */
        "libc.so",
#endif
        "libpng16.so", "libz.so", "libprotobuf-c.so", "libturbojpeg.so", "libxxhash.so", "libcjson.so"};
    bool found = info->dlpi_name[0] == '\0'; /* the executable */
    /* libjpeg-turbo 2.1 forgets its first block when it cannot have a second. */
    const bool counted = !strstr(info->dlpi_name, "libturbojpeg.so");
    (void)size, (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        found = found || strstr(info->dlpi_name, names[i]);
    }
    for (int i = 0; found && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && part->p_flags & PF_X && range_count < MAX_RANGES) {
            const uintptr_t begin = info->dlpi_addr + part->p_vaddr;
            suffering[range_count++] = (struct range){begin, begin + part->p_memsz, counted};
        }
    }
    return 0;
}

void fault_classify_libraries(void)
{
    range_count = 0;
    dl_iterate_phdr(take_library, NULL);
}

static const struct range *range_of(const void *where)
{
    const uintptr_t at = (uintptr_t)where;
    for (size_t i = 0; i < range_count; i++) {
        if (at >= suffering[i].begin && at < suffering[i].end) {
            return &suffering[i];
        }
    }
    return NULL;
}

const char *fault_name_place(const void *where, char *text, size_t size)
{
    Dl_info info;
    if (!where || !dladdr(where, &info) || !info.dli_fname) {
        snprintf(text, size, "%p", where);
    } else if (info.dli_sname) {
        snprintf(text, size, "%s+0x%tx", info.dli_sname, (const char *)where - (const char *)info.dli_saddr);
    } else {
        snprintf(text, size, "%s+0x%tx", info.dli_fname, (const char *)where - (const char *)info.dli_fbase);
    }
    return text;
}

/* ---- Blocks that are not given back ---- */

/* A hash table with linear probing; it holds what one scenario has at a time. */
#define SLOTS (1u << 16)
static struct block {
    uintptr_t memory;
    const void *where;
} blocks[SLOTS];
static size_t block_count;
static bool watching;
static atomic_flag blocks_locked = ATOMIC_FLAG_INIT;

static void lock_blocks(void)
{
    while (atomic_flag_test_and_set(&blocks_locked)) {
    }
}

static void unlock_blocks(void)
{
    atomic_flag_clear(&blocks_locked);
}

static size_t slot_of(uintptr_t memory)
{
    return (size_t)((memory >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 48) % SLOTS;
}

static void *add_block(void *memory, const void *where)
{
    const struct range *range = watching && memory ? range_of(where) : NULL;
    if (range && range->counted) {
        size_t slot;
        lock_blocks();
        for (slot = slot_of((uintptr_t)memory); blocks[slot].memory; slot = (slot + 1) % SLOTS) {
        }
        blocks[slot] = (struct block){(uintptr_t)memory, where};
        if (++block_count == SLOTS) {
            abort(); /* the scenario is too large for this table */
        }
        unlock_blocks();
    }
    return memory;
}

static void remove_block(void *memory)
{
    if (watching && memory) {
        size_t slot, hole;
        lock_blocks();
        for (slot = slot_of((uintptr_t)memory); blocks[slot].memory; slot = (slot + 1) % SLOTS) {
            if (blocks[slot].memory == (uintptr_t)memory) {
                break;
            }
        }
        if (blocks[slot].memory) {
            block_count--;
            /* Whatever was put behind the hole because of what lay in it comes forward. */
            for (hole = slot, slot = (slot + 1) % SLOTS; blocks[slot].memory; slot = (slot + 1) % SLOTS) {
                const size_t home = slot_of(blocks[slot].memory);
                if ((slot - home) % SLOTS >= (slot - hole) % SLOTS) {
                    blocks[hole] = blocks[slot];
                    hole = slot;
                }
            }
            blocks[hole] = (struct block){0};
        }
        unlock_blocks();
    }
}

void fault_watch_blocks(bool on)
{
    if (on) {
        memset(blocks, 0, sizeof blocks);
        block_count = 0;
    }
    watching = on;
}

size_t fault_blocks_left(const void **where)
{
    for (size_t i = 0; block_count > 0 && i < SLOTS; i++) {
        if (blocks[i].memory) {
            *where = blocks[i].where;
            break;
        }
    }
    return block_count;
}

bool fault_memory_now(const void *where)
{
    fault_state *state = fault_current();
    if (state && state->kind == FAULT_MEMORY && range_of(where) && fault_count(state)) {
        const void *none = NULL;
        atomic_compare_exchange_strong(&state->where, &none, where);
        errno = ENOMEM;
        return true;
    }
    return false;
}

/* ---- What callers meet ---- */

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    if (!find_below()) {
        return take_early(size);
    }
    return fault_memory_now(CALLER) ? NULL : add_block(below.malloc(size), CALLER);
}

void *calloc(size_t count, size_t size)
{
    if (!find_below()) {
        return take_early(count * size); /* which is zero */
    }
    return fault_memory_now(CALLER) ? NULL : add_block(below.calloc(count, size), CALLER);
}

void *realloc(void *old, size_t size)
{
    void *memory;
    if (!find_below()) {
        return old ? NULL : take_early(size);
    }
    if (fault_memory_now(CALLER)) {
        return NULL;
    }
    remove_block(old);
    memory = below.realloc(old, size);
    if (!memory && size) {
        add_block(old, CALLER);
    }
    return add_block(memory, CALLER);
}

void *memalign(size_t alignment, size_t size)
{
    return !find_below() || fault_memory_now(CALLER) ? NULL : add_block(below.memalign(alignment, size), CALLER);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return !find_below() || fault_memory_now(CALLER) ? NULL : add_block(below.aligned_alloc(alignment, size), CALLER);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    int error;
    if (!find_below() || fault_memory_now(CALLER)) {
        return ENOMEM;
    }
    error = below.posix_memalign(memory, alignment, size);
    if (error == 0) {
        add_block(*memory, CALLER);
    }
    return error;
}

void free(void *memory)
{
    if (memory && !is_early(memory) && find_below()) {
        remove_block(memory);
        below.free(memory);
    }
}
