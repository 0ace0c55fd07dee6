/* Shapes and tensors; knows nothing of networks. */
#ifndef BDNN_CORE_TENSOR_H
#define BDNN_CORE_TENSOR_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BDNN_MAX_RANK 6

/* No tensor has more elements than this: products of two counts stay far from overflowing 64 bits, and a hostile file cannot ask
 * for more. */
#define BDNN_MAX_ELEMENTS ((int64_t)1 << 40)

typedef enum bdnn_type { BDNN_FLOAT32 = 0, BDNN_INT64 = 1 } bdnn_type;

/* Axes in ONNX order: batch, channel, then the spatial axes. **In memory the channel axis (axis 1) comes last** whenever the rank
 * is 3 or more - NHWC for images - and rows are contiguous in that order; up to rank 2 the two orders are the same. */
typedef struct bdnn_shape {
    int32_t rank;
    int64_t dim[BDNN_MAX_RANK];
} bdnn_shape;

/* A view: data is borrowed from whoever planned the memory. */
typedef struct bdnn_tensor {
    bdnn_type type;
    bdnn_shape shape;
    void *data;
} bdnn_tensor;

/* Product of the dimensions (1 for rank 0); -1 when a dimension is negative or the product exceeds BDNN_MAX_ELEMENTS. */
int64_t bdnn_shape_elements(const bdnn_shape *shape);

/* Product of all dimensions but the batch (1 for rank <= 1). */
int64_t bdnn_shape_item_elements(const bdnn_shape *shape);

bool bdnn_shape_equal(const bdnn_shape *a, const bdnn_shape *b);

/* Bytes of one element. */
size_t bdnn_type_size(bdnn_type type);

/* Strides in elements, per logical axis, of the memory order above (channels last) or of the logical order itself (row-major). */
void bdnn_shape_strides(const bdnn_shape *shape, int64_t strides[BDNN_MAX_RANK]);
void bdnn_shape_row_major_strides(const bdnn_shape *shape, int64_t strides[BDNN_MAX_RANK]);

/* Copies a tensor's elements between logical row-major order (NCHW: what ONNX, .npy and users hold) and the memory order. dst and
 * src must not overlap; both hold bdnn_shape_elements elements of `type`. */
void bdnn_from_row_major(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst);
void bdnn_to_row_major(const bdnn_shape *shape, bdnn_type type, const void *src, void *dst);

/* Writes "1x3x224x224" into text (at most `size` bytes, always terminated) and returns text. */
char *bdnn_shape_text(const bdnn_shape *shape, char *text, size_t size);

#endif
