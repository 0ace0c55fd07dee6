/* SPDX-License-Identifier: BSD-2-Clause */
/* Shapes and tensors; knows nothing of networks. */
#ifndef BDNN_CORE_TENSOR_H
#define BDNN_CORE_TENSOR_H

#include "core/error.h"
#include "core/threads.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BDNN_MAX_RANK 6

/* No tensor has more elements than this: products of two counts stay far from overflowing 64 bits, the bytes of one
 * tensor, of whatever type, fit in a size_t of 32 bits with room to round up, and a hostile file cannot ask for more.
 */
#define BDNN_MAX_ELEMENTS ((int64_t)(SIZE_MAX / 16 < (UINT64_C(1) << 40) ? SIZE_MAX / 16 : (UINT64_C(1) << 40)))

typedef enum bdnn_type { BDNN_FLOAT32 = 0, BDNN_INT64 = 1, BDNN_UINT8 = 2, BDNN_INT16 = 3 } bdnn_type;

/* How the elements of a real-valued tensor are kept (docs/reference/numerics.md, "The integer pipeline"). Stored in
 * model files.
 */
typedef enum bdnn_format_kind {
    BDNN_FORMAT_FLOAT = 0,     /* float32: what they are */
    BDNN_FORMAT_QUANTIZED = 1, /* uint8 v, 0 <= v < 2^bits, for step * (v - zero_point) */
    BDNN_FORMAT_WIDE = 2       /* int16 v, |v| <= 32767, for step * v */
} bdnn_format_kind;

typedef struct bdnn_format {
    bdnn_format_kind kind;
    float step;         /* > 0 and finite; 0 for floats */
    int32_t zero_point; /* 0..2^bits - 1; 0 unless quantized */
    int32_t bits;       /* Q, 1..8; 0 unless quantized */
} bdnn_format;

/* Axes in ONNX order: batch, channel, then the spatial axes. **In memory the channel axis (axis 1) comes last**
 * whenever the rank is 3 or more - NHWC for images - and rows are contiguous in that order; up to rank 2 the two orders
 * are the same. */
typedef struct bdnn_shape {
    int32_t rank;
    int64_t dim[BDNN_MAX_RANK];
} bdnn_shape;

/* A view: data is borrowed from whoever planned the memory. */
typedef struct bdnn_tensor {
    bdnn_type type;
    bdnn_shape shape;
    void *data;
    bdnn_format format; /* of UINT8 and INT16 */
} bdnn_tensor;

/* Product of the dimensions (1 for rank 0); -1 when a dimension is negative or the product exceeds BDNN_MAX_ELEMENTS.
 */
int64_t bdnn_shape_elements(const bdnn_shape *shape);

/* Product of all dimensions but the batch (1 for rank <= 1). */
int64_t bdnn_shape_item_elements(const bdnn_shape *shape);

bool bdnn_shape_equal(const bdnn_shape *a, const bdnn_shape *b);

/* Bytes of one element. */
size_t bdnn_type_size(bdnn_type type);

/* What a real-valued tensor of this format consists of: FLOAT32, UINT8 or INT16. */
bdnn_type bdnn_format_type(const bdnn_format *format);

bool bdnn_format_equal(const bdnn_format *a, const bdnn_format *b);

/* Strides in elements, per logical axis, of the memory order above (channels last) or of the logical order itself
 * (row-major). */
void bdnn_shape_strides(const bdnn_shape *shape, int64_t strides[BDNN_MAX_RANK]);
void bdnn_shape_row_major_strides(const bdnn_shape *shape, int64_t strides[BDNN_MAX_RANK]);

/* Copies a tensor's elements between logical row-major order (NCHW: what ONNX, .npy and users hold) and the memory
 * order. dst and src must not overlap; both hold bdnn_shape_elements elements of `type`. */
void bdnn_from_row_major(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst);
void bdnn_to_row_major(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst);

/* The same by all threads of a pool. */
void bdnn_from_row_major_threaded(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst,
                                  bdnn_threads *threads);
void bdnn_to_row_major_threaded(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst,
                                bdnn_threads *threads);

/* Writes "1x3x224x224" into text (at most `size` bytes, always terminated) and returns text. */
char *bdnn_shape_text(const bdnn_shape *shape, char *text, size_t size);

#endif
