/* SPDX-License-Identifier: BSD-2-Clause */
/* Gemm and MatMul: by constant weights a DENSE layer, else a product of two values. */
#include "import/onnx_operators.h"

#include <string.h>

/* The DENSE layer y = alpha x W, W being [D][F], or [F][D] when `transposed`; with or without bias. */
static onnx_operand *dense(onnx_importer *im, onnx_operand *x, const onnx_operand *weights, bool transposed,
                           float alpha, bdnn_blob bias)
{
    bdnn_layer spec = {.op = BDNN_OP_DENSE, .bias = bias};
    int64_t filters = weights->shape.dim[transposed ? 0 : 1], inner = weights->shape.dim[transposed ? 1 : 0];
    const float *from = weights->data;
    float *to;
    bool fits = bdnn_onnx_int32(im, "number of filters", filters, 1, INT32_MAX, &spec.attr.dense.filters);
    if (fits && x->shape.dim[1] != inner) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "weights for %lld inputs where there are %lld", (long long)inner,
                       (long long)x->shape.dim[1]);
        fits = false;
    }
    if (fits) {
        spec.weight = bdnn_blob_copy(transposed ? from : NULL, (size_t)(filters * inner) * sizeof(float));
        if (!spec.weight.data) {
            bdnn_onnx_short_of_memory(im);
        }
    }
    to = (float *)spec.weight.data;
    for (int64_t d = 0; to && !transposed && d < inner; d++) {
        for (int64_t f = 0; f < filters; f++) {
            to[f * inner + d] = from[d * filters + f];
        }
    }
    for (int64_t i = 0; to && alpha != 1.0f && i < filters * inner; i++) {
        to[i] *= alpha;
    }
    return bdnn_onnx_add1(im, &spec, NULL, x);
}

/* beta * c as one number per filter, if c has the same for every row; an empty blob otherwise. */
static bdnn_blob bias_of(onnx_importer *im, const onnx_operand *c, int64_t filters, float beta)
{
    bdnn_blob blob = {0};
    int64_t count = c ? bdnn_shape_elements(&c->shape) : 0;
    float *bias;
    if (!bdnn_onnx_is_constant(c) || c->type != BDNN_FLOAT32 || c->shape.rank > 2 ||
        (count != 1 && (count != filters || c->shape.dim[c->shape.rank - 1] != filters))) {
        return blob;
    }
    blob = bdnn_blob_copy(NULL, (size_t)filters * sizeof(float));
    bias = (float *)blob.data;
    if (!bias) {
        bdnn_onnx_short_of_memory(im);
    }
    for (int64_t f = 0; bias && f < filters; f++) {
        bias[f] = beta * ((const float *)c->data)[count == 1 ? 0 : f];
    }
    return blob;
}

static onnx_operand *times(onnx_importer *im, onnx_operand *x, float factor, const char *role)
{
    return factor == 1.0f ? x : bdnn_onnx_add2(im, BDNN_OP_MUL, role, x, bdnn_onnx_scalar(im, factor));
}

void bdnn_onnx_gemm(onnx_importer *im)
{
    static const int32_t swap[2] = {1, 0};
    onnx_operand *a = bdnn_onnx_need(im, 0, "A"), *b = bdnn_onnx_need(im, 1, "B"), *c = bdnn_onnx_input(im, 2), *y;
    float alpha = bdnn_onnx_float(im, "alpha", 1.0f), beta = bdnn_onnx_float(im, "beta", 1.0f);
    bool a_transposed = bdnn_onnx_int(im, "transA", 0) != 0, b_transposed = bdnn_onnx_int(im, "transB", 0) != 0;
    if (!a || !b) {
        return;
    }
    if (a->shape.rank != 2 || b->shape.rank != 2) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "factors of rank %d and %d instead of 2", (int)a->shape.rank,
                       (int)b->shape.rank);
        return;
    }
    a = a_transposed ? bdnn_onnx_transpose(im, a, swap, "transpose_a") : a;
    if (!a) {
        return;
    }
    if (bdnn_onnx_is_constant(b) && b->type == BDNN_FLOAT32 && !a->data) {
        bdnn_blob bias = bias_of(im, c, b->shape.dim[b_transposed ? 0 : 1], beta);
        c = bias.data ? NULL : c;
        y = dense(im, a, b, b_transposed, alpha, bias);
    } else {
        b = b_transposed ? bdnn_onnx_transpose(im, b, swap, "transpose_b") : b;
        y = times(im, bdnn_onnx_add2(im, BDNN_OP_MATMUL, NULL, a, b), alpha, "alpha");
    }
    if (c && beta != 0.0f) {
        y = bdnn_onnx_add2(im, BDNN_OP_ADD, "add", y, times(im, c, beta, "beta"));
    }
    bdnn_onnx_define(im, 0, y);
}

void bdnn_onnx_matmul(onnx_importer *im)
{
    onnx_operand *a = bdnn_onnx_need(im, 0, "A"), *b = bdnn_onnx_need(im, 1, "B");
    const bdnn_blob none = {0};
    if (!a || !b) {
        return;
    }
    if (bdnn_onnx_is_constant(b) && b->type == BDNN_FLOAT32 && b->shape.rank == 2 && !a->data && a->shape.rank == 2) {
        bdnn_onnx_define(im, 0, dense(im, a, b, false, 1.0f, none));
    } else {
        bdnn_onnx_define(im, 0, bdnn_onnx_add2(im, BDNN_OP_MATMUL, NULL, a, b));
    }
}
