/* SPDX-License-Identifier: BSD-2-Clause */
/* Simplification: the network computes the same with fewer layers, and what must stay stays. */
#define _DEFAULT_SOURCE
#include "core/memory.h"
#include "import/import.h"
#include "import/topology.h"
#include "layers/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Networks with random parameters ---- */

static float noise(void)
{
    static uint32_t seed = 7;
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed / 2147483648.0f;
}

static bdnn_blob random_blob(int64_t count)
{
    bdnn_blob blob = bdnn_blob_copy(NULL, (size_t)count * sizeof(float));
    for (int64_t i = 0; i < count; i++) {
        ((float *)blob.data)[i] = noise();
    }
    return blob;
}

static bool present(void *user, const char *name)
{
    (void)user;
    (void)name;
    return true;
}

static bdnn_status load(void *user, const bdnn_graph *graph, bdnn_layer *layer, const bdnn_parameter_rules *rules,
                        bdnn_error *err)
{
    const bdnn_shape *in = &graph->values[layer->inputs[0]].shape;
    (void)user;
    (void)err;
    if (layer->op == BDNN_OP_CONV || layer->op == BDNN_OP_CONV_TRANSPOSE) {
        const int32_t *kernel = layer->attr.conv.window.kernel, groups = layer->attr.conv.groups;
        layer->weight = random_blob(in->dim[1] * layer->attr.conv.filters / groups * kernel[1] * kernel[2]);
        layer->bias = rules->no_bias ? (bdnn_blob){0} : random_blob(layer->attr.conv.filters);
    } else if (layer->op == BDNN_OP_DENSE) {
        layer->weight = random_blob(bdnn_shape_item_elements(in) * layer->attr.dense.filters);
        layer->bias = random_blob(layer->attr.dense.filters);
    } else if (layer->op == BDNN_OP_AFFINE) {
        layer->weight = random_blob(in->dim[1]);
        layer->bias = random_blob(in->dim[1]);
    }
    return BDNN_OK;
}

static bdnn_status constant(void *user, bdnn_value *value, bdnn_error *err)
{
    (void)user;
    (void)err;
    value->constant = random_blob(bdnn_shape_elements(&value->shape));
    return BDNN_OK;
}

static bdnn_model *network(const char *text)
{
    const bdnn_parameter_source source = {NULL, present, load, constant};
    bdnn_model *model = bdnn_model_new();
    bdnn_error err;
    if (bdnn_topology_parse("text", text, strlen(text), &source, model, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    return model;
}

/* ---- Comparison ---- */

static bdnn_session *run(const bdnn_model *model, const float *input)
{
    const bdnn_session_options options = {.struct_size = sizeof options, .device = "float", .threads = 1};
    bdnn_session *session;
    bdnn_error err;
    if (bdnn_session_create(model, &options, &session, &err) != BDNN_OK ||
        bdnn_session_run(session, input, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    return session;
}

static void assert_same_outputs(const bdnn_model *a, const bdnn_model *b)
{
    float input[4096];
    bdnn_session *one, *two;
    for (size_t i = 0; i < 4096; i++) {
        input[i] = noise();
    }
    one = run(a, input);
    two = run(b, input);
    assert_int_equal(bdnn_session_output_count(one), bdnn_session_output_count(two));
    for (size_t o = 0; o < bdnn_session_output_count(one); o++) {
        bdnn_result x, y;
        int64_t count = 1;
        assert_int_equal(bdnn_session_output(one, o, &x, NULL), BDNN_OK);
        assert_int_equal(bdnn_session_output(two, o, &y, NULL), BDNN_OK);
        assert_string_equal(x.name, y.name);
        assert_int_equal(x.rank, y.rank);
        for (int32_t i = 0; i < x.rank; i++) {
            assert_int_equal(x.shape[i], y.shape[i]);
            count *= x.shape[i];
        }
        for (int64_t i = 0; i < count; i++) {
            if (fabsf(x.data[i] - y.data[i]) > 1e-4f * (1 + fabsf(x.data[i]))) {
                fail_msg("output %zu, element %lld: %g, %g", o, (long long)i, (double)x.data[i], (double)y.data[i]);
            }
        }
    }
    bdnn_session_free(one);
    bdnn_session_free(two);
}

/* Simplifies a copy of the network, compares, and expects so many layers and values to be left. */
static void expect(const char *text, bool keep_batch_norm, size_t layers, size_t values)
{
    bdnn_model *before = network(text), *after = bdnn_model_clone(before);
    bdnn_error err;
    if (bdnn_simplify(&after->graph, keep_batch_norm, &err) != BDNN_OK ||
        bdnn_graph_infer(&after->graph, &err) != BDNN_OK) {
        fail_msg("%s", err.message);
    }
    if (after->graph.layer_count != layers || after->graph.value_count != values) {
        fail_msg("%zu layers and %zu values are left, not %zu and %zu of\n%s", after->graph.layer_count,
                 after->graph.value_count, layers, values, text);
    }
    assert_same_outputs(before, after);
    bdnn_model_free(before);
    bdnn_model_free(after);
}

/* ---- Tests ---- */

static void batch_normalization_is_folded(void **state)
{
    static const char conv[] =
        "input d 1 4 5 6\nconv c filters=6 kernel=3 groups=2 no_bias\naffine a\nrelu r\noutput r\n";
    (void)state;
    expect(conv, false, 2, 3);
    expect(conv, true, 3, 4);
    expect("input d 1 4 5 6\nconv_transpose c filters=6 kernel=2 stride=2 groups=2\naffine a\noutput a\n", false, 1, 2);
    expect("input d 1 4 5 6\ndense f filters=3\naffine a\naffine b\noutput b\n", false, 1, 2);
}

static void constants_after_inner_products_are_folded(void **state)
{
    static const char conv[] = "input d 1 4 5 6\nconv c filters=6 kernel=3 groups=2 no_bias\nconstant k 1 6 1 1\n"
                               "constant b 6 1 1\nconstant s 1\nmul m in=c,k\nadd a in=b,m\nmul x in=a,s\noutput x\n";
    (void)state;
    /* Whether or not batch normalizations are kept. */
    expect(conv, false, 1, 2);
    expect(conv, true, 1, 2);
    expect("input d 1 4 5 6\nconv_transpose c filters=6 kernel=2 stride=2 groups=2\nconstant k 6 1 1\nmul m in=c,k\n"
           "output m\n",
           false, 1, 2);
    expect("input d 2 4\ndense f filters=3\nconstant b 3\nadd a in=f,b\noutput a\n", false, 1, 2);
    /* A number a position, a number an item, a larger result, no inner product. */
    expect("input d 1 4 5 6\nconv c filters=6 kernel=1\nconstant b 5 6\nadd a in=c,b\noutput a\n", false, 2, 4);
    expect("input d 3 4\ndense f filters=3\nconstant b 3 1\nadd a in=f,b\noutput a\n", false, 2, 4);
    expect("input d 1 4\ndense f filters=3\nconstant b 1 1 3\nadd a in=f,b\noutput a\n", false, 2, 4);
    expect("input d 1 4 5 6\nrelu c\nconstant b 4 1 1\nadd a in=c,b\noutput a\n", false, 2, 4);
}

static void what_cannot_be_folded_stays(void **state)
{
    (void)state;
    /* Somebody else reads the convolution; there is no convolution; an activation lies between. */
    expect("input d 1 4 5 6\nconv c filters=4 kernel=1\naffine a\nadd s in=a,c\noutput s\n", false, 3, 4);
    expect("input d 1 4 5 6\nconv c filters=4 kernel=1\naffine a\noutput a\noutput c\n", false, 2, 3);
    expect("input d 1 4 5 6\naffine a\noutput a\n", false, 1, 2);
    expect("input d 1 4 5 6\nconv c filters=4 kernel=1\nrelu r\naffine a\noutput a\n", false, 3, 4);
}

static void flattening_disappears_into_dense_layers(void **state)
{
    (void)state;
    expect("input d 1 4 5 6\nreshape f shape=1,-1\ndense x filters=3\noutput x\n", false, 1, 2);
    expect("input d 1 4 5 6\nreshape f shape=-2,-1\ndense x filters=3\ndense y in=f filters=2\noutput x\noutput y\n",
           false, 2, 3);
    /* The flattened value is an output itself; rows are cut elsewhere than between items. */
    expect("input d 1 4 5 6\nreshape f shape=1,-1\ndense x filters=3\noutput x\noutput f\n", false, 2, 3);
    expect("input d 1 4 5 6\nreshape f shape=4,30\ndense x filters=3\noutput x\n", false, 2, 3);
}

static void layers_that_do_nothing_go(void **state)
{
    static const char chain[] = "input d 1 4 5 6\n"
                                "reshape same shape=1,4,5,6\n"
                                "transpose t order=0,1,2,3\n"
                                "sigmoid s\n"
                                "pad p\n"
                                "relu all low=-inf\n"
                                "concat one axis=1\n"
                                "affine a\n"
                                "add last\n"
                                "output last\n";
    (void)state;
    expect(chain, false, 2, 3);
    /* An output that is an input must be made by somebody. */
    expect("input d 1 4 5 6\nadd a\noutput a\n", false, 1, 2);
    expect("input d 1 4 5 6\nsigmoid s\nadd a\noutput a\noutput s\n", false, 2, 3);
}

static void what_nobody_reads_goes(void **state)
{
    (void)state;
    expect("input d 1 4 6 6\nconstant c 1 4 1 1\nmax_pool p out=p,i kernel=2 stride=2\nsigmoid u in=d\nadd v in=u,c\n"
           "relu r in=p\noutput r\n",
           false, 2, 3);
    expect("input d 1 4 6 6\nmax_pool p out=p,i kernel=2 stride=2\nmax_unpool u in=p,i kernel=2 stride=2\noutput u\n",
           false, 2, 4);
}

static void broken_graphs_are_refused(void **state)
{
    bdnn_model *model = network("input d 1 4 5 6\nconv c filters=6 kernel=1\naffine a\noutput a\n");
    bdnn_error err = {BDNN_OK, ""};
    (void)state;
    model->graph.layers[1].weight.bytes = 20;
    assert_int_equal(bdnn_simplify(&model->graph, false, &err), BDNN_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "'a'"));
    model->graph.layers[1].inputs[0] = 99;
    assert_int_equal(bdnn_simplify(&model->graph, false, &err), BDNN_ERROR_FORMAT);
    bdnn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_normalization_is_folded), cmocka_unit_test(constants_after_inner_products_are_folded),
        cmocka_unit_test(what_cannot_be_folded_stays),   cmocka_unit_test(flattening_disappears_into_dense_layers),
        cmocka_unit_test(layers_that_do_nothing_go),     cmocka_unit_test(what_nobody_reads_goes),
        cmocka_unit_test(broken_graphs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
