/* SPDX-License-Identifier: BSD-2-Clause */
/* Max pooling and its inverse over the channels of one position, one table of function pointers an instruction set: x,
 * y and tap are arrays of n elements that do not overlap. */
#ifndef BDNN_KERNELS_POOLING_H
#define BDNN_KERNELS_POOLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bdnn_pooling_kernel {
    const char *name;
    bool (*supported)(void);
    /* y = max(x, y) */
    void (*max)(const float *x, size_t n, float *y);
    void (*max_u8)(const uint8_t *x, size_t n, uint8_t *y);
    void (*max_i16)(const int16_t *x, size_t n, int16_t *y);
    /* where x > y: y = x, tap = number */
    void (*max_tap_u8)(const uint8_t *x, size_t n, uint8_t number, uint8_t *y, uint8_t *tap);
    void (*max_tap_i16)(const int16_t *x, size_t n, uint8_t number, int16_t *y, uint8_t *tap);
    /* y = x where tap is `number`, else `otherwise` */
    void (*select_u8)(const uint8_t *x, const uint8_t *tap, size_t n, uint8_t number, uint8_t otherwise, uint8_t *y);
    void (*select_i16)(const int16_t *x, const uint8_t *tap, size_t n, uint8_t number, int16_t otherwise, int16_t *y);
} bdnn_pooling_kernel;

/* Fastest first, what the compiler takes for granted last; NULL ends the list. */
extern const bdnn_pooling_kernel *const bdnn_pooling_kernels[];

/* The first of the list that this processor runs. */
const bdnn_pooling_kernel *bdnn_pooling_choose(void);

#endif
