/* SPDX-License-Identifier: BSD-2-Clause */
/* The quantization sub-layer and bit planes against their definitions, element by element. */
#include "core/memory.h"
#include "core/threads.h"
#include "kernels/quantize.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 88172645463325252u;

/* xorshift64 (Marsaglia 2003). */
static int64_t below(int64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (int64_t)(state >> 11) % n;
}

/* clamp(rint(x / step) + z, 0, 2^Q - 1), the sum in double: infinities pass, no integer overflows. */
static uint8_t definition(float x, float step, int32_t zero_point, int32_t bits)
{
    const volatile float quotient = x / step;
    const double most = (1 << bits) - 1, level = rint((double)quotient) + zero_point;
    if (isnan(quotient)) {
        return (uint8_t)zero_point;
    }
    return (uint8_t)(level < 0 ? 0 : level > most ? most : level);
}

/* Odd values first, then half-way cases and their neighbors, then random ones. */
static float sample(size_t i, float step)
{
    static const float odd[] = {0.0f,     -0.0f,  NAN,     INFINITY,   -INFINITY,   FLT_MAX,    -FLT_MAX, FLT_MIN,
                                -FLT_MIN, 1e-45f, -1e-45f, 8388608.0f, -8388609.0f, 4194304.5f, 1.5e10f,  -3e9f};
    const float half = ((float)below(1200) - 600.0f) * 0.5f * step;
    if (i < sizeof odd / sizeof *odd) {
        return odd[i];
    }
    switch (i % 4) {
    case 0:
        return half;
    case 1:
        return nextafterf(half, INFINITY);
    case 2:
        return nextafterf(half, -INFINITY);
    default:
        return ((float)below(2000001) * 1e-6f - 1.0f) * step * 300.0f;
    }
}

static void quantization_is_the_definition(void **unused)
{
    enum { COUNT = 40003 }; /* several tasks and a remainder */
    static const float steps[] = {1.0f, 0.1f, 0.0123456f, 3.7e-5f, 1e-38f, 1e30f, 1.0f / 3.0f};
    bdnn_threads *threads = bdnn_threads_create(3);
    float *x = bdnn_alloc(COUNT, sizeof *x), *y = bdnn_alloc(COUNT, sizeof *y);
    uint8_t *x_q = bdnn_alloc(COUNT, 1);
    (void)unused;
    for (size_t s = 0; s < 8 * sizeof steps / sizeof *steps; s++) {
        const float step = steps[s / 8];
        const int32_t bits = 1 + (int32_t)(s % 8), zero_point = (int32_t)below(1 << bits);
        for (size_t i = 0; i < COUNT; i++) {
            x[i] = sample(i, step);
        }
        bdnn_quantize(x, COUNT, step, zero_point, bits, x_q, s % 2 ? threads : NULL);
        bdnn_fake_quantize(x, COUNT, step, zero_point, bits, y);
        for (size_t i = 0; i < COUNT; i++) {
            assert_int_equal(x_q[i], definition(x[i], step, zero_point, bits));
            assert_true(y[i] == step * (float)(x_q[i] - zero_point));
        }
    }
    bdnn_threads_destroy(threads);
    bdnn_free(x);
    bdnn_free(y);
    bdnn_free(x_q);
}

static void planes_hold_the_bits(void **unused)
{
    (void)unused;
    for (size_t count = 1; count < 200; count++) {
        const int32_t bits = 1 + (int32_t)(count % 8);
        const size_t words = (count + 63) / 64;
        uint64_t planes[8 * 4 + 1];
        uint8_t x_q[200];
        for (size_t i = 0; i < count; i++) {
            x_q[i] = (uint8_t)below(1 << bits);
        }
        memset(planes, 0xa5, sizeof planes);
        bdnn_pack_planes(x_q, count, bits, planes);
        for (size_t i = 0; i < words * 64; i++) {
            for (int32_t q = 0; q < bits; q++) {
                const unsigned bit = planes[(size_t)q * words + i / 64] >> i % 64 & 1;
                assert_int_equal(bit, i < count ? x_q[i] >> q & 1 : 0);
            }
        }
        assert_int_equal(planes[(size_t)bits * words], 0xa5a5a5a5a5a5a5a5u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantization_is_the_definition),
        cmocka_unit_test(planes_hold_the_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
