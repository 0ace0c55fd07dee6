/* SPDX-License-Identifier: BSD-2-Clause */
/* Operators whose results are known at import: constants, shapes, and what networks compute from shapes. */
#include "import/onnx_operators.h"
#include "import/onnx_tensor.h"

#include <math.h>
#include <string.h>

/* ---- Constants ---- */

static onnx_operand *list_constant(onnx_importer *im, bdnn_type type, bool scalar, size_t count, const void *values)
{
    bdnn_shape shape = {scalar ? 0 : 1, {(int64_t)count}};
    void *data = NULL;
    onnx_operand *x = bdnn_onnx_constant(im, type, &shape, &data);
    if (x && count) {
        memcpy(data, values, count * bdnn_type_size(type));
    }
    return x;
}

void bdnn_onnx_constant_op(onnx_importer *im)
{
    const Onnx__AttributeProto *a;
    onnx_operand *y = NULL;
    if (bdnn_onnx_has(im, "value")) {
        const Onnx__TensorProto *tensor = bdnn_onnx_attribute_tensor(im, "value");
        y = tensor ? bdnn_onnx_tensor(im, tensor) : NULL;
    } else if ((a = bdnn_onnx_attribute(im, "value_float")) != NULL) {
        y = list_constant(im, BDNN_FLOAT32, true, 1, &a->f);
    } else if ((a = bdnn_onnx_attribute(im, "value_int")) != NULL) {
        y = list_constant(im, BDNN_INT64, true, 1, &a->i);
    } else if ((a = bdnn_onnx_attribute(im, "value_floats")) != NULL) {
        y = list_constant(im, BDNN_FLOAT32, false, a->n_floats, a->floats);
    } else if ((a = bdnn_onnx_attribute(im, "value_ints")) != NULL) {
        y = list_constant(im, BDNN_INT64, false, a->n_ints, a->ints);
    } else {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "no value, or one of strings or of a sparse tensor");
    }
    bdnn_onnx_define(im, 0, y);
}

void bdnn_onnx_constant_of_shape(onnx_importer *im)
{
    bdnn_shape shape = {0};
    int rank = bdnn_onnx_list(im, bdnn_onnx_need(im, 0, "shape"), "shape", shape.dim, BDNN_MAX_RANK);
    const Onnx__TensorProto *tensor = bdnn_onnx_attribute_tensor(im, "value");
    const onnx_operand *value = tensor ? bdnn_onnx_tensor(im, tensor) : bdnn_onnx_scalar(im, 0.0f);
    onnx_operand *y;
    void *data = NULL;
    size_t size;
    if (!value || rank < 0) {
        return;
    }
    if (bdnn_shape_elements(&value->shape) != 1) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "attribute 'value' has %lld elements",
                       (long long)bdnn_shape_elements(&value->shape));
        return;
    }
    shape.rank = rank;
    size = bdnn_type_size(value->type);
    y = bdnn_onnx_constant(im, value->type, &shape, &data);
    for (int64_t i = 0; y && i < bdnn_shape_elements(&shape); i++) {
        memcpy((char *)data + (size_t)i * size, value->data, size);
    }
    bdnn_onnx_define(im, 0, y);
}

/* ---- Shapes ---- */

void bdnn_onnx_shape(onnx_importer *im)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    int64_t rank, start, end;
    if (!x) {
        return;
    }
    rank = x->shape.rank;
    start = bdnn_onnx_int(im, "start", 0);
    end = bdnn_onnx_int(im, "end", rank);
    start = start < -rank ? 0 : start < 0 ? start + rank : start > rank ? rank : start;
    end = end < -rank ? 0 : end < 0 ? end + rank : end > rank ? rank : end;
    bdnn_onnx_define(
        im, 0, list_constant(im, BDNN_INT64, false, end > start ? (size_t)(end - start) : 0, x->shape.dim + start));
}

/* ---- Gather ---- */

typedef struct gather {
    onnx_operand *x;
    const onnx_operand *indices;
    int32_t axis;
} gather;

/* Index i as 0..size-1; -1 (and a failure) for one outside. */
static int64_t gather_index(onnx_importer *im, const gather *g, int64_t i)
{
    int64_t size = g->x->shape.dim[g->axis], index = ((const int64_t *)g->indices->data)[i];
    if (index < -size || index >= size) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "index %lld on an axis of size %lld", (long long)index, (long long)size);
        return -1;
    }
    return index < 0 ? index + size : index;
}

static bool gather_shape(onnx_importer *im, const gather *g, bdnn_shape *shape)
{
    const bdnn_shape *x = &g->x->shape, *indices = &g->indices->shape;
    if (x->rank - 1 + indices->rank > BDNN_MAX_RANK) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "a result of rank %d", (int)(x->rank - 1 + indices->rank));
        return false;
    }
    memset(shape, 0, sizeof *shape);
    for (int32_t a = 0; a < g->axis; a++) {
        shape->dim[shape->rank++] = x->dim[a];
    }
    for (int32_t a = 0; a < indices->rank; a++) {
        shape->dim[shape->rank++] = indices->dim[a];
    }
    for (int32_t a = g->axis + 1; a < x->rank; a++) {
        shape->dim[shape->rank++] = x->dim[a];
    }
    return true;
}

static onnx_operand *gather_constant(onnx_importer *im, const gather *g, const bdnn_shape *shape)
{
    int64_t outer = 1, inner = 1, count = bdnn_shape_elements(&g->indices->shape);
    size_t bytes;
    void *data = NULL;
    onnx_operand *y = bdnn_onnx_constant(im, g->x->type, shape, &data);
    for (int32_t a = 0; a < g->x->shape.rank; a++) {
        outer *= a < g->axis ? g->x->shape.dim[a] : 1;
        inner *= a > g->axis ? g->x->shape.dim[a] : 1;
    }
    bytes = (size_t)inner * bdnn_type_size(g->x->type);
    for (int64_t o = 0; y && bytes && o < outer; o++) {
        for (int64_t i = 0; i < count; i++) {
            int64_t index = gather_index(im, g, i);
            if (index < 0) {
                return NULL;
            }
            memcpy((char *)data + (size_t)(o * count + i) * bytes,
                   (const char *)g->x->data + (size_t)(o * g->x->shape.dim[g->axis] + index) * bytes, bytes);
        }
    }
    return y;
}

/* One index of what the network computes: a crop, and the axis shaped like the index. */
static onnx_operand *gather_one(onnx_importer *im, const gather *g, const bdnn_shape *shape)
{
    bdnn_layer spec = {.op = BDNN_OP_PAD};
    int64_t index = gather_index(im, g, 0);
    spec.attr.pad.begin[g->axis] = -index;
    spec.attr.pad.end[g->axis] = index + 1 - g->x->shape.dim[g->axis];
    return bdnn_onnx_reshape(im, bdnn_onnx_add1(im, &spec, "crop", g->x), shape, NULL);
}

void bdnn_onnx_gather(onnx_importer *im)
{
    gather g = {.x = bdnn_onnx_need(im, 0, "data")};
    onnx_operand *y = NULL;
    bdnn_shape shape;
    g.indices = bdnn_onnx_need_constant(im, 1, BDNN_INT64, "indices");
    if (!g.x || !g.indices) {
        return;
    }
    g.axis = bdnn_onnx_axis(im, bdnn_onnx_int(im, "axis", 0), g.x->shape.rank);
    if (im->status != BDNN_OK || !gather_shape(im, &g, &shape)) {
        return;
    }
    if (g.x->data) {
        y = gather_constant(im, &g, &shape);
    } else if (bdnn_shape_elements(&g.indices->shape) == 1) {
        y = gather_one(im, &g, &shape);
    } else {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "more than one index into what the network computes");
    }
    bdnn_onnx_define(im, 0, y);
}

/* ---- Elements of constants ---- */

static bool cast_element(onnx_importer *im, const onnx_operand *x, int64_t i, int32_t to, bdnn_type type, void *data)
{
    double value = x->type == BDNN_FLOAT32 ? (double)((const float *)x->data)[i] : 0.0;
    if (type == BDNN_FLOAT32) {
        float f = x->type == BDNN_FLOAT32 ? (float)value : (float)((const int64_t *)x->data)[i];
        ((float *)data)[i] = bdnn_onnx_round_to(to, f);
    } else if (to == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL) {
        ((int64_t *)data)[i] = x->type == BDNN_FLOAT32 ? value != 0.0 : ((const int64_t *)x->data)[i] != 0;
    } else if (x->type == BDNN_INT64) {
        ((int64_t *)data)[i] = ((const int64_t *)x->data)[i];
    } else if (value > -9.2e18 && value < 9.2e18) {
        ((int64_t *)data)[i] = (int64_t)value;
    } else {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT, "%g is no integer of 64 bits", value);
        return false;
    }
    return true;
}

void bdnn_onnx_cast(onnx_importer *im)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data"), *y;
    int64_t to = bdnn_onnx_int(im, "to", 0);
    bool rounds = to == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 || to == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16;
    void *data = NULL;
    bdnn_type type;
    if (!x) {
        return;
    }
    if (to < 0 || to > INT32_MAX || !bdnn_onnx_type((int32_t)to, &type)) {
        bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "to type %s",
                       bdnn_onnx_type_name(to > INT32_MAX ? -1 : (int32_t)to));
        return;
    }
    if (!x->data) {
        if (type != x->type || rounds) {
            bdnn_onnx_fail(im, BDNN_ERROR_UNSUPPORTED, "what the network computes to type %s",
                           bdnn_onnx_type_name((int32_t)to));
        }
        bdnn_onnx_define(im, 0, x);
        return;
    }
    y = bdnn_onnx_constant(im, type, &x->shape, &data);
    for (int64_t i = 0; y && i < bdnn_shape_elements(&x->shape); i++) {
        if (!cast_element(im, x, i, (int32_t)to, type, data)) {
            return;
        }
    }
    bdnn_onnx_define(im, 0, y);
}

void bdnn_onnx_floor(onnx_importer *im)
{
    const onnx_operand *x = bdnn_onnx_need_constant(im, 0, BDNN_FLOAT32, "data");
    void *data = NULL;
    onnx_operand *y = x ? bdnn_onnx_constant(im, BDNN_FLOAT32, &x->shape, &data) : NULL;
    for (int64_t i = 0; y && i < bdnn_shape_elements(&x->shape); i++) {
        ((float *)data)[i] = floorf(((const float *)x->data)[i]);
    }
    bdnn_onnx_define(im, 0, y);
}
