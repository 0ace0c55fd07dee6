/* Single-precision matrix products. */
#include "layers/gemm.h"

#include <cblas.h>
#include <pthread.h>
#include <string.h>

/* OpenBLAS's threads would compete with ours, and their number would change the order of its sums. The setting is the
 * process's, not the call's (OpenBLAS 0.3.21 has no other), so it is made once. */
static void use_one_thread(void)
{
    openblas_set_num_threads(1);
}

static void product(CBLAS_TRANSPOSE transpose, int64_t m, int64_t n, int64_t k, const float *a, int64_t a_stride,
                    const float *b, int64_t b_stride, float *c, int64_t c_stride)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, use_one_thread);
    if (k == 0) {
        for (int64_t i = 0; i < m; i++) {
            memset(c + i * c_stride, 0, (size_t)n * sizeof *c);
        }
    } else if (m > 0 && n > 0) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, transpose, (int)m, (int)n, (int)k, 1.0f, a, (int)a_stride, b,
                    (int)b_stride, 0.0f, c, (int)c_stride);
    }
}

void bdnn_gemm_transposed(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_stride, const float *b,
                          int64_t b_stride, float *c, int64_t c_stride)
{
    product(CblasTrans, m, n, k, a, a_stride, b, b_stride, c, c_stride);
}

void bdnn_gemm(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_stride, const float *b, int64_t b_stride,
               float *c, int64_t c_stride)
{
    product(CblasNoTrans, m, n, k, a, a_stride, b, b_stride, c, c_stride);
}
