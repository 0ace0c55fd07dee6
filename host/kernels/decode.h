/* SPDX-License-Identifier: BSD-2-Clause */
/* Weights as integers from their binary bases, one table of function pointers an instruction set. */
#ifndef BDNN_KERNELS_DECODE_H
#define BDNN_KERNELS_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bdnn_decode_kernel {
    const char *name;
    bool (*supported)(void);
    /* Weights from their bases: w[64 i + j] = sum_k scales[k] b, b = 1 where bit j of planes[k * stride + i] is set,
     * else -1, for i < words; the scales' magnitudes add up to at most 127. */
    void (*decode)(const uint64_t *planes, size_t stride, size_t words, const int8_t *scales, int32_t bases, int8_t *w);
} bdnn_decode_kernel;

/* Fastest first, what the compiler takes for granted last; NULL ends the list. */
extern const bdnn_decode_kernel *const bdnn_decode_kernels[];

/* The first of the list that this processor runs. */
const bdnn_decode_kernel *bdnn_decode_choose(void);

#endif
