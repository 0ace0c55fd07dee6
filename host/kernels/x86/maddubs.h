/* SPDX-License-Identifier: BSD-2-Clause */
/* Template of the panel kernels that multiply by PMADDUBSW: unsigned times signed bytes, neighboring products added in
 * 16 bits with saturation. Its sums are added up in 16 bits for as many steps as can be shown never to leave them, and
 * widened to 32 bits only then: the lower Q, the more of the work is multiplication.
 *
 * How many steps: a sum of products lies between x times the negative and x times the positive weights in it, with
 * x = 2^Q - 1 the largest input. When a filter is packed, both are added up over every run of `steps` quads; the
 * longest run (a power of two, so that shorter runs lie within longer ones) for which x times either never exceeds
 * 32767 is kept in the filter's note. Weights of at most 127 allow no less than 8, 4, 2, 1 steps at Q = 4, 5, 6, 7;
 * real ones allow more. At Q = 8 a single step may saturate, and the kernel does not take the shape.
 *
 * Included by one file per instruction set, which defines MADDUBS_KERNEL, MADDUBS_NAME, MADDUBS_AVAILABLE (an
 * expression), vec (the vector type), LANES (its 32-bit elements), and on vectors: broadcast (of an int32), load
 * (aligned), store_sums (unaligned), zero, maddubs (unsigned, signed), and
 *
 *     maddubs_add(&sum, x, w)            products added to sums of 16 bits,
 *     widen_into(&total, sum)            sums of 16 bits widened and added to those of 32 bits in memory,
 *     widen_one(&sum, x, &w)             products, with weights in memory, widened at once,
 *     widen_two(&sum, x0, x1, &w)        products of two neighboring quads added and widened. */
#include "kernels/cpu.h"
#include "kernels/kernel_list.h"
#include "kernels/panel.h"
#include "kernels/unroll.h"

#include <string.h>

/* A register tile: 12 sums, 2 vectors of weights, inputs and a product in 16 registers. */
#define ROWS      6
#define BLOCKS    2
#define QUAD      4
#define MAX_STEPS 16
#define MAX_BITS  7

#define INLINE static inline __attribute__((always_inline))

static bool supported(const bdnn_ip_shape *shape)
{
    return (MADDUBS_AVAILABLE) && (!shape || shape->bits <= MAX_BITS);
}

#include "kernels/quad_store.h"

/* Positive and negative weights of one run of quads, added up per 16-bit lane: elements 0, 1 and 2, 3 of a quad. */
struct run {
    int32_t positive[2], negative[2];
};

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* The largest of any run's sums, for runs of 1, 2, 4... quads. */
static void largest_sums(const int8_t *w, int64_t inner, int32_t largest[MAX_STEPS + 1])
{
    for (int64_t first = 0; first < inner; first += MAX_STEPS * QUAD) {
        struct run runs[MAX_STEPS] = {{{0}, {0}}};
        const int64_t end = bdnn_min(inner - first, MAX_STEPS * QUAD);
        for (int64_t d = 0; d < end; d++) {
            struct run *run = &runs[d / QUAD];
            run->positive[d / 2 % 2] += larger(w[first + d], 0);
            run->negative[d / 2 % 2] += larger(-w[first + d], 0);
        }
        for (int steps = 1; steps <= MAX_STEPS; steps *= 2) {
            for (int i = 0; i < MAX_STEPS / steps; i++) {
                for (int lane = 0; lane < 2; lane++) {
                    largest[steps] = larger(largest[steps], larger(runs[i].positive[lane], runs[i].negative[lane]));
                }
            }
            for (int i = 0; i < MAX_STEPS / steps / 2; i++) {
                for (int lane = 0; lane < 2; lane++) {
                    runs[i].positive[lane] = runs[2 * i].positive[lane] + runs[2 * i + 1].positive[lane];
                    runs[i].negative[lane] = runs[2 * i].negative[lane] + runs[2 * i + 1].negative[lane];
                }
            }
        }
    }
}

static uint8_t note(const int8_t *w, int64_t inner, int32_t bits)
{
    const int32_t most = ((1 << 15) - 1) / ((1 << bits) - 1);
    int32_t largest[MAX_STEPS + 1] = {0};
    int steps = MAX_STEPS;
    largest_sums(w, inner, largest);
    while (steps > 1 && largest[steps] > most) {
        steps /= 2;
    }
    return (uint8_t)steps;
}

INLINE vec inputs_at(const uint8_t *x)
{
    int32_t quad;
    memcpy(&quad, x, sizeof quad);
    return broadcast(quad);
}

/* The sums of one or two quads widened at once, all of them in registers. */
INLINE void short_steps(int rows, int blocks, int steps, const uint8_t *x, int64_t row_stride, const int8_t *w,
                        int64_t inner, int64_t block, vec sum[ROWS][BLOCKS])
{
    for (int64_t d = 0; d + steps * QUAD <= inner; d += steps * QUAD) {
        const int8_t *weights = w + d * LANES;
        UNROLL
        for (int r = 0; r < rows; r++) {
            const uint8_t *at = x + r * row_stride + d;
            const vec first = inputs_at(at);
            if (steps == 1) {
                UNROLL
                for (int b = 0; b < blocks; b++) {
                    widen_one(&sum[r][b], first, weights + b * block);
                }
            } else {
                const vec second = inputs_at(at + QUAD);
                UNROLL
                for (int b = 0; b < blocks; b++) {
                    widen_two(&sum[r][b], first, second, weights + b * block);
                }
            }
        }
    }
}

INLINE void short_tile(int rows, int blocks, int steps, const uint8_t *x, int64_t row_stride, const int8_t *w,
                       int64_t padded_inner, int32_t *acc, int64_t acc_stride)
{
    const int64_t block = LANES * padded_inner, even = padded_inner / (steps * QUAD) * (steps * QUAD);
    vec sum[ROWS][BLOCKS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int b = 0; b < blocks; b++) {
            sum[r][b] = zero();
        }
    }
    short_steps(rows, blocks, steps, x, row_stride, w, even, block, sum);
    if (even < padded_inner) {
        short_steps(rows, blocks, 1, x + even, row_stride, w + even * LANES, QUAD, block, sum);
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int b = 0; b < blocks; b++) {
            store_sums(acc + r * acc_stride + b * LANES, sum[r][b]);
        }
    }
}

/* One quad of all rows and blocks: its products, or these added to what there is. */
INLINE void quad_step(int rows, int blocks, bool add, const uint8_t *x, int64_t row_stride, const int8_t *w,
                      int64_t block, vec sum[ROWS][BLOCKS])
{
    vec weights[BLOCKS];
    UNROLL
    for (int b = 0; b < blocks; b++) {
        weights[b] = load(w + b * block);
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        const vec inputs = inputs_at(x + r * row_stride);
        UNROLL
        for (int b = 0; b < blocks; b++) {
            if (add) {
                maddubs_add(&sum[r][b], inputs, weights[b]);
            } else {
                sum[r][b] = maddubs(inputs, weights[b]);
            }
        }
    }
}

/* Registers hold the sums of 16 bits; those of 32 bits wait in memory. */
INLINE void long_tile(int rows, int blocks, int steps, const uint8_t *x, int64_t row_stride, const int8_t *w,
                      int64_t padded_inner, int32_t *acc, int64_t acc_stride)
{
    const int64_t block = LANES * padded_inner;
    vec total[ROWS][BLOCKS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int b = 0; b < blocks; b++) {
            total[r][b] = zero();
        }
    }
    for (int64_t first = 0; first < padded_inner; first += steps * QUAD) {
        const int64_t end = bdnn_min(first + steps * QUAD, padded_inner);
        vec sum[ROWS][BLOCKS];
        quad_step(rows, blocks, false, x + first, row_stride, w + first * LANES, block, sum);
        for (int64_t d = first + QUAD; d < end; d += QUAD) {
            quad_step(rows, blocks, true, x + d, row_stride, w + d * LANES, block, sum);
        }
        UNROLL
        for (int r = 0; r < rows; r++) {
            UNROLL
            for (int b = 0; b < blocks; b++) {
                widen_into(&total[r][b], sum[r][b]);
            }
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int b = 0; b < blocks; b++) {
            store_sums(acc + r * acc_stride + b * LANES, total[r][b]);
        }
    }
}

#define CASE(r, b)                                                                                                     \
    case (r)*4 + (b):                                                                                                  \
        TILE(r, b, steps, x, row_stride, w, padded_inner, acc, acc_stride);                                            \
        break;
#define CASES(r)  CASE(r, 1) CASE(r, 2)
#define ALL_CASES CASES(1) CASES(2) CASES(3) CASES(4) CASES(5) CASES(6) default : break;

/* Sizes and short step counts as constants, so that the compiler keeps every sum in a register. */
#define TILES(name)                                                                                                    \
    static void name(int64_t rows, int64_t blocks, int steps, const uint8_t *x, int64_t row_stride, const int8_t *w,   \
                     int64_t padded_inner, int32_t *acc, int64_t acc_stride)                                           \
    {                                                                                                                  \
        switch (rows * 4 + blocks) {                                                                                   \
            ALL_CASES                                                                                                  \
        }                                                                                                              \
    }

#define TILE(r, b, n, ...) ((void)(n), short_tile(r, b, 1, __VA_ARGS__))
TILES(tiles_1)
#undef TILE
#define TILE(r, b, n, ...) ((void)(n), short_tile(r, b, 2, __VA_ARGS__))
TILES(tiles_2)
#undef TILE
#define TILE long_tile
TILES(tiles_long)

static void multiply(const void *rows, int64_t row_stride, int64_t count, const void *panel, const uint8_t *notes,
                     int64_t padded_inner, int64_t filters, int32_t *acc, int64_t acc_stride)
{
    for (int64_t f = 0; f < filters; f += BLOCKS * LANES) {
        const int64_t left = bdnn_min(filters - f, BLOCKS * LANES);
        int steps = MAX_STEPS;
        for (int64_t i = 0; i < left; i++) {
            steps = notes[f + i] < steps ? notes[f + i] : steps;
        }
        for (int64_t r = 0; r < count; r += ROWS) {
            (steps == 1   ? tiles_1
             : steps == 2 ? tiles_2
                          : tiles_long)(bdnn_min(count - r, ROWS), left <= LANES ? 1 : BLOCKS, steps,
                                        (const uint8_t *)rows + r * row_stride, row_stride,
                                        (const int8_t *)panel + f * padded_inner, padded_inner,
                                        acc + r * acc_stride + f, acc_stride);
        }
    }
}

static const bdnn_panel_kernel panel = {
    .inner_multiple = QUAD,
    .filter_multiple = LANES,
    .weight_bytes = 1,
    .row_bytes = 1,
    .store = store,
    .note = note,
    .multiply = multiply,
};

#include "kernels/panel_entry.h"

const bdnn_ip_kernel MADDUBS_KERNEL = PANEL_ENTRY(MADDUBS_NAME);
