/* SPDX-License-Identifier: BSD-2-Clause */
/* Template of the sums of floats; included by one file per instruction set, which defines FLOATS (the table's symbol),
 * FLOATS_NAME, FLOATS_AVAILABLE (an expression), VECTOR_BYTES (0: no vectors) and TILE_ROWS. */
#include "kernels/floats.h"

#include <string.h>

#if VECTOR_BYTES > 0
typedef float vector __attribute__((vector_size(VECTOR_BYTES)));
typedef double wide __attribute__((vector_size(VECTOR_BYTES)));
#else
typedef float vector;
typedef double wide;
#endif
#define LANES         ((int)(sizeof(vector) / sizeof(float)))
#define WIDE_LANES    ((int)(sizeof(wide) / sizeof(double)))
#define TILE_VECTORS  (VECTOR_BYTES > 0 ? 2 : 4)
#define TILE_COLUMNS  (TILE_VECTORS * LANES)
#define ALWAYS_INLINE static inline __attribute__((always_inline))

_Static_assert(TILE_ROWS <= BDNN_GEMM_MAX_TILE_ROWS && TILE_COLUMNS <= BDNN_GEMM_MAX_TILE_COLUMNS, "tile");

ALWAYS_INLINE vector load(const float *from)
{
    vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

/* `rows` is a constant wherever this is inlined, so that the sums stay in registers. */
ALWAYS_INLINE void tile_rows(int rows, int64_t k, const float *a, int64_t a_row, int64_t a_column, const float *b,
                             float *c)
{
    const float *row[TILE_ROWS];
    vector sum[TILE_ROWS][TILE_VECTORS];
    for (int r = 0; r < rows; r++) {
        row[r] = a + r * a_row;
        for (int v = 0; v < TILE_VECTORS; v++) {
            sum[r][v] = (vector){0};
        }
    }
    for (int64_t i = 0, at = 0; i < k; i++, at += a_column, b += TILE_COLUMNS) {
        vector columns[TILE_VECTORS];
        for (int v = 0; v < TILE_VECTORS; v++) {
            columns[v] = load(b + v * LANES);
        }
        for (int r = 0; r < rows; r++) {
            for (int v = 0; v < TILE_VECTORS; v++) {
                sum[r][v] += row[r][at] * columns[v];
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int v = 0; v < TILE_VECTORS; v++) {
            memcpy(c + r * TILE_COLUMNS + v * LANES, &sum[r][v], sizeof(vector));
        }
    }
}

static void tile(int64_t rows, int64_t k, const float *a, int64_t a_row, int64_t a_column, const float *b, float *c)
{
    for (; rows >= TILE_ROWS; rows -= TILE_ROWS) {
        tile_rows(TILE_ROWS, k, a, a_row, a_column, b, c);
        a += TILE_ROWS * a_row;
        c += TILE_ROWS * TILE_COLUMNS;
    }
    for (; rows >= 2; rows -= 2) {
        tile_rows(2, k, a, a_row, a_column, b, c);
        a += 2 * a_row;
        c += 2 * TILE_COLUMNS;
    }
    if (rows > 0) {
        tile_rows(1, k, a, a_row, a_column, b, c);
    }
}

static float dot(const float *a, const float *b, size_t n)
{
    const size_t whole = n / BDNN_DOT_LANES * BDNN_DOT_LANES;
    float tail[2][BDNN_DOT_LANES] = {{0}};
    vector sum[BDNN_DOT_LANES / LANES];
    memset(sum, 0, sizeof sum);
    for (size_t i = 0; i < whole; i += BDNN_DOT_LANES) {
        for (int v = 0; v < BDNN_DOT_LANES / LANES; v++) {
            sum[v] += load(a + i + v * LANES) * load(b + i + v * LANES);
        }
    }
    if (whole < n) { /* filled up with zeros, which change no sum */
        memcpy(tail[0], a + whole, (n - whole) * sizeof *a);
        memcpy(tail[1], b + whole, (n - whole) * sizeof *b);
        for (int v = 0; v < BDNN_DOT_LANES / LANES; v++) {
            sum[v] += load(tail[0] + v * LANES) * load(tail[1] + v * LANES);
        }
    }
    for (int half = BDNN_DOT_LANES / LANES / 2; half > 0; half /= 2) {
        for (int v = 0; v < half; v++) {
            sum[v] += sum[v + half];
        }
    }
    memcpy(tail[0], sum, sizeof(vector));
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
            tail[0][l] += tail[0][l + half];
        }
    }
    return tail[0][0];
}

ALWAYS_INLINE wide load_wide(const float *from)
{
#if VECTOR_BYTES > 0
    typedef float half __attribute__((vector_size(VECTOR_BYTES / 2)));
    half v;
    memcpy(&v, from, sizeof v);
    return __builtin_convertvector(v, wide);
#else
    return *from;
#endif
}

static double dot_double(const float *a, const float *b, size_t n)
{
    const size_t whole = n / BDNN_DOT_LANES * BDNN_DOT_LANES;
    double lane[BDNN_DOT_LANES];
    wide sum[BDNN_DOT_LANES / WIDE_LANES];
    memset(sum, 0, sizeof sum);
    for (size_t i = 0; i < whole; i += BDNN_DOT_LANES) {
        for (int v = 0; v < BDNN_DOT_LANES / WIDE_LANES; v++) {
            sum[v] += load_wide(a + i + v * WIDE_LANES) * load_wide(b + i + v * WIDE_LANES);
        }
    }
    memcpy(lane, sum, sizeof lane);
    for (size_t i = whole; i < n; i++) {
        lane[i - whole] += (double)a[i] * b[i];
    }
    for (int half = BDNN_DOT_LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
            lane[l] += lane[l + half];
        }
    }
    return lane[0];
}

static void axpy(const float *restrict x, size_t n, float factor, float *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += factor * x[i];
    }
}

static void center(const uint8_t *restrict x, const float *restrict mean, size_t n, float step, int32_t zero_point,
                   float *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = step * (float)(x[i] - zero_point) - mean[i];
    }
}

static void widen(const uint8_t *restrict x, size_t n, float *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i];
    }
}

static bool supported(void)
{
    return FLOATS_AVAILABLE;
}

extern const bdnn_float_kernel FLOATS;
const bdnn_float_kernel FLOATS = {
    .name = FLOATS_NAME,
    .supported = supported,
    .tile_rows = TILE_ROWS,
    .tile_columns = TILE_COLUMNS,
    .tile = tile,
    .dot = dot,
    .dot_double = dot_double,
    .axpy = axpy,
    .center = center,
    .widen = widen,
};
