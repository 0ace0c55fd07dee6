/* Aligned memory and checked size arithmetic. */
#ifndef BDNN_CORE_MEMORY_H
#define BDNN_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every buffer of the library starts on a cache line, which is also the widest vector (64 bytes). */
#define BDNN_ALIGNMENT 64

/* `count` elements of `size` bytes, aligned to BDNN_ALIGNMENT, with a multiple of it allocated; contents undefined, or zero for
 * bdnn_zalloc. NULL when the memory cannot be had or the product overflows; a count of 0 gives a valid pointer. Ends with
 * bdnn_free. */
void *bdnn_alloc(size_t count, size_t size);
void *bdnn_zalloc(size_t count, size_t size);
void bdnn_free(void *memory);

/* A copy of `text` for bdnn_free; NULL when text is NULL or memory is short. */
char *bdnn_strdup(const char *text);

/* a * b and a + b into *out; false on overflow. */
bool bdnn_mul_size(size_t a, size_t b, size_t *out);
bool bdnn_add_size(size_t a, size_t b, size_t *out);

static inline size_t bdnn_round_up(size_t n, size_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

#endif
