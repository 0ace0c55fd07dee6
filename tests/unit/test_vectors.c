/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops over contiguous elements: in every family each instruction set gives the bits that the portable one gives,
 * and that one what the loops are documented to be. */
#include "kernels/decode.h"
#include "kernels/elementwise.h"
#include "kernels/pooling.h"
#include "kernels/quantization.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 300, WINDOW = 5 };

static uint64_t state = 88172645463325252u;

/* xorshift64 (Marsaglia 2003). */
static uint64_t bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static float random_float(void)
{
    static const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 0.5f, 1.5f, 2.5f, -0.5f, 1e30f, -1e-30f};
    if (bits() % 20 == 0) {
        return special[bits() % (sizeof special / sizeof *special)];
    }
    return (float)((int64_t)(bits() % 2000001) - 1000000) * 1e-4f;
}

/* Operands of all types, and results of all loops. */
struct operands {
    float x[MOST], positive[MOST + WINDOW], down[MOST];
    uint8_t u[MOST], v[MOST], tap[MOST];
    int16_t a[MOST], b[MOST];
    int32_t acc[MOST], offset[MOST];
};

struct results {
    uint8_t quantized[MOST], quantized_wide[MOST], clipped[MOST], largest[MOST], tap[2][MOST], tapped[MOST],
        selected[MOST];
    int16_t clipped_wide[MOST], sum[MOST], largest_wide[MOST], tapped_wide[MOST], selected_wide[MOST];
    float real[MOST], real_wide[MOST], clipped_real[MOST], largest_real[MOST], normalized[MOST], exponential[MOST],
        epilogue[MOST];
};

static void fill(struct operands *o)
{
    for (int i = 0; i < MOST; i++) {
        o->x[i] = random_float();
        o->down[i] = -fabsf(random_float());
        o->u[i] = (uint8_t)bits();
        o->v[i] = (uint8_t)bits();
        o->tap[i] = (uint8_t)(bits() % 4);
        o->a[i] = (int16_t)(bits() % 4 ? (int)(bits() % 65535) - 32767 : bits() % 2 ? 32767 : -32767);
        o->b[i] = (int16_t)(bits() % 4 ? (int)(bits() % 65535) - 32767 : bits() % 2 ? 32767 : -32767);
        o->acc[i] = (int32_t)(bits() % 2000001) - 1000000;
        o->offset[i] = (int32_t)(bits() % 2001) - 1000;
    }
    for (int i = 0; i < MOST + WINDOW; i++) {
        o->positive[i] = (float)(bits() % 1000) * 0.01f;
    }
}

static void run_elementwise(const bdnn_elementwise_kernel *k, const struct operands *o, size_t n, struct results *r)
{
    k->clip(o->x, n, -2, 6, r->clipped_real);
    k->clip_u8(o->u, n, 20, 200, r->clipped);
    k->clip_i16(o->a, n, -300, 5000, r->clipped_wide);
    k->sum_i16(o->a, o->b, n, r->sum);
    k->normalize(o->x, o->positive, n, WINDOW, 0.3f, 1.5f, r->normalized);
    k->exponential(o->down, n, r->exponential);
}

static void run_pooling(const bdnn_pooling_kernel *k, const struct operands *o, size_t n, struct results *r)
{
    memcpy(r->largest_real, o->positive, n * sizeof(float));
    k->max(o->x, n, r->largest_real);
    memcpy(r->largest, o->v, n);
    k->max_u8(o->u, n, r->largest);
    memcpy(r->largest_wide, o->b, n * sizeof(int16_t));
    k->max_i16(o->a, n, r->largest_wide);
    memcpy(r->tapped, o->v, n);
    memcpy(r->tap[0], o->tap, n);
    k->max_tap_u8(o->u, n, 77, r->tapped, r->tap[0]);
    memcpy(r->tapped_wide, o->b, n * sizeof(int16_t));
    memcpy(r->tap[1], o->tap, n);
    k->max_tap_i16(o->a, n, 78, r->tapped_wide, r->tap[1]);
    k->select_u8(o->u, o->tap, n, 2, 9, r->selected);
    k->select_i16(o->a, o->tap, n, 1, -9, r->selected_wide);
}

static void run_quantization(const bdnn_quantization_kernel *k, const struct operands *o, size_t n, struct results *r)
{
    k->quantize(o->x, n, 0.37f, -3, 60, 3, r->quantized);
    k->quantize_wide(o->a, n, 23456, 22, 9, 200, r->quantized_wide);
    k->dequantize(o->u, n, 0.1f, 17, r->real);
    k->dequantize_wide(o->a, n, 0.1f, r->real_wide);
    k->epilogue(o->acc, o->positive, o->offset, o->positive + 1, n, r->epilogue);
}

static void check_same(const char *name, size_t n, const struct results *got, const struct results *expected)
{
    for (size_t byte = 0; byte < sizeof *got; byte++) {
        if (((const uint8_t *)got)[byte] != ((const uint8_t *)expected)[byte]) {
            fail_msg("%s, %zu elements: byte %zu differs", name, n, byte);
        }
    }
}

/* Each kernel of a family's table against its last, on operands of each length. */
#define EACH_GIVES_THE_SAME_BITS(family)                                                                               \
    static void family##_gives_the_same_bits(void **unused)                                                            \
    {                                                                                                                  \
        static struct operands o;                                                                                      \
        static struct results expected, got;                                                                           \
        (void)unused;                                                                                                  \
        for (size_t n = 0; n <= MOST; n += n < 70 ? 1 : 23) {                                                          \
            size_t last = 0;                                                                                           \
            fill(&o);                                                                                                  \
            while (bdnn_##family##_kernels[last + 1]) {                                                                \
                last++;                                                                                                \
            }                                                                                                          \
            memset(&expected, 0x5a, sizeof expected);                                                                  \
            run_##family(bdnn_##family##_kernels[last], &o, n, &expected);                                             \
            for (size_t k = 0; k < last; k++) {                                                                        \
                if (bdnn_##family##_kernels[k]->supported()) {                                                         \
                    memset(&got, 0x5a, sizeof got);                                                                    \
                    run_##family(bdnn_##family##_kernels[k], &o, n, &got);                                             \
                    check_same(bdnn_##family##_kernels[k]->name, n, &got, &expected);                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }
EACH_GIVES_THE_SAME_BITS(elementwise)
EACH_GIVES_THE_SAME_BITS(pooling)
EACH_GIVES_THE_SAME_BITS(quantization)

static void loops_are_what_they_are_documented_to_be(void **unused)
{
    static struct operands o;
    static struct results r;
    (void)unused;
    fill(&o);
    run_elementwise(bdnn_elementwise_choose(), &o, MOST, &r);
    run_pooling(bdnn_pooling_choose(), &o, MOST, &r);
    for (int i = 0; i < MOST; i++) {
        const int sum = o.a[i] + o.b[i];
        double s = 0;
        for (int w = 0; w < WINDOW; w++) {
            s += o.positive[i + w];
        }
        assert_int_equal(r.sum[i], sum > 32767 ? 32767 : sum < -32767 ? -32767 : sum);
        assert_int_equal(r.largest_wide[i], o.a[i] > o.b[i] ? o.a[i] : o.b[i]);
        assert_int_equal(r.tap[1][i], o.a[i] > o.b[i] ? 78 : o.tap[i]);
        assert_int_equal(r.tap[0][i], o.u[i] > o.v[i] ? 77 : o.tap[i]);
        assert_int_equal(r.selected[i], o.tap[i] == 2 ? o.u[i] : 9);
        assert_int_equal(r.selected_wide[i], o.tap[i] == 1 ? o.a[i] : -9);
        assert_int_equal(r.clipped[i], o.u[i] < 20 ? 20 : o.u[i] > 200 ? 200 : o.u[i]);
        if (isfinite(o.x[i])) {
            const double expected = o.x[i] / pow(1.5 + 0.3f * s, 0.75);
            assert_true(fabs(r.normalized[i] - expected) <= 1e-6 * fabs(expected));
        }
    }
}

static void weights_are_sums_of_bases(void **unused)
{
    enum { WORDS = 5, STRIDE = 7 };
    uint64_t planes[8 * STRIDE];
    int8_t scales[8], w[64 * WORDS + 1];
    (void)unused;
    for (int round = 0; round < 400; round++) {
        const int32_t bases = 1 + round % 8;
        const size_t words = 1 + (size_t)round % WORDS;
        int left = 127;
        for (int i = 0; i < 8 * STRIDE; i++) {
            planes[i] = bits();
        }
        for (int32_t k = 0; k < bases; k++) {
            const int g = round % 3 && k + 1 == bases ? left : (int)(bits() % (uint64_t)(left + 1));
            scales[k] = (int8_t)(bits() % 2 ? g : -g);
            left -= g;
        }
        for (const bdnn_decode_kernel *const *k = bdnn_decode_kernels; *k; k++) {
            if (!(*k)->supported()) {
                continue;
            }
            w[64 * words] = 55;
            (*k)->decode(planes, STRIDE, words, scales, bases, w);
            for (size_t d = 0; d < 64 * words; d++) {
                int expected = 0;
                for (int32_t b = 0; b < bases; b++) {
                    expected += planes[(size_t)b * STRIDE + d / 64] >> d % 64 & 1 ? scales[b] : -scales[b];
                }
                assert_int_equal(w[d], expected);
            }
            assert_int_equal(w[64 * words], 55);
        }
    }
}

static void exponentials_are_exact_to_two_units(void **unused)
{
    float x[1000], y[1000];
    (void)unused;
    for (int round = 0; round < 90; round++) {
        for (int i = 0; i < 1000; i++) {
            x[i] = -(float)round - (float)i * 1e-3f;
        }
        bdnn_elementwise_choose()->exponential(x, 1000, y);
        for (int i = 0; i < 1000; i++) {
            const double expected = exp(x[i]);
            const double unit = x[i] < -87 ? 2e-38 : ldexp(1, (int)floor(log2(expected)) - 23);
            assert_true(fabs(y[i] - expected) <= 2 * unit);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementwise_gives_the_same_bits),  cmocka_unit_test(pooling_gives_the_same_bits),
        cmocka_unit_test(quantization_gives_the_same_bits), cmocka_unit_test(loops_are_what_they_are_documented_to_be),
        cmocka_unit_test(weights_are_sums_of_bases),        cmocka_unit_test(exponentials_are_exact_to_two_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
