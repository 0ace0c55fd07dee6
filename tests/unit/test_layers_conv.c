/* SPDX-License-Identifier: BSD-2-Clause */
/* Convolution, transposed convolution, fully connected layers and matrix products against their definitions. */
#include "layers_check.h"

/* A random convolution (or transposed one) over `spatial` axes with random parameters; false when it does not fit. */
static bool random_conv(struct check *c, bdnn_op op, int32_t spatial)
{
    const int64_t groups = random_in(1, 3), filters = groups * random_in(1, 4);
    const bdnn_shape shape = random_shape(2 + spatial, groups, 9);
    const bdnn_window window = random_window(spatial);
    int64_t taps = 1;
    for (int a = 0; a < BDNN_SPATIAL; a++) {
        taps *= window.kernel[a];
    }
    for (int a = 0; a < spatial && op == BDNN_OP_CONV; a++) {
        if (count_windows(&window, BDNN_SPATIAL - spatial + a, shape.dim[2 + a], false) < 1) {
            return false;
        }
    }
    check_begin(c, op, 1);
    check_input(c, 0, &shape, false);
    c->layer.attr.conv.window = window;
    c->layer.attr.conv.groups = (int32_t)groups;
    c->layer.attr.conv.filters = (int32_t)filters;
    c->layer.weight = random_blob(shape.dim[1] * filters / groups * taps);
    c->layer.bias = random_bool() ? random_blob(filters) : (bdnn_blob){0};
    return true;
}

/* Sum and magnitude of one output of a convolution at o = n, f, depth, height, width. */
static double conv_at(const struct check *c, const int64_t in[5], const int64_t o[5], double *magnitude)
{
    const bdnn_window *w = &c->layer.attr.conv.window;
    const float *x = c->x[0], *weight = c->layer.weight.data, *bias = c->layer.bias.data;
    const int64_t channels = in[1] / c->layer.attr.conv.groups;
    const int64_t group = o[1] / (c->layer.attr.conv.filters / c->layer.attr.conv.groups);
    double sum = bias ? bias[o[1]] : 0;
    *magnitude = fabs(sum);
    for (int64_t kd = 0; kd < w->kernel[0]; kd++) {
        for (int64_t kh = 0; kh < w->kernel[1]; kh++) {
            for (int64_t kw = 0; kw < w->kernel[2]; kw++) {
                const int64_t d = o[2] * w->stride[0] + kd * w->dilation[0] - w->pad_begin[0];
                const int64_t h = o[3] * w->stride[1] + kh * w->dilation[1] - w->pad_begin[1];
                const int64_t v = o[4] * w->stride[2] + kw * w->dilation[2] - w->pad_begin[2];
                if (d < 0 || d >= in[2] || h < 0 || h >= in[3] || v < 0 || v >= in[4]) {
                    continue;
                }
                for (int64_t i = 0; i < channels; i++) {
                    const int64_t channel = group * channels + i;
                    const int64_t tap = ((o[1] * w->kernel[0] + kd) * w->kernel[1] + kh) * w->kernel[2] + kw;
                    const double term = (double)x[(((o[0] * in[1] + channel) * in[2] + d) * in[3] + h) * in[4] + v] *
                                        (double)weight[tap * channels + i];
                    sum += term;
                    *magnitude += fabs(term);
                }
            }
        }
    }
    return sum;
}

static void compare_conv(struct check *c)
{
    int64_t in[5], out[5], o[5];
    bdnn_shape logical;
    check_run(c);
    five(&c->in[0].shape, in);
    five(&c->out[0].shape, out);
    assert_int_equal(out[0], in[0]);
    assert_int_equal(out[1], c->layer.attr.conv.filters);
    for (int a = 0; a < BDNN_SPATIAL; a++) {
        assert_int_equal(out[2 + a], count_windows(&c->layer.attr.conv.window, a, in[2 + a], false));
    }
    logical = (bdnn_shape){5, {out[0], out[1], out[2], out[3], out[4]}};
    for (int64_t e = 0; e < bdnn_shape_elements(&logical); e++) {
        double magnitude, want;
        unravel(&logical, e, o);
        want = conv_at(c, in, o, &magnitude);
        assert_close(((float *)c->y[0])[e], want, magnitude);
    }
    check_end(c);
}

static void convolutions(void **state)
{
    struct check c;
    (void)state;
    for (int32_t spatial = 1; spatial <= 3; spatial++) {
        for (int i = 0; i < 60; i++) {
            if (random_conv(&c, BDNN_OP_CONV, spatial)) {
                compare_conv(&c);
            }
        }
    }
}

static void conv_of(struct check *c, const bdnn_shape *shape, int32_t kernel, int32_t pad, int32_t groups,
                    int32_t filters)
{
    check_begin(c, BDNN_OP_CONV, 1);
    check_input(c, 0, shape, false);
    c->layer.attr.conv.window = plain_window();
    for (int a = 1; a < BDNN_SPATIAL; a++) {
        c->layer.attr.conv.window.kernel[a] = kernel;
        c->layer.attr.conv.window.pad_begin[a] = c->layer.attr.conv.window.pad_end[a] = pad;
    }
    c->layer.attr.conv.groups = groups;
    c->layer.attr.conv.filters = filters;
    c->layer.weight = random_blob(shape->dim[1] / groups * filters * kernel * kernel);
    c->layer.bias = random_blob(filters);
}

/* The paths that an implementation may take of its own: rows of several tiles, rows that are the input, one filter a
 * channel, a kernel that is the whole input. */
static void special_convolutions(void **state)
{
    const bdnn_shape large = {4, {2, 5, 23, 29}}, square = {4, {3, 6, 4, 4}}, wide = {4, {1, 700, 3, 5}};
    struct check c;
    (void)state;
    conv_of(&c, &large, 3, 1, 1, 7);
    compare_conv(&c);
    conv_of(&c, &large, 1, 0, 1, 9);
    compare_conv(&c);
    conv_of(&c, &large, 1, 1, 1, 3);
    compare_conv(&c);
    conv_of(&c, &large, 3, 1, 5, 5);
    compare_conv(&c);
    conv_of(&c, &large, 2, 0, 5, 15);
    compare_conv(&c);
    conv_of(&c, &square, 4, 0, 1, 8);
    compare_conv(&c);
    conv_of(&c, &square, 4, 0, 2, 8);
    compare_conv(&c);
    conv_of(&c, &wide, 3, 1, 1, 4);
    compare_conv(&c);
}

/* The definition of the transposed convolution, scattered: every input adds to the outputs that its window covers. */
static void scatter(const struct check *c, const int64_t in[5], const int64_t out[5], double *y, double *magnitude)
{
    const bdnn_window *w = &c->layer.attr.conv.window;
    const float *x = c->x[0], *weight = c->layer.weight.data;
    const int64_t groups = c->layer.attr.conv.groups, filters = out[1] / groups;
    const bdnn_shape source = {5, {in[0], in[1], in[2], in[3], in[4]}};
    const bdnn_shape taps = {3, {w->kernel[0], w->kernel[1], w->kernel[2]}};
    for (int64_t e = 0; e < bdnn_shape_elements(&source); e++) {
        int64_t at[5], k[3], to[3];
        unravel(&source, e, at);
        for (int64_t tap = 0; tap < bdnn_shape_elements(&taps); tap++) {
            bool inside = true;
            unravel(&taps, tap, k);
            for (int a = 0; a < BDNN_SPATIAL; a++) {
                to[a] = at[2 + a] * w->stride[a] + k[a] * w->dilation[a] - w->pad_begin[a];
                inside = inside && to[a] >= 0 && to[a] < out[2 + a];
            }
            for (int64_t f = 0; f < filters && inside; f++) {
                const int64_t filter = at[1] / (in[1] / groups) * filters + f;
                const int64_t n = (((at[0] * out[1] + filter) * out[2] + to[0]) * out[3] + to[1]) * out[4] + to[2];
                const double term =
                    (double)x[e] * (double)weight[(at[1] * bdnn_shape_elements(&taps) + tap) * filters + f];
                y[n] += term;
                magnitude[n] += fabs(term);
            }
        }
    }
}

static void compare_conv_transpose(struct check *c)
{
    int64_t in[5], out[5], elements;
    double *want, *magnitude;
    check_run(c);
    five(&c->in[0].shape, in);
    five(&c->out[0].shape, out);
    elements = bdnn_shape_elements(&c->out[0].shape);
    want = bdnn_zalloc((size_t)elements, sizeof *want);
    magnitude = bdnn_zalloc((size_t)elements, sizeof *magnitude);
    for (int a = 0; a < BDNN_SPATIAL; a++) {
        const bdnn_window *w = &c->layer.attr.conv.window;
        assert_int_equal(out[2 + a], (in[2 + a] - 1) * w->stride[a] + (w->kernel[a] - 1) * w->dilation[a] + 1 -
                                         w->pad_begin[a] - w->pad_end[a] + c->layer.attr.conv.output_pad[a]);
    }
    scatter(c, in, out, want, magnitude);
    for (int64_t e = 0; e < elements; e++) {
        const int64_t filter = e / (out[2] * out[3] * out[4]) % out[1];
        const double bias = c->layer.bias.data ? ((const float *)c->layer.bias.data)[filter] : 0;
        assert_close(((float *)c->y[0])[e], want[e] + bias, magnitude[e] + fabs(bias));
    }
    bdnn_free(want);
    bdnn_free(magnitude);
    check_end(c);
}

static void transposed_convolutions(void **state)
{
    (void)state;
    for (int32_t spatial = 1; spatial <= 3; spatial++) {
        for (int i = 0; i < 50; i++) {
            struct check c;
            bool fits = true;
            random_conv(&c, BDNN_OP_CONV_TRANSPOSE, spatial);
            for (int a = BDNN_SPATIAL - spatial; a < BDNN_SPATIAL; a++) {
                const bdnn_window *w = &c.layer.attr.conv.window;
                const int64_t size = c.in[0].shape.dim[2 + a - (BDNN_SPATIAL - spatial)];
                c.layer.attr.conv.output_pad[a] = (int32_t)random_in(0, w->stride[a] - 1);
                fits = fits && (size - 1) * w->stride[a] + (w->kernel[a] - 1) * w->dilation[a] + 1 +
                                       c.layer.attr.conv.output_pad[a] - w->pad_begin[a] - w->pad_end[a] >=
                                   0;
            }
            if (fits) {
                compare_conv_transpose(&c);
            } else {
                check_refused(&c, "spatial axis");
                check_end(&c);
            }
        }
    }
}

/* A fully connected layer reads its item in memory order: channels last. */
static void fully_connected(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        struct check c;
        const bdnn_shape shape = random_shape((int32_t)random_in(1, 5), 3, 4);
        const int64_t inner = bdnn_shape_item_elements(&shape), filters = i % 8 == 0 ? 300 : random_in(1, 20);
        float *memory = bdnn_alloc((size_t)bdnn_shape_elements(&shape), sizeof *memory);
        check_begin(&c, BDNN_OP_DENSE, 1);
        check_input(&c, 0, &shape, false);
        bdnn_from_row_major(&shape, BDNN_FLOAT32, c.x[0], memory);
        c.layer.attr.dense.filters = (int32_t)filters;
        c.layer.weight = random_blob(filters * inner);
        c.layer.bias = random_bool() ? random_blob(filters) : (bdnn_blob){0};
        check_run(&c);
        assert_shape(&c.out[0].shape, 2, (const int64_t[]){shape.dim[0], filters});
        for (int64_t e = 0; e < shape.dim[0] * filters; e++) {
            double sum = c.layer.bias.data ? ((const float *)c.layer.bias.data)[e % filters] : 0, magnitude = fabs(sum);
            for (int64_t d = 0; d < inner; d++) {
                const double term = (double)memory[e / filters * inner + d] *
                                    (double)((const float *)c.layer.weight.data)[e % filters * inner + d];
                sum += term;
                magnitude += fabs(term);
            }
            assert_close(((float *)c.y[0])[e], sum, magnitude);
        }
        bdnn_free(memory);
        check_end(&c);
    }
}

/* Shapes of a random product: m x k by k x n, either side a vector, batch axes equal, 1 or missing. */
static void random_product(bdnn_shape *a, bdnn_shape *b, int64_t mkn[3])
{
    const int32_t batch = (int32_t)random_in(0, 3), own_a = (int32_t)random_in(0, batch);
    const bool whole_a = random_bool();
    const int32_t axes_a = whole_a ? batch : own_a, axes_b = whole_a ? own_a : batch;
    *a = *b = (bdnn_shape){0};
    for (int i = 0; i < 3; i++) {
        mkn[i] = random_in(1, 6);
    }
    for (int32_t i = 0; i < batch; i++) {
        const int64_t dim = random_in(1, 3);
        if (i >= batch - axes_a) {
            a->dim[a->rank++] = random_bool() ? dim : 1;
        }
        if (i >= batch - axes_b) {
            b->dim[b->rank++] = i >= batch - axes_a && a->dim[a->rank - 1] == 1 ? dim : random_bool() ? dim : 1;
        }
    }
    if (a->rank > 0 || random_bool()) {
        a->dim[a->rank++] = mkn[0];
    }
    a->dim[a->rank++] = mkn[1];
    b->dim[b->rank++] = mkn[1];
    if (b->rank > 1 || random_bool()) {
        b->dim[b->rank++] = mkn[2];
    }
}

/* The element of an operand that the output's batch index meets. */
static float operand_at(const struct check *c, int i, const int64_t *batch, int32_t batch_rank, int64_t row,
                        int64_t column)
{
    const bdnn_shape *s = &c->in[i].shape;
    int64_t at = 0;
    for (int32_t axis = 0; axis + 2 < s->rank; axis++) {
        at = at * s->dim[axis] + (s->dim[axis] == 1 ? 0 : batch[batch_rank - (s->rank - 2) + axis]);
    }
    if (s->rank == 1) {
        return ((float *)c->x[i])[i == 0 ? column : row];
    }
    return ((float *)c->x[i])[(at * s->dim[s->rank - 2] + row) * s->dim[s->rank - 1] + column];
}

static void matrix_products(void **state)
{
    (void)state;
    for (int i = 0; i < 150; i++) {
        struct check c;
        bdnn_shape a, b;
        int64_t mkn[3];
        int32_t matrix;
        random_product(&a, &b, mkn);
        check_begin(&c, BDNN_OP_MATMUL, 2);
        check_input(&c, 0, &a, false);
        check_input(&c, 1, &b, false);
        check_run(&c);
        matrix = (a.rank > 1) + (b.rank > 1);
        for (int64_t e = 0; e < bdnn_shape_elements(&c.out[0].shape); e++) {
            int64_t o[BDNN_MAX_RANK];
            const int32_t batch = c.out[0].shape.rank - matrix;
            double sum = 0, magnitude = 0;
            unravel(&c.out[0].shape, e, o);
            for (int64_t k = 0; k < mkn[1]; k++) {
                const double term = (double)operand_at(&c, 0, o, batch, a.rank > 1 ? o[batch] : 0, k) *
                                    (double)operand_at(&c, 1, o, batch, k, b.rank > 1 ? o[batch + matrix - 1] : 0);
                sum += term;
                magnitude += fabs(term);
            }
            assert_close(((float *)c.y[0])[e], sum, magnitude);
        }
        check_end(&c);
    }
}

static void hostile_convolutions_are_refused(void **state)
{
    const bdnn_shape shape = {4, {1, 4, 8, 8}}, cube = {5, {1, 1, 4, 4, 4}}, flat = {2, {1, 4}};
    struct check c;
    (void)state;
    for (int transposed = 0; transposed < 2; transposed++) {
        const bdnn_op op = transposed ? BDNN_OP_CONV_TRANSPOSE : BDNN_OP_CONV;
        const struct {
            int32_t kernel, stride, dilation, pad, groups, filters;
            const char *text;
        } cases[] = {
            {0, 1, 1, 0, 1, 4, "kernel 0"},           {-3, 1, 1, 0, 1, 4, "kernel -3"},
            {3, 0, 1, 0, 1, 4, "stride 0"},           {3, -1, 1, 0, 1, 4, "stride -1"},
            {3, 1, 0, 0, 1, 4, "dilation 0"},         {3, 1, 1, -1, 1, 4, "pads -1"},
            {3, 1, 1, 1, 0, 4, "0 groups"},           {3, 1, 1, 1, -2, 4, "-2 groups"},
            {3, 1, 1, 1, 3, 3, "3 groups"},           {3, 1, 1, 1, 2, 3, "3 filters"},
            {3, 1, 1, 1, 1, 0, "0 filters"},          {3, 1, 1, 1, 1, -4, "-4 filters"},
            {3, 1, 1, 1, 1, 5, "biases take"},        {2, 1, 1, 1, 1, 4, "weights take"},
            {INT32_MAX, 1, 1, 0, 1, 4, "2147483647"}, {3, INT32_MAX, 1, 0, 1, 4, "2147483647"},
            {3, 1, INT32_MAX, 0, 1, 4, "2147483647"}, {3, 1, 1, INT32_MAX, 1, 4, "2147483647"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            conv_of(&c, &shape, 3, 1, 1, 4);
            c.layer.op = op;
            c.layer.attr.conv.window.kernel[1] = cases[i].kernel;
            c.layer.attr.conv.window.stride[1] = cases[i].stride;
            c.layer.attr.conv.window.dilation[1] = cases[i].dilation;
            c.layer.attr.conv.window.pad_begin[1] = cases[i].pad;
            c.layer.attr.conv.groups = cases[i].groups;
            c.layer.attr.conv.filters = cases[i].filters;
            check_refused(&c, cases[i].text);
            check_end(&c);
        }
        /* Each number of the window is allowed, their product is not. */
        conv_of(&c, &cube, 1, 0, 1, 1);
        c.layer.op = op;
        for (int a = 0; a < BDNN_SPATIAL; a++) {
            c.layer.attr.conv.window.kernel[a] = 1 << 24;
            c.layer.attr.conv.window.pad_begin[a] = 1 << 24;
        }
        check_refused(&c, "16777216");
        check_end(&c);
        /* An axis that the input does not have. */
        conv_of(&c, &shape, 3, 1, 1, 4);
        c.layer.op = op;
        c.layer.attr.conv.window.pad_begin[0] = 1;
        check_refused(&c, "axis");
        c.layer.attr.conv.window.pad_begin[0] = 0;
        c.in[0].type = BDNN_INT64;
        check_refused(&c, "float");
        c.in[0] = (bdnn_value_info){BDNN_FLOAT32, flat};
        check_refused(&c, "axes");
        check_end(&c);
    }
    conv_of(&c, &shape, 9, 0, 1, 4);
    check_refused(&c, "kernel of 9");
    check_end(&c);
}

/* Sizes whose products with a stride leave 64 bits. */
static void huge_transposed_convolutions_are_refused(void **state)
{
    const bdnn_shape row = {3, {1, 1, 4}};
    struct check c;
    (void)state;
    conv_of(&c, &row, 1, 0, 1, 1);
    c.layer.op = BDNN_OP_CONV_TRANSPOSE;
    c.in[0].shape.dim[2] = BDNN_MAX_ELEMENTS;
    c.layer.attr.conv.window.stride[2] = 1 << 24;
    check_refused(&c, "stride 16777216");
    c.layer.attr.conv.window.stride[2] = 1;
    c.in[0].shape.dim[2] = 4;
    c.layer.attr.conv.output_pad[2] = -1;
    check_refused(&c, "output padding -1");
    check_end(&c);
}

static void wrong_dense_layers_are_refused(void **state)
{
    const bdnn_shape shape = {2, {2, 12}};
    struct check c;
    (void)state;
    check_begin(&c, BDNN_OP_DENSE, 1);
    check_input(&c, 0, &shape, false);
    c.layer.weight = random_blob(36);
    c.layer.attr.dense.filters = 4;
    check_refused(&c, "48 elements");
    c.layer.attr.dense.filters = 0;
    check_refused(&c, "0 filters");
    c.layer.attr.dense.filters = 3;
    c.layer.bias = random_blob(2);
    check_refused(&c, "biases");
    c.in[0].shape.dim[1] = 0;
    check_refused(&c, "0 elements");
    c.in[0].shape = (bdnn_shape){0};
    check_refused(&c, "batch");
    check_end(&c);
}

static void wrong_products_are_refused(void **state)
{
    const bdnn_shape a = {3, {2, 3, 4}}, b = {3, {3, 4, 5}}, c4 = {2, {3, 4}}, scalar = {0};
    struct check c;
    (void)state;
    check_begin(&c, BDNN_OP_MATMUL, 2);
    check_input(&c, 0, &a, false);
    check_input(&c, 1, &b, false);
    check_refused(&c, "2x3x4 and 3x4x5");
    c.in[1].shape = c4;
    check_refused(&c, "2x3x4 and 3x4");
    c.in[1].shape = scalar;
    check_refused(&c, "2x3x4 and ");
    check_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(special_convolutions),
        cmocka_unit_test(transposed_convolutions),
        cmocka_unit_test(fully_connected),
        cmocka_unit_test(matrix_products),
        cmocka_unit_test(hostile_convolutions_are_refused),
        cmocka_unit_test(huge_transposed_convolutions_are_refused),
        cmocka_unit_test(wrong_dense_layers_are_refused),
        cmocka_unit_test(wrong_products_are_refused),
    };
    return cmocka_run_group_tests_name("layers: convolution", tests, NULL, NULL);
}
