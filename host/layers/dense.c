/* SPDX-License-Identifier: BSD-2-Clause */
/* Fully connected layers, and matrix products of two values. */
#include "core/memory.h"
#include "kernels/gemm.h"
#include "layers/parameters.h"

#include <string.h>

/* Filters of one task. */
#define FILTER_TILE 128

static bdnn_status infer_dense(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                               bdnn_error *err)
{
    if (in[0].type != BDNN_FLOAT32 || in[0].shape.rank < 1) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "a fully connected layer takes a float input with a batch axis");
    }
    out[0] = (bdnn_value_info){BDNN_FLOAT32, {2, {in[0].shape.dim[0], layer->attr.dense.filters}}};
    return bdnn_check_inner_product(layer, layer->attr.dense.filters, bdnn_shape_item_elements(&in[0].shape), err);
}

static void dense_tile(void *context, size_t tile)
{
    const bdnn_layer_call *call = context;
    const int64_t filters = call->layer->attr.dense.filters, first = (int64_t)tile * FILTER_TILE;
    const int64_t count = bdnn_min(FILTER_TILE, filters - first);
    const int64_t inner = bdnn_shape_item_elements(&call->inputs[0].shape), batch = call->inputs[0].shape.dim[0];
    const float *bias = call->layer->bias.data;
    float *y = (float *)call->outputs[0].data + first;
    bdnn_gemm_transposed(batch, count, inner, call->inputs[0].data, inner,
                         (const float *)call->layer->weight.data + first * inner, inner, y, filters);
    for (int64_t n = 0; n < batch && bias; n++) {
        for (int64_t f = 0; f < count; f++) {
            y[n * filters + f] += bias[first + f];
        }
    }
}

static void run_dense(const bdnn_layer_call *call)
{
    bdnn_parallel(call->threads, dense_tile, (void *)call,
                  (size_t)bdnn_ceil_div(call->layer->attr.dense.filters, FILTER_TILE));
}

const bdnn_layer_type bdnn_dense_type = {
    .min_inputs = 1, .max_inputs = 1, .max_outputs = 1, .infer = infer_dense, .run = run_dense};

/* Numpy's matmul: the last two axes are matrices, the others are broadcast; a vector is a matrix of one row (first
 * operand) or one column (second), and that axis is dropped again. */
struct product {
    bdnn_shape a, b,
        batch; /* a: [batch...] m k, b: [batch...] k n; both padded with leading ones to batch.rank + 2 axes */
    int64_t m, n, k;
};

static void pad_front(bdnn_shape *shape, int32_t rank)
{
    const int32_t missing = rank - shape->rank;
    memmove(shape->dim + missing, shape->dim, (size_t)shape->rank * sizeof *shape->dim);
    for (int32_t i = 0; i < missing; i++) {
        shape->dim[i] = 1;
    }
    shape->rank = rank;
}

static bool plan_product(const bdnn_shape *a, const bdnn_shape *b, struct product *p, bdnn_shape *out)
{
    const int32_t rank = (int32_t)bdnn_max(bdnn_max(a->rank, b->rank), 2);
    p->a = *a;
    p->b = *b;
    if (a->rank < 1 || b->rank < 1) {
        return false;
    }
    if (b->rank == 1) {
        p->b = (bdnn_shape){2, {b->dim[0], 1}};
    }
    pad_front(&p->a, rank);
    pad_front(&p->b, rank);
    p->m = p->a.dim[rank - 2];
    p->k = p->a.dim[rank - 1];
    p->n = p->b.dim[rank - 1];
    if (p->b.dim[rank - 2] != p->k || p->m > INT32_MAX || p->n > INT32_MAX || p->k > INT32_MAX) {
        return false;
    }
    p->batch.rank = rank - 2;
    for (int32_t i = 0; i < rank - 2; i++) {
        if (p->a.dim[i] != p->b.dim[i] && p->a.dim[i] != 1 && p->b.dim[i] != 1) {
            return false;
        }
        p->batch.dim[i] = p->a.dim[i] == 1 ? p->b.dim[i] : p->a.dim[i];
    }
    *out = p->batch;
    if (a->rank > 1) {
        out->dim[out->rank++] = p->m;
    }
    if (b->rank > 1) {
        out->dim[out->rank++] = p->n;
    }
    return true;
}

static bdnn_status infer_matmul(const bdnn_layer *layer, const bdnn_value_info *in, bdnn_value_info *out,
                                bdnn_error *err)
{
    struct product p;
    (void)layer;
    out[0].type = BDNN_FLOAT32;
    if (in[0].type != BDNN_FLOAT32 || in[1].type != BDNN_FLOAT32 ||
        !plan_product(&in[0].shape, &in[1].shape, &p, &out[0].shape)) {
        char a[160], b[160];
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "shapes %s and %s do not multiply",
                         bdnn_shape_text(&in[0].shape, a, sizeof a), bdnn_shape_text(&in[1].shape, b, sizeof b));
    }
    return BDNN_OK;
}

static size_t matmul_scratch(const bdnn_layer *layer, const bdnn_value_info *in, const bdnn_value_info *out,
                             size_t threads)
{
    (void)layer;
    (void)threads;
    return (size_t)(bdnn_shape_elements(&in[0].shape) + bdnn_shape_elements(&in[1].shape) +
                    bdnn_shape_elements(&out[0].shape)) *
           sizeof(float);
}

/* The matrix of an operand that a batch index (in p->batch) meets. */
static int64_t matrix_at(const struct product *p, const bdnn_shape *operand, int64_t index)
{
    int64_t at = 0, step = 1;
    for (int32_t i = p->batch.rank - 1; i >= 0; i--) {
        at += operand->dim[i] == 1 ? 0 : index % p->batch.dim[i] * step;
        step *= operand->dim[i];
        index /= p->batch.dim[i];
    }
    return at;
}

static void run_matmul(const bdnn_layer_call *call)
{
    const bdnn_tensor *a = &call->inputs[0], *b = &call->inputs[1], *y = &call->outputs[0];
    float *rows_a = call->scratch, *rows_b = rows_a + bdnn_shape_elements(&a->shape);
    float *rows_y = rows_b + bdnn_shape_elements(&b->shape);
    struct product p;
    bdnn_shape out;
    int64_t batch;
    plan_product(&a->shape, &b->shape, &p, &out);
    bdnn_to_row_major(&a->shape, BDNN_FLOAT32, a->data, rows_a);
    bdnn_to_row_major(&b->shape, BDNN_FLOAT32, b->data, rows_b);
    batch = bdnn_shape_elements(&p.batch);
    for (int64_t i = 0; i < batch; i++) {
        bdnn_gemm_plain(p.m, p.n, p.k, rows_a + matrix_at(&p, &p.a, i) * p.m * p.k, p.k,
                        rows_b + matrix_at(&p, &p.b, i) * p.k * p.n, p.n, rows_y + i * p.m * p.n, p.n);
    }
    bdnn_from_row_major(&y->shape, BDNN_FLOAT32, rows_y, y->data);
}

const bdnn_layer_type bdnn_matmul_type = {.min_inputs = 2,
                                          .max_inputs = 2,
                                          .max_outputs = 1,
                                          .infer = infer_matmul,
                                          .scratch = matmul_scratch,
                                          .run = run_matmul};
