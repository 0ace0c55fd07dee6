/* SPDX-License-Identifier: BSD-2-Clause */
/* Walking a tensor's elements by their logical index, whatever their order in memory: the plain way, for layers that
 * are rare or cheap. */
#ifndef BDNN_LAYERS_WALK_H
#define BDNN_LAYERS_WALK_H

#include "core/arithmetic.h"
#include "core/tensor.h"

/* The logical index of the n-th element in row-major order. */
static inline void bdnn_index_of(const bdnn_shape *shape, int64_t n, int64_t index[BDNN_MAX_RANK])
{
    for (int a = shape->rank - 1; a >= 0; a--) {
        index[a] = n % shape->dim[a];
        n /= shape->dim[a];
    }
}

static inline int64_t bdnn_offset_of(const int64_t *strides, const int64_t *index, int32_t rank)
{
    int64_t offset = 0;
    for (int a = 0; a < rank; a++) {
        offset += index[a] * strides[a];
    }
    return offset;
}

/* Elements of one task of such a walk. */
#define BDNN_WALK_TILE ((int64_t)8192)

static inline size_t bdnn_walk_tiles(int64_t elements)
{
    return (size_t)bdnn_ceil_div(elements, BDNN_WALK_TILE);
}

static inline int64_t bdnn_walk_end(size_t tile, int64_t elements)
{
    return bdnn_min(((int64_t)tile + 1) * BDNN_WALK_TILE, elements);
}

#endif
