/* Maps over contiguous elements: what layers and the quantization sub-layer do to every element, in one table of
 * function pointers a set of instructions. All are compiled from one text, maps_template.h, and return the same bits.
 */
#ifndef BDNN_KERNELS_MAPS_H
#define BDNN_KERNELS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* x and y are arrays of n elements; y may be one of the operands, else they do not overlap. */
typedef struct bdnn_map_kernel {
    const char *name;
    bool (*supported)(void);
    /* y = clamp(rint(x / step), low, high) + zero_point, rint to nearest even, 0 for a NaN; low and high are integers.
     */
    void (*quantise)(const float *x, size_t n, float step, float low, float high, int32_t zero_point, uint8_t *y);
    /* y = clamp(floor((x multiplier + 2^(shift - 1)) / 2^shift) + zero_point, 0, high) */
    void (*quantise_wide)(const int16_t *x, size_t n, int32_t multiplier, int32_t shift, int32_t zero_point,
                          int32_t high, uint8_t *y);
    /* y = step (x - zero_point), in floats */
    void (*dequantise)(const uint8_t *x, size_t n, float step, int32_t zero_point, float *y);
    void (*dequantise_wide)(const int16_t *x, size_t n, float step, float *y);
    /* y = min(max(x, low), high) */
    void (*clip)(const float *x, size_t n, float low, float high, float *y);
    void (*clip_u8)(const uint8_t *x, size_t n, uint8_t low, uint8_t high, uint8_t *y);
    void (*clip_i16)(const int16_t *x, size_t n, int16_t low, int16_t high, int16_t *y);
    /* y = clamp(a + b, -32767, 32767) */
    void (*sum_i16)(const int16_t *a, const int16_t *b, size_t n, int16_t *y);
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
    /* y = x / (bias + scale s)^0.75, s[c] the sum of squares[c..c + size - 1], in this order; y is not x */
    void (*normalise)(const float *x, const float *squares, size_t n, size_t size, float scale, float bias, float *y);
    /* y = e^x for x <= 0, within 2 units in the last place down to -87, 0 below */
    void (*exponential)(const float *x, size_t n, float *y);
    /* Weights from their bases: w[64 i + j] = sum_k scales[k] b, b = 1 where bit j of planes[k * stride + i] is set,
     * else -1, for i < words; the scales' magnitudes add up to at most 127. */
    void (*decode)(const uint64_t *planes, size_t stride, size_t words, const int8_t *scales, int32_t bases, int8_t *w);
    /* y = multiplier (float)(acc - offset) + bias, each rounded on its own */
    void (*epilogue)(const int32_t *acc, const float *multiplier, const int32_t *offset, const float *bias, size_t n,
                     float *y);
} bdnn_map_kernel;

/* Fastest first, what the compiler takes for granted last; NULL ends the list. */
extern const bdnn_map_kernel *const bdnn_map_kernels[];

/* The first of the list that this processor runs. */
const bdnn_map_kernel *bdnn_map_choose(void);

#endif
