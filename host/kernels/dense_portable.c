/* Kernel for fully connected layers, any processor: eight weights at a time as the bytes of a 64-bit word. */
#include "kernels/kernel_list.h"

#include <stdlib.h>

#define DENSE_KERNEL    bdnn_ip_dense_portable
#define DENSE_NAME      "dense16_1x1__portable"
#define DENSE_AVAILABLE true

/* Bit j of `bits` as 0 or 1 in byte j. */
static inline uint64_t spread(uint64_t bits)
{
    const uint64_t each = bits * 0x0101010101010101u & 0x8040201008040201u;
    return (each + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u;
}

/* W + sum_i |g_i| = sum_i 2 |g_i| (bit xor (g_i < 0)) lies in 0..254: no sum of bytes carries into the next. */
static void decode(const uint64_t *planes, int64_t words, const int8_t *scales, int32_t bases, int64_t count,
                   int16_t *w)
{
    uint64_t twice[8], flip[8];
    int total = 0;
    for (int32_t k = 0; k < bases; k++) {
        twice[k] = 2 * (uint64_t)abs(scales[k]);
        flip[k] = scales[k] < 0 ? UINT64_MAX : 0;
        total += abs(scales[k]);
    }
    for (int64_t i = 0; i < count; i++) {
        for (int byte = 0; byte < 8; byte++) {
            uint64_t sums = 0;
            for (int32_t k = 0; k < bases; k++) {
                sums += spread((planes[k * words + i] ^ flip[k]) >> 8 * byte & 0xff) * twice[k];
            }
            for (int j = 0; j < 8; j++) {
                w[i * 64 + byte * 8 + j] = (int16_t)((int)(sums >> 8 * j & 0xff) - total);
            }
        }
    }
}

#include "kernels/dense16.h"
