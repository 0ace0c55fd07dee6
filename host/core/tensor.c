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
    static const size_t sizes[] = {[BDNN_FLOAT32] = sizeof(float),
                                   [BDNN_INT64] = sizeof(int64_t),
                                   [BDNN_UINT8] = 1,
                                   [BDNN_INT16] = sizeof(int16_t)};
    return sizes[type];
}

bdnn_type bdnn_format_type(const bdnn_format *format)
{
    return format->kind == BDNN_FORMAT_QUANTISED ? BDNN_UINT8
           : format->kind == BDNN_FORMAT_WIDE    ? BDNN_INT16
                                                 : BDNN_FLOAT32;
}

bool bdnn_format_equal(const bdnn_format *a, const bdnn_format *b)
{
    return a->kind == b->kind && a->step == b->step && a->zero_point == b->zero_point && a->bits == b->bits;
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

/* dst[rows][columns] from src[columns][rows], elements of `size` bytes. */
static inline void transpose(const char *src, char *dst, int64_t rows, int64_t columns, size_t size)
{
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < columns; c++) {
            memcpy(dst + (size_t)(r * columns + c) * size, src + (size_t)(c * rows + r) * size, size);
        }
    }
}

/* A tensor of rank >= 3 is `batch` matrices of channels x positions in one order and positions x channels in the other.
 */
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
        const size_t base = (size_t)(b * rows * columns) * bdnn_type_size(type);
        const char *from = (const char *)src + base;
        char *to = (char *)dst + base;
        /* Constant sizes, so that moving an element is one instruction. */
        switch (bdnn_type_size(type)) {
        case 1:
            transpose(from, to, rows, columns, 1);
            break;
        case 2:
            transpose(from, to, rows, columns, 2);
            break;
        case 4:
            transpose(from, to, rows, columns, 4);
            break;
        default:
            transpose(from, to, rows, columns, 8);
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
