/* Template of the maps; included by one file per instruction set, which defines MAPS (the table's symbol), MAPS_NAME
 * and MAPS_AVAILABLE (an expression). Plain loops that compilers vectorise with that file's flags. */
#include "kernels/maps.h"

#include <math.h>
#include <string.h>

/* clamp(rint(x / step), low, high). rint to nearest even of |v| < 2^22 by adding and taking away 1.5 * 2^23: one
 * instruction each on every processor, where rintf is a call. The clamp before it keeps v in that range and changes no
 * result, since low and high are integers. */
static void quantise(const float *x, size_t n, float step, float low, float high, int32_t zero_point, uint8_t *y)
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

static void quantise_wide(const int16_t *x, size_t n, int32_t multiplier, int32_t shift, int32_t zero_point,
                          int32_t high, uint8_t *y)
{
    const int32_t half = 1 << (shift - 1);
    for (size_t i = 0; i < n; i++) {
        int32_t v = ((x[i] * multiplier + half) >> shift) + zero_point;
        v = v > 0 ? v : 0;
        y[i] = (uint8_t)(v < high ? v : high);
    }
}

static void dequantise(const uint8_t *x, size_t n, float step, int32_t zero_point, float *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = step * (float)(x[i] - zero_point);
    }
}

static void dequantise_wide(const int16_t *x, size_t n, float step, float *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = step * (float)x[i];
    }
}

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

#define MAX(name, type)                                                                                                \
    static void name(const type *restrict x, size_t n, type *restrict y)                                               \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            y[i] = x[i] > y[i] ? x[i] : y[i];                                                                          \
        }                                                                                                              \
    }
MAX(max, float)
MAX(max_u8, uint8_t)
MAX(max_i16, int16_t)

#define MAX_TAP(name, type)                                                                                            \
    static void name(const type *restrict x, size_t n, uint8_t number, type *restrict y, uint8_t *restrict tap)        \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            tap[i] = x[i] > y[i] ? number : tap[i];                                                                    \
            y[i] = x[i] > y[i] ? x[i] : y[i];                                                                          \
        }                                                                                                              \
    }
MAX_TAP(max_tap_u8, uint8_t)
MAX_TAP(max_tap_i16, int16_t)

#define SELECT(name, type)                                                                                             \
    static void name(const type *restrict x, const uint8_t *restrict tap, size_t n, uint8_t number, type otherwise,    \
                     type *restrict y)                                                                                 \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            y[i] = tap[i] == number ? x[i] : otherwise;                                                                \
        }                                                                                                              \
    }
SELECT(select_u8, uint8_t)
SELECT(select_i16, int16_t)

/* The exponent of every published network by two square roots, which IEEE 754 rounds the same everywhere. */
static void normalise(const float *restrict x, const float *restrict squares, size_t n, size_t size, float scale,
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

#ifndef MAPS_DECODE
/* Eight weights at a time are the bytes of a 64-bit word: 2 |g| wherever the bit says so (a negative scale's bits are
 * flipped) adds up to 254 at most and carries into no other byte; then the sum of all |g| is taken away. */
static void decode(const uint64_t *planes, size_t stride, size_t words, const int8_t *scales, int32_t bases, int8_t *w)
{
    const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080, bit = 0x8040201008040201;
    uint64_t twice[8], flip[8], total = 0;
    for (int32_t k = 0; k < bases; k++) {
        const uint64_t g = (uint64_t)(scales[k] < 0 ? -scales[k] : scales[k]);
        twice[k] = 2 * g * ones;
        flip[k] = scales[k] < 0 ? UINT64_MAX : 0;
        total += g * ones;
    }
    for (size_t i = 0; i < words; i++) {
        uint64_t sums[8] = {0};
        for (int32_t k = 0; k < bases; k++) {
            const uint64_t bits = planes[(size_t)k * stride + i] ^ flip[k];
            for (int b = 0; b < 8; b++) {
                /* One bit in each byte, made 0 or 1, then 0 or 255. */
                const uint64_t own = (bits >> 8 * b & 0xff) * ones & bit, one = (own + 0x7f * ones) >> 7 & ones;
                sums[b] += ((one << 8) - one) & twice[k];
            }
        }
        for (int b = 0; b < 8; b++) {
            sums[b] = ((sums[b] | high) - total) ^ (~sums[b] & high);
        }
        memcpy(w + 64 * i, sums, sizeof sums); /* the first weight is the lowest byte: models are little-endian */
    }
}
#endif

static void epilogue(const int32_t *restrict acc, const float *restrict multiplier, const int32_t *restrict offset,
                     const float *restrict bias, size_t n, float *restrict y)
{
    for (size_t f = 0; f < n; f++) {
        y[f] = multiplier[f] * (float)(acc[f] - offset[f]) + bias[f];
    }
}

static bool supported(void)
{
    return MAPS_AVAILABLE;
}

extern const bdnn_map_kernel MAPS;
const bdnn_map_kernel MAPS = {
    .name = MAPS_NAME,
    .supported = supported,
    .quantise = quantise,
    .quantise_wide = quantise_wide,
    .dequantise = dequantise,
    .dequantise_wide = dequantise_wide,
    .clip = clip,
    .clip_u8 = clip_u8,
    .clip_i16 = clip_i16,
    .sum_i16 = sum_i16,
    .max = max,
    .max_u8 = max_u8,
    .max_i16 = max_i16,
    .max_tap_u8 = max_tap_u8,
    .max_tap_i16 = max_tap_i16,
    .select_u8 = select_u8,
    .select_i16 = select_i16,
    .normalise = normalise,
    .exponential = exponential,
    .decode = decode,
    .epilogue = epilogue,
};
