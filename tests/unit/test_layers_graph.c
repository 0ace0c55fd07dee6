/* SPDX-License-Identifier: BSD-2-Clause */
/* The gate: structure of a graph, sizes of constants, decomposed parameters, other batch sizes, geometry. */
#include "layers_check.h"

/* input [2, 3, 8, 8] -> conv 3x3 (pad 1, 4 filters) -> relu -> flatten -> dense 5 */
struct network {
    bdnn_graph graph;
    int32_t input, convolved, rectified, flat, scores;
};

static int32_t value_of(bdnn_graph *graph, const char *name)
{
    const bdnn_shape unknown = {0};
    const int32_t value = bdnn_graph_add_value(graph, name, BDNN_FLOAT32, &unknown);
    assert_true(value >= 0);
    return value;
}

static bdnn_layer *layer_of(bdnn_graph *graph, bdnn_op op, const char *name, int32_t in, int32_t out)
{
    bdnn_layer *layer = bdnn_graph_add_layer(graph, op, name, &in, 1, &out, 1);
    assert_non_null(layer);
    return layer;
}

static bdnn_model *make_network(struct network *n)
{
    const bdnn_shape shape = {4, {2, 3, 8, 8}};
    bdnn_model *model = bdnn_model_new();
    bdnn_graph *graph = &model->graph;
    bdnn_layer *layer;
    n->input = bdnn_graph_add_value(graph, "input", BDNN_FLOAT32, &shape);
    n->convolved = value_of(graph, "convolved");
    n->rectified = value_of(graph, "rectified");
    n->flat = value_of(graph, "flat");
    n->scores = value_of(graph, "scores");
    layer = layer_of(graph, BDNN_OP_CONV, "conv", n->input, n->convolved);
    layer->attr.conv.window = plain_window();
    layer->attr.conv.groups = 1;
    layer->attr.conv.filters = 4;
    for (int a = 1; a < BDNN_SPATIAL; a++) {
        layer->attr.conv.window.kernel[a] = 3;
        layer->attr.conv.window.pad_begin[a] = layer->attr.conv.window.pad_end[a] = 1;
    }
    layer->weight = random_blob(4 * 9 * 3);
    layer = layer_of(graph, BDNN_OP_ACTIVATION, "relu", n->convolved, n->rectified);
    layer->attr.activation.high = INFINITY;
    layer = layer_of(graph, BDNN_OP_RESHAPE, "flatten", n->rectified, n->flat);
    layer->attr.reshape.shape = (bdnn_shape){2, {-2, -1}};
    layer = layer_of(graph, BDNN_OP_DENSE, "dense", n->flat, n->scores);
    layer->attr.dense.filters = 5;
    layer->weight = random_blob(5 * 256);
    assert_true(bdnn_graph_add_input(graph, n->input));
    assert_true(bdnn_graph_add_output(graph, n->scores));
    return model;
}

static void assert_graph_refused(bdnn_graph *graph, const char *layer, const char *text)
{
    bdnn_error err = {.message = ""};
    const bdnn_status status = bdnn_graph_infer(graph, &err);
    if (status != BDNN_ERROR_FORMAT || !strstr(err.message, layer) || !strstr(err.message, text)) {
        fail_msg("status %d, message '%s', which should speak of %s and '%s'", (int)status, err.message, layer, text);
    }
}

static void shapes_are_inferred(void **state)
{
    struct network n;
    bdnn_model *model = make_network(&n);
    bdnn_error err;
    (void)state;
    assert_int_equal(bdnn_graph_infer(&model->graph, &err), BDNN_OK);
    assert_shape(&model->graph.values[n.rectified].shape, 4, (const int64_t[]){2, 4, 8, 8});
    assert_shape(&model->graph.values[n.flat].shape, 2, (const int64_t[]){2, 256});
    assert_shape(&model->graph.values[n.scores].shape, 2, (const int64_t[]){2, 5});
    bdnn_model_free(model);
}

static void another_batch_leaves_the_graph_alone(void **state)
{
    struct network n;
    bdnn_model *model = make_network(&n);
    bdnn_value_info info[5];
    bdnn_error err = {.message = ""};
    (void)state;
    assert_int_equal(bdnn_graph_infer(&model->graph, &err), BDNN_OK);
    assert_int_equal(bdnn_graph_infer_batch(&model->graph, 7, info, &err), BDNN_OK);
    assert_shape(&info[n.convolved].shape, 4, (const int64_t[]){7, 4, 8, 8});
    assert_shape(&info[n.scores].shape, 2, (const int64_t[]){7, 5});
    assert_shape(&model->graph.values[n.scores].shape, 2, (const int64_t[]){2, 5});
    assert_int_equal(bdnn_graph_infer_batch(&model->graph, -1, info, &err), BDNN_ERROR_FORMAT);
    assert_int_equal(bdnn_graph_infer_batch(&model->graph, INT64_MAX, info, &err), BDNN_ERROR_FORMAT);
    /* A reshape to fixed sizes takes one batch only, and says so. */
    model->graph.layers[2].attr.reshape.shape = (bdnn_shape){2, {2, 256}};
    assert_int_equal(bdnn_graph_infer_batch(&model->graph, 3, info, &err), BDNN_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "'flatten'"));
    assert_non_null(strstr(err.message, "3x4x8x8 does not reshape to 2x256"));
    bdnn_model_free(model);
}

/* Values 0 to 4 of a good graph are input, convolved, rectified, flat and scores; relu makes 2 from 1. */
static void broken_structure_is_refused(void **state)
{
    const struct {
        int op, input, output, inputs, outputs;
        const char *text;
    } cases[] = {
        {BDNN_OP_ACTIVATION, 4, 2, 1, 1, "made by no layer before"}, /* a cycle */
        {BDNN_OP_ACTIVATION, 2, 2, 1, 1, "made by no layer before"}, /* itself */
        {BDNN_OP_ACTIVATION, 1, 1, 1, 1, "exists already"},
        {BDNN_OP_ACTIVATION, 1, 0, 1, 1, "exists already"},
        {BDNN_OP_ACTIVATION, 5, 2, 1, 1, "value number 5 of 5"},
        {BDNN_OP_ACTIVATION, -1, 2, 1, 1, "value number -1"},
        {BDNN_OP_ACTIVATION, 1, INT32_MAX, 1, 1, "value number 2147483647"},
        {BDNN_OP_ACTIVATION, 1, INT32_MIN, 1, 1, "value number -2147483648"},
        {BDNN_OP_COUNT, 1, 2, 1, 1, "operator number 19"},
        {-1, 1, 2, 1, 1, "operator number -1"},
        {BDNN_OP_ACTIVATION, 1, 2, 0, 1, "0 inputs"},
        {BDNN_OP_MATMUL, 1, 2, 1, 1, "1 inputs"},
        {BDNN_OP_ACTIVATION, 1, 2, 1, 0, "0 outputs"},
        {BDNN_OP_ACTIVATION, 1, 2, INT32_MIN, 1, "-2147483648 inputs"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network n;
        bdnn_model *model = make_network(&n);
        bdnn_layer *relu = &model->graph.layers[1];
        relu->op = (bdnn_op)cases[i].op;
        relu->inputs[0] = cases[i].input;
        relu->outputs[0] = cases[i].output;
        relu->input_count = cases[i].inputs;
        relu->output_count = cases[i].outputs;
        assert_graph_refused(&model->graph, "'relu'", cases[i].text);
        bdnn_model_free(model);
    }
}

static void broken_ends_are_refused(void **state)
{
    const int32_t bad[] = {5, -1, INT32_MAX, INT32_MIN};
    struct network n;
    bdnn_model *model = make_network(&n);
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        model->graph.inputs[0] = bad[i];
        assert_graph_refused(&model->graph, "network input 0", "of 5");
        model->graph.inputs[0] = n.input;
        model->graph.outputs[0] = bad[i];
        assert_graph_refused(&model->graph, "network output 0", "of 5");
        model->graph.outputs[0] = n.scores;
    }
    value_of(&model->graph, "never made");
    model->graph.outputs[0] = 5;
    assert_graph_refused(&model->graph, "network output 0", "never made");
    model->graph.outputs[0] = n.scores;
    model->graph.layers[1].decomposed = bdnn_zalloc(1, sizeof(bdnn_decomposed));
    assert_graph_refused(&model->graph, "'relu'", "cannot be decomposed");
    bdnn_model_free(model);
}

static void wrong_input_shapes_are_refused(void **state)
{
    const bdnn_shape shapes[] = {{4, {2, 3, -8, 8}}, {7, {1}}, {-1, {1}}, {4, {1 << 20, 3, 1 << 20, 8}}};
    struct network n;
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        bdnn_model *model = make_network(&n);
        model->graph.values[n.input].shape = shapes[i];
        assert_graph_refused(&model->graph, "network input 0", "");
        bdnn_model_free(model);
    }
}

static void graphs_that_make_values_twice_are_refused(void **state)
{
    struct network n;
    bdnn_model *model = make_network(&n);
    (void)state;
    assert_true(bdnn_graph_add_input(&model->graph, n.input));
    assert_graph_refused(&model->graph, "network input 1", "given twice");
    bdnn_model_free(model);
    model = make_network(&n);
    {
        bdnn_graph *graph = &model->graph;
        const int32_t in = n.convolved, out[2] = {value_of(graph, "pooled"), value_of(graph, "pooled")};
        const int32_t twice[2] = {out[0], out[0]};
        bdnn_layer *layer = bdnn_graph_add_layer(graph, BDNN_OP_MAX_POOL, "pool", &in, 1, twice, 2);
        layer->attr.pool.window = plain_window();
        assert_graph_refused(graph, "'pool'", "named twice");
    }
    bdnn_model_free(model);
}

static void constants_must_match_their_shapes(void **state)
{
    const bdnn_shape shape = {4, {1, 4, 1, 1}};
    struct network n;
    bdnn_model *model = make_network(&n);
    bdnn_graph *graph = &model->graph;
    const int32_t constant = bdnn_graph_add_value(graph, "shift", BDNN_FLOAT32, &shape);
    const int32_t inputs[2] = {n.convolved, constant}, out = value_of(graph, "shifted");
    bdnn_error err = {.message = ""};
    (void)state;
    assert_non_null(bdnn_graph_add_layer(graph, BDNN_OP_ADD, "add", inputs, 2, &out, 1));
    assert_graph_refused(graph, "'add'", "made by no layer before");
    graph->values[constant].constant = random_blob(4);
    assert_int_equal(bdnn_graph_infer(graph, &err), BDNN_OK);
    assert_shape(&graph->values[out].shape, 4, (const int64_t[]){2, 4, 8, 8});
    graph->values[constant].constant.bytes = 12;
    assert_graph_refused(graph, "'shift'", "1x4x1x1 has 12 bytes");
    graph->values[constant].constant.bytes = 16;
    graph->values[constant].shape.dim[0] = INT64_MAX;
    assert_graph_refused(graph, "constant", "too large");
    graph->values[constant].shape.dim[0] = 1;
    graph->layers[1].outputs[0] = constant;
    assert_graph_refused(graph, "'relu'", "exists already");
    bdnn_model_free(model);
}

/* A decomposed convolution of 4 filters of 27 elements, 3 bases each, 6 bits. */
static void decompose(bdnn_layer *layer)
{
    bdnn_decomposed *dec = bdnn_zalloc(1, sizeof *dec);
    uint64_t planes[12];
    int8_t scales[12];
    bdnn_blob_free(&layer->weight);
    layer->weight = (bdnn_blob){0};
    for (int i = 0; i < 12; i++) {
        planes[i] = random_bits() | UINT64_MAX << 27;
        scales[i] = (int8_t)(i % 3 == 0 ? -64 : i % 3 == 1 ? 42 : 21);
    }
    *dec = (bdnn_decomposed){.bases = 3, .bits = 6, .step = 0.1f, .zero_point = 31};
    dec->planes = bdnn_blob_copy(planes, sizeof planes);
    dec->scales = bdnn_blob_copy(scales, sizeof scales);
    dec->filter_scale = random_blob(4);
    layer->decomposed = dec;
}

static void decomposed_numbers_are_verified(void **state)
{
    const struct {
        int32_t bases, bits, zero_point;
        float step;
        const char *text; /* NULL: accepted */
    } cases[] = {
        {3, 6, 31, 0.1f, NULL},
        {3, 6, 63, 0.1f, NULL},
        {0, 6, 31, 0.1f, "0 bases"},
        {9, 6, 31, 0.1f, "9 bases"},
        {3, 0, 0, 0.1f, "0 bits"},
        {3, 9, 31, 0.1f, "9 bits"},
        {4, 6, 31, 0.1f, "bases take 96 bytes"},
        {3, 6, 31, 0, "step is 0"},
        {3, 6, 31, -1, "step is -1"},
        {3, 6, 31, NAN, "step is"},
        {3, 6, 31, INFINITY, "step is inf"},
        {3, 6, 64, 0.1f, "zero point 64"},
        {3, 6, -1, 0.1f, "zero point -1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network n;
        bdnn_model *model = make_network(&n);
        bdnn_decomposed *dec;
        bdnn_error err = {.message = ""};
        decompose(&model->graph.layers[0]);
        dec = model->graph.layers[0].decomposed;
        dec->bases = cases[i].bases;
        dec->bits = cases[i].bits;
        dec->zero_point = cases[i].zero_point;
        dec->step = cases[i].step;
        if (cases[i].text) {
            assert_graph_refused(&model->graph, "'conv'", cases[i].text);
        } else if (bdnn_graph_infer(&model->graph, &err) != BDNN_OK) {
            fail_msg("refused: %s", err.message);
        }
        bdnn_model_free(model);
    }
}

static void decomposed_blobs_are_verified(void **state)
{
    struct network n;
    bdnn_model *model = make_network(&n);
    bdnn_graph *graph = &model->graph;
    bdnn_decomposed *dec;
    bdnn_error err = {.message = ""};
    (void)state;
    decompose(&graph->layers[0]);
    dec = graph->layers[0].decomposed;
    dec->planes.bytes -= 8;
    assert_graph_refused(graph, "'conv'", "bases take 88 bytes");
    dec->planes.bytes += 8;
    dec->scales.bytes -= 1;
    assert_graph_refused(graph, "'conv'", "scales take 11 bytes");
    dec->scales.bytes += 1;
    dec->filter_scale.bytes += 4;
    assert_graph_refused(graph, "'conv'", "filter scales take 20 bytes");
    dec->filter_scale.bytes -= 4;
    ((int8_t *)dec->scales.data)[8] = 22;
    assert_graph_refused(graph, "'conv'", "filter 2 add up to 128");
    ((int8_t *)dec->scales.data)[8] = 21;
    ((int8_t *)dec->scales.data)[0] = INT8_MIN;
    assert_graph_refused(graph, "'conv'", "filter 0 add up to 191");
    ((int8_t *)dec->scales.data)[0] = -64;
    ((uint64_t *)dec->planes.data)[7] &= ~((uint64_t)1 << 27);
    assert_graph_refused(graph, "'conv'", "basis 7");
    ((uint64_t *)dec->planes.data)[7] |= (uint64_t)1 << 27;
    ((float *)dec->filter_scale.data)[3] = NAN;
    assert_graph_refused(graph, "'conv'", "filter 3 is not finite");
    ((float *)dec->filter_scale.data)[3] = 1;
    assert_int_equal(bdnn_graph_infer(graph, &err), BDNN_OK);
    graph->layers[0].weight = random_blob(108);
    assert_graph_refused(graph, "'conv'", "432 bytes of float weights beside bases");
    bdnn_model_free(model);
}

/* The longest inner product whose sum surely fits 32 bits is taken, one more is not. */
static void long_inner_products_are_refused(void **state)
{
    (void)state;
    for (int64_t inner = BDNN_IP_MAX_INNER; inner <= BDNN_IP_MAX_INNER + 1; inner++) {
        const bdnn_shape shape = {2, {1, inner}};
        const size_t words = (size_t)(inner + 63) / 64;
        struct check c;
        bdnn_decomposed *dec = bdnn_zalloc(1, sizeof *dec);
        const int8_t scale = 127;
        uint64_t *planes = bdnn_alloc(words, sizeof *planes);
        memset(planes, 0xff, words * sizeof *planes);
        check_begin(&c, BDNN_OP_DENSE, 1);
        c.in[0] = (bdnn_value_info){BDNN_FLOAT32, shape};
        c.layer.attr.dense.filters = 1;
        *dec = (bdnn_decomposed){.bases = 1, .bits = 8, .step = 1};
        dec->planes = (bdnn_blob){planes, words * sizeof *planes, true};
        dec->scales = bdnn_blob_copy(&scale, 1);
        dec->filter_scale = random_blob(1);
        c.layer.decomposed = dec;
        if (inner == BDNN_IP_MAX_INNER) {
            check_infer(&c);
        } else {
            check_refused(&c, "66312 elements"); /* 66312 * 255 * 127 > 2^31 */
        }
        check_end(&c);
    }
}

/* Geometry of a grouped convolution over a row of 1-D samples, and of a dense layer. */
static void geometry(void **state)
{
    const bdnn_shape in = {3, {2, 6, 20}}, out = {3, {2, 8, 9}}, image = {4, {3, 2, 5, 7}}, scores = {2, {3, 10}};
    bdnn_layer layer = {.op = BDNN_OP_CONV};
    bdnn_inner_geometry g;
    (void)state;
    layer.attr.conv.window = plain_window();
    layer.attr.conv.window.kernel[2] = 4;
    layer.attr.conv.window.stride[2] = 2;
    layer.attr.conv.groups = 2;
    layer.attr.conv.filters = 8;
    bdnn_inner_geometry_of(&layer, &in, &out, &g);
    assert_int_equal(g.inner, 12);
    assert_int_equal(g.groups, 2);
    assert_int_equal(g.filters, 8);
    assert_int_equal(g.in.channels, 6);
    assert_int_equal(g.in.size[0] * g.in.size[1], 1);
    assert_int_equal(g.in.size[2], 20);
    assert_int_equal(g.out.size[2], 9);
    layer = (bdnn_layer){.op = BDNN_OP_DENSE};
    layer.attr.dense.filters = 10;
    bdnn_inner_geometry_of(&layer, &image, &scores, &g);
    assert_int_equal(g.inner, 70);
    assert_int_equal(g.in.batch, 3);
    assert_int_equal(g.out.channels, 10);
    assert_int_equal(g.groups, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_inferred),
        cmocka_unit_test(another_batch_leaves_the_graph_alone),
        cmocka_unit_test(broken_structure_is_refused),
        cmocka_unit_test(broken_ends_are_refused),
        cmocka_unit_test(wrong_input_shapes_are_refused),
        cmocka_unit_test(graphs_that_make_values_twice_are_refused),
        cmocka_unit_test(constants_must_match_their_shapes),
        cmocka_unit_test(decomposed_numbers_are_verified),
        cmocka_unit_test(decomposed_blobs_are_verified),
        cmocka_unit_test(long_inner_products_are_refused),
        cmocka_unit_test(geometry),
    };
    return cmocka_run_group_tests_name("layers: graph", tests, NULL, NULL);
}
