/* SPDX-License-Identifier: BSD-2-Clause */
/* Matrix products: B in packed panels of a tile's columns and a block's rows, which stay in the first-level cache while
 * the rows of A, as they lie, go past them. */
#include "kernels/gemm.h"

#include "core/arithmetic.h"
#include "kernels/floats.h"

#include <stdalign.h>
#include <string.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

/* Rows of A in one call of a kernel, and rows of which a block's depth (half a megabyte) stays in the second-level
 * cache while the panels of B go past. */
#define ROWS        64
#define CACHED_ROWS 512

/* Four floats of four rows each of b, transposed into four rows of `to`. */
static void transpose_four(const float *b, int64_t stride, float *to, int64_t to_stride)
{
#if defined(__SSE2__)
    __m128 r0 = _mm_loadu_ps(b), r1 = _mm_loadu_ps(b + stride), r2 = _mm_loadu_ps(b + 2 * stride),
           r3 = _mm_loadu_ps(b + 3 * stride);
    _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
    _mm_store_ps(to, r0);
    _mm_store_ps(to + to_stride, r1);
    _mm_store_ps(to + 2 * to_stride, r2);
    _mm_store_ps(to + 3 * to_stride, r3);
#else
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            to[i * to_stride + j] = b[j * stride + i];
        }
    }
#endif
}

/* Packs `columns` columns of k rows of B into to[k][width], filled up with zeros. */
static void pack(const float *b, int64_t b_row, int64_t b_column, int64_t k, int64_t columns, int64_t width, float *to)
{
    const int64_t whole = b_row == 1 ? columns / 4 * 4 : 0, deep = k / 4 * 4;
    if (columns < width) {
        memset(to, 0, (size_t)(k * width) * sizeof *to);
    }
    if (b_column == 1) {
        for (int64_t i = 0; i < k; i++) {
            memcpy(to + i * width, b + i * b_row, (size_t)columns * sizeof *to);
            /* Rows are far apart, too far for the processor to guess the next panel. */
            __builtin_prefetch(b + i * b_row + width);
            __builtin_prefetch(b + i * b_row + width + 16);
        }
        return;
    }
    for (int64_t j = 0; j < whole; j += 4) {
        for (int64_t i = 0; i < deep; i += 4) {
            transpose_four(b + j * b_column + i, b_column, to + i * width + j, width);
        }
    }
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = i < deep ? whole : 0; j < columns; j++) {
            to[i * width + j] = b[i * b_row + j * b_column];
        }
    }
}

/* Puts a block's sums into C. */
static void put(const float *sums, int64_t width, int64_t rows, int64_t columns, bdnn_gemm_mode mode, float *c,
                int64_t c_row)
{
    for (int64_t r = 0; r < rows; r++, sums += width, c += c_row) {
        if (mode == BDNN_GEMM_SET) {
            memcpy(c, sums, (size_t)columns * sizeof *c);
        } else if (mode == BDNN_GEMM_ADD) {
            for (int64_t j = 0; j < columns; j++) {
                c[j] += sums[j];
            }
        } else {
            for (int64_t j = 0; j < columns; j++) {
                c[j] -= sums[j];
            }
        }
    }
}

/* Rows first .. first + count - 1, terms of the block at k, columns of the panel at j. */
static void run_panel(const bdnn_gemm *g, const bdnn_float_kernel *kernel, int64_t first, int64_t count, int64_t k,
                      int64_t j)
{
    const int64_t depth = bdnn_min(g->k - k, BDNN_GEMM_BLOCK), width = kernel->tile_columns;
    const int64_t columns = bdnn_min(g->n - j, width);
    const bdnn_gemm_mode mode = g->mode == BDNN_GEMM_SET && k > 0 ? BDNN_GEMM_ADD : g->mode;
    alignas(64) float panel[BDNN_GEMM_BLOCK * BDNN_GEMM_MAX_TILE_COLUMNS];
    alignas(64) float sums[ROWS * BDNN_GEMM_MAX_TILE_COLUMNS];
    pack(g->b + k * g->b_row + j * g->b_column, g->b_row, g->b_column, depth, columns, width, panel);
    for (int64_t i = first; i < first + count; i += ROWS) {
        const int64_t rows = bdnn_min(first + count - i, ROWS);
        kernel->tile(rows, depth, g->a + i * g->a_row + k * g->a_column, g->a_row, g->a_column, panel, sums);
        put(sums, width, rows, columns, mode, g->c + i * g->c_row + j, g->c_row);
    }
}

/* Few rows: nearly all time is B's way through memory, which is fastest along its columns. */
static void run_few_rows(const bdnn_gemm *g, const bdnn_float_kernel *kernel)
{
    for (int64_t j = 0; j < g->n; j += kernel->tile_columns) {
        for (int64_t k = 0; k < g->k; k += BDNN_GEMM_BLOCK) {
            run_panel(g, kernel, 0, g->m, k, j);
        }
    }
}

void bdnn_gemm_run(const bdnn_gemm *g)
{
    const bdnn_float_kernel *kernel = bdnn_float_choose();
    for (int64_t i = 0; i < g->m && g->k == 0 && g->mode == BDNN_GEMM_SET; i++) {
        memset(g->c + i * g->c_row, 0, (size_t)g->n * sizeof *g->c);
    }
    if (g->m <= ROWS && g->b_row == 1) {
        run_few_rows(g, kernel);
        return;
    }
    for (int64_t i = 0; i < g->m; i += CACHED_ROWS) {
        for (int64_t k = 0; k < g->k; k += BDNN_GEMM_BLOCK) {
            for (int64_t j = 0; j < g->n; j += kernel->tile_columns) {
                run_panel(g, kernel, i, bdnn_min(g->m - i, CACHED_ROWS), k, j);
            }
        }
    }
}

void bdnn_gemm_transposed(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, const float *b, int64_t b_row,
                          float *c, int64_t c_row)
{
    bdnn_gemm_run(&(bdnn_gemm){m, n, k, a, a_row, 1, b, 1, b_row, c, c_row, BDNN_GEMM_SET});
}

void bdnn_gemm_plain(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, const float *b, int64_t b_row,
                     float *c, int64_t c_row)
{
    bdnn_gemm_run(&(bdnn_gemm){m, n, k, a, a_row, 1, b, b_row, 1, c, c_row, BDNN_GEMM_SET});
}
