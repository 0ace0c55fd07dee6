/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of floats: every set of instructions gives the bits that the definition of kernels/floats.h gives, written out
 * here term by term; and what is built on them. */
#include "core/memory.h"
#include "decompose/cholesky.h"
#include "kernels/floats.h"
#include "kernels/gemm.h"
#include "kernels/power.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 88172645463325252u;

/* xorshift64 (Marsaglia 2003). */
static uint64_t bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Of many magnitudes, so that another order of the sums gives other bits; now and then denormal. */
static float random_float(void)
{
    const float mantissa = (float)((int64_t)(bits() % 16777215) - 8388607) * 0x1p-23f;
    return ldexpf(mantissa, bits() % 50 == 0 ? -130 : (int)(bits() % 12) - 6);
}

static float *random_floats(int64_t count)
{
    float *x = bdnn_alloc((size_t)count, sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < count; i++) {
        x[i] = random_float();
    }
    return x;
}

/* An element of a matrix product by its definition. Each volatile store is one rounding. */
static float element(const float *a, int64_t a_step, const float *b, int64_t b_step, int64_t k, float c,
                     bdnn_gemm_mode mode)
{
    for (int64_t first = 0; first < k; first += 256) {
        volatile float sum = 0;
        for (int64_t i = first; i < k && i < first + 256; i++) {
            const volatile float product = a[i * a_step] * b[i * b_step];
            sum = sum + product;
        }
        if (mode == BDNN_GEMM_SET && first == 0) {
            c = sum;
        } else {
            const volatile float total = mode == BDNN_GEMM_SUBTRACT ? c - sum : c + sum;
            c = total;
        }
    }
    return c;
}

static void check_product(int64_t m, int64_t n, int64_t k, bool a_turned, bool b_turned, bdnn_gemm_mode mode)
{
    const int64_t spare = (int64_t)(bits() % 3);
    float *a = random_floats((m + spare) * (k + spare)), *b = random_floats((n + spare) * (k + spare));
    float *c = random_floats(m * (n + spare)), *before = bdnn_alloc((size_t)(m * (n + spare)), sizeof *before);
    const bdnn_gemm gemm = {.m = m,
                            .n = n,
                            .k = k,
                            .a = a,
                            .a_row = a_turned ? 1 : k + spare,
                            .a_column = a_turned ? m + spare : 1,
                            .b = b,
                            .b_row = b_turned ? 1 : n + spare,
                            .b_column = b_turned ? k + spare : 1,
                            .c = c,
                            .c_row = n + spare,
                            .mode = mode};
    assert_non_null(before);
    memcpy(before, c, (size_t)(m * (n + spare)) * sizeof *c);
    bdnn_gemm_run(&gemm);
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n + spare; j++) {
            const float old = before[i * (n + spare) + j];
            const float expected = j < n ? element(a + i * gemm.a_row, gemm.a_column, b + j * gemm.b_column, gemm.b_row,
                                                   k, mode == BDNN_GEMM_SET ? 0 : old, mode)
                                         : old;
            if (c[i * (n + spare) + j] != expected) {
                fail_msg("%lld x %lld x %lld, element %lld, %lld: %a, expected %a", (long long)m, (long long)n,
                         (long long)k, (long long)i, (long long)j, (double)c[i * (n + spare) + j], (double)expected);
            }
        }
    }
    bdnn_free(a);
    bdnn_free(b);
    bdnn_free(c);
    bdnn_free(before);
}

static void products_have_the_defined_order(void **unused)
{
    static const int64_t sizes[][3] = {{1, 1, 1},   {1, 70, 513}, {3, 5, 0},     {2, 33, 256},  {65, 31, 257},
                                       {7, 64, 40}, {9, 100, 3},  {520, 9, 300}, {130, 17, 600}};
    (void)unused;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int form = 0; form < 12; form++) {
            check_product(sizes[s][0], sizes[s][1], sizes[s][2], form & 1, form & 2, (bdnn_gemm_mode)(form / 4));
        }
    }
    for (int i = 0; i < 200; i++) {
        check_product((int64_t)(bits() % 70), (int64_t)(bits() % 70), (int64_t)(bits() % 300), bits() & 1, bits() & 1,
                      (bdnn_gemm_mode)(bits() % 3));
    }
}

static void check_tile(const bdnn_float_kernel *kernel, int64_t rows, int64_t k, bool turned)
{
    const int64_t width = kernel->tile_columns, a_row = turned ? 1 : k, a_column = turned ? rows : 1;
    float *a = random_floats(rows * k), *b = random_floats(k * width), *c = random_floats(rows * width);
    kernel->tile(rows, k, a, a_row, a_column, b, c);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t j = 0; j < width; j++) {
            assert_true(c[r * width + j] == element(a + r * a_row, a_column, b + j, width, k, 0, BDNN_GEMM_SET));
        }
    }
    bdnn_free(a);
    bdnn_free(b);
    bdnn_free(c);
}

/* Terms to lanes, then upper halves of the lanes to lower ones. */
static void check_dots(const bdnn_float_kernel *kernel, int64_t n)
{
    float *a = random_floats(n), *b = random_floats(n), lane[BDNN_DOT_LANES] = {0};
    double wide[BDNN_DOT_LANES] = {0};
    for (int64_t i = 0; i < n; i++) {
        const volatile float product = a[i] * b[i], sum = lane[i % BDNN_DOT_LANES] + product;
        const volatile double wide_sum = wide[i % BDNN_DOT_LANES] + (double)a[i] * b[i];
        lane[i % BDNN_DOT_LANES] = sum;
        wide[i % BDNN_DOT_LANES] = wide_sum;
    }
    for (int half = BDNN_DOT_LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
            lane[l] += lane[l + half];
            wide[l] += wide[l + half];
        }
    }
    assert_true(kernel->dot(a, b, (size_t)n) == lane[0]);
    assert_true(kernel->dot_double(a, b, (size_t)n) == wide[0]);
    bdnn_free(a);
    bdnn_free(b);
}

static void check_elements(const bdnn_float_kernel *kernel, int64_t n)
{
    const float factor = random_float(), step = 0.37f;
    float *x = random_floats(n), *y = random_floats(n), *sum = random_floats(n), *centered = random_floats(n);
    uint8_t *q = bdnn_alloc((size_t)n, 1);
    assert_non_null(q);
    for (int64_t i = 0; i < n; i++) {
        q[i] = (uint8_t)bits();
        sum[i] = y[i];
    }
    kernel->axpy(x, (size_t)n, factor, sum);
    kernel->center(q, x, (size_t)n, step, 31, centered);
    for (int64_t i = 0; i < n; i++) {
        const volatile float product = factor * x[i], real = step * (float)(q[i] - 31);
        assert_true(sum[i] == y[i] + product);
        assert_true(centered[i] == real - x[i]);
    }
    kernel->widen(q, (size_t)n, centered);
    for (int64_t i = 0; i < n; i++) {
        assert_true(centered[i] == (float)q[i]);
    }
    bdnn_free(x);
    bdnn_free(y);
    bdnn_free(sum);
    bdnn_free(centered);
    bdnn_free(q);
}

static void all_kernels_have_the_defined_order(void **unused)
{
    (void)unused;
    for (size_t i = 0; bdnn_float_kernels[i]; i++) {
        const bdnn_float_kernel *kernel = bdnn_float_kernels[i];
        if (!kernel->supported()) {
            continue;
        }
        printf("%s\n", kernel->name);
        for (int64_t rows = 1; rows < 20; rows++) {
            check_tile(kernel, rows, (int64_t)(1 + bits() % 256), rows & 1);
        }
        for (int64_t n = 0; n < 200; n++) {
            check_dots(kernel, n);
            check_elements(kernel, n);
        }
        check_dots(kernel, 4001);
    }
}

/* H = A A' + I and right-hand sides of known solutions. */
static void systems_are_solved(void **unused)
{
    static const int64_t sizes[] = {1, 2, 63, 64, 65, 200};
    enum { COUNT = 5 };
    (void)unused;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const int64_t n = sizes[s];
        float *h = bdnn_alloc((size_t)(n * n), sizeof *h), *x = random_floats(COUNT * n);
        float *right = bdnn_alloc((size_t)(COUNT * n), sizeof *right);
        bdnn_cholesky c = {.size = n, .factor = bdnn_alloc((size_t)(n * n), sizeof(float))};
        float *scratch = bdnn_alloc((size_t)bdnn_cholesky_scratch(n, COUNT), sizeof *scratch);
        float *a = bdnn_alloc((size_t)(n * n), sizeof *a);
        c.inverses = bdnn_alloc((size_t)bdnn_cholesky_inverses(n), sizeof(float));
        assert_true(h && right && c.factor && c.inverses && scratch && a);
        for (int64_t i = 0; i < n * n; i++) {
            a[i] = (float)((int64_t)(bits() % 2001) - 1000) * 1e-3f;
        }
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j < n; j++) {
                double sum = i == j;
                for (int64_t k = 0; k < n; k++) {
                    sum += (double)a[i * n + k] * a[j * n + k] / (double)n;
                }
                h[i * n + j] = c.factor[i * n + j] = (float)sum;
            }
        }
        for (int64_t f = 0; f < COUNT; f++) {
            for (int64_t i = 0; i < n; i++) {
                double sum = 0;
                for (int64_t j = 0; j < n; j++) {
                    sum += (double)h[i * n + j] * x[f * n + j];
                }
                right[f * n + i] = (float)sum;
            }
        }
        assert_int_equal(bdnn_cholesky_factorize(&c), 0);
        bdnn_cholesky_solve(&c, COUNT, right, scratch);
        for (int64_t i = 0; i < COUNT * n; i++) {
            assert_true(fabsf(right[i] - x[i]) < 1e-4f * 64);
        }
        memcpy(c.factor, h, (size_t)(n * n) * sizeof *h);
        c.factor[n * n - 1] = -1;
        assert_int_equal(bdnn_cholesky_factorize(&c), n);
        memcpy(c.factor, h, (size_t)(n * n) * sizeof *h);
        c.factor[n / 2 * n + n / 2] = NAN;
        assert_int_equal(bdnn_cholesky_factorize(&c), n / 2 + 1);
        bdnn_free(h);
        bdnn_free(a);
        bdnn_free(x);
        bdnn_free(right);
        bdnn_free(scratch);
        bdnn_free(c.factor);
        bdnn_free(c.inverses);
    }
}

static void powers_are_those_of_the_library(void **unused)
{
    static const float special[] = {0.0f, 1.0f, INFINITY, -1.0f, NAN, 0x1p-149f, 0x1.fffffep127f};
    (void)unused;
    for (int i = 0; i < 100000; i++) {
        const float base = ldexpf(1 + (float)(bits() % 8388608) * 0x1p-23f, (int)(bits() % 60) - 30);
        const float exponent = (float)((int64_t)(bits() % 4001) - 2000) * 1e-3f;
        const float got = bdnn_power(base, exponent), expected = (float)pow(base, exponent);
        if (got != expected && got != nextafterf(expected, got)) {
            fail_msg("%a to the power %a: %a, expected %a", (double)base, (double)exponent, (double)got,
                     (double)expected);
        }
    }
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        const float got = bdnn_power(special[i], -0.6f), expected = powf(special[i], -0.6f);
        assert_true(got == expected || (isnan(got) && isnan(expected)) || got == nextafterf(expected, got));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_have_the_defined_order),
        cmocka_unit_test(all_kernels_have_the_defined_order),
        cmocka_unit_test(systems_are_solved),
        cmocka_unit_test(powers_are_those_of_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
