/* Shapes and tensors. */
#include "core/tensor.h"

#include <stdio.h>
#include <string.h>

int64_t bdnn_shape_elements(const bdnn_shape *shape)
{
    int64_t n = 1;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] < 0 || __builtin_mul_overflow(n, shape->dim[i], &n) || n > BDNN_MAX_ELEMENTS) {
            return -1;
        }
    }
    return n;
}

int64_t bdnn_shape_item_elements(const bdnn_shape *shape)
{
    bdnn_shape item = *shape;
    if (item.rank > 0) {
        item.dim[0] = 1;
    }
    return bdnn_shape_elements(&item);
}

bool bdnn_shape_equal(const bdnn_shape *a, const bdnn_shape *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, (size_t)a->rank * sizeof a->dim[0]) == 0;
}

size_t bdnn_type_size(bdnn_type type)
{
    return type == BDNN_INT64 ? sizeof(int64_t) : sizeof(float);
}

void bdnn_shape_row_major_strides(const bdnn_shape *shape, int64_t strides[BDNN_MAX_RANK])
{
    int64_t step = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        strides[i] = step;
        step *= shape->dim[i];
    }
}

void bdnn_shape_strides(const bdnn_shape *shape, int64_t strides[BDNN_MAX_RANK])
{
    int64_t step;
    if (shape->rank < 3) {
        bdnn_shape_row_major_strides(shape, strides);
        return;
    }
    strides[1] = 1;
    step = shape->dim[1];
    for (int i = shape->rank - 1; i >= 2; i--) {
        strides[i] = step;
        step *= shape->dim[i];
    }
    strides[0] = step;
}

/* A tensor of rank >= 3 is `batch` matrices of channels x positions in one order and positions x channels in the other. */
static void transpose_items(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst, bool to_memory)
{
    int64_t n = bdnn_shape_elements(shape);
    int64_t channels = shape->rank < 3 ? 1 : shape->dim[1], batch = shape->rank < 3 ? 1 : shape->dim[0];
    int64_t positions, rows, columns;
    if (n <= 0) {
        return;
    }
    positions = n / (channels * batch);
    if (channels == 1 || positions == 1) {
        memcpy(dst, src, (size_t)n * bdnn_type_size(type));
        return;
    }
    rows = to_memory ? positions : channels;
    columns = to_memory ? channels : positions;
    for (int64_t b = 0; b < batch; b++) {
        int64_t base = b * rows * columns;
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t c = 0; c < columns; c++) {
                if (type == BDNN_INT64) {
                    ((int64_t *)dst)[base + r * columns + c] = ((const int64_t *)src)[base + c * rows + r];
                } else {
                    ((float *)dst)[base + r * columns + c] = ((const float *)src)[base + c * rows + r];
                }
            }
        }
    }
}

void bdnn_from_row_major(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst)
{
    transpose_items(shape, type, src, dst, true);
}

void bdnn_to_row_major(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst)
{
    transpose_items(shape, type, src, dst, false);
}

char *bdnn_shape_text(const bdnn_shape *shape, char *text, size_t size)
{
    size_t used = 0;
    if (size > 0) {
        text[0] = '\0';
    }
    for (int i = 0; i < shape->rank && used < size; i++) {
        int n = snprintf(text + used, size - used, i ? "x%lld" : "%lld", (long long)shape->dim[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return text;
}
