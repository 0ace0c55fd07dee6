/* SPDX-License-Identifier: BSD-2-Clause */
/* Where sums go: the epilogue and every requantization kernel against their definitions, element by element. */
#include "kernels/sink.h"

#include <setjmp.h>
#include <stdarg.h>
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

static int64_t between(int64_t low, int64_t high)
{
    return low + (int64_t)((bits() >> 11) % (uint64_t)(high - low + 1));
}

static void epilogue_rounds_three_times(void **unused)
{
    enum { FILTERS = 37, POSITIONS = 1000, STRIDE = 41 };
    float multiplier[FILTERS], bias[FILTERS], y[POSITIONS * FILTERS];
    int32_t offset[FILTERS], acc[POSITIONS * STRIDE];
    const bdnn_epilogue epilogue = {multiplier, offset, bias};
    const bdnn_sink sink = {.kind = BDNN_SINK_FLOAT, .y = y, .filters = FILTERS, .epilogue = &epilogue};
    (void)unused;
    for (int f = 0; f < FILTERS; f++) {
        multiplier[f] = (float)between(0, 999999) * 1.2345e-9f;
        offset[f] = (int32_t)between(-1000000, 1000000);
        bias[f] = (float)between(0, 999999) * 1e-5f - 5.0f;
    }
    for (int i = 0; i < POSITIONS * STRIDE; i++) {
        acc[i] = (int32_t)between(-1000000000, 1000000000);
    }
    bdnn_sink_put(&sink, 0, POSITIONS, 0, FILTERS, acc, STRIDE);
    for (int p = 0; p < POSITIONS; p++) {
        for (int f = 0; f < FILTERS; f++) {
            const volatile float converted = (float)(acc[p * STRIDE + f] - offset[f]);
            const volatile float product = multiplier[f] * converted;
            assert_true(y[p * FILTERS + f] == product + bias[f]);
        }
    }
}

/* floor by division, which cuts toward zero: nothing of the shift that the library uses. */
static int64_t definition(int32_t acc, int64_t multiplier, int64_t offset, int32_t low, int32_t high)
{
    const int64_t sum = acc * multiplier + offset, one = INT64_C(1) << 32;
    const int64_t quotient = sum / one - (sum % one < 0);
    return quotient < low ? low : quotient > high ? high : (int64_t)quotient;
}

enum { MOST = 147 };

static void fill(int32_t *acc, int64_t *multiplier, int64_t *offset)
{
    const int64_t most = INT32_MAX;
    for (int i = 0; i < MOST; i++) {
        switch (bits() % 4) {
        case 0: /* as in networks: results of a few hundred */
            acc[i] = (int32_t)between(-200000, 200000);
            multiplier[i] = between(0, 10000000);
            offset[i] = between(-1000, 1000) * ((int64_t)1 << 32) + between(0, most);
            break;
        case 1: /* extremes; |product| < 2^62 leaves room for an offset of 2^61 */
            acc[i] = bits() % 2 ? INT32_MAX : INT32_MIN;
            multiplier[i] = bits() % 2 ? most : -most;
            offset[i] = bits() % 2 ? (int64_t)1 << 61 : -((int64_t)1 << 61);
            break;
        case 2: /* exactly at a boundary, or one below */
            acc[i] = (int32_t)between(-100, 100);
            multiplier[i] = (int64_t)1 << 30;
            offset[i] = between(-300, 300) * ((int64_t)1 << 30) - between(0, 1);
            break;
        default:
            acc[i] = (int32_t)bits();
            multiplier[i] = between(-most, most);
            offset[i] = between(-most, most) * between(0, most / 2);
        }
    }
}

static void requantization_is_the_definition(void **unused)
{
    const int32_t limits[][2] = {{0, 1},     {0, 63},         {0, 255},   {17, 200},
                                 {255, 255}, {-32767, 32767}, {0, 32767}, {-5, 5}};
    int32_t acc[MOST];
    int64_t multiplier[MOST], offset[MOST];
    (void)unused;
    for (const bdnn_sink_kernel *const *k = bdnn_sink_kernels; *k; k++) {
        for (int round = 0; round < 4000 && (*k)->supported(); round++) {
            const int32_t *limit = limits[round % 8];
            const int64_t count = round % MOST + 1;
            const bdnn_sink_tile tile = {.acc = acc, .rows = 1, .count = count};
            const bdnn_requantizer r = {multiplier, offset, limit[0], limit[1]};
            uint8_t bytes[MOST + 1];
            int16_t words[MOST + 1];
            fill(acc, multiplier, offset);
            memset(bytes, 0xa5, sizeof bytes);
            memset(words, 0xa5, sizeof words);
            if (limit[0] >= 0 && limit[1] <= 255) {
                (*k)->quantized(&tile, &r, bytes);
            }
            (*k)->wide(&tile, &r, words);
            for (int64_t i = 0; i < count; i++) {
                const int64_t expected = definition(acc[i], multiplier[i], offset[i], limit[0], limit[1]);
                assert_int_equal(words[i], expected);
                if (limit[0] >= 0 && limit[1] <= 255) {
                    assert_int_equal(bytes[i], expected);
                }
            }
            assert_int_equal(bytes[count], 0xa5);
            assert_int_equal((uint16_t)words[count], 0xa5a5);
        }
    }
}

/* By division, as above. */
static int64_t definition_of_rescale(int64_t v, const bdnn_rescale *r)
{
    const int64_t one = INT64_C(1) << r->shift, sum = v * r->multiplier + one / 2;
    const int64_t quotient = sum / one - (sum % one < 0) + r->zero_point;
    return quotient < 0 ? 0 : quotient > r->most ? r->most : quotient;
}

static bdnn_rescale any_rescale(void)
{
    const int32_t most = (1 << between(1, 8)) - 1;
    return (bdnn_rescale){.multiplier = (int32_t)between(1 << 14, (1 << 15) - 1),
                          .shift = (int32_t)(bits() % 2 ? between(18, 24) : between(1, 29)),
                          .zero_point = (int32_t)between(0, most),
                          .most = most};
}

/* A residual sum: clamped before it and after it; and what the next layer reads of it. */
static void addends_are_added(void **unused)
{
    int32_t acc[MOST];
    int64_t multiplier[MOST], offset[MOST];
    int16_t addend[MOST], y[MOST + 1];
    uint8_t x_q[MOST + 1];
    (void)unused;
    for (const bdnn_sink_kernel *const *k = bdnn_sink_kernels; *k; k++) {
        for (int round = 0; round < 2000 && (*k)->supported(); round++) {
            const bdnn_requantizer r = {multiplier, offset, round % 3 ? 0 : -32767, round % 2 ? 5000 : 32767};
            const int64_t count = round % MOST + 1;
            const bool in_place = round % 5 == 0;
            const bdnn_rescale rescale = any_rescale();
            const bdnn_sink_tile tile = {.acc = acc,
                                         .rows = 1,
                                         .count = count,
                                         .addend = round % 7 == 0 ? NULL
                                                   : in_place     ? y
                                                                  : addend,
                                         .rescale = round % 4 == 0 ? NULL : &rescale,
                                         .x_q = x_q};
            fill(acc, multiplier, offset);
            for (int i = 0; i < MOST; i++) {
                addend[i] = (int16_t)(bits() % 3 ? between(-32767, 32767) : bits() % 2 ? 32767 : -32767);
            }
            memcpy(y, addend, sizeof addend);
            y[MOST] = y[count] = 0x5a5a;
            memset(x_q, 0xa5, sizeof x_q);
            (*k)->wide(&tile, &r, y);
            for (int64_t i = 0; i < count; i++) {
                int64_t v = definition(acc[i], multiplier[i], offset[i], -32767, 32767);
                v += tile.addend ? addend[i] : 0;
                v = v < r.low ? r.low : v > r.high ? r.high : v;
                assert_int_equal(y[i], v);
                assert_int_equal(x_q[i], tile.rescale ? definition_of_rescale(v, &rescale) : 0xa5);
            }
            assert_int_equal(y[count], 0x5a5a);
            assert_int_equal(x_q[count], 0xa5);
        }
    }
}

/* Values that come from elsewhere are read like those that the sink makes. */
static void wide_values_are_read(void **unused)
{
    int16_t y[MOST];
    uint8_t x_q[MOST];
    (void)unused;
    for (int round = 0; round < 500; round++) {
        const bdnn_rescale rescale = any_rescale();
        const bdnn_sink sink = {.kind = BDNN_SINK_WIDE, .y = y, .rescale = &rescale, .x_q = x_q};
        const int64_t at = round % 5, count = round % (MOST - 5) + 1;
        for (int i = 0; i < MOST; i++) {
            y[i] = (int16_t)between(-32767, 32767);
        }
        memset(x_q, 0xa5, sizeof x_q);
        bdnn_sink_rescale(&sink, at, count);
        for (int64_t i = 0; i < MOST; i++) {
            const bool inside = i >= at && i < at + count;
            assert_int_equal(x_q[i], inside ? definition_of_rescale(y[i], &rescale) : 0xa5);
        }
    }
}

static void tiles_land_in_their_places(void **unused)
{
    enum { POSITIONS = 9, FILTERS = 23 };
    int32_t acc[3 * 8];
    int64_t multiplier[FILTERS], offset[FILTERS];
    const bdnn_requantizer r = {multiplier, offset, -1000, 1000};
    int16_t y[POSITIONS * FILTERS];
    const bdnn_sink sink = {.kind = BDNN_SINK_WIDE, .y = y, .filters = FILTERS, .requantizer = &r};
    (void)unused;
    memset(y, 0x11, sizeof y);
    for (int f = 0; f < FILTERS; f++) {
        multiplier[f] = f == 8 ? (int64_t)1 << 30 : 0;
        offset[f] = (int64_t)f << 32;
    }
    for (int i = 0; i < 3 * 8; i++) {
        acc[i] = 4 * i;
    }
    bdnn_sink_put(&sink, 5, 3, 7, 6, acc, 8);
    for (int i = 0; i < POSITIONS * FILTERS; i++) {
        const int p = i / FILTERS, f = i % FILTERS;
        const int row = p - 5, column = f - 7;
        const bool inside = row >= 0 && row < 3 && column >= 0 && column < 6;
        assert_int_equal(y[i], !inside ? 0x1111 : f == 8 ? 8 + row * 8 + column : f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epilogue_rounds_three_times), cmocka_unit_test(requantization_is_the_definition),
        cmocka_unit_test(addends_are_added),           cmocka_unit_test(wide_values_are_read),
        cmocka_unit_test(tiles_land_in_their_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
