/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of the quantization sub-layer; included by vectors_template.h. */
#include "kernels/quantization.h"

/* clamp(rint(x / step), low, high). rint to nearest even of |v| < 2^22 by adding and taking away 1.5 * 2^23: one
 * instruction each on every processor, where rintf is a call. The clamp before it keeps v in that range and changes no
 * result, since low and high are integers. */
static void quantize(const float *x, size_t n, float step, float low, float high, int32_t zero_point, uint8_t *y)
{
    const float magic = 0x1.8p23f;
    for (size_t i = 0; i < n; i++) {
        float v = x[i] / step;
        v = v == v ? v : 0.0f;
        v = v > low ? v : low;
        v = v < high ? v : high;
        y[i] = (uint8_t)((int32_t)((v + magic) - magic) + zero_point);
    }
}

static void quantize_wide(const int16_t *x, size_t n, int32_t multiplier, int32_t shift, int32_t zero_point,
                          int32_t high, uint8_t *y)
{
    const int32_t half = 1 << (shift - 1);
    for (size_t i = 0; i < n; i++) {
        int32_t v = ((x[i] * multiplier + half) >> shift) + zero_point;
        v = v > 0 ? v : 0;
        y[i] = (uint8_t)(v < high ? v : high);
    }
}

static void dequantize(const uint8_t *x, size_t n, float step, int32_t zero_point, float *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = step * (float)(x[i] - zero_point);
    }
}

static void dequantize_wide(const int16_t *x, size_t n, float step, float *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = step * (float)x[i];
    }
}

static void epilogue(const int32_t *restrict acc, const float *restrict multiplier, const int32_t *restrict offset,
                     const float *restrict bias, size_t n, float *restrict y)
{
    for (size_t f = 0; f < n; f++) {
        y[f] = multiplier[f] * (float)(acc[f] - offset[f]) + bias[f];
    }
}

extern const bdnn_quantization_kernel VECTORS(quantization);
const bdnn_quantization_kernel VECTORS(quantization) = {
    .name = "quantization__" VECTORS_ISA,
    .supported = supported,
    .quantize = quantize,
    .quantize_wide = quantize_wide,
    .dequantize = dequantize,
    .dequantize_wide = dequantize_wide,
    .epilogue = epilogue,
};
