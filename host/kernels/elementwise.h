/* SPDX-License-Identifier: BSD-2-Clause */
/* What layers do to each of n contiguous elements, one table of function pointers an instruction set. y may be an
 * operand unless it says otherwise, else they do not overlap. */
#ifndef BDNN_KERNELS_ELEMENTWISE_H
#define BDNN_KERNELS_ELEMENTWISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bdnn_elementwise_kernel {
    const char *name;
    bool (*supported)(void);
    /* y = min(max(x, low), high) */
    void (*clip)(const float *x, size_t n, float low, float high, float *y);
    void (*clip_u8)(const uint8_t *x, size_t n, uint8_t low, uint8_t high, uint8_t *y);
    void (*clip_i16)(const int16_t *x, size_t n, int16_t low, int16_t high, int16_t *y);
    /* y = clamp(a + b, -32767, 32767) */
    void (*sum_i16)(const int16_t *a, const int16_t *b, size_t n, int16_t *y);
    /* y = x / (bias + scale s)^0.75, s[c] the sum of squares[c..c + size - 1], in this order; y is not x */
    void (*normalize)(const float *x, const float *squares, size_t n, size_t size, float scale, float bias, float *y);
    /* y = e^x for x <= 0, within 2 units in the last place down to -87, 0 below */
    void (*exponential)(const float *x, size_t n, float *y);
} bdnn_elementwise_kernel;

/* Fastest first, what the compiler takes for granted last; NULL ends the list. */
extern const bdnn_elementwise_kernel *const bdnn_elementwise_kernels[];

/* The first of the list that this processor runs. */
const bdnn_elementwise_kernel *bdnn_elementwise_choose(void);

#endif
