/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of products of floats in one defined order, so that a network gives the same floats and decomposes to the same
 * file on every processor. A library of linear algebra chooses its order by the processor, which is why none is used
 * here.
 *
 * The order: every product and every sum is rounded on its own (no fused multiply-add, which not every processor has).
 *   - an element of a matrix product adds its terms up in blocks of BDNN_GEMM_BLOCK, from a zero on and in the order
 *     of k, and the blocks' sums in their order;
 *   - a product of vectors adds term i to lane i mod BDNN_DOT_LANES, and then upper halves of the lanes to lower ones.
 * All tables are compiled from one text, floats_template.h. Matrix products are called through gemm.h. */
#ifndef BDNN_KERNELS_FLOATS_H
#define BDNN_KERNELS_FLOATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Terms of one block of a matrix product's sums. */
#define BDNN_GEMM_BLOCK 256

/* Lanes of a product of vectors. */
#define BDNN_DOT_LANES 64

/* No kernel's tile is larger. */
#define BDNN_GEMM_MAX_TILE_ROWS    8
#define BDNN_GEMM_MAX_TILE_COLUMNS 32

typedef struct bdnn_float_kernel {
    const char *name;
    bool (*supported)(void);
    /* The tile of a matrix product. */
    int32_t tile_rows, tile_columns;
    /* c[r][j] = sum over i < k, in this order, of a[r a_row + i a_column] b[i][j] for r < rows <= tile_rows; b is
     * packed [k][tile_columns], rows of c lie tile_columns apart. k <= BDNN_GEMM_BLOCK. */
    void (*tile)(int64_t rows, int64_t k, const float *a, int64_t a_row, int64_t a_column, const float *b, float *c);
    /* sum of a[i] b[i] over i < n, in floats and (products being exact there) in doubles */
    float (*dot)(const float *a, const float *b, size_t n);
    double (*dot_double)(const float *a, const float *b, size_t n);
    /* y += factor x; x and y do not overlap */
    void (*axpy)(const float *x, size_t n, float factor, float *y);
    /* y = step (x - zero_point) - mean */
    void (*center)(const uint8_t *x, const float *mean, size_t n, float step, int32_t zero_point, float *y);
    /* y = x */
    void (*widen)(const uint8_t *x, size_t n, float *y);
} bdnn_float_kernel;

/* Fastest first, what the compiler takes for granted last; NULL ends the list. */
extern const bdnn_float_kernel *const bdnn_float_kernels[];

/* The first of the list that this processor runs. */
const bdnn_float_kernel *bdnn_float_choose(void);

#endif
