/* Template of the kernel for fully connected layers on processors without a product of bytes: blocks of one filter are
 * decoded to 16 bits and multiplied with the batch's items, widened likewise. Included by one file per instruction set,
 * which defines DENSE_KERNEL, DENSE_NAME, DENSE_AVAILABLE (an expression) and
 *
 *     static void decode(const uint64_t *planes, int64_t words, const int8_t *scales, int32_t bases, int64_t count,
 *                        int16_t *w);
 *
 * which decodes `count` words of 64 weights, the planes of one basis lying `words` apart. */
#define DENSE_FILTERS 4

/* Elements of a block: weights and inputs together stay in the first-level cache beside the inputs themselves. */
#define BLOCK_WORDS 16
#define BLOCK       (BLOCK_WORDS * 64)

static int32_t dot_block(const uint8_t *x, const int16_t *w, int64_t used, int64_t padded)
{
    int16_t wide[BLOCK];
    int32_t sum = 0;
    for (int64_t i = 0; i < used; i++) {
        wide[i] = x[i];
    }
    for (int64_t i = used; i < padded; i++) {
        wide[i] = 0;
    }
    for (int64_t i = 0; i < padded; i++) {
        sum += (int32_t)wide[i] * w[i];
    }
    return sum;
}

static void dense_filter(const bdnn_ip_shape *s, const uint64_t *planes, const int8_t *scales, const uint8_t *x_q,
                         int32_t *acc, int64_t acc_stride)
{
    const int64_t inner = bdnn_ip_inner(s), words = (inner + 63) / 64;
    for (int64_t n = 0; n < s->batch; n++) {
        acc[n * acc_stride] = 0;
    }
    for (int64_t first = 0; first < words; first += BLOCK_WORDS) {
        const int64_t count = words - first < BLOCK_WORDS ? words - first : BLOCK_WORDS, at = first * 64;
        const int64_t used = inner - at < BLOCK ? inner - at : BLOCK;
        int16_t w[BLOCK];
        decode(planes + first, words, scales, s->bases, count, w);
        for (int64_t n = 0; n < s->batch; n++) {
            acc[n * acc_stride] += dot_block(x_q + n * inner + at, w, used, count * 64);
        }
    }
}

#include "kernels/dense_entry.h"

const bdnn_ip_kernel DENSE_KERNEL = DENSE_ENTRY(DENSE_NAME);
