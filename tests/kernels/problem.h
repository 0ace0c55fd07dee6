/* SPDX-License-Identifier: BSD-2-Clause */
/* Inner products to try kernels on: shapes, weights and inputs, and the result by direct arithmetic. */
#ifndef BDNN_TESTS_KERNELS_PROBLEM_H
#define BDNN_TESTS_KERNELS_PROBLEM_H

#include "kernels/inner_product.h"

#include <stddef.h>

/* Memory that ends where an inaccessible page begins, so that an access behind it ends the program; what lies between
 * the page's start and the memory is filled with a pattern. Exits when it cannot be had. */
typedef struct fence {
    void *data;
    size_t bytes;
    uint8_t *pages;
    size_t mapped;
} fence;

/* data is aligned to `alignment` and, where bytes is no multiple of it, followed by pattern up to the page. */
fence fence_make(size_t bytes, size_t alignment);
void fence_fill(fence *f); /* sets all of it to the pattern */
bool fence_intact(const fence *f);
void fence_free(fence *f);

/* xorshift64, seeded per case, so that every case can be repeated on its own. */
void random_seed(uint64_t seed);
int64_t random_in(int64_t low, int64_t high);

/* What values a problem is filled with. */
enum filling {
    FILL_RANDOM,
    FILL_HIGHEST,   /* every basis +1, every input 2^Q - 1, scales positive with sum 127 */
    FILL_LOWEST,    /* the same with negative scales */
    FILL_OPPOSED,   /* bases and inputs alternate between their extremes, scales as large */
    FILL_ZERO,      /* inputs 0 */
    FILL_ONE_BASIS, /* the first scale is +-127, all others 0 */
    FILL_TRAINED,   /* at random, each scale 0.6 of the one before it, as trained weights decompose */
    FILL_BRINK,     /* inputs 2^Q - 1, and weights whose products add up to just within or just beyond 16 bits */
    FILL_KINDS
};

typedef struct problem {
    bdnn_ip_shape shape;
    enum filling filling;
    bdnn_ip_weights weights; /* in fences */
    fence planes, scales, x_q;
    int32_t *expected; /* by direct arithmetic; NULL for problems that are only timed */
} problem;

/* Fills in out_size from the other sizes and `pad_end`; false when the window does not fit. */
bool shape_finish(bdnn_ip_shape *shape, const int32_t pad_end[3]);
bdnn_ip_shape shape_image(int64_t size, int64_t channels, int64_t filters, int32_t kernel, int32_t stride, int32_t pad);
bdnn_ip_shape shape_dense(int64_t batch, int64_t inner, int64_t filters);
bdnn_ip_shape shape_random(void);
/* "2x1x28x28x3 -> 1x28x28x64 kernel 1x3x3 ..." */
void shape_print(const bdnn_ip_shape *shape);

int64_t shape_positions(const bdnn_ip_shape *shape);
double shape_multiply_adds(const bdnn_ip_shape *shape);

/* Values for a shape; the expected result too when `solved`. Inputs end at a page, or up to 63 bytes before it, so that
 * they begin anywhere. */
problem problem_make(const bdnn_ip_shape *shape, enum filling filling, bool solved);
void problem_free(problem *p);

/* W_f[d], straight from bits and scales. */
int problem_weight(const problem *p, int64_t f, int64_t d);

#endif
