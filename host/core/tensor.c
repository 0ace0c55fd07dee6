/* SPDX-License-Identifier: BSD-2-Clause */
/* Shapes and tensors. */
#include "core/tensor.h"

#include "core/arithmetic.h"

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
    return format->kind == BDNN_FORMAT_QUANTIZED ? BDNN_UINT8
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

/* Elements of one task: large enough to outweigh its dispatch. */
#define TASK_ELEMENTS 16384

/* dst[rows][columns] from src[columns][rows], `tile` rows a task. */
struct transposition {
    const char *src;
    char *dst;
    int64_t rows, columns, tile, tiles;
    size_t size; /* bytes of an element */
};

static inline void transpose(const struct transposition *t, const char *src, char *dst, int64_t first, int64_t last,
                             size_t size)
{
    for (int64_t r = first; r < last; r++) {
        for (int64_t c = 0; c < t->columns; c++) {
            memcpy(dst + (size_t)(r * t->columns + c) * size, src + (size_t)(c * t->rows + r) * size, size);
        }
    }
}

/* Some rows of one of the matrices. */
static void transpose_rows(void *context, size_t index)
{
    const struct transposition *t = context;
    const size_t base = (size_t)((int64_t)index / t->tiles * t->rows * t->columns) * t->size;
    const int64_t first = (int64_t)index % t->tiles * t->tile,
                  last = t->rows - first < t->tile ? t->rows : first + t->tile;
    /* Constant sizes, so that moving an element is one instruction. */
    switch (t->size) {
    case 1:
        transpose(t, t->src + base, t->dst + base, first, last, 1);
        break;
    case 2:
        transpose(t, t->src + base, t->dst + base, first, last, 2);
        break;
    case 4:
        transpose(t, t->src + base, t->dst + base, first, last, 4);
        break;
    default:
        transpose(t, t->src + base, t->dst + base, first, last, 8);
    }
}

/* A tensor of rank >= 3 is `batch` matrices of channels x positions in one order and positions x channels in the other.
 */
static void transpose_items(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst, bool to_memory,
                            bdnn_threads *threads)
{
    const int64_t n = bdnn_shape_elements(shape);
    const int64_t channels = shape->rank < 3 ? 1 : shape->dim[1], batch = shape->rank < 3 ? 1 : shape->dim[0];
    struct transposition t = {.src = src, .dst = dst, .size = bdnn_type_size(type)};
    int64_t positions;
    if (n <= 0) {
        return;
    }
    positions = n / (channels * batch);
    if (channels == 1 || positions == 1) {
        memcpy(dst, src, (size_t)n * t.size);
        return;
    }
    t.rows = to_memory ? positions : channels;
    t.columns = to_memory ? channels : positions;
    t.tile = t.columns < TASK_ELEMENTS ? TASK_ELEMENTS / t.columns : 1;
    t.tiles = bdnn_ceil_div(t.rows, t.tile);
    bdnn_parallel(threads, transpose_rows, &t, (size_t)(batch * t.tiles));
}

void bdnn_from_row_major_threaded(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst,
                                  bdnn_threads *threads)
{
    transpose_items(shape, type, src, dst, true, threads);
}

void bdnn_to_row_major_threaded(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst,
                                bdnn_threads *threads)
{
    transpose_items(shape, type, src, dst, false, threads);
}

void bdnn_from_row_major(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst)
{
    transpose_items(shape, type, src, dst, true, NULL);
}

void bdnn_to_row_major(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst)
{
    transpose_items(shape, type, src, dst, false, NULL);
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
