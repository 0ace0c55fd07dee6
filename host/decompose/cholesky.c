/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocked Cholesky factorization and solution (Golub and Van Loan, Matrix Computations, 4.2). */
#include "decompose/cholesky.h"

#include "core/arithmetic.h"
#include "kernels/gemm.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define BLOCK BDNN_CHOLESKY_BLOCK

int64_t bdnn_cholesky_inverses(int64_t size)
{
    return bdnn_ceil_div(size, BLOCK) * BLOCK * BLOCK;
}

int64_t bdnn_cholesky_scratch(int64_t size, int64_t count)
{
    return (size + BLOCK) * count;
}

static int64_t block_rows(int64_t size, int64_t first)
{
    return bdnn_min(size - first, BLOCK);
}

static float *inverse_of(const bdnn_cholesky *c, int64_t first)
{
    return c->inverses + first * BLOCK;
}

/* The block on the diagonal, in doubles. Returns 0 or the number of the row that has no pivot. */
static int64_t factorize_block(float *a, int64_t stride, int64_t rows)
{
    double l[BLOCK][BLOCK];
    for (int64_t j = 0; j < rows; j++) {
        for (int64_t i = j; i < rows; i++) {
            double sum = a[i * stride + j];
            for (int64_t k = 0; k < j; k++) {
                sum -= l[i][k] * l[j][k];
            }
            if (i == j && !(sum > 0 && sum < INFINITY)) {
                return j + 1;
            }
            l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
            a[i * stride + j] = (float)l[i][j];
        }
    }
    return 0;
}

static void invert_block(const float *a, int64_t stride, int64_t rows, float *inverse)
{
    double x[BLOCK][BLOCK];
    memset(inverse, 0, BLOCK * BLOCK * sizeof *inverse);
    for (int64_t j = 0; j < rows; j++) {
        for (int64_t i = j; i < rows; i++) {
            double sum = i == j ? 1 : 0;
            for (int64_t k = j; k < i; k++) {
                sum -= (double)a[i * stride + k] * x[k][j];
            }
            x[i][j] = sum / a[i * stride + i];
            inverse[i * BLOCK + j] = (float)x[i][j];
        }
    }
}

/* The blocks below the one at `first`: their rows times the inverse's transpose. */
static void finish_column(const bdnn_cholesky *c, int64_t first, int64_t rows)
{
    float part[BLOCK * BLOCK];
    for (int64_t i = first + rows; i < c->size; i += BLOCK) {
        const int64_t count = block_rows(c->size, i);
        float *at = c->factor + i * c->size + first;
        for (int64_t r = 0; r < count; r++) {
            memcpy(part + r * BLOCK, at + r * c->size, (size_t)rows * sizeof *part);
        }
        bdnn_gemm_transposed(count, rows, rows, part, BLOCK, inverse_of(c, first), BLOCK, at, c->size);
    }
}

int64_t bdnn_cholesky_factorize(bdnn_cholesky *c)
{
    const int64_t size = c->size;
    float *a = c->factor;
    for (int64_t j = 0; j < size; j += BLOCK) {
        const int64_t rows = block_rows(size, j);
        int64_t failed;
        bdnn_gemm_run(&(bdnn_gemm){.m = size - j,
                                   .n = rows,
                                   .k = j,
                                   .a = a + j * size,
                                   .a_row = size,
                                   .a_column = 1,
                                   .b = a + j * size,
                                   .b_row = 1,
                                   .b_column = size,
                                   .c = a + j * size + j,
                                   .c_row = size,
                                   .mode = BDNN_GEMM_SUBTRACT});
        failed = factorize_block(a + j * size + j, size, rows);
        if (failed) {
            return j + failed;
        }
        invert_block(a + j * size + j, size, rows, inverse_of(c, j));
        finish_column(c, j, rows);
    }
    for (int64_t i = 0; i < size; i++) {
        for (int64_t j = 0; j < i; j++) {
            a[j * size + i] = a[i * size + j];
        }
    }
    return 0;
}

/* Rows first .. first + rows - 1 of x [size][count], less A times the rows at `known`, times the block's inverse, or
 * its transpose. */
static void solve_block(const bdnn_cholesky *c, int64_t first, int64_t known, int64_t known_rows, bool transposed,
                        int64_t count, float *x, float *part)
{
    const int64_t rows = block_rows(c->size, first);
    bdnn_gemm_run(&(bdnn_gemm){.m = rows,
                               .n = count,
                               .k = known_rows,
                               .a = c->factor + first * c->size + known,
                               .a_row = c->size,
                               .a_column = 1,
                               .b = x + known * count,
                               .b_row = count,
                               .b_column = 1,
                               .c = x + first * count,
                               .c_row = count,
                               .mode = BDNN_GEMM_SUBTRACT});
    memcpy(part, x + first * count, (size_t)(rows * count) * sizeof *part);
    bdnn_gemm_run(&(bdnn_gemm){.m = rows,
                               .n = count,
                               .k = rows,
                               .a = inverse_of(c, first),
                               .a_row = transposed ? 1 : BLOCK,
                               .a_column = transposed ? BLOCK : 1,
                               .b = part,
                               .b_row = count,
                               .b_column = 1,
                               .c = x + first * count,
                               .c_row = count,
                               .mode = BDNN_GEMM_SET});
}

void bdnn_cholesky_solve(const bdnn_cholesky *c, int64_t count, float *x, float *scratch)
{
    const int64_t size = c->size;
    float *columns = scratch, *part = scratch + size * count;
    for (int64_t i = 0; i < size; i++) {
        for (int64_t f = 0; f < count; f++) {
            columns[i * count + f] = x[f * size + i];
        }
    }
    for (int64_t j = 0; j < size; j += BLOCK) {
        solve_block(c, j, 0, j, false, count, columns, part);
    }
    for (int64_t j = (size - 1) / BLOCK * BLOCK; j >= 0; j -= BLOCK) {
        const int64_t known = j + block_rows(size, j);
        solve_block(c, j, known, size - known, true, count, columns, part);
    }
    for (int64_t f = 0; f < count; f++) {
        for (int64_t i = 0; i < size; i++) {
            x[f * size + i] = columns[i * count + f];
        }
    }
}
