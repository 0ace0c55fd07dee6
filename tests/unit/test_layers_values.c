/* SPDX-License-Identifier: BSD-2-Clause */
/* Layers that compute element by element or line by line - activations, affine, normalization, softmax, arg max, sums
 * and products with broadcasting - against their definitions. */
#include "layers_check.h"

static void activation_of(struct check *c, const bdnn_shape *shape, bdnn_activation kind)
{
    check_begin(c, BDNN_OP_ACTIVATION, 1);
    check_input(c, 0, shape, false);
    c->layer.attr.activation.kind = kind;
    c->layer.attr.activation.low = -0.25f;
    c->layer.attr.activation.high = 0.5f;
    c->layer.attr.activation.alpha = 0.125f;
}

static void activations(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        const bdnn_shape shape = random_shape((int32_t)random_in(0, 5), 1, i == 0 ? 200 : 7);
        struct check c;
        activation_of(&c, &shape, (bdnn_activation)(i % 3));
        check_run(&c);
        assert_true(bdnn_shape_equal(&c.out[0].shape, &shape));
        for (int64_t e = 0; e < bdnn_shape_elements(&shape); e++) {
            const float x = ((float *)c.x[0])[e], y = ((float *)c.y[0])[e];
            if (c.layer.attr.activation.kind == BDNN_ACT_CLIP) {
                assert_true(y == (x < -0.25f ? -0.25f : x > 0.5f ? 0.5f : x));
            } else if (c.layer.attr.activation.kind == BDNN_ACT_LEAKY_RELU) {
                assert_true(y == (x < 0 ? 0.125f * x : x));
            } else {
                assert_close(y, 1 / (1 + exp(-(double)x)), 1);
            }
        }
        check_end(&c);
    }
}

/* Rectified linear units have no upper bound; more elements than one task takes. */
static void relu_of_a_large_tensor(void **state)
{
    const bdnn_shape shape = {4, {1, 7, 50, 61}};
    struct check c;
    (void)state;
    activation_of(&c, &shape, BDNN_ACT_CLIP);
    c.layer.attr.activation.low = 0;
    c.layer.attr.activation.high = INFINITY;
    ((float *)c.x[0])[0] = INFINITY;
    ((float *)c.x[0])[1] = -INFINITY;
    check_run(&c);
    for (int64_t e = 0; e < bdnn_shape_elements(&shape); e++) {
        const float x = ((float *)c.x[0])[e];
        assert_true(((float *)c.y[0])[e] == (x > 0 ? x : 0));
    }
    check_end(&c);
}

/* The channel of row-major element n. */
static int64_t channel_of(const bdnn_shape *shape, int64_t n)
{
    int64_t index[BDNN_MAX_RANK];
    unravel(shape, n, index);
    return index[1];
}

static void affine_layers(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        const bdnn_shape shape = random_shape((int32_t)random_in(2, 6), 2, 4);
        struct check c;
        check_begin(&c, BDNN_OP_AFFINE, 1);
        check_input(&c, 0, &shape, false);
        c.layer.weight = random_blob(shape.dim[1]);
        c.layer.bias = random_blob(shape.dim[1]);
        check_run(&c);
        for (int64_t e = 0; e < bdnn_shape_elements(&shape); e++) {
            const int64_t channel = channel_of(&shape, e);
            const double x = ((float *)c.x[0])[e], shift = ((const float *)c.layer.bias.data)[channel];
            const double term = x * (double)((const float *)c.layer.weight.data)[channel];
            assert_close(((float *)c.y[0])[e], term + shift, fabs(term) + fabs(shift));
        }
        check_end(&c);
    }
}

/* ONNX LRN: channels c - floor((size - 1) / 2) to c + ceil((size - 1) / 2). */
static void response_normalization(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        const bdnn_shape shape = random_shape((int32_t)random_in(2, 5), 3, 4);
        const int64_t size = random_in(1, 7);
        int64_t strides[BDNN_MAX_RANK];
        struct check c;
        check_begin(&c, BDNN_OP_LRN, 1);
        check_input(&c, 0, &shape, false);
        c.layer.attr.lrn.size = (int32_t)size;
        c.layer.attr.lrn.alpha = 0.5f;
        c.layer.attr.lrn.beta = i % 2 ? 0.75f : 0.6f;
        c.layer.attr.lrn.bias = 1.5f;
        check_run(&c);
        bdnn_shape_row_major_strides(&shape, strides);
        for (int64_t e = 0; e < bdnn_shape_elements(&shape); e++) {
            const int64_t channel = channel_of(&shape, e);
            const float *x = (float *)c.x[0] + e;
            double sum = 0;
            for (int64_t k = -((size - 1) / 2); k <= (size - 1) - (size - 1) / 2; k++) {
                if (channel + k >= 0 && channel + k < shape.dim[1]) {
                    sum += (double)x[k * strides[1]] * (double)x[k * strides[1]];
                }
            }
            assert_close(((float *)c.y[0])[e],
                         (double)*x / pow(1.5 + 0.5 / (double)size * sum, (double)c.layer.attr.lrn.beta), 1);
        }
        check_end(&c);
    }
}

/* Whether two elements are normalized together. */
static bool same_line(const struct check *c, const int64_t *a, const int64_t *b)
{
    for (int32_t axis = 0; axis < c->in[0].shape.rank; axis++) {
        const bool along =
            axis == c->layer.attr.axis.axis || (c->layer.attr.axis.flatten && axis > c->layer.attr.axis.axis);
        if (!along && a[axis] != b[axis]) {
            return false;
        }
    }
    return true;
}

static void softmaxes(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        const int32_t rank = (int32_t)random_in(1, 4);
        const bdnn_shape shape = random_shape(rank, 2, 4);
        const int64_t count = bdnn_shape_elements(&shape);
        struct check c;
        check_begin(&c, BDNN_OP_SOFTMAX, 1);
        check_input(&c, 0, &shape, false);
        for (int64_t e = 0; e < count; e++) {
            ((float *)c.x[0])[e] *= i % 4 == 0 ? 1000 : 5; /* exponentials that would overflow unless shifted */
        }
        c.layer.attr.axis.axis = (int32_t)random_in(0, rank - 1);
        c.layer.attr.axis.flatten = random_bool();
        check_run(&c);
        for (int64_t e = 0; e < count; e++) {
            int64_t own[BDNN_MAX_RANK], other[BDNN_MAX_RANK];
            double sum = 0;
            unravel(&shape, e, own);
            for (int64_t o = 0; o < count; o++) {
                unravel(&shape, o, other);
                if (same_line(&c, own, other)) {
                    sum += exp((double)((float *)c.x[0])[o] - (double)((float *)c.x[0])[e]);
                }
            }
            assert_close(((float *)c.y[0])[e], 1 / sum, 1);
        }
        check_end(&c);
    }
}

static void arg_maxima(void **state)
{
    (void)state;
    for (int i = 0; i < 80; i++) {
        const int32_t rank = (int32_t)random_in(1, 5), axis = (int32_t)random_in(0, rank - 1);
        const bdnn_shape shape = random_shape(rank, 3, 5);
        bdnn_shape kept = shape;
        struct check c;
        check_begin(&c, BDNN_OP_ARGMAX, 1);
        check_input(&c, 0, &shape, true);
        c.layer.attr.axis.axis = axis;
        c.layer.attr.axis.keep_dims = random_bool();
        c.layer.attr.axis.select_last = random_bool();
        check_run(&c);
        kept.dim[axis] = 1;
        assert_int_equal(c.out[0].type, BDNN_INT64);
        assert_int_equal(c.out[0].shape.rank, c.layer.attr.axis.keep_dims ? rank : rank - 1);
        assert_int_equal(bdnn_shape_elements(&c.out[0].shape), bdnn_shape_elements(&kept));
        for (int64_t e = 0; e < bdnn_shape_elements(&kept); e++) {
            int64_t index[BDNN_MAX_RANK], best = -1;
            float most = -INFINITY;
            unravel(&kept, e, index);
            for (index[axis] = 0; index[axis] < shape.dim[axis]; index[axis]++) {
                const float x = ((float *)c.x[0])[ravel(&shape, index)];
                if (x > most || (c.layer.attr.axis.select_last && x == most)) {
                    most = x;
                    best = index[axis];
                }
            }
            assert_int_equal(((int64_t *)c.y[0])[e], best);
        }
        check_end(&c);
    }
}

/* One operand of a broadcast at a logical index of the output. */
static float broadcast_at(const struct check *c, int i, const int64_t *index, int32_t rank)
{
    const bdnn_shape *shape = &c->in[i].shape;
    int64_t own[BDNN_MAX_RANK];
    for (int32_t a = 0; a < shape->rank; a++) {
        own[a] = shape->dim[a] == 1 ? 0 : index[rank - shape->rank + a];
    }
    return ((float *)c->x[i])[ravel(shape, own)];
}

static void compare_broadcast(struct check *c, const bdnn_shape *whole)
{
    check_run(c);
    assert_true(bdnn_shape_equal(&c->out[0].shape, whole));
    for (int64_t e = 0; e < bdnn_shape_elements(whole); e++) {
        int64_t index[BDNN_MAX_RANK];
        float want;
        unravel(whole, e, index);
        want = broadcast_at(c, 0, index, whole->rank);
        for (int i = 1; i < c->layer.input_count; i++) {
            const float x = broadcast_at(c, i, index, whole->rank);
            want = c->layer.op == BDNN_OP_ADD ? want + x : want * x;
        }
        assert_true(((float *)c->y[0])[e] == want);
    }
    check_end(c);
}

static void sums_and_products(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        const int32_t inputs = (int32_t)random_in(1, MAX_INPUTS), rank = (int32_t)random_in(0, 5);
        const bdnn_shape whole = random_shape(rank, 2, 5);
        const int complete = (int)random_in(0, inputs - 1); /* the operand that has every axis in full */
        struct check c;
        check_begin(&c, random_bool() ? BDNN_OP_ADD : BDNN_OP_MUL, inputs);
        for (int n = 0; n < inputs; n++) {
            bdnn_shape shape = whole;
            if (n != complete && random_bool()) {
                const int32_t dropped = (int32_t)random_in(0, rank);
                shape.rank = rank - dropped;
                for (int32_t a = 0; a < shape.rank; a++) {
                    shape.dim[a] = random_bool() ? whole.dim[a + dropped] : 1;
                }
            }
            check_input(&c, n, &shape, false);
        }
        compare_broadcast(&c, &whole);
    }
}

/* The shapes of real networks, larger than one task: a residual, a bias a channel, a gate a channel, a scalar, and a
 * row and a column that make a matrix together. */
static void usual_sums_and_products(void **state)
{
    const bdnn_shape whole = {4, {2, 19, 21, 23}}, channel = {4, {1, 19, 1, 1}}, gate = {4, {2, 19, 1, 1}},
                     scalar = {0}, row = {2, {21, 23}};
    const bdnn_shape seconds[] = {whole, channel, gate, scalar, row};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof seconds / sizeof *seconds; i++) {
        struct check c;
        check_begin(&c, i % 3 ? BDNN_OP_ADD : BDNN_OP_MUL, 2);
        check_input(&c, i % 2, &whole, false);
        check_input(&c, !(i % 2), &seconds[i / 2], false);
        compare_broadcast(&c, &whole);
    }
}

static void wrong_layers_are_refused(void **state)
{
    const bdnn_shape shape = {4, {1, 3, 2, 2}}, other = {4, {1, 2, 2, 2}};
    struct check c;
    (void)state;
    activation_of(&c, &shape, (bdnn_activation)9);
    check_refused(&c, "activation number 9");
    c.layer.attr.activation.kind = BDNN_ACT_CLIP;
    c.in[0].type = BDNN_INT64;
    check_refused(&c, "float");
    check_end(&c);

    check_begin(&c, BDNN_OP_AFFINE, 1);
    check_input(&c, 0, &shape, false);
    c.layer.weight = random_blob(3);
    check_refused(&c, "shifts take 0 bytes");
    c.layer.bias = random_blob(2);
    check_refused(&c, "shifts take 8 bytes");
    c.in[0].shape.rank = 1;
    check_refused(&c, "1 axes");
    check_end(&c);

    check_begin(&c, BDNN_OP_LRN, 1);
    check_input(&c, 0, &shape, false);
    check_refused(&c, "0 channels");
    c.layer.attr.lrn.size = -5;
    check_refused(&c, "-5 channels");
    c.layer.attr.lrn.size = 5;
    c.in[0].shape.rank = 1;
    check_refused(&c, "1 axes");
    check_end(&c);

    check_begin(&c, BDNN_OP_ADD, 2);
    check_input(&c, 0, &shape, false);
    check_input(&c, 1, &other, false);
    check_refused(&c, "1x3x2x2 and 1x2x2x2");
    c.layer.op = BDNN_OP_MUL;
    c.in[1] = (bdnn_value_info){BDNN_INT64, shape};
    check_refused(&c, "input 1");
    check_end(&c);
}

static void wrong_axes_are_refused(void **state)
{
    const bdnn_shape shape = {4, {1, 3, 2, 2}};
    const bdnn_op ops[] = {BDNN_OP_SOFTMAX, BDNN_OP_ARGMAX, BDNN_OP_CONCAT};
    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        struct check c;
        check_begin(&c, ops[i], 1);
        check_input(&c, 0, &shape, false);
        c.layer.attr.axis.axis = 4;
        check_refused(&c, "axis 4");
        c.layer.attr.axis.axis = -1;
        check_refused(&c, "axis -1");
        c.layer.attr.axis.axis = INT32_MIN;
        check_refused(&c, "axis -2147483648");
        c.layer.attr.axis.axis = 1;
        c.in[0].shape.dim[1] = 0;
        if (ops[i] == BDNN_OP_ARGMAX) {
            check_refused(&c, "no elements");
        }
        check_end(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations),
        cmocka_unit_test(relu_of_a_large_tensor),
        cmocka_unit_test(affine_layers),
        cmocka_unit_test(response_normalization),
        cmocka_unit_test(softmaxes),
        cmocka_unit_test(arg_maxima),
        cmocka_unit_test(sums_and_products),
        cmocka_unit_test(usual_sums_and_products),
        cmocka_unit_test(wrong_layers_are_refused),
        cmocka_unit_test(wrong_axes_are_refused),
    };
    return cmocka_run_group_tests_name("layers: values", tests, NULL, NULL);
}
