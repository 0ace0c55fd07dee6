/* SPDX-License-Identifier: BSD-2-Clause */
/* Import of ONNX: the trained networks, folding, names, operators in the forms that ONNX's own test suite does not
 * have. */
#define _DEFAULT_SOURCE
#include "core/memory.h"
#include "import/import.h"
#include "layers/layer.h"
#include "onnx_text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static bdnn_model *import_with(const char *text, const bdnn_onnx_options *options)
{
    wire bytes = onnx_text(text, NULL);
    bdnn_model *model;
    bdnn_error err;
    bdnn_status status = bdnn_import_onnx("text", bytes.data, bytes.size, options, &model, &err);
    free(bytes.data);
    if (status != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    return model;
}

static bdnn_model *import(const char *text)
{
    return import_with(text, NULL);
}

/* The first output of the network for `count` items of row-major input, into out[size]; returns how many numbers there
 * are. */
static size_t run(const bdnn_model *model, const float *input, size_t count, float *out, size_t size)
{
    const bdnn_session_options options = {
        .struct_size = sizeof options, .device = "float", .batch = count, .threads = 1};
    bdnn_session *session;
    bdnn_result result;
    bdnn_error err;
    size_t elements = 1;
    if (bdnn_session_create(model, &options, &session, &err) != BDNN_OK ||
        bdnn_session_run(session, input, &err) != BDNN_OK ||
        bdnn_session_output(session, 0, &result, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    for (int32_t i = 0; i < result.rank; i++) {
        elements *= (size_t)result.shape[i];
    }
    assert_true(elements <= size);
    memcpy(out, result.data, elements * sizeof *out);
    bdnn_session_free(session);
    return elements;
}

static void assert_close(const float *a, const float *b, size_t count, float tolerance)
{
    float largest = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fabsf(b[i]) > largest ? fabsf(b[i]) : largest;
    }
    for (size_t i = 0; i < count; i++) {
        if (!(fabsf(a[i] - b[i]) <= tolerance * largest)) {
            fail_msg("element %zu: %g and %g", i, (double)a[i], (double)b[i]);
        }
    }
}

/* Imports, runs one item 1, 2, 3, ... and compares. */
static void expect(const char *text, const float *wanted, size_t count)
{
    bdnn_model *model = import(text);
    float input[256], out[256];
    for (int i = 0; i < 256; i++) {
        input[i] = (float)(i + 1);
    }
    assert_int_equal(run(model, input, 1, out, 256), count);
    assert_close(out, wanted, count, 1e-6f);
    bdnn_model_free(model);
}

#define EXPECT(text, ...)                                                                                              \
    expect(text, (const float[]){__VA_ARGS__}, sizeof((const float[]){__VA_ARGS__}) / sizeof(float))

/* "conv relu ..." */
static void assert_layers(const bdnn_model *model, const char *wanted)
{
    char found[4096] = "";
    for (size_t i = 0; i < model->graph.layer_count; i++) {
        size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s%s", i ? " " : "", bdnn_op_name(model->graph.layers[i].op));
    }
    assert_string_equal(found, wanted);
}

/* ---- The trained networks ---- */

static bdnn_model *load(const char *name, bool keep_batch_norm)
{
    const bdnn_load_options options = {.struct_size = sizeof options, .keep_batch_norm = keep_batch_norm};
    bdnn_model *model;
    bdnn_error err;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", BDNN_TEST_DATA, name);
    if (bdnn_model_load(path, &options, &model, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    return model;
}

static size_t count_of(const bdnn_model *model, bdnn_op op)
{
    size_t count = 0;
    for (size_t i = 0; i < model->graph.layer_count; i++) {
        count += model->graph.layers[i].op == op;
    }
    return count;
}

static void trained_networks_are_imported(void **state)
{
    bdnn_model *model = load("alexnet.onnx", false);
    (void)state;
    assert_string_equal(model->graph.layers[0].name, "conv1");
    assert_int_equal(model->graph.layers[0].op, BDNN_OP_CONV);
    assert_int_equal(count_of(model, BDNN_OP_LRN), 2);
    assert_int_equal(count_of(model, BDNN_OP_DENSE), 3);
    assert_int_equal(count_of(model, BDNN_OP_RESHAPE), 0); /* the flattening is in the weights of fc6 */
    assert_string_equal(model->graph.layers[model->graph.layer_count - 1].name, "fc8");
    bdnn_model_free(model);
    model = load("vgg.onnx", false);
    assert_int_equal(count_of(model, BDNN_OP_RESHAPE), 0);
    assert_int_equal(count_of(model, BDNN_OP_AFFINE), 0);
    bdnn_model_free(model);
    model = load("segnet.onnx", false);
    assert_true(count_of(model, BDNN_OP_MAX_UNPOOL) >= 3);
    for (size_t i = 0; i < model->graph.layer_count; i++) { /* a pooling has indices where an unpooling reads them */
        if (model->graph.layers[i].op == BDNN_OP_MAX_POOL) {
            assert_int_equal(model->graph.layers[i].output_count, 2);
        }
    }
    bdnn_model_free(model);
}

static void folded_networks_compute_the_same(const char *name, size_t outputs)
{
    bdnn_model *folded = load(name, false), *kept = load(name, true);
    int64_t shape[6];
    int32_t rank = bdnn_model_input_shape(folded, shape);
    size_t item = (size_t)(shape[1] * shape[2] * shape[3]);
    float *input = malloc(2 * item * sizeof *input), *a = malloc(3 * outputs * sizeof *a), *b = a + outputs;
    assert_int_equal(rank, 4);
    assert_non_null(input);
    assert_non_null(a);
    for (size_t i = 0; i < 2 * item; i++) {
        input[i] = text_noise();
    }
    assert_int_equal(count_of(folded, BDNN_OP_AFFINE), 0);
    assert_true(count_of(kept, BDNN_OP_AFFINE) > 0);
    assert_int_equal(run(folded, input + item, 1, a, outputs), outputs);
    assert_int_equal(run(kept, input + item, 1, b, outputs), outputs);
    assert_close(a, b, outputs, 1e-5f);
    /* The second of a batch of two is what it is alone. */
    assert_int_equal(run(folded, input, 2, b, 2 * outputs), 2 * outputs);
    assert_close(b + outputs, a, outputs, 1e-5f);
    free(input);
    free(a);
    bdnn_model_free(folded);
    bdnn_model_free(kept);
}

static void batch_normalization_folds(void **state)
{
    (void)state;
    folded_networks_compute_the_same("resnet.onnx", 10);
    folded_networks_compute_the_same("segnet.onnx", 11 * 64 * 64);
}

/* ---- Constants, layouts ---- */

/* What PyTorch writes for fc(x.view(x.size(0), -1)). */
#define VIEW                                                                                                           \
    "input x N 2 2 3\nint zero = 0\nint axis 1 = 0\nint rest 1 = -1\nnode Shape x > s\nnode Gather s,zero > n\n"       \
    "node Unsqueeze n,axis > n1\nnode Concat n1,rest > shape axis=0\nnode Reshape x,shape > flat\n"                    \
    "float W 2 12 = 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0 1\n"

static void shape_computations_fold_into_dense_layers(void **state)
{
    static const char text[] = VIEW "float b 2 = 0.5 -0.5\nnode Gemm flat,W,b > y transB=1 alpha=2.0\noutput y\n";
    const float wanted[4] = {2.5f, 41.5f, 26.5f, 89.5f};
    bdnn_model *model = import(text);
    float input[24], out[4];
    (void)state;
    assert_layers(model, "dense");
    assert_int_equal(model->graph.value_count, 2);
    for (int i = 0; i < 24; i++) {
        input[i] = (float)(i + 1);
    }
    assert_int_equal(run(model, input, 2, out, 4),
                     4); /* any batch passes, though the file's shape was computed for one */
    assert_close(out, wanted, 4, 1e-6f);
    bdnn_model_free(model);
}

static void products_and_summands_become_dense_layers(void **state)
{
    bdnn_model *model =
        import("input x 1 3\nfloat W 3 2 = 1 2 3 4 5 6\nfloat b 2 = 0.5 1\nnode MatMul x,W > m name=fc\n"
               "node Add b,m > y\noutput y\n");
    (void)state;
    assert_layers(model, "dense");
    assert_string_equal(model->graph.layers[0].name, "fc");
    assert_string_equal(model->graph.values[model->graph.outputs[0]].name, "y");
    bdnn_model_free(model);
    EXPECT(
        "input x 1 3\nfloat W 3 2 = 1 2 3 4 5 6\nfloat b 2 = 0.5 1\nnode MatMul x,W > m\nnode Add b,m > y\noutput y\n",
        22.5f, 29.0f);
    /* A matrix added to the rows is no bias. */
    model = import("input x 2 3\nfloat W 3 2\nfloat b 2 2\nnode Gemm x,W,b > y\noutput y\n");
    assert_layers(model, "dense add");
    bdnn_model_free(model);
    /* A product of two values. */
    model = import("input x 1 2 2\nnode MatMul x,x > y\noutput y\n");
    assert_layers(model, "matmul");
    bdnn_model_free(model);
    EXPECT("input x 1 2 2\nnode MatMul x,x > y\noutput y\n", 7, 10, 15, 22);
}

static void constants_are_computed_at_import(void **state)
{
    /* W' = pad(transpose(W)) * 2, as a weight; sizes = floor(shape * 1.5) */
    bdnn_model *model = import("input x 1 3\nfloat W 2 3 = 1 2 3 4 5 6\nfloat two = 2\nnode Transpose W > t\n"
                               "node Mul t,two > w\nnode Gemm x,w > y\noutput y\n");
    (void)state;
    assert_layers(model, "dense");
    bdnn_model_free(model);
    EXPECT("input x 1 3\nfloat W 2 3 = 1 2 3 4 5 6\nfloat two = 2\nnode Transpose W > t\nnode Mul t,two > w\n"
           "node Gemm x,w > y\noutput y\n",
           28, 64);
    EXPECT(
        "input x 1 1 2 2\nint first 1 = 2\nint last 1 = 4\nint nc 2 = 1 1\nfloat f = 1.5\nnode Shape x > s\n"
        "node Slice s,first,last > hw\nnode Cast hw > hwf to=1\nnode Mul hwf,f > big\nnode Floor big > whole\n"
        "node Cast whole > sizes2 to=7\nnode Concat nc,sizes2 > sizes axis=0\n"
        "node Resize x,-,-,sizes > y coordinate_transformation_mode=\"asymmetric\" nearest_mode=\"floor\"\noutput y\n",
        1, 1, 2, 1, 1, 2, 3, 3, 4);
    /* What PyTorch writes for F.pad(x, (1, 2)): the pads reversed, and in another order. */
    EXPECT("input x 1 2\nint p 2 = 1 2\nint two 1 = 2\nint rows 2 = -1 2\nint flat 1 = -1\nint l 1 = -1\nint f 1 = -9\n"
           "int ax 1 = 0\nnode ConstantOfShape two > z\nnode Cast z > zeros to=7\nnode Concat p,zeros > c axis=0\n"
           "node Reshape c,rows > r\nnode Slice r,l,f,ax,l > s\nnode Transpose s > t perm=[1,0]\n"
           "node Reshape t,flat > pads\nnode Pad x,pads > y\noutput y\n",
           0, 1, 2, 0, 0);
    /* Integers: (10 - 4) / 2 * 1 + 1 rows. */
    EXPECT("input x 1 4\nint a 1 = 10\nint b 1 = 4\nint c 1 = 2\nint d 1 = 1\nnode Sub a,b > e\nnode Div e,c > f\n"
           "node Mul f,d > g\nnode Add g,d > h\nnode Concat h,d > s axis=0\nnode Reshape x,s > y\noutput y\n",
           1, 2, 3, 4);
}

static void outputs_can_be_constants_and_inputs(void **state)
{
    bdnn_model *model =
        import("input x 1 2\nint k 2 = 7 8\nnode Identity x > y\nnode Identity k > c\noutput y\noutput x\n"
               "output c\noutput k\n");
    const bdnn_graph *graph = &model->graph;
    float input[2] = {3, 4}, out[2];
    (void)state;
    assert_int_equal(graph->output_count, 4);
    for (int i = 0; i < 4; i++) {
        const char *const names[4] = {"y", "x", "c", "k"};
        /* The input's name stays the input's. */
        assert_string_equal(graph->values[graph->outputs[i]].name, i == 1 ? "x_2" : names[i]);
    }
    assert_int_equal(((const int64_t *)graph->values[graph->outputs[3]].constant.data)[1], 8);
    assert_int_equal(run(model, input, 1, out, 2), 2);
    assert_true(out[0] == 3 && out[1] == 4);
    bdnn_model_free(model);
}

/* ---- Names, bound inputs ---- */

static void names_survive_and_are_unique(void **state)
{
    bdnn_model *model =
        import("input x 1 2\nnode Relu x > /features/features.0/Relu_output_0 name=/features/features.0/Relu\n"
               "node Sigmoid /features/features.0/Relu_output_0 > b name=same\n"
               "node Sigmoid b > c name=same\nnode Sigmoid c > d\nnode Dropout d > e\nnode Relu e > f name=same_2\n"
               "output f\n");
    const char *const layers[] = {"/features/features.0/Relu", "same", "same_2", "d", "same_2_2"};
    (void)state;
    assert_int_equal(model->graph.layer_count, 5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(model->graph.layers[i].name, layers[i]);
    }
    assert_string_equal(model->graph.values[model->graph.layers[0].outputs[0]].name,
                        "/features/features.0/Relu_output_0");
    assert_string_equal(model->graph.values[model->graph.outputs[0]].name, "f");
    bdnn_model_free(model);
}

static void inputs_can_be_bound(void **state)
{
    const float weights[6] = {1, 2, 3, 4, 5, 6};
    const bdnn_bound_input bound[2] = {{"x", BDNN_FLOAT32, {2, {4, 3}}, NULL},
                                       {"W", BDNN_FLOAT32, {2, {3, 2}}, weights}};
    const bdnn_onnx_options options = {.bound = bound, .bound_count = 2};
    bdnn_model *model = import_with("input x N W\ninput W 3 2\nfloat W 9\nnode Gemm x,W > y\noutput y\n", &options);
    int64_t shape[6];
    float input[12] = {1, 1, 1}, out[8];
    (void)state;
    assert_int_equal(bdnn_model_input_shape(model, shape), 2);
    assert_int_equal(shape[0], 4);
    assert_int_equal(shape[1], 3);
    assert_int_equal(run(model, input, 4, out, 8), 8);
    assert_true(out[0] == 9 && out[1] == 12 && out[2] == 0);
    bdnn_model_free(model);
}

static void inputs_that_nobody_reads_go(void **state)
{
    bdnn_model *model =
        import("input a 1 3\ninput x 1 2\ninput b 1 3\nnode Sigmoid b > c\nnode Relu x > y\noutput y\n");
    (void)state;
    assert_int_equal(model->graph.input_count, 1);
    assert_int_equal(model->graph.value_count, 2);
    assert_string_equal(model->graph.values[model->graph.inputs[0]].name, "x");
    bdnn_model_free(model);
    model = import("input a 1 3\ninput b 1 3\nnode Shape b > y\noutput y\n");
    assert_int_equal(model->graph.input_count, 1);
    bdnn_model_free(model);
}

/* ---- Forms of operators ---- */

static void old_forms_of_operators(void **state)
{
    (void)state;
    EXPECT("opset 1\ninput x 1 1 1 2\nnode Upsample x > y height_scale=2.0 width_scale=2.0\noutput y\n", 1, 1, 2, 2, 1,
           1, 2, 2);
    EXPECT("opset 7\ninput x 1 1 1 2\nnode Upsample x > y scales=[1.0,1.0,1.0,2.0]\noutput y\n", 1, 1, 2, 2);
    EXPECT("opset 10\ninput x 1 1 1 2\nfloat s 4 = 1 1 1 2\nnode Resize x,s > y mode=\"linear\"\noutput y\n", 1, 1.5f,
           2, 2);
    EXPECT("opset 1\ninput x 1 1 1 2\nnode Pad x > y paddings=[0,0,0,1,0,0,0,0] value=9.0\noutput y\n", 9, 1, 2);
    EXPECT("opset 1\ninput x 1 4\nnode Reshape x > r shape=[0,2,-1]\nnode Squeeze r > s axes=[0]\noutput s\n", 1, 2, 3,
           4);
    EXPECT("opset 6\ninput x 1 3\nnode Clip x > y min=1.5 max=2.5\noutput y\n", 1.5f, 2, 2.5f);
    EXPECT("opset 6\ninput x 1 3\nnode Clip x > y max=2.5\noutput y\n", 1, 2, 2.5f);
    EXPECT("opset 6\ninput x 1 2 1 2\nfloat b 2 = 10 20\nnode Add x,b > y axis=1 broadcast=1\noutput y\n", 11, 12, 23,
           24);
    EXPECT("opset 12\ninput x 1 2 2\nnode Softmax x > y\noutput y\n", 0.03205860f, 0.08714432f, 0.23688282f,
           0.64391426f);
    EXPECT("opset 13\ninput x 1 2 2\nnode Softmax x > y axis=1\noutput y\n", 0.11920292f, 0.11920292f, 0.88079708f,
           0.88079708f);
}

static void batch_normalization_of_every_set(void **state)
{
#define PARAMETERS "float s 2 = 2 3\nfloat b 2 = 1 -1\nfloat m 2 = 1 2\nfloat v 2 = 4 9\n"
    (void)state;
    EXPECT("opset 1\ninput x 1 2 1 2\n" PARAMETERS
           "node BatchNormalization x,s,b,m,v > y epsilon=0.0 is_test=1 consumed_inputs=[0,0,0,1,1]\noutput y\n",
           1, 2, 0, 1);
    EXPECT("opset 9\ninput x 1 2 1 2\n" PARAMETERS "node BatchNormalization x,s,b,m,v > y epsilon=0.0\noutput y\n", 1,
           2, 0, 1);
    EXPECT("opset 15\ninput x 1 2\n" PARAMETERS
           "node BatchNormalization x,s,b,m,v > y epsilon=0.0 training_mode=0\noutput y\n",
           1, -1);
    /* Statistics of every position. */
    EXPECT("opset 7\ninput x 1 2 1 2\nfloat s 2 1 2 = 2 3\nfloat b 2 1 2 = 1 -1\nfloat m 2 1 2 = 1 2\nfloat v 2 1 2 = "
           "4 9\n"
           "node BatchNormalization x,s,b,m,v > y epsilon=0.0 spatial=0\noutput y\n",
           1, -1, 3, 1);
}

static void arithmetic_with_constants(void **state)
{
    (void)state;
    EXPECT("input x 1 2\nfloat k 2 = 2 4\nnode Sub x,k > y\noutput y\n", -1, -2);
    EXPECT("input x 1 2\nfloat k 2 = 2 4\nnode Sub k,x > y\noutput y\n", 1, 2);
    EXPECT("input x 1 2\nfloat k 2 = 2 4\nnode Div x,k > y\noutput y\n", 0.5f, 0.5f);
    EXPECT("input x 1 2\nfloat k 2 = 2 4\nnode Sum x,k,x > y\noutput y\n", 4, 8);
    EXPECT("input x 1 2\nnode Sub x,x > y\noutput y\n", 0, 0);
}

static void cuts_of_what_is_computed(void **state)
{
    (void)state;
    EXPECT("input x 1 4\nint a 1 = 1\nint b 1 = -1\nint one 1 = 1\nnode Slice x,a,b,one > y\noutput y\n", 2, 3);
    EXPECT("opset 6\ninput x 1 2 2\nnode Slice x > y starts=[1] ends=[9] axes=[1]\noutput y\n", 3, 4);
    EXPECT("input x 1 2 2\nint i = -1\nnode Gather x,i > y axis=2\noutput y\n", 2, 4);
    EXPECT("input x 1 2 2\nint i 1 = 0\nnode Gather x,i > y axis=1\noutput y\n", 1, 2);
}

static void sizes_of_convolutions(void **state)
{
    static const char *const texts[] = {
        "input x 1 2 5 7\nfloat W 4 1 3 2\nnode Conv x,W > y group=2 strides=[2,1] pads=[1,0,2,1] "
        "dilations=[1,2]\noutput y\n",
        "input x 1 2 5 7\nfloat W 4 2 3 2\nnode Conv x,W > y auto_pad=\"SAME_LOWER\" strides=[2,2]\noutput y\n",
        "input x 1 2 5 7\nfloat W 4 2 3 2\nnode Conv x,W > y auto_pad=\"VALID\"\noutput y\n",
        "input x 1 2 5 7\nfloat W 2 4 3 2\nnode ConvTranspose x,W > y output_shape=[9,14] strides=[2,2]\noutput y\n",
        "input x 1 2 5 7\nfloat W 2 4 3 2\nnode ConvTranspose x,W > y auto_pad=\"SAME_UPPER\" strides=[3,2]\noutput "
        "y\n",
        "input x 1 2 5 7\nnode MaxPool x > y kernel_shape=[3,3] strides=[2,2] ceil_mode=1\noutput y\n",
    };
    const int64_t sizes[][3] = {{4, 3, 6}, {4, 3, 4}, {4, 3, 6}, {4, 9, 14}, {4, 15, 14}, {2, 2, 3}};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bdnn_model *model = import(texts[i]);
        const bdnn_shape *shape = &model->graph.values[model->graph.outputs[0]].shape;
        assert_int_equal(shape->rank, 4);
        for (int a = 0; a < 3; a++) {
            assert_int_equal(shape->dim[1 + a], sizes[i][a]);
        }
        bdnn_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trained_networks_are_imported),
        cmocka_unit_test(batch_normalization_folds),
        cmocka_unit_test(shape_computations_fold_into_dense_layers),
        cmocka_unit_test(products_and_summands_become_dense_layers),
        cmocka_unit_test(constants_are_computed_at_import),
        cmocka_unit_test(outputs_can_be_constants_and_inputs),
        cmocka_unit_test(names_survive_and_are_unique),
        cmocka_unit_test(inputs_can_be_bound),
        cmocka_unit_test(inputs_that_nobody_reads_go),
        cmocka_unit_test(old_forms_of_operators),
        cmocka_unit_test(batch_normalization_of_every_set),
        cmocka_unit_test(arithmetic_with_constants),
        cmocka_unit_test(cuts_of_what_is_computed),
        cmocka_unit_test(sizes_of_convolutions),
    };
    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
