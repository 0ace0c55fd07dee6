/* Aligned memory and checked size arithmetic. */
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

bool bdnn_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool bdnn_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

void *bdnn_alloc(size_t count, size_t size)
{
    size_t bytes, padded;
    if (!bdnn_mul_size(count, size, &bytes) || !bdnn_add_size(bytes, BDNN_ALIGNMENT, &padded)) {
        return NULL;
    }
    return aligned_alloc(BDNN_ALIGNMENT, bdnn_round_up(bytes ? bytes : 1, BDNN_ALIGNMENT));
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
