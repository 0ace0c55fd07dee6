/* SPDX-License-Identifier: BSD-2-Clause */
/* Aligned memory and checked size arithmetic. */
#ifndef BDNN_CORE_MEMORY_H
#define BDNN_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every buffer of the library starts on a cache line, which is also the widest vector (64 bytes). */
#define BDNN_ALIGNMENT 64

/* `count` elements of `size` bytes, aligned to BDNN_ALIGNMENT, with a multiple of it allocated; contents undefined, or
 * zero for bdnn_zalloc. NULL when the memory cannot be had or the product overflows; a count of 0 gives a valid
 * pointer. Ends with bdnn_free. */
void *bdnn_alloc(size_t count, size_t size);
void *bdnn_zalloc(size_t count, size_t size);
void bdnn_free(void *memory);

/* A copy of `text` for bdnn_free; NULL when text is NULL or memory is short. */
char *bdnn_strdup(const char *text);

/* a * b and a + b into *out; false on overflow. */
bool bdnn_mul_size(size_t a, size_t b, size_t *out);
bool bdnn_add_size(size_t a, size_t b, size_t *out);

/* Sizes of memory that is about to be asked for: what does not fit in a size_t - 32 bits on some processors - becomes
 * SIZE_MAX and stays that, whatever follows, and bdnn_alloc then says no. bdnn_size is for counts, which are 64-bit. */
static inline size_t bdnn_size(int64_t count)
{
    return count < 0 || (uint64_t)count > SIZE_MAX ? SIZE_MAX : (size_t)count;
}

static inline size_t bdnn_product(size_t a, size_t b)
{
    size_t product;
    return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

static inline size_t bdnn_sum(size_t a, size_t b)
{
    size_t sum;
    return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

static inline size_t bdnn_round_up(size_t n, size_t multiple)
{
    return n > SIZE_MAX - (multiple - 1) ? SIZE_MAX : (n + multiple - 1) / multiple * multiple;
}

#endif
