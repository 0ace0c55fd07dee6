/* SPDX-License-Identifier: BSD-2-Clause */
/* Template of the requantization with multiplications of every second 32-bit lane: even lanes as they are, odd ones
 * shifted into their places, and of both products the upper halves.
 *
 * Included by one file per instruction set, which defines SINK_KERNEL, SINK_NAME, SINK_AVAILABLE (an expression),
 * LANES, vec (the vector type) and on vectors: load, fill (of an int32), multiply (even 32-bit lanes to 64 bits),
 * add64, add32, product32 (of 32-bit lanes that fit 16 bits), down (upper halves of 64-bit lanes into their lower
 * ones), odd_of(even, odd) (32-bit lanes, even ones of the first, odd ones of the second), shift_right (signed, by a
 * number of bits), least, most, put_bytes, put_words (the low bytes or words of all lanes), and get_words. */
#include "kernels/cpu.h"
#include "kernels/sink.h"

#include <string.h>

static bool supported(void)
{
    return SINK_AVAILABLE;
}

/* The constants of LANES filters, zeros where there are fewer. */
struct lanes {
    vec multiplier[2], offset[2], low, high;
    int64_t used;
};

static struct lanes lanes_of(const bdnn_requantizer *r, int64_t f, int64_t count)
{
    int64_t multiplier[2][LANES / 2] = {{0}}, offset[2][LANES / 2] = {{0}};
    struct lanes l = {
        .low = fill(r->low), .high = fill(r->high), .used = count - f < LANES ? count - f : (int64_t)LANES};
    for (int64_t i = 0; i < l.used; i++) {
        multiplier[i % 2][i / 2] = r->multiplier[f + i];
        offset[i % 2][i / 2] = r->offset[f + i];
    }
    for (int odd = 0; odd < 2; odd++) {
        l.multiplier[odd] = load(multiplier[odd]);
        l.offset[odd] = load(offset[odd]);
    }
    return l;
}

static inline __attribute__((always_inline)) vec clamp(vec v, vec low, vec high)
{
    return least(most(v, low), high);
}

/* Before clamping. */
static inline __attribute__((always_inline)) vec requantize(const int32_t *acc, const struct lanes *l)
{
    const vec sums = load(acc);
    const vec even = add64(multiply(sums, l->multiplier[0]), l->offset[0]);
    const vec odd = add64(multiply(down(sums), l->multiplier[1]), l->offset[1]);
    return odd_of(down(even), odd);
}

static inline __attribute__((always_inline)) vec wide_result(const int32_t *acc, const int16_t *addend,
                                                             const struct lanes *l)
{
    vec v = requantize(acc, l);
    if (addend) {
        v = add32(clamp(v, fill(-32767), fill(32767)), get_words(addend));
    }
    return clamp(v, l->low, l->high);
}

static inline __attribute__((always_inline)) vec read_wide(vec v, const bdnn_rescale *r)
{
    v = add32(product32(v, fill(r->multiplier)), fill(1 << (r->shift - 1)));
    return clamp(add32(shift_right(v, r->shift), fill(r->zero_point)), fill(0), fill(r->most));
}

/* Fewer filters than lanes: through memory of a whole vector. */
static void few_quantized(const int32_t *acc, const struct lanes *l, uint8_t *y)
{
    int32_t sums[LANES] = {0};
    uint8_t results[LANES];
    memcpy(sums, acc, (size_t)l->used * sizeof *acc);
    put_bytes(results, clamp(requantize(sums, l), l->low, l->high));
    memcpy(y, results, (size_t)l->used);
}

static void few_wide(const int32_t *acc, const int16_t *addend, const struct lanes *l, const bdnn_rescale *rescale,
                     int16_t *y, uint8_t *x_q)
{
    int32_t sums[LANES] = {0};
    int16_t addends[LANES] = {0}, results[LANES];
    uint8_t read[LANES];
    vec v;
    memcpy(sums, acc, (size_t)l->used * sizeof *acc);
    if (addend) {
        memcpy(addends, addend, (size_t)l->used * sizeof *addend);
    }
    v = wide_result(sums, addend ? addends : NULL, l);
    put_words(results, v);
    memcpy(y, results, (size_t)l->used * sizeof *y);
    if (rescale) {
        put_bytes(read, read_wide(v, rescale));
        memcpy(x_q, read, (size_t)l->used);
    }
}

static void quantized(const bdnn_sink_tile *t, const bdnn_requantizer *r, uint8_t *y)
{
    for (int64_t f = 0; f < t->count; f += LANES) {
        const struct lanes l = lanes_of(r, f, t->count);
        for (int64_t row = 0; row < t->rows; row++) {
            const int32_t *acc = t->acc + row * t->acc_stride + f;
            uint8_t *to = y + row * t->y_stride + f;
            if (l.used == LANES) {
                put_bytes(to, clamp(requantize(acc, &l), l.low, l.high));
            } else {
                few_quantized(acc, &l, to);
            }
        }
    }
}

static void wide(const bdnn_sink_tile *t, const bdnn_requantizer *r, int16_t *y)
{
    for (int64_t f = 0; f < t->count; f += LANES) {
        const struct lanes l = lanes_of(r, f, t->count);
        for (int64_t row = 0; row < t->rows; row++) {
            const int32_t *acc = t->acc + row * t->acc_stride + f;
            const int64_t at = row * t->y_stride + f;
            const int16_t *addend = t->addend ? t->addend + at : NULL;
            uint8_t *x_q = t->rescale ? t->x_q + at : NULL;
            if (l.used == LANES) {
                const vec v = wide_result(acc, addend, &l);
                put_words(y + at, v);
                if (t->rescale) {
                    put_bytes(x_q, read_wide(v, t->rescale));
                }
            } else {
                few_wide(acc, addend, &l, t->rescale, y + at, x_q);
            }
        }
    }
}

const bdnn_sink_kernel SINK_KERNEL = {.name = SINK_NAME, .supported = supported, .quantized = quantized, .wide = wide};
