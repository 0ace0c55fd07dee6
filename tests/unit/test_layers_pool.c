/* SPDX-License-Identifier: BSD-2-Clause */
/* Poolings and their inverse against their definitions. */
#include "layers_check.h"

/* A random pooling; false when its window does not fit. */
static bool random_pool(struct check *c, bdnn_op op, int32_t spatial, bool whole)
{
    const bdnn_shape shape = random_shape(2 + spatial, 1, 9);
    const bdnn_window window = random_window(spatial);
    for (int a = 0; a < spatial; a++) {
        if (count_windows(&window, BDNN_SPATIAL - spatial + a, shape.dim[2 + a], false) < 1) {
            return false;
        }
    }
    check_begin(c, op, 1);
    check_input(c, 0, &shape, whole);
    c->layer.attr.pool.window = window;
    c->layer.attr.pool.ceil_mode = random_bool();
    c->layer.attr.pool.count_include_pad = random_bool();
    c->layer.attr.pool.column_major = random_bool();
    return true;
}

static void assert_pooled_shape(const struct check *c, int o)
{
    int64_t in[5], out[5];
    five(&c->in[0].shape, in);
    five(&c->out[o].shape, out);
    assert_int_equal(out[0], in[0]);
    assert_int_equal(out[1], in[1]);
    for (int a = 0; a < BDNN_SPATIAL; a++) {
        assert_int_equal(out[2 + a], c->layer.attr.pool.global ? 1
                                                               : count_windows(&c->layer.attr.pool.window, a, in[2 + a],
                                                                               c->layer.attr.pool.ceil_mode));
    }
}

/* One window: the largest element and its index (the first of equals), the sum, the taps on the input and the taps on
 * the input or its pads. */
struct seen {
    float most;
    int64_t index, inside, padded;
    double sum, magnitude;
};

static struct seen look(const struct check *c, const int64_t in[5], const int64_t o[5])
{
    const bdnn_window *w = &c->layer.attr.pool.window;
    const bool global = c->layer.attr.pool.global;
    struct seen seen = {.most = -INFINITY, .index = -1};
    bdnn_shape taps = {3, {w->kernel[0], w->kernel[1], w->kernel[2]}};
    for (int a = 0; a < BDNN_SPATIAL && global; a++) {
        taps.dim[a] = in[2 + a];
    }
    for (int64_t tap = 0; tap < bdnn_shape_elements(&taps); tap++) {
        int64_t k[3], at[3];
        bool inside = true, padded = true;
        unravel(&taps, tap, k);
        for (int a = 0; a < BDNN_SPATIAL; a++) {
            at[a] = global ? k[a] : o[2 + a] * w->stride[a] + k[a] * w->dilation[a] - w->pad_begin[a];
            inside = inside && at[a] >= 0 && at[a] < in[2 + a];
            padded = padded && (global || at[a] < in[2 + a] + w->pad_end[a]);
        }
        seen.padded += padded;
        if (inside) {
            const int64_t image = o[0] * in[1] + o[1];
            const float x = ((float *)c->x[0])[((image * in[2] + at[0]) * in[3] + at[1]) * in[4] + at[2]];
            seen.inside++;
            seen.sum += x;
            seen.magnitude += fabsf(x);
            if (x > seen.most) {
                seen.most = x;
                seen.index = c->layer.attr.pool.column_major
                                 ? image * in[2] * in[3] * in[4] + at[0] + in[2] * (at[1] + in[3] * at[2])
                                 : ((image * in[2] + at[0]) * in[3] + at[1]) * in[4] + at[2];
            }
        }
    }
    return seen;
}

static void compare_pool(struct check *c)
{
    int64_t in[5], out[5], o[5];
    bdnn_shape logical;
    check_run(c);
    five(&c->in[0].shape, in);
    five(&c->out[0].shape, out);
    assert_pooled_shape(c, 0);
    logical = (bdnn_shape){5, {out[0], out[1], out[2], out[3], out[4]}};
    for (int64_t e = 0; e < bdnn_shape_elements(&logical); e++) {
        struct seen seen;
        unravel(&logical, e, o);
        seen = look(c, in, o);
        if (c->layer.op == BDNN_OP_MAX_POOL) {
            assert_true(((float *)c->y[0])[e] == seen.most);
            if (c->layer.output_count > 1) {
                assert_int_equal(((int64_t *)c->y[1])[e], seen.index);
            }
        } else {
            const bool all = c->layer.attr.pool.count_include_pad && !c->layer.attr.pool.global;
            const double count = (double)(all ? seen.padded : seen.inside > 0 ? seen.inside : 1);
            assert_close(((float *)c->y[0])[e], seen.sum / count, seen.magnitude / count);
        }
    }
    check_end(c);
}

static void max_poolings(void **state)
{
    (void)state;
    for (int32_t spatial = 1; spatial <= 3; spatial++) {
        for (int i = 0; i < 60; i++) {
            struct check c;
            if (random_pool(&c, BDNN_OP_MAX_POOL, spatial, true)) {
                c.layer.output_count = 1 + i % 2;
                compare_pool(&c);
            }
        }
    }
}

static void average_poolings(void **state)
{
    (void)state;
    for (int32_t spatial = 1; spatial <= 3; spatial++) {
        for (int i = 0; i < 60; i++) {
            struct check c;
            if (random_pool(&c, BDNN_OP_AVERAGE_POOL, spatial, false)) {
                compare_pool(&c);
            }
        }
    }
}

/* A global pooling ignores its window, whatever it holds. */
static void global_poolings(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        struct check c;
        if (random_pool(&c, i % 2 ? BDNN_OP_MAX_POOL : BDNN_OP_AVERAGE_POOL, 1 + i % 3, false)) {
            c.layer.attr.pool.global = true;
            compare_pool(&c);
        }
    }
}

/* Pooling whose elements are all minus infinity still names one of them. */
static void minus_infinity_has_an_index(void **state)
{
    const bdnn_shape shape = {4, {1, 1, 2, 2}};
    struct check c;
    (void)state;
    check_begin(&c, BDNN_OP_MAX_POOL, 1);
    check_input(&c, 0, &shape, false);
    for (int i = 0; i < 4; i++) {
        ((float *)c.x[0])[i] = -INFINITY;
    }
    c.layer.attr.pool.window = plain_window();
    c.layer.attr.pool.window.kernel[1] = c.layer.attr.pool.window.kernel[2] = 2;
    c.layer.output_count = 2;
    check_run(&c);
    assert_true(((float *)c.y[0])[0] == -INFINITY);
    assert_int_equal(((int64_t *)c.y[1])[0], 0);
    check_end(&c);
}

/* Known sizes: the windows of 3 with stride 2 of AlexNet and ResNet, and where rounding up stops. */
static void window_counts(void **state)
{
    bdnn_window w = plain_window();
    (void)state;
    w.kernel[1] = 3;
    w.stride[1] = 2;
    assert_int_equal(bdnn_window_output(&w, 1, 55, false), 27);
    assert_int_equal(bdnn_window_output(&w, 1, 112, false), 55);
    assert_int_equal(bdnn_window_output(&w, 1, 112, true), 56);
    assert_int_equal(bdnn_window_output(&w, 1, 3, false), 1);
    assert_int_equal(bdnn_window_output(&w, 1, 2, false), -1);
    assert_int_equal(bdnn_window_output(&w, 1, 0, true), -1);
    w.kernel[1] = 1;
    w.stride[1] = 3;
    w.pad_end[1] = 1;
    assert_int_equal(bdnn_window_output(&w, 1, 3, true), 1); /* a second window would begin in the trailing pad */
    for (int i = 0; i < 2000; i++) {
        const int64_t in = random_in(1, 20);
        w = random_window(3);
        for (int ceil_mode = 0; ceil_mode < 2; ceil_mode++) {
            const int64_t count = count_windows(&w, 0, in, ceil_mode);
            assert_int_equal(bdnn_window_output(&w, 0, in, ceil_mode), count > 0 ? count : -1);
        }
    }
}

/* What a pooling took goes back to where it came from. */
static void unpooling_inverts_pooling(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        const int32_t spatial = (int32_t)random_in(1, 3);
        const bdnn_shape shape = random_shape(2 + spatial, 2, 9);
        struct check pool, back;
        bdnn_window w = plain_window();
        bool fits = true;
        for (int a = BDNN_SPATIAL - spatial; a < BDNN_SPATIAL; a++) {
            w.kernel[a] = w.stride[a] = 2;
            fits = fits && (i % 2 || shape.dim[2 + a - (BDNN_SPATIAL - spatial)] % 2 == 0);
        }
        check_begin(&pool, BDNN_OP_MAX_POOL, 1);
        check_input(&pool, 0, &shape, false);
        pool.layer.attr.pool.window = w;
        pool.layer.attr.pool.ceil_mode = true;
        pool.layer.output_count = 2;
        for (int32_t a = 2; a < shape.rank; a++) {
            fits = fits && shape.dim[a] > 1;
        }
        if (fits) {
            check_run(&pool);
            check_begin(&back, BDNN_OP_MAX_UNPOOL, 2);
            for (int o = 0; o < 2; o++) {
                back.in[o] = pool.out[o];
                back.x[o] = pool.y[o];
                pool.y[o] = NULL;
            }
            back.layer.attr.pool.window = w;
            back.layer.attr.pool.output_shape = i % 2 ? shape : (bdnn_shape){0};
            check_run(&back);
            assert_true(bdnn_shape_equal(&back.out[0].shape, &shape));
            for (int64_t e = 0; e < bdnn_shape_elements(&shape); e++) {
                bool taken = false;
                for (int64_t p = 0; p < bdnn_shape_elements(&back.in[0].shape); p++) {
                    taken = taken || ((int64_t *)back.x[1])[p] == e;
                }
                assert_true(((float *)back.y[0])[e] == (taken ? ((float *)pool.x[0])[e] : 0));
            }
            check_end(&back);
        }
        check_end(&pool);
    }
}

/* ONNX: indices count in what the window makes of the input; a larger output shape only adds zeros at the far ends. */
static void unpooling_into_a_larger_shape(void **state)
{
    const bdnn_shape shape = {4, {1, 1, 2, 2}}, larger = {4, {1, 1, 5, 6}};
    const int64_t indices[4] = {5, 7, 13, 15};
    struct check c;
    (void)state;
    check_begin(&c, BDNN_OP_MAX_UNPOOL, 2);
    check_input(&c, 0, &shape, false);
    check_input(&c, 1, &shape, false);
    bdnn_free(c.x[1]);
    c.x[1] = bdnn_alloc(4, sizeof(int64_t));
    memcpy(c.x[1], indices, sizeof indices);
    c.in[1].type = BDNN_INT64;
    c.layer.attr.pool.window = plain_window();
    for (int a = 1; a < BDNN_SPATIAL; a++) {
        c.layer.attr.pool.window.kernel[a] = c.layer.attr.pool.window.stride[a] = 2;
    }
    c.layer.attr.pool.output_shape = larger;
    check_run(&c);
    assert_shape(&c.out[0].shape, 4, larger.dim);
    for (int64_t e = 0; e < 30; e++) {
        const int64_t row = e / 6, column = e % 6;
        const bool filled = row % 2 == 1 && row < 4 && column % 2 == 1 && column < 4;
        assert_true(((float *)c.y[0])[e] == (filled ? ((float *)c.x[0])[row / 2 * 2 + column / 2] : 0));
    }
    check_end(&c);
}

/* Indices are data: none of them may reach beyond its own batch item. */
static void hostile_indices_are_ignored(void **state)
{
    const bdnn_shape shape = {4, {2, 3, 4, 4}};
    struct check c;
    (void)state;
    for (int i = 0; i < 40; i++) {
        int64_t *indices = bdnn_alloc(96, sizeof *indices);
        check_begin(&c, BDNN_OP_MAX_UNPOOL, 2);
        check_input(&c, 0, &shape, false);
        for (int e = 0; e < 96; e++) {
            const int64_t extremes[] = {-1, INT64_MIN, INT64_MAX, 384, 383, 192, 191, 0};
            indices[e] = random_bool() ? extremes[random_in(0, 7)] : (int64_t)random_bits();
        }
        c.in[1] = (bdnn_value_info){BDNN_INT64, shape};
        c.x[1] = indices;
        c.layer.attr.pool.window = plain_window();
        for (int a = 1; a < BDNN_SPATIAL; a++) {
            c.layer.attr.pool.window.kernel[a] = c.layer.attr.pool.window.stride[a] = 2;
        }
        if (i % 2) {
            c.layer.attr.pool.output_shape = (bdnn_shape){4, {2, 3, 5, 9}};
        }
        if (i % 4 == 3) {
            c.layer.attr.pool.output_shape = (bdnn_shape){4, {2, 3, 1, 11}};
        }
        check_run(&c);
        check_end(&c);
    }
}

/* An index that names an element of another batch item leaves both items alone. */
static void items_do_not_reach_each_other(void **state)
{
    const bdnn_shape shape = {3, {2, 1, 1}};
    struct check c;
    (void)state;
    check_begin(&c, BDNN_OP_MAX_UNPOOL, 2);
    check_input(&c, 0, &shape, false);
    c.in[1] = (bdnn_value_info){BDNN_INT64, shape};
    c.x[1] = bdnn_alloc(2, sizeof(int64_t));
    memcpy(c.x[1], (const int64_t[]){3, 2}, 2 * sizeof(int64_t));
    c.layer.attr.pool.window = plain_window();
    c.layer.attr.pool.window.kernel[2] = c.layer.attr.pool.window.stride[2] = 2;
    check_run(&c);
    assert_shape(&c.out[0].shape, 3, (const int64_t[]){2, 1, 2});
    for (int e = 0; e < 4; e++) {
        assert_true(((float *)c.y[0])[e] == (e == 2 ? ((float *)c.x[0])[1] : 0));
    }
    check_end(&c);
}

static void pool_of(struct check *c, bdnn_op op, const bdnn_shape *shape)
{
    check_begin(c, op, op == BDNN_OP_MAX_UNPOOL ? 2 : 1);
    check_input(c, 0, shape, false);
    c->layer.attr.pool.window = plain_window();
    c->layer.attr.pool.window.kernel[2] = c->layer.attr.pool.window.stride[2] = 2;
    c->in[1] = (bdnn_value_info){BDNN_INT64, *shape};
}

static void hostile_windows_are_refused(void **state)
{
    const bdnn_shape shape = {4, {1, 2, 6, 6}};
    const struct {
        size_t number; /* offset of one of the window's numbers for the width */
        int32_t value;
        const char *text;
    } cases[] = {
        {offsetof(bdnn_window, kernel[2]), 0, "kernel 0"},
        {offsetof(bdnn_window, kernel[2]), -1, "kernel -1"},
        {offsetof(bdnn_window, kernel[2]), INT32_MAX, "kernel 2147483647"},
        {offsetof(bdnn_window, stride[2]), 0, "stride 0"},
        {offsetof(bdnn_window, stride[2]), INT32_MIN, "stride -2147483648"},
        {offsetof(bdnn_window, dilation[2]), 0, "dilation 0"},
        {offsetof(bdnn_window, dilation[2]), INT32_MAX, "dilation 2147483647"},
        {offsetof(bdnn_window, pad_begin[2]), -1, "pads -1"},
        {offsetof(bdnn_window, pad_end[2]), INT32_MAX, "2147483647"},
        {offsetof(bdnn_window, kernel[0]), 2, "axis"},
        {offsetof(bdnn_window, pad_begin[0]), 1, "axis"},
    };
    struct check c;
    (void)state;
    for (int op = BDNN_OP_MAX_POOL; op <= BDNN_OP_MAX_UNPOOL; op++) {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            pool_of(&c, (bdnn_op)op, &shape);
            memcpy((char *)&c.layer.attr.pool.window + cases[i].number, &cases[i].value, sizeof cases[i].value);
            check_refused(&c, cases[i].text);
            check_end(&c);
        }
        pool_of(&c, (bdnn_op)op, &shape);
        c.in[0].shape.rank = c.in[1].shape.rank = 2;
        check_refused(&c, "axes");
        check_end(&c);
    }
    pool_of(&c, BDNN_OP_MAX_POOL, &shape);
    c.layer.attr.pool.window.kernel[2] = 7;
    check_refused(&c, "kernel of 7");
    c.layer.attr.pool.global = true;
    c.in[0].shape.dim[3] = 0;
    check_refused(&c, "0 positions");
    c.in[0].shape.dim[3] = BDNN_MAX_ELEMENTS;
    check_refused(&c, "1099511627776 positions");
    check_end(&c);
}

static void wrong_unpoolings_are_refused(void **state)
{
    const bdnn_shape shape = {4, {1, 2, 6, 6}};
    struct check c;
    (void)state;
    pool_of(&c, BDNN_OP_MAX_UNPOOL, &shape);
    c.layer.attr.pool.output_shape = (bdnn_shape){3, {1, 2, 6}};
    check_refused(&c, "3 axes");
    c.layer.attr.pool.output_shape = (bdnn_shape){4, {1, 3, 6, 12}};
    check_refused(&c, "channels");
    c.layer.attr.pool.output_shape = (bdnn_shape){4, {1, 2, -6, 12}};
    check_refused(&c, "-6");
    c.layer.attr.pool.output_shape = (bdnn_shape){0};
    c.in[1].type = BDNN_FLOAT32;
    check_refused(&c, "indices");
    c.in[1].type = BDNN_INT64;
    c.in[1].shape.dim[2] = 5;
    check_refused(&c, "same shape");
    c.in[0].shape.dim[2] = c.in[1].shape.dim[2] = BDNN_MAX_ELEMENTS;
    c.layer.attr.pool.window.stride[1] = 1 << 24;
    check_refused(&c, "too large");
    check_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_poolings),
        cmocka_unit_test(average_poolings),
        cmocka_unit_test(global_poolings),
        cmocka_unit_test(minus_infinity_has_an_index),
        cmocka_unit_test(window_counts),
        cmocka_unit_test(unpooling_inverts_pooling),
        cmocka_unit_test(unpooling_into_a_larger_shape),
        cmocka_unit_test(hostile_indices_are_ignored),
        cmocka_unit_test(items_do_not_reach_each_other),
        cmocka_unit_test(hostile_windows_are_refused),
        cmocka_unit_test(wrong_unpoolings_are_refused),
    };
    return cmocka_run_group_tests_name("layers: pooling", tests, NULL, NULL);
}
