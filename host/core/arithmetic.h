/* SPDX-License-Identifier: BSD-2-Clause */
/* Integer arithmetic that C has no operator for. */
#ifndef BDNN_CORE_ARITHMETIC_H
#define BDNN_CORE_ARITHMETIC_H

#include <stdint.h>

static inline int64_t bdnn_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t bdnn_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* low <= high */
static inline int64_t bdnn_clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* How many parts of `size` hold n, the last perhaps not full; n >= 0, size > 0. */
static inline int64_t bdnn_ceil_div(int64_t n, int64_t size)
{
    return (n + size - 1) / size;
}

/* The 64-bit words that hold so many bits. */
static inline int64_t bdnn_words_of(int64_t bits)
{
    return bdnn_ceil_div(bits, 64);
}

#endif
