/* SPDX-License-Identifier: BSD-2-Clause */
/* Import of ONNX: what is wrong with a file is said; what is hostile in it does no harm. */
#define _DEFAULT_SOURCE
#include "core/memory.h"
#include "import/import.h"
#include "onnx_text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* The import must fail with this status and a message that holds all of the words. */
static void refuse_bytes(wire bytes, bdnn_status wanted, const char *const *words, size_t count)
{
    bdnn_error err = {.message = ""};
    bdnn_model *model;
    bdnn_status status = bdnn_import_onnx("net.onnx", bytes.data, bytes.size, NULL, &model, &err);
    free(bytes.data);
    assert_null(model);
    if (status != wanted) {
        fail_msg("status %d instead of %d: %s", (int)status, (int)wanted, err.message);
    }
    assert_int_equal(err.status, status);
    assert_int_equal(strncmp(err.message, "net.onnx: ", 10), 0);
    for (size_t i = 0; i < count; i++) {
        if (!strstr(err.message, words[i])) {
            fail_msg("'%s' is not in: %s", words[i], err.message);
        }
    }
}

#define WORDS(...)                (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
#define REFUSE(text, status, ...) refuse_bytes(onnx_text(text, NULL), status, WORDS(__VA_ARGS__))
#define UNSUPPORTED               BDNN_ERROR_UNSUPPORTED
#define FORMAT                    BDNN_ERROR_FORMAT

/* ---- What cannot be imported ---- */

static void unsupported_things_are_named(void **state)
{
    (void)state;
    REFUSE("input x 1 2\nnode Einsum x > y name=mix\noutput y\n", UNSUPPORTED, "'mix'", "Einsum");
    REFUSE("input x 1 2\nnode Relu x > y name=n domain=com.example\noutput y\n", UNSUPPORTED, "com.example", "'n'");
    REFUSE("opset 18\ninput x 1 2\nnode Relu x > y\noutput y\n", UNSUPPORTED, "operator set 18");
    REFUSE("opset 0\ninput x 1 2\nnode Relu x > y\noutput y\n", UNSUPPORTED, "operator set 0");
    REFUSE("input x 1 3 height 4\nnode Relu x > y\noutput y\n", UNSUPPORTED, "'height'", "'x'");
    REFUSE("input x 1 3 -1 4\nnode Relu x > y\noutput y\n", UNSUPPORTED, "dimension 2", "'x'");
    REFUSE("input x 1 1 1 1 1 1 1\nnode Relu x > y\noutput y\n", UNSUPPORTED, "rank 7");
    REFUSE("input x 1 2 4 4\ninput W 2 2 3 3\nnode Conv x,W > y name=c\noutput y\n", UNSUPPORTED, "'W'", "'c'");
    REFUSE("input x 1 2\nnode Resize x > y mode=\"cubic\"\noutput y\n", UNSUPPORTED, "'mode'", "'cubic'");
    REFUSE("input x 1 2\nint k 2 = 1 2\nnode Add x,k > y\noutput y\n", UNSUPPORTED, "integers");
    REFUSE("input x 1 2\nint k 2 = 1 2\nnode Relu k > y\noutput y\n", UNSUPPORTED, "integers");
}

static void contradictions_are_named(void **state)
{
    (void)state;
    REFUSE("input x 1 2\nnode Relu z > y name=n\noutput y\n", FORMAT, "'z'", "made by nothing", "'n'");
    REFUSE("input x 1 2\nnode Relu z > y\nnode Relu x > z\noutput y\n", FORMAT, "'z'", "only later");
    REFUSE("input x 1 2\nnode Relu y > z\nnode Relu z > y\noutput y\n", FORMAT, "circle");
    REFUSE("input x 1 2\nnode Relu x > y\nnode Sigmoid x > y\noutput y\n", FORMAT, "'y'", "already");
    REFUSE("input x 1 2\nnode Relu x > x\noutput x\n", FORMAT, "'x'", "already");
    REFUSE("input x 1 2\nfloat w 1\nfloat w 1\nnode Relu x > y\noutput y\n", FORMAT, "'w'", "twice");
    REFUSE("input x 1 2\nnode Relu x > y\noutput z\n", FORMAT, "'z'");
    REFUSE("input x 1 2\nnode Relu x > y\n", FORMAT, "no outputs");
    REFUSE("input x 1 2\nnode Relu > y\noutput y\n", FORMAT, "missing");
    REFUSE("input x 1 3 4 4\nfloat W 2 2 3 3\nnode Conv x,W > y name=c\noutput y\n", FORMAT, "'c'", "3 channels");
    REFUSE("input x 1 2 4 4\nfloat W 2 2 3 3\nnode Conv x,W > y kernel_shape=[3,2]\noutput y\n", FORMAT,
           "kernel_shape");
    REFUSE("input x 1 2 4 4\nfloat W 2 2 3 3\nnode Conv x,W > y pads=[1,1]\noutput y\n", FORMAT, "'pads' has 2");
    REFUSE("input x 1 2 4 4\nfloat W 2 2 3 3\nnode Conv x,W > y strides=[0,1]\noutput y\n", FORMAT, "strides 0");
    REFUSE("input x 1 2 4 4\nfloat W 2 2 3 3\nnode Conv x,W > y group=2.0\noutput y\n", FORMAT, "'group'", "FLOAT",
           "INT");
    REFUSE("input x 1 2 4 4\nfloat W 2 2 5 5\nnode Conv x,W > y name=c\noutput y\n", FORMAT, "'c'");
    REFUSE("input x 1 2\nint s 1 = 3\nnode Reshape x,s > y\noutput y\n", FORMAT, "1x2", "3");
    REFUSE("input x 1 2\nnode Softmax x > y axis=2\noutput y\n", FORMAT, "axis 2", "rank 2");
    REFUSE("input x 1 2\nfloat W 3 2\nnode Gemm x,W > y\noutput y\n", FORMAT, "3 inputs", "2");
}

/* A tensor named w in a graph x -> Relu -> y, made of these fields. */
static wire with_tensor(wire *tensor)
{
    wire graph = {0};
    wire_text(tensor, TENSOR_NAME, "w");
    wire_message(&graph, GRAPH_INITIALIZER, tensor);
    return onnx_text("input x 1 2\nnode Relu x > y\noutput y\n", &graph);
}

static wire tensor_of(int type, const int64_t *dims, size_t rank, size_t raw_bytes)
{
    wire tensor = {0};
    char *raw = calloc(raw_bytes + 1, 1);
    assert_non_null(raw);
    for (size_t i = 0; i < rank; i++) {
        wire_int(&tensor, TENSOR_DIMS, dims[i]);
    }
    wire_int(&tensor, TENSOR_TYPE, type);
    wire_field(&tensor, TENSOR_RAW, raw, raw_bytes);
    free(raw);
    return tensor;
}

static void tensors_hold_what_their_shape_says(void **state)
{
    const int64_t short_of[] = {3, 3}, negative[] = {-2, -2}, huge[] = {1LL << 62, 1LL << 62},
                  wrapping[] = {1LL << 32, 1LL << 32}, deep[] = {1, 1, 1, 1, 1, 1, 1};
    wire tensor = tensor_of(1, short_of, 2, 35);
    (void)state;
    refuse_bytes(with_tensor(&tensor), FORMAT, WORDS("'w'", "35 bytes", "36"));
    tensor = tensor_of(1, short_of, 2, 0);
    refuse_bytes(with_tensor(&tensor), FORMAT, WORDS("'w'", "0 elements", "9"));
    tensor = tensor_of(1, negative, 2, 16);
    refuse_bytes(with_tensor(&tensor), FORMAT, WORDS("'w'", "dimension -2"));
    tensor = tensor_of(1, huge, 2, 16);
    refuse_bytes(with_tensor(&tensor), FORMAT, WORDS("'w'", "too many"));
    tensor = tensor_of(1, wrapping, 2, 16);
    refuse_bytes(with_tensor(&tensor), FORMAT, WORDS("'w'", "too many"));
    tensor = tensor_of(1, deep, 7, 4);
    refuse_bytes(with_tensor(&tensor), UNSUPPORTED, WORDS("'w'", "rank 7"));
    tensor = tensor_of(8, deep, 1, 4);
    refuse_bytes(with_tensor(&tensor), UNSUPPORTED, WORDS("'w'", "STRING"));
    tensor = tensor_of(99, deep, 1, 4);
    refuse_bytes(with_tensor(&tensor), UNSUPPORTED, WORDS("'w'", "unknown type"));
    tensor = tensor_of(1, deep, 1, 4);
    wire_field(&tensor, TENSOR_EXTERNAL, "", 0);
    refuse_bytes(with_tensor(&tensor), UNSUPPORTED, WORDS("'w'", "another file"));
}

/* ---- Types of tensors ---- */

static void element_types_become_float(void **state)
{
    const uint16_t half[4] = {0x3e00, 0xc100, 0x0001, 0x7c00}, brain[2] = {0x3fc0, 0xc020};
    const double wide[2] = {1.5, -2.5};
    const int32_t halves[2] = {0x3e00, 0xc100};
    const float wanted[5][4] = {
        {1.5f, -2.5f, 0x1p-24f, (float)INFINITY}, {1.5f, -2.5f}, {1.5f, -2.5f}, {1.5f, -2.5f}, {1.5f, -2.5f}};
    const int type[5] = {10, 16, 11, 10, 11}, count[5] = {4, 2, 2, 2, 2};
    (void)state;
    for (int i = 0; i < 5; i++) {
        const int64_t dims[1] = {count[i]};
        wire tensor = {0}, graph = {0}, typed = {0}, bytes;
        bdnn_model *model;
        bdnn_error err;
        wire_int(&tensor, TENSOR_DIMS, dims[0]);
        wire_int(&tensor, TENSOR_TYPE, type[i]);
        wire_text(&tensor, TENSOR_NAME, "w");
        if (i < 3) {
            const void *raw[3] = {half, brain, wide};
            wire_field(&tensor, TENSOR_RAW, raw[i], (size_t)count[i] * (i < 2 ? 2 : 8));
        } else if (i == 3) {
            wire_varint(&typed, (uint64_t)halves[0]);
            wire_varint(&typed, (uint64_t)halves[1]);
            wire_message(&tensor, TENSOR_INT32S, &typed);
        } else {
            wire_field(&tensor, TENSOR_DOUBLES, wide, sizeof wide);
        }
        wire_message(&graph, GRAPH_INITIALIZER, &tensor);
        bytes = onnx_text("node Identity w > y\noutput y\n", &graph);
        assert_int_equal(bdnn_import_onnx("net", bytes.data, bytes.size, NULL, &model, &err), BDNN_OK);
        free(bytes.data);
        assert_int_equal(model->graph.values[0].type, BDNN_FLOAT32);
        assert_memory_equal(model->graph.values[0].constant.data, wanted[i], (size_t)count[i] * sizeof(float));
        bdnn_model_free(model);
    }
}

static void integer_types_keep_their_sign(void **state)
{
    const unsigned char bytes_of[8] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const int type[8] = {2, 3, 4, 5, 6, 7, 9, 12};
    const size_t size[8] = {1, 1, 2, 2, 4, 8, 1, 4};
    const int64_t wanted[8] = {254, -2, 65534, -2, -2, -2, 254, 4294967294};
    (void)state;
    for (int i = 0; i < 8; i++) {
        wire tensor = {0}, graph = {0}, bytes;
        bdnn_model *model;
        bdnn_error err;
        wire_int(&tensor, TENSOR_TYPE, type[i]);
        wire_text(&tensor, TENSOR_NAME, "w");
        wire_field(&tensor, TENSOR_RAW, bytes_of, size[i]);
        wire_message(&graph, GRAPH_INITIALIZER, &tensor);
        bytes = onnx_text("node Identity w > y\noutput y\n", &graph);
        assert_int_equal(bdnn_import_onnx("net", bytes.data, bytes.size, NULL, &model, &err), BDNN_OK);
        free(bytes.data);
        assert_int_equal(model->graph.values[0].type, BDNN_INT64);
        assert_int_equal(*(const int64_t *)model->graph.values[0].constant.data, wanted[i]);
        bdnn_model_free(model);
    }
}

/* ---- Hostile files ---- */

static const char small[] =
    "input x N 2 4 4\nfloat W 2 2 3 3\nfloat b 2\nfloat s 2\nfloat V 8 3\nint shape 2 = 0 -1\n"
    "node Conv x,W,b > c pads=[1,1,1,1] name=conv\nnode BatchNormalization c,s,b,s,s > n epsilon=0.5\n"
    "node MaxPool n > p,i kernel_shape=[2,2] strides=[2,2]\nnode MaxUnpool p,i > u kernel_shape=[2,2] "
    "strides=[2,2]\nnode MaxPool u > q kernel_shape=[2,2] strides=[2,2]\nnode Reshape q,shape > f\n"
    "node MatMul f,V > m\nnode Softmax m > y\noutput y\n";

static void truncated_files_are_refused(void **state)
{
    wire whole = onnx_text(small, NULL);
    bdnn_model *model;
    (void)state;
    assert_int_equal(bdnn_import_onnx("net", whole.data, whole.size, NULL, &model, NULL), BDNN_OK);
    bdnn_model_free(model);
    for (size_t size = 0; size < whole.size; size++) {
        uint8_t *part = malloc(size + 1); /* so that reading past the end is seen */
        assert_non_null(part);
        memcpy(part, whole.data, size);
        /* Without its last field, the operator set, the rest is a model of set 1, where most of these nodes exist. */
        if (bdnn_import_onnx("net", part, size, NULL, &model, NULL) == BDNN_OK) {
            assert_true(size >= whole.size - 4);
            bdnn_model_free(model);
        }
        free(part);
    }
    free(whole.data);
}

static void flipped_bits_do_no_harm(void **state)
{
    wire bytes = onnx_text(small, NULL);
    size_t accepted = 0, refused = 0;
    (void)state;
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bdnn_model *model;
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (bdnn_import_onnx("net", bytes.data, bytes.size, NULL, &model, NULL) == BDNN_OK) {
            accepted++; /* a weight, most of the time */
            bdnn_model_free(model);
        } else {
            refused++;
        }
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(accepted > 0 && refused > 0);
    free(bytes.data);
}

static void nesting_is_limited(void **state)
{
    wire inner = {0};
    (void)state;
    for (int i = 0; i < 2000; i++) {
        wire attribute = {0}, node = {0}, graph = {0};
        wire_message(&attribute, ATTRIBUTE_GRAPH, &inner);
        wire_message(&node, NODE_ATTRIBUTE, &attribute);
        wire_message(&graph, GRAPH_NODE, &node);
        inner = graph;
    }
    refuse_bytes(text_model(&inner, 13), FORMAT, WORDS("nested more than 64 deep"));
}

static void empty_messages_do_not_multiply(void **state)
{
    wire graph = {0}, model;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        wire_field(&graph, GRAPH_NODE, "", 0);
    }
    refuse_bytes(text_model(&graph, 13), FORMAT, WORDS("empty messages"));
    graph = (wire){0};
    model = text_model(&graph, 13);
    wire_field(&model, MODEL_GRAPH, "", 0);
    refuse_bytes(model, FORMAT, WORDS("'graph' twice"));
}

static void constants_stay_in_proportion(void **state)
{
    char text[8192] = "int s 2 = 1048576 1048576\nnode ConstantOfShape s > y\noutput y\n";
    size_t used;
    (void)state;
    REFUSE(text, FORMAT, "1048576x1048576", "out of proportion");
    REFUSE("int s 1 = -5\nnode ConstantOfShape s > y\noutput y\n", FORMAT, "-5");
    REFUSE("float w 1\nint p 2 = 0 134217728\nnode Pad w,p > y\noutput y\n", FORMAT, "134217729", "out of proportion");
    used = (size_t)snprintf(text, sizeof text, "input x 1 256 1 1\nfloat W 256 256 1 1\n"); /* 100 times 256 KiB */
    for (int i = 0; i < 100; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "node Conv x,W > c%d\noutput c%d\n", i, i);
    }
    REFUSE(text, FORMAT, "parameters", "out of proportion");
    used = (size_t)snprintf(text, sizeof text, "float c0 1\n"); /* doubling forty times */
    for (int i = 0; i < 40; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "node Concat c%d,c%d > c%d axis=0\n", i, i, i + 1);
    }
    snprintf(text + used, sizeof text - used, "output c40\n");
    REFUSE(text, FORMAT, "out of proportion");
}

static void huge_numbers_are_refused(void **state)
{
    (void)state;
    REFUSE("input x 1 1 1099511627776 1099511627776\nnode Relu x > y\noutput y\n", FORMAT, "'x'", "too many");
    REFUSE("input x 1 1 4 4\nnode MaxPool x > y kernel_shape=[9223372036854775807,1]\noutput y\n", FORMAT,
           "kernel_shape");
    REFUSE("input x 1 1 4 4\nnode MaxPool x > y kernel_shape=[1,1] pads=[-1,0,0,0]\noutput y\n", FORMAT, "pad -1");
    REFUSE("input x 1 4\nint s 2 = 4611686018427387904 4\nnode Reshape x,s > y\noutput y\n", FORMAT,
           "4611686018427387904");
    REFUSE("input x 1 1 4 4\nfloat s 4 = 1 1 1e30 1\nnode Resize x,-,s > y\noutput y\n", FORMAT, "scale");
    REFUSE("input x 1 4\nint a 1 = 9223372036854775807\nnode Add a,a > b\nnode Reshape x,b > y\noutput y\n", FORMAT,
           "overflow");
    REFUSE("input x 1 4\nint a 1 = 1\nint z 1 = 0\nnode Div a,z > b\nnode Reshape x,b > y\noutput y\n", FORMAT,
           "divided by 0");
    REFUSE("input x 1 4\nint i = 7\nnode Gather x,i > y axis=1\noutput y\n", FORMAT, "index 7", "size 4");
    REFUSE("int k 4 1024 = 1\nint a 1 = 0\nint b 1 = -1\nint s 1 = 1099511627777\nint z 1 = 0\n"
           "node Slice k,a,b,z,s > y\noutput y\n",
           FORMAT, "step 1099511627777");
    REFUSE("input x 1 4\nnode LRN x > y size=0\noutput y\n", FORMAT, "size 0");
}

static void many_nodes_are_quick(void **state)
{
    wire graph = {0}, bytes;
    bdnn_model *model;
    bdnn_error err;
    (void)state;
    for (int i = 0; i < 20000; i++) { /* all of one name */
        char line[64], from[16], to[16];
        wire node = {0};
        snprintf(from, sizeof from, i ? "v%d" : "x", i);
        snprintf(to, sizeof to, "v%d", i + 1);
        snprintf(line, sizeof line, "same\n");
        wire_text(&node, NODE_INPUT, from);
        wire_text(&node, NODE_OUTPUT, to);
        wire_text(&node, NODE_NAME, line);
        wire_text(&node, NODE_OP_TYPE, i % 2 ? "Identity" : "Sigmoid");
        wire_message(&graph, GRAPH_NODE, &node);
    }
    bytes = onnx_text("input x 1 2\noutput v20000\n", &graph);
    assert_int_equal(bdnn_import_onnx("net", bytes.data, bytes.size, NULL, &model, &err), BDNN_OK);
    free(bytes.data);
    assert_int_equal(model->graph.layer_count, 10000);
    assert_string_equal(model->graph.layers[9999].name, "same__10000"); /* the line end is gone */
    bdnn_model_free(model);
}

/* As a user loads it, from a file. */
static void load_text(const char *text, const char *words)
{
    char path[] = "/tmp/bdnn-test-XXXXXX";
    const int fd = mkstemp(path);
    wire bytes = onnx_text(text, NULL);
    bdnn_error err = {.message = ""};
    bdnn_model *model;
    bdnn_status status;
    assert_int_equal(write(fd, bytes.data, bytes.size), bytes.size);
    close(fd);
    free(bytes.data);
    status = bdnn_model_load(path, NULL, &model, &err);
    unlink(path);
    bdnn_model_free(model);
    if (!words && status != BDNN_OK) {
        fail_msg("%s", err.message);
    } else if (words && (status != FORMAT || !strstr(err.message, words) || !strstr(err.message, path))) {
        fail_msg("'%s' is not in: %s", words, err.message);
    }
}

#define NORM "opset 9\ninput x 1 2 1 2\nfloat s 2 = 1\nfloat b 2 = 0\nfloat m 2 = 0\n"

/* Where infinity means nothing; and where it does, it passes. */
static void parameters_are_finite(void **state)
{
    (void)state;
    load_text("input x 1 2 4 4\nfloat W 2 2 1 1 = 1 nan 1 1\nnode Conv x,W > y name=c\noutput y\n",
              "layer 'c': weight 1 is nan");
    load_text("input x 1 2 4 4\nfloat W 2 2 1 1 = 1\nfloat b 2 = 1 -inf\nnode Conv x,W,b > y name=c\noutput y\n",
              "layer 'c': bias 1 is -inf");
    load_text("input x 1 2\nfloat W 2 2 = 1 inf 1 1\nnode Gemm x,W > y name=g\noutput y\n", "layer 'g': weight");
    load_text(NORM "float v 2 = 1 inf\nnode BatchNormalization x,s,b,m,v > y name=n\noutput y\n", "variance 1 is inf");
    load_text(NORM "float v 2 = 1 nan\nnode BatchNormalization x,s,b,m,v > y name=n\noutput y\n", "variance 1 is nan");
    load_text("input x 1 2\nfloat k 2 = 1 inf\nnode Add x,k > y name=a\noutput y\n", "element 1 is inf");
    load_text("opset 11\ninput x 1 2\nfloat low = -inf\nfloat high = inf\nnode Clip x,low,high > y\noutput y\n", NULL);
    load_text("opset 11\ninput x 1 1 2 2\nint n 8 = 0 0 1 1 0 0 1 1\nfloat v = -inf\nnode Pad x,n,v > p\n"
              "node MaxPool p > y kernel_shape=[2,2]\noutput y\n",
              NULL);
}

/* A file of n inputs, n constants, n sums of an input and a constant, and n outputs: processor time of its import. */
static double time_of_import(int n)
{
    static const float value = 1;
    clock_t start;
    wire graph = {0}, bytes;
    bdnn_model *model;
    bdnn_error err;
    for (int i = 0; i < n; i++) {
        char info[64], name[16];
        wire node = {0}, tensor = {0};
        snprintf(name, sizeof name, "w%d", i);
        wire_int(&tensor, TENSOR_DIMS, 1);
        wire_int(&tensor, TENSOR_TYPE, 1);
        wire_text(&tensor, TENSOR_NAME, name);
        wire_field(&tensor, TENSOR_RAW, &value, sizeof value);
        wire_message(&graph, GRAPH_INITIALIZER, &tensor);
        wire_text(&node, NODE_INPUT, name);
        snprintf(name, sizeof name, "x%d", i);
        wire_text(&node, NODE_INPUT, name);
        snprintf(info, sizeof info, "%s 1 2", name);
        text_value_info(&graph, GRAPH_INPUT, info);
        snprintf(name, sizeof name, "y%d", i);
        wire_text(&node, NODE_OUTPUT, name);
        wire_text(&node, NODE_OP_TYPE, "Add");
        wire_message(&graph, GRAPH_NODE, &node);
        snprintf(info, sizeof info, "%s 1 2", name);
        text_value_info(&graph, GRAPH_OUTPUT, info);
    }
    bytes = text_model(&graph, 13);
    start = clock();
    if (bdnn_import_onnx("net", bytes.data, bytes.size, NULL, &model, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    free(bytes.data);
    assert_int_equal(model->graph.input_count, n);
    assert_int_equal(model->graph.output_count, n);
    bdnn_model_free(model);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* Work that looks at all inputs for each value, say, would take sixteen times as long. */
static void import_takes_time_in_proportion(void **state)
{
    const double few = time_of_import(15000), many = time_of_import(60000);
    (void)state;
    print_message("15000 nodes %.3f s, 60000 %.3f s\n", few, many);
    assert_true(many < 60 && many < 9 * few + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsupported_things_are_named),
        cmocka_unit_test(contradictions_are_named),
        cmocka_unit_test(tensors_hold_what_their_shape_says),
        cmocka_unit_test(element_types_become_float),
        cmocka_unit_test(integer_types_keep_their_sign),
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(flipped_bits_do_no_harm),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(empty_messages_do_not_multiply),
        cmocka_unit_test(constants_stay_in_proportion),
        cmocka_unit_test(huge_numbers_are_refused),
        cmocka_unit_test(many_nodes_are_quick),
        cmocka_unit_test(parameters_are_finite),
        cmocka_unit_test(import_takes_time_in_proportion),
    };
    return cmocka_run_group_tests_name("hostile import", tests, NULL, NULL);
}
