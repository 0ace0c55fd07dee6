/* Kernel for fully connected layers, any processor: eight weights at a time as the bytes of a 64-bit word. */
#include "kernels/kernel_list.h"

#include <stdlib.h>
#include <string.h>

#define DENSE_KERNEL    bdnn_ip_dense_portable
#define DENSE_NAME      "dense16_1x1__portable"
#define DENSE_AVAILABLE true

/* spread[b]: the bits of b as bytes 0 or 1. Eight at a time they are added as one 64-bit word, whose byte order does
 * not matter. */
#define BIT(b, j) ((b) >> (j)&1)
#define SPREAD(b)                                                                                                      \
    {                                                                                                                  \
        BIT(b, 0), BIT(b, 1), BIT(b, 2), BIT(b, 3), BIT(b, 4), BIT(b, 5), BIT(b, 6), BIT(b, 7)                         \
    }
#define SPREAD4(b)  SPREAD(b), SPREAD((b) + 1), SPREAD((b) + 2), SPREAD((b) + 3)
#define SPREAD16(b) SPREAD4(b), SPREAD4((b) + 4), SPREAD4((b) + 8), SPREAD4((b) + 12)
#define SPREAD64(b) SPREAD16(b), SPREAD16((b) + 16), SPREAD16((b) + 32), SPREAD16((b) + 48)
static const uint8_t spread[256][8] = {SPREAD64(0), SPREAD64(64), SPREAD64(128), SPREAD64(192)};

/* One word's weights + sum_i |g_i|, that is sum_i 2 |g_i| (bit xor (g_i < 0)), in 0..254: no sum of bytes carries into
 * the next. */
static void decode_word(const uint64_t *planes, int64_t words, const uint64_t *twice, const uint64_t *flip,
                        int32_t bases, uint8_t *sums)
{
    for (int byte = 0; byte < 8; byte++) {
        uint64_t eight = 0;
        for (int32_t k = 0; k < bases; k++) {
            uint64_t bits;
            memcpy(&bits, spread[(planes[k * words] ^ flip[k]) >> 8 * byte & 0xff], sizeof bits);
            eight += bits * twice[k];
        }
        memcpy(sums + byte * 8, &eight, sizeof eight);
    }
}

static void decode(const uint64_t *planes, int64_t words, const int8_t *scales, int32_t bases, int64_t count,
                   int16_t *w)
{
    uint64_t twice[8], flip[8];
    int16_t total = 0;
    for (int32_t k = 0; k < bases; k++) {
        twice[k] = 2 * (uint64_t)abs(scales[k]);
        flip[k] = scales[k] < 0 ? UINT64_MAX : 0;
        total = (int16_t)(total + abs(scales[k]));
    }
    for (int64_t i = 0; i < count; i++) {
        uint8_t sums[64];
        decode_word(planes + i, words, twice, flip, bases, sums);
        for (int j = 0; j < 64; j++) {
            w[i * 64 + j] = (int16_t)(sums[j] - total);
        }
    }
}

#include "kernels/dense16.h"
