/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops behind quantize.h and sink.h, one table of function pointers an instruction set: x and y are arrays of n
 * elements that do not overlap. */
#ifndef BDNN_KERNELS_QUANTIZATION_H
#define BDNN_KERNELS_QUANTIZATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bdnn_quantization_kernel {
    const char *name;
    bool (*supported)(void);
    /* y = clamp(rint(x / step), low, high) + zero_point, rint to nearest even, 0 for a NaN; low and high are integers.
     */
    void (*quantize)(const float *x, size_t n, float step, float low, float high, int32_t zero_point, uint8_t *y);
    /* y = clamp(floor((x multiplier + 2^(shift - 1)) / 2^shift) + zero_point, 0, high) */
    void (*quantize_wide)(const int16_t *x, size_t n, int32_t multiplier, int32_t shift, int32_t zero_point,
                          int32_t high, uint8_t *y);
    /* y = step (x - zero_point), in floats */
    void (*dequantize)(const uint8_t *x, size_t n, float step, int32_t zero_point, float *y);
    void (*dequantize_wide)(const int16_t *x, size_t n, float step, float *y);
    /* y = multiplier (float)(acc - offset) + bias, each rounded on its own */
    void (*epilogue)(const int32_t *acc, const float *multiplier, const int32_t *offset, const float *bias, size_t n,
                     float *y);
} bdnn_quantization_kernel;

/* Fastest first, what the compiler takes for granted last; NULL ends the list. */
extern const bdnn_quantization_kernel *const bdnn_quantization_kernels[];

/* The first of the list that this processor runs. */
const bdnn_quantization_kernel *bdnn_quantization_choose(void);

#endif
