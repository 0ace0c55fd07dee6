/* SPDX-License-Identifier: BSD-2-Clause */
/* The element-wise loops; included by vectors_template.h. */
#include "kernels/elementwise.h"

#include <math.h>
#include <string.h>

#define CLIP(name, type)                                                                                               \
    static void name(const type *x, size_t n, type low, type high, type *y)                                            \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const type v = x[i] > low ? x[i] : low;                                                                    \
            y[i] = v < high ? v : high;                                                                                \
        }                                                                                                              \
    }
CLIP(clip, float)
CLIP(clip_u8, uint8_t)
CLIP(clip_i16, int16_t)

static void sum_i16(const int16_t *a, const int16_t *b, size_t n, int16_t *y)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t v = a[i] + b[i], most = v < 32767 ? v : 32767;
        y[i] = (int16_t)(most > -32767 ? most : -32767);
    }
}

/* The exponent of every published network by two square roots, which IEEE 754 rounds the same everywhere. */
static void normalize(const float *restrict x, const float *restrict squares, size_t n, size_t size, float scale,
                      float bias, float *restrict y)
{
    for (size_t c = 0; c < n; c++) {
        y[c] = squares[c];
    }
    for (size_t i = 1; i < size; i++) {
        for (size_t c = 0; c < n; c++) {
            y[c] += squares[c + i];
        }
    }
    for (size_t c = 0; c < n; c++) {
        const float root = sqrtf(bias + scale * y[c]);
        y[c] = x[c] / (root * sqrtf(root));
    }
}

/* e^x = 2^k e^r with k = rint(x / ln 2): e^r by the polynomial of Cephes' expf (Moshier), |r| <= ln 2 / 2. */
static void exponential(const float *x, size_t n, float *y)
{
    const float magic = 0x1.8p23f;
    for (size_t i = 0; i < n; i++) {
        const float v = x[i] > -87.0f ? x[i] : -87.0f;
        const float shifted = v * 1.44269504f + magic, k = shifted - magic;
        const float r = (v - k * 0.693359375f) - k * -2.12194440e-4f;
        float p = 1.9875691500e-4f;
        int32_t bits;
        p = p * r + 1.3981999507e-3f;
        p = p * r + 8.3334519073e-3f;
        p = p * r + 4.1665795894e-2f;
        p = p * r + 1.6666665459e-1f;
        p = p * r + 5.0000001201e-1f;
        p = p * r * r + r + 1.0f;
        memcpy(&bits, &p, sizeof bits);
        bits += (int32_t)k * (1 << 23);
        memcpy(&p, &bits, sizeof bits);
        y[i] = x[i] >= -87.0f ? p : x[i] < -87.0f ? 0.0f : x[i]; /* a NaN stays one */
    }
}

extern const bdnn_elementwise_kernel VECTORS(elementwise);
const bdnn_elementwise_kernel VECTORS(elementwise) = {
    .name = "elementwise__" VECTORS_ISA,
    .supported = supported,
    .clip = clip,
    .clip_u8 = clip_u8,
    .clip_i16 = clip_i16,
    .sum_i16 = sum_i16,
    .normalize = normalize,
    .exponential = exponential,
};
