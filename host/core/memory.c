/* SPDX-License-Identifier: BSD-2-Clause */
/* Aligned memory and checked size arithmetic. */
#define _DEFAULT_SOURCE /* madvise */
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

bool bdnn_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool bdnn_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* Huge pages where whole ones fit, if the system gives them for the asking: one fault in place of 512 when the memory
 * is first written, which is much of a network's first run. */
static void *alloc_huge(size_t bytes)
{
    void *memory;
    if (posix_memalign(&memory, HUGE_PAGE, bytes) != 0) {
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    (void)madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memory;
}

void *bdnn_alloc(size_t count, size_t size)
{
    size_t bytes, padded;
    if (!bdnn_mul_size(count, size, &bytes) || !bdnn_add_size(bytes, BDNN_ALIGNMENT, &padded)) {
        return NULL;
    }
    padded = bdnn_round_up(bytes ? bytes : 1, BDNN_ALIGNMENT);
    return padded >= HUGE_PAGE ? alloc_huge(padded) : aligned_alloc(BDNN_ALIGNMENT, padded);
}

void *bdnn_zalloc(size_t count, size_t size)
{
    void *memory = bdnn_alloc(count, size);
    return memory ? memset(memory, 0, count * size) : NULL;
}

void bdnn_free(void *memory)
{
    free(memory);
}

char *bdnn_strdup(const char *text)
{
    size_t bytes = text ? strlen(text) + 1 : 0;
    char *copy = text ? bdnn_alloc(bytes, 1) : NULL;
    return copy ? memcpy(copy, text, bytes) : NULL;
}
