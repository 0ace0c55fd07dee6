/* SPDX-License-Identifier: BSD-2-Clause */
/* Layers that move elements - concatenation, padding, reshaping, transposition - and resizing, against their
 * definitions. */
#include "layers_check.h"

static void concatenations(void **state)
{
    (void)state;
    for (int i = 0; i < 80; i++) {
        const int32_t rank = (int32_t)random_in(1, 5), axis = (int32_t)random_in(0, rank - 1);
        const int32_t inputs = (int32_t)random_in(1, MAX_INPUTS);
        bdnn_shape whole = random_shape(rank, 1, 5);
        struct check c;
        check_begin(&c, BDNN_OP_CONCAT, inputs);
        c.layer.attr.axis.axis = axis;
        whole.dim[axis] = 0;
        for (int n = 0; n < inputs; n++) {
            bdnn_shape shape = whole;
            shape.dim[axis] = random_in(0, 4);
            check_input(&c, n, &shape, false);
        }
        for (int n = 0; n < inputs; n++) {
            whole.dim[axis] += c.in[n].shape.dim[axis];
        }
        check_run(&c);
        assert_shape(&c.out[0].shape, rank, whole.dim);
        for (int64_t e = 0; e < bdnn_shape_elements(&whole); e++) {
            int64_t index[BDNN_MAX_RANK];
            int n = 0;
            unravel(&whole, e, index);
            while (index[axis] >= c.in[n].shape.dim[axis]) {
                index[axis] -= c.in[n++].shape.dim[axis];
            }
            assert_true(((float *)c.y[0])[e] == ((float *)c.x[n])[ravel(&c.in[n].shape, index)]);
        }
        check_end(&c);
    }
}

/* Where a padded axis reads, found by walking outwards from the input; -1: nowhere. */
static int64_t padded_source(int64_t at, int64_t size, bdnn_pad_mode mode)
{
    if (at >= 0 && at < size) {
        return at;
    }
    switch (mode) {
    case BDNN_PAD_CONSTANT:
        return -1;
    case BDNN_PAD_EDGE:
        return at < 0 ? 0 : size - 1;
    case BDNN_PAD_REFLECT:
        break;
    }
    return at < 0 ? -at : size - 1 - (at - (size - 1));
}

static void paddings(void **state)
{
    (void)state;
    for (int i = 0; i < 120; i++) {
        const int32_t rank = (int32_t)random_in(1, 5);
        const bdnn_shape shape = random_shape(rank, 2, 6);
        bool fits = true;
        struct check c;
        check_begin(&c, BDNN_OP_PAD, 1);
        check_input(&c, 0, &shape, false);
        c.layer.attr.pad.mode = (bdnn_pad_mode)(i % 3);
        c.layer.attr.pad.value = 0.75f;
        for (int32_t a = 0; a < rank; a++) {
            const int64_t most = c.layer.attr.pad.mode == BDNN_PAD_REFLECT ? shape.dim[a] - 1 : 3;
            c.layer.attr.pad.begin[a] = random_in(-1, most);
            c.layer.attr.pad.end[a] = random_in(-1, most);
            fits = fits && shape.dim[a] + c.layer.attr.pad.begin[a] + c.layer.attr.pad.end[a] >= 0;
        }
        if (fits) {
            check_run(&c);
            for (int64_t e = 0; e < bdnn_shape_elements(&c.out[0].shape); e++) {
                int64_t index[BDNN_MAX_RANK];
                bool inside = true;
                unravel(&c.out[0].shape, e, index);
                for (int32_t a = 0; a < rank; a++) {
                    index[a] = padded_source(index[a] - c.layer.attr.pad.begin[a], shape.dim[a], c.layer.attr.pad.mode);
                    inside = inside && index[a] >= 0;
                }
                assert_true(((float *)c.y[0])[e] == (inside ? ((float *)c.x[0])[ravel(&shape, index)] : 0.75f));
            }
        } else {
            check_refused(&c, "pads");
        }
        check_end(&c);
    }
}

/* A reshape keeps the row-major order; integers pass as well as floats. */
static void reshapes(void **state)
{
    (void)state;
    for (int i = 0; i < 80; i++) {
        const int32_t rank = (int32_t)random_in(0, 5), to_rank = (int32_t)random_in(1, 5);
        const bdnn_shape shape = random_shape(rank, 2, 4);
        const int32_t open = (int32_t)random_in(0, to_rank - 1);
        const bool integers = i % 4 == 0;
        int64_t rest = bdnn_shape_elements(&shape);
        const int64_t count = rest;
        struct check c;
        check_begin(&c, BDNN_OP_RESHAPE, 1);
        check_input(&c, 0, &shape, false);
        if (integers) {
            bdnn_free(c.x[0]);
            c.x[0] = bdnn_alloc((size_t)count, sizeof(int64_t));
            c.in[0].type = BDNN_INT64;
            for (int64_t e = 0; e < count; e++) {
                ((int64_t *)c.x[0])[e] = (int64_t)random_bits();
            }
        }
        c.layer.attr.reshape.shape.rank = to_rank;
        for (int32_t a = 0; a < to_rank; a++) {
            int64_t dim = random_in(1, 4);
            dim = a == open || rest % dim ? 1 : dim;
            rest /= dim;
            c.layer.attr.reshape.shape.dim[a] = dim;
        }
        c.layer.attr.reshape.shape.dim[open] = random_bool() ? -1 : rest;
        check_run(&c);
        assert_int_equal(c.out[0].type, c.in[0].type);
        assert_int_equal(c.out[0].shape.rank, to_rank);
        assert_int_equal(c.out[0].shape.dim[open], rest);
        assert_memory_equal(c.x[0], c.y[0], info_bytes(&c.in[0]));
        check_end(&c);
    }
}

static void reshapes_follow_the_input(void **state)
{
    const bdnn_shape shape = {4, {3, 2, 4, 5}};
    struct check c;
    (void)state;
    check_begin(&c, BDNN_OP_RESHAPE, 1);
    check_input(&c, 0, &shape, false);
    c.layer.attr.reshape.shape = (bdnn_shape){2, {-2, -1}};
    check_run(&c);
    assert_shape(&c.out[0].shape, 2, (const int64_t[]){3, 40});
    check_end(&c);
}

static void wrong_reshapes_are_refused(void **state)
{
    const bdnn_shape shape = {4, {3, 2, 4, 5}};
    const struct {
        bdnn_shape to;
        const char *text;
    } cases[] = {
        {{2, {3, 41}}, "3x2x4x5 does not reshape to 3x41"},
        {{2, {-1, 7}}, "does not reshape"},
        {{2, {-1, -1}}, "size -1 for axis 1"},
        {{2, {-3, 1}}, "size -3 for axis 0"},
        {{2, {-1, 0}}, "does not reshape"},
        {{5, {3, 2, 4, 5, -2}}, "size -2 for axis 4"},
        {{3, {INT64_MAX, INT64_MAX, 4}}, "axis 1"},
        {{7, {1}}, "7 axes"},
        {{-1, {1}}, "-1 axes"},
    };
    struct check c;
    (void)state;
    check_begin(&c, BDNN_OP_RESHAPE, 1);
    check_input(&c, 0, &shape, false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c.layer.attr.reshape.shape = cases[i].to;
        check_refused(&c, cases[i].text);
    }
    check_end(&c);
}

static void transposes(void **state)
{
    (void)state;
    for (int i = 0; i < 80; i++) {
        const int32_t rank = (int32_t)random_in(1, 6);
        const bdnn_shape shape = random_shape(rank, 2, 4);
        struct check c;
        check_begin(&c, BDNN_OP_TRANSPOSE, 1);
        check_input(&c, 0, &shape, false);
        for (int32_t a = 0; a < rank; a++) { /* Fisher-Yates, inside out */
            const int32_t other = (int32_t)random_in(0, a);
            c.layer.attr.transpose.permutation[a] = c.layer.attr.transpose.permutation[other];
            c.layer.attr.transpose.permutation[other] = a;
        }
        check_run(&c);
        for (int64_t e = 0; e < bdnn_shape_elements(&shape); e++) {
            int64_t to[BDNN_MAX_RANK], from[BDNN_MAX_RANK];
            unravel(&c.out[0].shape, e, to);
            for (int32_t a = 0; a < rank; a++) {
                from[c.layer.attr.transpose.permutation[a]] = to[a];
            }
            assert_true(((float *)c.y[0])[e] == ((float *)c.x[0])[ravel(&shape, from)]);
        }
        check_end(&c);
    }
}

/* The input coordinate of an output position, as ONNX Resize writes it down. */
static float coordinate(const struct check *c, int32_t axis, int64_t out)
{
    const int64_t from = c->in[0].shape.dim[axis], to = c->out[0].shape.dim[axis];
    const float given = c->layer.attr.resize.scale[axis];
    const float scale = c->layer.attr.resize.size[axis] ? (float)to / (float)from : given, x = (float)out;
    switch (c->layer.attr.resize.coordinates) {
    case BDNN_COORD_HALF_PIXEL:
        return (x + 0.5f) / scale - 0.5f;
    case BDNN_COORD_PYTORCH_HALF_PIXEL:
        return to > 1 ? (x + 0.5f) / scale - 0.5f : 0;
    case BDNN_COORD_ALIGN_CORNERS:
        /* By the length before rounding, as ONNX's reference does. */
        return to == 1 ? 0 : x * (float)(from - 1) / (scale * (float)from - 1);
    case BDNN_COORD_ASYMMETRIC:
        break;
    }
    return x / scale;
}

/* The whole number that nearest picks: halves go down or up by the rule. */
static int64_t nearest(bdnn_nearest rule, float x)
{
    const float below = floorf(x), rest = x - below;
    bool up = false;
    switch (rule) {
    case BDNN_ROUND_PREFER_FLOOR:
        up = rest > 0.5f;
        break;
    case BDNN_ROUND_PREFER_CEIL:
        up = rest >= 0.5f;
        break;
    case BDNN_ROUND_FLOOR:
        up = false;
        break;
    case BDNN_ROUND_CEIL:
        up = rest > 0;
        break;
    }
    return (int64_t)below + up;
}

static int64_t within(int64_t at, int64_t size)
{
    return at < 0 ? 0 : at > size - 1 ? size - 1 : at;
}

/* One output by recursion over the axes: a value, or the mean of two neighbors weighted by their distance. */
static double resized(const struct check *c, const int64_t *out, int64_t *index, int32_t axis)
{
    const int64_t size = axis < c->in[0].shape.rank ? c->in[0].shape.dim[axis] : 0;
    float x;
    double first;
    if (axis == c->in[0].shape.rank) {
        return ((float *)c->x[0])[ravel(&c->in[0].shape, index)];
    }
    if (axis < 2) {
        index[axis] = out[axis];
        return resized(c, out, index, axis + 1);
    }
    x = coordinate(c, axis, out[axis]);
    if (c->layer.attr.resize.interpolation == BDNN_NEAREST) {
        index[axis] = within(nearest(c->layer.attr.resize.nearest, x), size);
        return resized(c, out, index, axis + 1);
    }
    index[axis] = within((int64_t)floorf(x), size);
    first = resized(c, out, index, axis + 1);
    index[axis] = within((int64_t)floorf(x) + 1, size);
    return first + (double)(x - floorf(x)) * (resized(c, out, index, axis + 1) - first);
}

static void resizes(void **state)
{
    const float scales[] = {0.5f, 1, 1.5f, 2, 3, 0.75f, 2.5f};
    (void)state;
    for (int i = 0; i < 240; i++) {
        const int32_t rank = (int32_t)random_in(3, 5);
        const bdnn_shape shape = random_shape(rank, 2, 6);
        bool fits = true;
        struct check c;
        check_begin(&c, BDNN_OP_RESIZE, 1);
        check_input(&c, 0, &shape, false);
        c.layer.attr.resize.interpolation = (bdnn_interpolation)(i % 2);
        c.layer.attr.resize.coordinates = (bdnn_coordinates)(i / 2 % 4);
        c.layer.attr.resize.nearest = (bdnn_nearest)(i / 8 % 4);
        for (int32_t a = 0; a < rank; a++) {
            if (i % 3 == 0) {
                c.layer.attr.resize.size[a] = a < 2 ? shape.dim[a] : random_in(1, 9);
            } else {
                c.layer.attr.resize.scale[a] = a < 2 ? 1 : scales[random_in(0, 6)];
                fits = fits && (float)shape.dim[a] * c.layer.attr.resize.scale[a] >= 1;
            }
        }
        if (fits) {
            check_run(&c);
            for (int64_t e = 0; e < bdnn_shape_elements(&c.out[0].shape); e++) {
                int64_t out[BDNN_MAX_RANK], index[BDNN_MAX_RANK];
                double want;
                unravel(&c.out[0].shape, e, out);
                want = resized(&c, out, index, 0);
                assert_close(((float *)c.y[0])[e], want, c.layer.attr.resize.interpolation == BDNN_NEAREST ? 0 : 1);
            }
        } else {
            check_refused(&c, " to 0");
        }
        check_end(&c);
    }
}

/* A network resizes a batch of any size, although its sizes name the one that it was exported with. */
static void resizes_keep_the_batch(void **state)
{
    const bdnn_shape shape = {4, {3, 2, 2, 2}};
    struct check c;
    (void)state;
    check_begin(&c, BDNN_OP_RESIZE, 1);
    check_input(&c, 0, &shape, false);
    memcpy(c.layer.attr.resize.size, (const int64_t[]){1, 2, 4, 4}, 4 * sizeof(int64_t));
    check_run(&c);
    assert_shape(&c.out[0].shape, 4, (const int64_t[]){3, 2, 4, 4});
    check_end(&c);
}

static void wrong_resizes_are_refused(void **state)
{
    const bdnn_shape shape = {4, {1, 2, 4, 4}};
    const float bad[] = {0, -1, INFINITY, NAN, 1e30f, 1e-9f};
    struct check c;
    (void)state;
    check_begin(&c, BDNN_OP_RESIZE, 1);
    check_input(&c, 0, &shape, false);
    for (int a = 0; a < 4; a++) {
        c.layer.attr.resize.scale[a] = 1;
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        c.layer.attr.resize.scale[3] = bad[i];
        check_refused(&c, "axis 3");
    }
    c.layer.attr.resize.scale[3] = 1;
    c.layer.attr.resize.size[2] = -8;
    check_refused(&c, "to -8");
    c.layer.attr.resize.size[2] = INT64_MAX;
    check_refused(&c, "axis 2");
    c.layer.attr.resize.size[2] = 0;
    c.layer.attr.resize.scale[1] = 2;
    check_refused(&c, "axis 1 from 2 to 4");
    c.layer.attr.resize.scale[1] = 1;
    c.layer.attr.resize.scale[0] = 2;
    check_refused(&c, "axis 0");
    c.layer.attr.resize.scale[0] = 1;
    c.layer.attr.resize.coordinates = (bdnn_coordinates)4;
    check_refused(&c, "coordinates 4");
    c.layer.attr.resize.coordinates = BDNN_COORD_ASYMMETRIC;
    c.in[0].shape.rank = 2;
    check_refused(&c, "axes");
    check_end(&c);
}

static void wrong_moves_are_refused(void **state)
{
    const bdnn_shape shape = {4, {1, 2, 4, 4}}, other = {4, {1, 2, 5, 4}};
    const int64_t bad[] = {4, -5, INT64_MAX, INT64_MIN};
    struct check c;
    (void)state;
    check_begin(&c, BDNN_OP_CONCAT, 2);
    check_input(&c, 0, &shape, false);
    check_input(&c, 1, &other, false);
    c.layer.attr.axis.axis = 1;
    check_refused(&c, "input 1 differs from input 0 on axis 2");
    check_end(&c);

    check_begin(&c, BDNN_OP_PAD, 1);
    check_input(&c, 0, &shape, false);
    c.layer.attr.pad.mode = BDNN_PAD_REFLECT;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        c.layer.attr.pad.begin[2] = bad[i];
        check_refused(&c, "axis 2");
        c.layer.attr.pad.begin[2] = 0;
        c.layer.attr.pad.end[2] = bad[i];
        check_refused(&c, "axis 2");
        c.layer.attr.pad.end[2] = 0;
    }
    c.layer.attr.pad.mode = (bdnn_pad_mode)3;
    check_refused(&c, "mode 3");
    check_end(&c);

    check_begin(&c, BDNN_OP_TRANSPOSE, 1);
    check_input(&c, 0, &shape, false);
    memcpy(c.layer.attr.transpose.permutation, (const int32_t[]){0, 2, 2, 1}, 4 * sizeof(int32_t));
    check_refused(&c, "axis 2");
    c.layer.attr.transpose.permutation[2] = 4;
    check_refused(&c, "axis 4");
    c.layer.attr.transpose.permutation[2] = -1;
    check_refused(&c, "axis -1");
    check_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(concatenations),
        cmocka_unit_test(paddings),
        cmocka_unit_test(reshapes),
        cmocka_unit_test(reshapes_follow_the_input),
        cmocka_unit_test(wrong_reshapes_are_refused),
        cmocka_unit_test(transposes),
        cmocka_unit_test(resizes),
        cmocka_unit_test(resizes_keep_the_batch),
        cmocka_unit_test(wrong_resizes_are_refused),
        cmocka_unit_test(wrong_moves_are_refused),
    };
    return cmocka_run_group_tests_name("layers: shape", tests, NULL, NULL);
}
