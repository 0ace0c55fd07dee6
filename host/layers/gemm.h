/* Single-precision matrix products by OpenBLAS, on one thread: parallelism comes from our own pool, over tiles whose
 * size does not depend on the number of threads, so that results do not either. */
#ifndef BDNN_LAYERS_GEMM_H
#define BDNN_LAYERS_GEMM_H

#include <stdint.h>

/* c[m][n] = a[m][k] * b[n][k]' (row-major, rows a_stride, b_stride, c_stride apart). */
void bdnn_gemm_transposed(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_stride, const float *b,
                          int64_t b_stride, float *c, int64_t c_stride);

/* c[m][n] = a[m][k] * b[k][n]. */
void bdnn_gemm(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_stride, const float *b, int64_t b_stride,
               float *c, int64_t c_stride);

#endif
