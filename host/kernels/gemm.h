/* SPDX-License-Identifier: BSD-2-Clause */
/* Single-precision matrix products, in the order of floats.h: the same bits on every processor. One thread: parallelism
 * comes from the callers, over tiles. */
#ifndef BDNN_KERNELS_GEMM_H
#define BDNN_KERNELS_GEMM_H

#include <stdint.h>

/* C = A B, C += A B (each block's sum is added to C), C -= A B. */
typedef enum bdnn_gemm_mode { BDNN_GEMM_SET, BDNN_GEMM_ADD, BDNN_GEMM_SUBTRACT } bdnn_gemm_mode;

/* Element (i, j) of A is a[i a_row + j a_column], and so on: a transposed matrix has its strides exchanged. C's columns
 * are contiguous. */
typedef struct bdnn_gemm {
    int64_t m, n, k; /* A is m x k, B k x n, C m x n */
    const float *a;
    int64_t a_row, a_column;
    const float *b;
    int64_t b_row, b_column;
    float *c;
    int64_t c_row;
    bdnn_gemm_mode mode;
} bdnn_gemm;

/* C does not overlap A or B. No memory is allocated; some 40 KB of stack are used. */
void bdnn_gemm_run(const bdnn_gemm *gemm);

/* c[m][n] = a[m][k] b[n][k]' and c[m][n] = a[m][k] b[k][n], rows *_row floats apart. */
void bdnn_gemm_transposed(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, const float *b, int64_t b_row,
                          float *c, int64_t c_row);
void bdnn_gemm_plain(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, const float *b, int64_t b_row,
                     float *c, int64_t c_row);

#endif
