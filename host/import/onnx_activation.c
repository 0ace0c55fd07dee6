/* SPDX-License-Identifier: BSD-2-Clause */
/* Operators on one input: activations, normalizations, softmax, arg max, and those that inference leaves out. */
#include "import/onnx_operators.h"

#include "core/finite.h"

#include <math.h>
#include <string.h>

static void activation(onnx_importer *im, bdnn_activation kind, float low, float high, float alpha)
{
    bdnn_layer spec = {.op = BDNN_OP_ACTIVATION};
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    spec.attr.activation.kind = kind;
    spec.attr.activation.low = low;
    spec.attr.activation.high = high;
    spec.attr.activation.alpha = alpha;
    if (x) {
        bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, &spec, NULL, x));
    }
}

void bdnn_onnx_relu(onnx_importer *im)
{
    activation(im, BDNN_ACT_CLIP, 0.0f, INFINITY, 0.0f);
}

void bdnn_onnx_leaky_relu(onnx_importer *im)
{
    activation(im, BDNN_ACT_LEAKY_RELU, 0.0f, 0.0f, bdnn_onnx_float(im, "alpha", 0.01f));
}

void bdnn_onnx_sigmoid(onnx_importer *im)
{
    activation(im, BDNN_ACT_SIGMOID, 0.0f, 0.0f, 0.0f);
}

/* A bound of Clip: an attribute before operator set 11, since then a constant input. */
static float bound(onnx_importer *im, const char *attribute, size_t index, float otherwise)
{
    const onnx_operand *x;
    if (im->opset < 11) {
        return bdnn_onnx_float(im, attribute, otherwise);
    }
    if (!bdnn_onnx_input(im, index)) {
        return otherwise;
    }
    x = bdnn_onnx_need_constant(im, index, BDNN_FLOAT32, "bounds");
    if (x && bdnn_shape_elements(&x->shape) != 1) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "bound '%s' has %lld elements", attribute,
                       (long long)bdnn_shape_elements(&x->shape));
        return otherwise;
    }
    return x ? *(const float *)x->data : otherwise;
}

void bdnn_onnx_clip(onnx_importer *im)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    bool integers = x && x->type != BDNN_FLOAT32; /* refused as all integers are, not for their bounds */
    float low = integers ? 0.0f : bound(im, "min", 1, -INFINITY),
          high = integers ? 0.0f : bound(im, "max", 2, INFINITY);
    activation(im, BDNN_ACT_CLIP, low, high, 0.0f);
}

void bdnn_onnx_lrn(onnx_importer *im)
{
    bdnn_layer spec = {.op = BDNN_OP_LRN};
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    if (!bdnn_onnx_has(im, "size")) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute 'size' is missing");
    }
    spec.attr.lrn.alpha = bdnn_onnx_float(im, "alpha", 0.0001f);
    spec.attr.lrn.beta = bdnn_onnx_float(im, "beta", 0.75f);
    spec.attr.lrn.bias = bdnn_onnx_float(im, "bias", 1.0f);
    if (x && bdnn_onnx_int32(im, "size", bdnn_onnx_int(im, "size", 0), 1, INT32_MAX, &spec.attr.lrn.size)) {
        bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, &spec, NULL, x));
    }
}

/* ---- Batch normalization ---- */

/* Whether the node asks for statistics of the batch at hand, in the ways of the operator sets. */
static bool in_training(onnx_importer *im)
{
    if (im->opset >= 14) {
        return bdnn_onnx_int(im, "training_mode", 0) != 0;
    }
    return bdnn_onnx_has_output(im, 1) || bdnn_onnx_has_output(im, 2) || bdnn_onnx_has_output(im, 3) ||
           bdnn_onnx_has_output(im, 4);
}

/* Scale, shift, mean and variance, all of the same shape. */
static bool statistics(onnx_importer *im, const onnx_operand *parameters[4])
{
    static const char *const what[4] = {"scales", "shifts", "means", "variances"};
    for (size_t i = 0; i < 4; i++) {
        parameters[i] = bdnn_onnx_need_constant(im, 1 + i, BDNN_FLOAT32, what[i]);
        if (!parameters[i]) {
            return false;
        }
        if (!bdnn_shape_equal(&parameters[i]->shape, &parameters[0]->shape)) {
            char a[128], b[128];
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "scales of shape %s and %s of shape %s",
                           bdnn_shape_text(&parameters[0]->shape, a, sizeof a), what[i],
                           bdnn_shape_text(&parameters[i]->shape, b, sizeof b));
            return false;
        }
    }
    return true;
}

/* y = scale (x - mean) / sqrt(variance + epsilon) + shift as one factor and one summand per element, in double
 * precision. */
static void factors(const onnx_operand *parameters[4], float epsilon, float *factor, float *summand)
{
    const float *scale = parameters[0]->data, *shift = parameters[1]->data;
    const float *mean = parameters[2]->data, *variance = parameters[3]->data;
    int64_t count = bdnn_shape_elements(&parameters[0]->shape);
    for (int64_t i = 0; i < count; i++) {
        double f = (double)scale[i] / sqrt((double)variance[i] + (double)epsilon);
        factor[i] = (float)f;
        summand[i] = (float)((double)shift[i] - f * (double)mean[i]);
    }
}

/* Operator sets 1 to 8 with spatial = 0: statistics of every position, shaped like one item. */
static onnx_operand *per_position(onnx_importer *im, onnx_operand *x, const onnx_operand *parameters[4], float epsilon)
{
    void *factor = NULL, *summand = NULL;
    onnx_operand *f = bdnn_onnx_constant(im, BDNN_FLOAT32, &parameters[0]->shape, &factor);
    onnx_operand *s = bdnn_onnx_constant(im, BDNN_FLOAT32, &parameters[0]->shape, &summand);
    if (!f || !s) {
        return NULL;
    }
    factors(parameters, epsilon, factor, summand);
    return bdnn_onnx_add2(im, BDNN_OP_ADD, "shift", bdnn_onnx_add2(im, BDNN_OP_MUL, NULL, x, f), s);
}

/* Asked here, not of the factors that are made of them: an infinite variance makes a factor of 0. */
static bool are_finite(onnx_importer *im, const onnx_operand *parameters[4])
{
    static const char *const what[4] = {"scale", "bias", "mean", "variance"};
    for (int i = 0; i < 4; i++) {
        const size_t count = (size_t)bdnn_shape_elements(&parameters[i]->shape);
        const size_t at = bdnn_first_not_finite(parameters[i]->data, count);
        if (at < count) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "%s %zu is %g", what[i], at,
                           (double)((const float *)parameters[i]->data)[at]);
            return false;
        }
    }
    return true;
}

void bdnn_onnx_batch_norm(onnx_importer *im)
{
    bdnn_layer spec = {.op = BDNN_OP_AFFINE};
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    const onnx_operand *parameters[4];
    float epsilon = bdnn_onnx_float(im, "epsilon", 1e-5f);
    bool spatial = bdnn_onnx_int(im, "spatial", 1) != 0;
    size_t bytes;
    if (!x || !statistics(im, parameters)) {
        return;
    }
    if (in_training(im)) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "training mode");
        return;
    }
    if (!are_finite(im, parameters)) {
        return;
    }
    if (!spatial && parameters[0]->shape.rank > 1) {
        bdnn_onnx_define(im, 0, per_position(im, x, parameters, epsilon));
        return;
    }
    bytes = (size_t)bdnn_shape_elements(&parameters[0]->shape) * sizeof(float);
    spec.weight = bdnn_blob_copy(NULL, bytes);
    spec.bias = bdnn_blob_copy(NULL, bytes);
    if (spec.weight.data && spec.bias.data) {
        factors(parameters, epsilon, (float *)spec.weight.data, (float *)spec.bias.data);
    } else {
        bdnn_onnx_short_of_memory(im);
    }
    bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, &spec, NULL, x));
}

/* ---- Along an axis ---- */

void bdnn_onnx_softmax(onnx_importer *im)
{
    bdnn_layer spec = {.op = BDNN_OP_SOFTMAX};
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    if (x) {
        spec.attr.axis.flatten = im->opset < 13;
        spec.attr.axis.axis = bdnn_onnx_axis(im, bdnn_onnx_int(im, "axis", im->opset < 13 ? 1 : -1), x->shape.rank);
        bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, &spec, NULL, x));
    }
}

void bdnn_onnx_argmax(onnx_importer *im)
{
    bdnn_layer spec = {.op = BDNN_OP_ARGMAX};
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    if (x) {
        spec.attr.axis.axis = bdnn_onnx_axis(im, bdnn_onnx_int(im, "axis", 0), x->shape.rank);
        spec.attr.axis.keep_dims = bdnn_onnx_int(im, "keepdims", 1) != 0;
        spec.attr.axis.select_last = bdnn_onnx_int(im, "select_last_index", 0) != 0;
        bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, &spec, NULL, x));
    }
}

/* ---- Left out ---- */

void bdnn_onnx_identity(onnx_importer *im)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    if (x) {
        bdnn_onnx_define(im, 0, x);
    }
}

/* Whether Dropout, told to train, would change anything: a ratio of 0 does not. */
static bool drops(onnx_importer *im)
{
    const onnx_operand *ratio = bdnn_onnx_input(im, 1), *training = bdnn_onnx_input(im, 2);
    if (im->opset < 12 || !training) {
        return false;
    }
    training = bdnn_onnx_need_constant(im, 2, BDNN_INT64, "training_mode");
    if (!training || bdnn_shape_elements(&training->shape) != 1 || *(const int64_t *)training->data == 0) {
        return false;
    }
    ratio = ratio ? bdnn_onnx_need_constant(im, 1, BDNN_FLOAT32, "ratio") : NULL;
    return !ratio || bdnn_shape_elements(&ratio->shape) != 1 || *(const float *)ratio->data != 0.0f;
}

void bdnn_onnx_dropout(onnx_importer *im)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    if (!x) {
        return;
    }
    if (drops(im)) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "training mode");
        return;
    }
    bdnn_onnx_define(im, 0, x);
    if (bdnn_onnx_has_output(im, 1)) { /* the mask: everything is kept */
        void *data = NULL;
        onnx_operand *mask = bdnn_onnx_constant(im, BDNN_INT64, &x->shape, &data);
        for (int64_t i = 0; mask && i < bdnn_shape_elements(&x->shape); i++) {
            ((int64_t *)data)[i] = 1;
        }
        bdnn_onnx_define(im, 1, mask);
    }
}
