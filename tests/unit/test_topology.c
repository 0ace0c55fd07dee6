/* SPDX-License-Identifier: BSD-2-Clause */
/* Topology texts: the built-in networks are the published ones by their number of parameters and operations, what is
 * printed parses to the same, and nonsense is refused by line. */
#define _DEFAULT_SOURCE
#include "core/memory.h"
#include "import/topology.h"
#include "layers/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Parameters that exist by their size alone ---- */

/* Blobs that nothing reads: shape inference only looks at sizes. */
static const float nothing;

typedef struct imaginary {
    bool batch_norm; /* optional layers are there */
    int32_t classes;
} imaginary;

static bool present(void *user, const char *name)
{
    (void)name;
    return ((imaginary *)user)->batch_norm;
}

static bdnn_blob claim(int64_t count)
{
    return (bdnn_blob){&nothing, (size_t)count * sizeof nothing, false};
}

static bdnn_status load(void *user, const bdnn_graph *graph, bdnn_layer *layer, const bdnn_parameter_rules *rules,
                        bdnn_error *err)
{
    const imaginary *from = user;
    const bdnn_shape *in = &graph->values[layer->inputs[0]].shape;
    (void)err;
    if (layer->op == BDNN_OP_CONV || layer->op == BDNN_OP_CONV_TRANSPOSE) {
        const int32_t *kernel = layer->attr.conv.window.kernel;
        layer->attr.conv.filters = layer->attr.conv.filters ? layer->attr.conv.filters : from->classes;
        layer->weight =
            claim(in->dim[1] / layer->attr.conv.groups * layer->attr.conv.filters * kernel[0] * kernel[1] * kernel[2]);
        layer->bias = rules->no_bias || (rules->optional_bias && from->batch_norm) ? (bdnn_blob){0}
                                                                                   : claim(layer->attr.conv.filters);
    } else if (layer->op == BDNN_OP_DENSE) {
        layer->attr.dense.filters = layer->attr.dense.filters ? layer->attr.dense.filters : from->classes;
        layer->weight = claim(bdnn_shape_item_elements(in) * layer->attr.dense.filters);
        layer->bias = rules->no_bias ? (bdnn_blob){0} : claim(layer->attr.dense.filters);
    } else if (layer->op == BDNN_OP_AFFINE) {
        layer->weight = layer->bias = claim(in->dim[1]);
    }
    return BDNN_OK;
}

static bdnn_status constant(void *user, bdnn_value *value, bdnn_error *err)
{
    (void)user;
    (void)err;
    value->constant = claim(bdnn_shape_elements(&value->shape));
    return BDNN_OK;
}

static bdnn_status parse(const char *name, const char *text, size_t size, imaginary *from, bdnn_model **model,
                         bdnn_error *err)
{
    const bdnn_parameter_source source = {from, present, load, constant};
    bdnn_status status;
    *model = bdnn_model_new();
    status = bdnn_topology_parse(name, text, size, &source, *model, err);
    if (status != BDNN_OK) {
        bdnn_model_free(*model);
        *model = NULL;
    }
    return status;
}

/* ---- Built-in networks ---- */

static bdnn_model *builtin(const char *name, bool batch_norm, int32_t classes)
{
    imaginary from = {batch_norm, classes};
    bdnn_model *model;
    bdnn_error err;
    size_t size;
    const char *text = bdnn_topology_builtin(name, &size);
    assert_non_null(text);
    if (parse(name, text, size, &from, &model, &err) != BDNN_OK || bdnn_graph_infer(&model->graph, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    return model;
}

static void count(const bdnn_model *model, int64_t *parameters, int64_t *multiply_adds, int *inner_layers)
{
    *parameters = *multiply_adds = *inner_layers = 0;
    for (size_t i = 0; i < bdnn_model_layer_count(model); i++) {
        bdnn_layer_info info;
        assert_int_equal(bdnn_model_layer(model, i, &info, NULL), BDNN_OK);
        *parameters += (int64_t)info.parameter_bytes / 4;
        *multiply_adds += info.multiply_adds;
        *inner_layers += info.has_weights;
    }
}

static void built_in_networks_are_the_published_ones(void **state)
{
    static const struct {
        const char *name;
        bool batch_norm;
        int32_t classes;
        int64_t parameters, millions; /* multiply-adds */
        int inner_layers;
    } cases[] = {
        {"alexnet", false, 1000, 60965224, 724, 8},
        {"vgg16", false, 1000, 138357544, 15470, 16},
        /* torchvision's number is 60192808: convolutions, scale and shift of each normalization, classifier. */
        {"resnet152", true, 1000, 60192808, 11282, 156},
        /* By hand: 14710464 + 8448 in the encoder, 14715083 + 7424 in the decoder. */
        {"segnet", true, 11, 29441419, 106712, 26},
    };
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        bdnn_model *model = builtin(cases[c].name, cases[c].batch_norm, cases[c].classes);
        int64_t parameters, multiply_adds;
        int inner_layers;
        count(model, &parameters, &multiply_adds, &inner_layers);
        if (parameters != cases[c].parameters ||
            llabs(multiply_adds / 1000000 - cases[c].millions) > cases[c].millions / 100 ||
            inner_layers != cases[c].inner_layers) {
            fail_msg("%s: %lld parameters, %lld million multiply-adds, %d layers", cases[c].name, (long long)parameters,
                     (long long)multiply_adds / 1000000, inner_layers);
        }
        bdnn_model_free(model);
    }
}

static void assert_output(const bdnn_model *model, const char *layer, int64_t channels, int64_t height, int64_t width)
{
    for (size_t i = 0; i < model->graph.layer_count; i++) {
        if (strcmp(model->graph.layers[i].name, layer) == 0) {
            const bdnn_shape *shape = &model->graph.values[model->graph.layers[i].outputs[0]].shape;
            assert_int_equal(shape->dim[1], channels);
            assert_int_equal(shape->dim[2], height);
            assert_int_equal(shape->dim[3], width);
            return;
        }
    }
    fail_msg("no layer '%s'", layer);
}

static void built_in_sizes_are_the_published_ones(void **state)
{
    bdnn_model *model = builtin("alexnet", false, 1000);
    bdnn_preprocess preprocess;
    (void)state;
    assert_output(model, "conv1", 96, 55, 55);
    assert_output(model, "pool1", 96, 27, 27);
    assert_output(model, "pool2", 256, 13, 13);
    assert_output(model, "pool5", 256, 6, 6);
    preprocess = bdnn_model_preprocess(model);
    assert_true(preprocess.bgr && preprocess.mean[2] == 122.67892f && preprocess.scale[1] == 1 &&
                preprocess.resize_short == 256);
    bdnn_model_free(model);
    model = builtin("resnet152", false, 10);
    assert_output(model, "pool1", 64, 56, 56);
    assert_output(model, "res3a_branch1", 512, 28, 28);
    assert_output(model, "res4b35", 1024, 14, 14);
    assert_output(model, "res5c", 2048, 7, 7);
    bdnn_model_free(model);
    model = builtin("segnet", true, 19);
    assert_output(model, "pool5", 512, 12, 15);
    assert_output(model, "upsample5", 512, 23, 30);
    assert_output(model, "upsample4", 512, 45, 60);
    assert_output(model, "conv1_1_D", 19, 360, 480);
    bdnn_model_free(model);
}

/* ---- Text and back ---- */

static const char every_operator[] =
    "input data 1 4 9 11  # a comment\n"
    "input more%2Fdata 1 4 9 11\n"
    "\n"
    "constant c 1 8 1 1\r\n"
    "conv a%2Fconv in=data filters=8 kernel=3 stride=2,1 pad=1 dilation=1,2 groups=2 no_bias\n"
    "relu clipped low=-1.5 high=6\n"
    "relu r\n"
    "leaky_relu l alpha=0.3\n"
    "sigmoid s\n"
    "lrn n size=3 alpha=0.123456789 beta=0.5 bias=2\n"
    "affine bn\n"
    "affine absent optional in=n out=gone\n"
    "max_pool p in=bn out=p,p_indices kernel=2,3 stride=2,3 pad_begin=0,1 pad_end=1 ceil column_major\n"
    "max_unpool u in=p,p_indices kernel=2,3 stride=2,3 shape=1,8,8,11\n"
    "average_pool ap kernel=3 pad=1 count_pad\n"
    "add sum in=ap,c\n"
    "mul product in=sum,c\n"
    "pad padded begin=0,0,1,-1 end=0,0,0,2 mode=reflect\n"
    "resize bigger scale=1,1,2,2 mode=linear coordinates=align_corners\n"
    "resize smaller size=1,8,4,5 rounding=floor coordinates=asymmetric\n"
    "concat both in=smaller,smaller\n"
    "transpose t order=0,1,3,2\n"
    "conv_transpose ct filters=6 kernel=2 stride=2 output_pad=1,0\n"
    "average_pool g global\n"
    "reshape flat shape=-2,-1\n"
    "dense d filters=5\n"
    "softmax sm axis=1 flatten\n"
    "argmax best axis=1 keep last\n"
    "conv second in=more%2Fdata filters=2 kernel=1\n"
    "output best\noutput second\n";

static char *print(const bdnn_model *model, size_t *size)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, size);
    bdnn_error err;
    assert_non_null(stream);
    if (bdnn_topology_print(model, stream, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    fclose(stream);
    return text;
}

static void assert_same_layers(const bdnn_graph *a, const bdnn_graph *b)
{
    assert_int_equal(a->layer_count, b->layer_count);
    for (size_t i = 0; i < a->layer_count; i++) {
        const bdnn_layer *one = &a->layers[i], *two = &b->layers[i];
        assert_int_equal(one->op, two->op);
        assert_string_equal(one->name, two->name);
        assert_int_equal(one->input_count, two->input_count);
        assert_int_equal(one->output_count, two->output_count);
        assert_memory_equal(&one->attr, &two->attr, sizeof one->attr);
        for (int32_t n = 0; n < one->input_count; n++) {
            assert_string_equal(a->values[one->inputs[n]].name, b->values[two->inputs[n]].name);
        }
        for (int32_t n = 0; n < one->output_count; n++) {
            assert_string_equal(a->values[one->outputs[n]].name, b->values[two->outputs[n]].name);
            assert_true(bdnn_shape_equal(&a->values[one->outputs[n]].shape, &b->values[two->outputs[n]].shape));
        }
    }
}

static void what_is_printed_parses_to_the_same(void **state)
{
    imaginary from = {false, 0};
    bdnn_model *model, *back;
    bdnn_error err;
    size_t size, again;
    char *text, *second;
    (void)state;
    from.batch_norm = false;
    if (parse("text", every_operator, strlen(every_operator), &from, &model, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(model->graph.layer_count, 24);
    assert_string_equal(model->graph.layers[0].name, "a/conv");
    assert_string_equal(model->graph.values[1].name, "more/data");
    assert_int_equal(model->graph.layers[0].attr.conv.window.stride[1], 2);
    assert_int_equal(model->graph.layers[0].attr.conv.window.stride[2], 1);
    assert_int_equal(model->graph.layers[0].attr.conv.window.pad_end[1], 1);
    assert_int_equal(model->graph.layers[0].attr.conv.window.pad_end[0], 0);
    assert_true(isinf(model->graph.layers[2].attr.activation.high));
    text = print(model, &size);
    if (parse("printed", text, size, &from, &back, &err) != BDNN_OK) {
        fail_msg("%s\n%s", err.message, text);
    }
    assert_same_layers(&model->graph, &back->graph);
    second = print(back, &again);
    assert_string_equal(text, second);
    free(text);
    free(second);
    bdnn_model_free(model);
    bdnn_model_free(back);
}

/* ---- Nonsense ---- */

static void nonsense_is_refused_by_line(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "no input line"},
        {"input a 1 2 3 4\n", "no output line"},
        {"input\n", "line 1: 'input' needs a name"},
        {"input a 1 x 3 4\n", "'x' is no number"},
        {"input a 1 0 3 4\n", "'0' is no number"},
        {"input a 1 1 1 1 1 1 1\n", "more than 6 dimensions"},
        {"input a 1099511627776 2\n", "too many elements"},
        {"input a 1 2 3 4\ninput a 1\n", "line 2: a second value named 'a'"},
        {"input a%2 1\n", "needs a name"},
        {"input a%00b 1\n", "needs a name"},
        {"output a\n", "no value named 'a' so far"},
        {"relu r\n", "there is no input yet"},
        {"input a 1 2 3 4\nrelu r in=b\n", "line 2: no value named 'b' so far"},
        {"input a 1 2 3 4\nrelu r\nrelu r out=q\n", "line 3: a second layer named 'r'"},
        {"input a 1 2 3 4\nfancy r\n", "unknown operator 'fancy'"},
        {"input a 1 2 3 4\nrelu r slope=3\n", "'slope' does not belong to 'relu'"},
        {"input a 1 2 3 4\nrelu r low\n", "low needs a value"},
        {"input a 1 2 3 4\nmax_pool r ceil=1\n", "ceil takes no value"},
        {"input a 1 2 3 4\nconv r kernel=1,2,3,4\n", "more than 3 numbers"},
        {"input a 1 2 3 4\nconv r kernel=\n", "is no number"},
        {"input a 1 2 3 4\nconv r kernel=3;\n", "is no number"},
        {"input a 1 2 3 4\nconv r filters=99999999999\n", "is no number"},
        {"input a 1 2 3 4\nconv r filters=2 kernel=9\n", "layer 'r'"},
        {"input a 1 2 3 4\nmatmul r in=a\n", "inputs"},
        {"input a 1 2 3 4\nresize r mode=cubic\n", "unknown choice 'cubic'"},
        {"input a 1 3 4 4\nimage short=3 resize=crop\n", "line 2: a shorter side of 3"},
        {"input a 1 7\nimage\n", "does not take images"},
        {"input a 1 2 3 4\nrelu r in=,a\n", "an impossible name"},
        {"input a 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1\n", "more than 32 words"},
    };
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        imaginary from = {false, 3};
        bdnn_model *model;
        bdnn_error err = {BDNN_OK, ""};
        if (parse("text", cases[c].text, strlen(cases[c].text), &from, &model, &err) == BDNN_OK ||
            !strstr(err.message, cases[c].words)) {
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[c].text, err.message, cases[c].words);
        }
    }
}

static void damaged_texts_do_no_harm(void **state)
{
    static const char marks[] = {0, ' ', '\n', '=', ',', '%', '-', '9', 'e', '#', (char)0xff};
    const size_t size = strlen(every_operator);
    (void)state;
    for (size_t at = 0; at < size; at++) {
        for (size_t m = 0; m < sizeof marks; m++) {
            imaginary from = {false, 3};
            bdnn_model *model;
            char *text = malloc(size);
            memcpy(text, every_operator, size);
            text[at] = marks[m];
            if (parse("damaged", text, size, &from, &model, NULL) == BDNN_OK) {
                bdnn_model_free(model);
            }
            free(text);
        }
    }
}

static void names_are_escaped_reversibly(void **state)
{
    static const char *const names[][2] = {{"conv1", "conv1"}, {"a/b:0", "a%2Fb%3A0"},       {"..", "%2E."},
                                           {"50%", "50%25"},   {"\xc3\xa9 x", "%C3%A9%20x"}, {"-_.Z9", "-_.Z9"}};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *escaped = bdnn_name_escape(names[i][0]);
        assert_string_equal(escaped, names[i][1]);
        assert_true(bdnn_name_unescape(escaped));
        assert_string_equal(escaped, names[i][0]);
        bdnn_free(escaped);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_networks_are_the_published_ones),
        cmocka_unit_test(built_in_sizes_are_the_published_ones),
        cmocka_unit_test(what_is_printed_parses_to_the_same),
        cmocka_unit_test(nonsense_is_refused_by_line),
        cmocka_unit_test(damaged_texts_do_no_harm),
        cmocka_unit_test(names_are_escaped_reversibly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
