/* SPDX-License-Identifier: BSD-2-Clause */
/* Weights from their bases; included by vectors_template.h. */
#include "kernels/decode.h"

#include <string.h>

#ifndef VECTORS_DECODE
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

extern const bdnn_decode_kernel VECTORS(decode);
const bdnn_decode_kernel VECTORS(decode) = {
    .name = "decode__" VECTORS_ISA,
    .supported = supported,
    .decode = decode,
};
