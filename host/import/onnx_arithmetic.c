/* SPDX-License-Identifier: BSD-2-Clause */
/* Add, Sub, Mul, Div, Sum, with the broadcasting of every operator set; on integers only between constants (shapes). */
#include "import/onnx_operators.h"

#include "core/memory.h"

#include <string.h>

/* Before operator set 7, the second operand's axes could be laid on the first's from `axis` on: numpy's rule once it
 * has been given axes of size 1 at its end. */
static onnx_operand *legacy_broadcast(onnx_importer *im, const onnx_operand *a, onnx_operand *b)
{
    int64_t axis;
    bdnn_shape shape;
    if (im->opset >= 7 || !a || !b || !bdnn_onnx_int(im, "broadcast", 0) || !bdnn_onnx_has(im, "axis")) {
        return b;
    }
    axis = bdnn_onnx_int(im, "axis", 0);
    axis += axis < 0 ? a->shape.rank : 0;
    if (axis < 0 || axis + b->shape.rank > a->shape.rank) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "axis %lld for operands of rank %d and %d", (long long)axis,
                       (int)a->shape.rank, (int)b->shape.rank);
        return NULL;
    }
    shape = b->shape;
    while (shape.rank < a->shape.rank - (int32_t)axis) {
        shape.dim[shape.rank++] = 1;
    }
    return bdnn_onnx_reshape(im, b, &shape, "broadcast");
}

/* ---- Integers ---- */

/* The operands' common shape, and each one's strides along it (0 where it is repeated). */
static bool broadcast(onnx_importer *im, const onnx_operand *x[2], bdnn_shape *shape, int64_t strides[2][BDNN_MAX_RANK])
{
    int32_t rank = (int32_t)bdnn_max(x[0]->shape.rank, x[1]->shape.rank);
    memset(shape, 0, sizeof *shape);
    memset(strides, 0, 2 * sizeof *strides);
    shape->rank = rank;
    for (int32_t axis = 0; axis < rank; axis++) {
        shape->dim[axis] = 1;
    }
    for (int i = 0; i < 2; i++) {
        int64_t own[BDNN_MAX_RANK];
        bdnn_shape_row_major_strides(&x[i]->shape, own);
        for (int32_t axis = 0; axis < x[i]->shape.rank; axis++) {
            int64_t *dim = &shape->dim[axis + rank - x[i]->shape.rank];
            if (x[i]->shape.dim[axis] == 1) {
                continue;
            }
            if (*dim != 1 && *dim != x[i]->shape.dim[axis]) {
                bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "sizes %lld and %lld on one axis", (long long)*dim,
                               (long long)x[i]->shape.dim[axis]);
                return false;
            }
            *dim = x[i]->shape.dim[axis];
            strides[i][axis + rank - x[i]->shape.rank] = own[axis];
        }
    }
    return true;
}

static bool combine(char op, int64_t a, int64_t b, int64_t *y)
{
    switch (op) {
    case '+':
        return !__builtin_add_overflow(a, b, y);
    case '-':
        return !__builtin_sub_overflow(a, b, y);
    case '*':
        return !__builtin_mul_overflow(a, b, y);
    default:
        if (b == 0 || (b == -1 && a == INT64_MIN)) {
            return false;
        }
        *y = a / b;
        return true;
    }
}

static onnx_operand *integers(onnx_importer *im, char op, const onnx_operand *a, const onnx_operand *b)
{
    const onnx_operand *x[2] = {a, b};
    int64_t strides[2][BDNN_MAX_RANK], index[BDNN_MAX_RANK] = {0}, count;
    bdnn_shape shape;
    onnx_operand *y;
    void *data = NULL;
    if (!a->data || !b->data || a->type != b->type) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "integers that are not constant");
        return NULL;
    }
    if (!broadcast(im, x, &shape, strides) || !(y = bdnn_onnx_constant(im, BDNN_INT64, &shape, &data))) {
        return NULL;
    }
    count = bdnn_shape_elements(&shape);
    for (int64_t i = 0; i < count; i++) {
        int64_t at[2] = {0, 0};
        for (int32_t axis = 0; axis < shape.rank; axis++) {
            at[0] += index[axis] * strides[0][axis];
            at[1] += index[axis] * strides[1][axis];
        }
        if (!combine(op, ((const int64_t *)a->data)[at[0]], ((const int64_t *)b->data)[at[1]], &((int64_t *)data)[i])) {
            bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "constant integers overflow, or are divided by 0");
            return NULL;
        }
        for (int32_t axis = shape.rank - 1; axis >= 0 && ++index[axis] == shape.dim[axis]; axis--) {
            index[axis] = 0;
        }
    }
    return y;
}

/* ---- The operators ---- */

/* Both operands of the node, the second broadcast; *y is the result where they are integers, else NULL. False: nothing
 * is left to do. */
static bool two_operands(onnx_importer *im, char op, onnx_operand **a, onnx_operand **b)
{
    *a = bdnn_onnx_need(im, 0, "A");
    *b = legacy_broadcast(im, *a, bdnn_onnx_need(im, 1, "B"));
    if (!*a || !*b) {
        return false;
    }
    if ((*a)->type == BDNN_INT64 || (*b)->type == BDNN_INT64) {
        bdnn_onnx_define(im, 0, integers(im, op, *a, *b));
        return false;
    }
    return true;
}

/* The reciprocals of a constant. */
static onnx_operand *reciprocal(onnx_importer *im, const onnx_operand *x)
{
    void *data = NULL;
    onnx_operand *y = bdnn_onnx_constant(im, BDNN_FLOAT32, &x->shape, &data);
    for (int64_t i = 0; y && i < bdnn_shape_elements(&x->shape); i++) {
        ((float *)data)[i] = 1.0f / ((const float *)x->data)[i];
    }
    return y;
}

void bdnn_onnx_add_op(onnx_importer *im)
{
    onnx_operand *a, *b;
    if (two_operands(im, '+', &a, &b)) {
        bdnn_onnx_define(im, 0, bdnn_onnx_add2(im, BDNN_OP_ADD, NULL, a, b));
    }
}

void bdnn_onnx_mul(onnx_importer *im)
{
    onnx_operand *a, *b;
    if (two_operands(im, '*', &a, &b)) {
        bdnn_onnx_define(im, 0, bdnn_onnx_add2(im, BDNN_OP_MUL, NULL, a, b));
    }
}

void bdnn_onnx_sub(onnx_importer *im)
{
    onnx_operand *a, *b;
    if (two_operands(im, '-', &a, &b)) {
        b = bdnn_onnx_add2(im, BDNN_OP_MUL, "negate", b, bdnn_onnx_scalar(im, -1.0f));
        bdnn_onnx_define(im, 0, bdnn_onnx_add2(im, BDNN_OP_ADD, NULL, a, b));
    }
}

void bdnn_onnx_div(onnx_importer *im)
{
    onnx_operand *a, *b;
    if (!two_operands(im, '/', &a, &b)) {
        return;
    }
    if (!b->data) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "a divisor that is computed by the network");
        return;
    }
    bdnn_onnx_define(im, 0, bdnn_onnx_add2(im, BDNN_OP_MUL, NULL, a, reciprocal(im, b)));
}

void bdnn_onnx_sum(onnx_importer *im)
{
    const bdnn_layer spec = {.op = BDNN_OP_ADD};
    size_t count = im->node->n_input;
    onnx_operand **inputs = bdnn_zalloc(count, sizeof(*inputs)), *y = NULL;
    if (!inputs) {
        bdnn_onnx_short_of_memory(im);
    }
    for (size_t i = 0; inputs && i < count; i++) {
        inputs[i] = bdnn_onnx_need(im, i, "summand");
    }
    if (im->status == BDNN_OK && count == 1) {
        y = inputs[0];
    } else if (im->status == BDNN_OK) {
        bdnn_onnx_add(im, &spec, NULL, inputs, (int)count, &y, 1);
    }
    bdnn_onnx_define(im, 0, y);
    bdnn_free(inputs);
}
