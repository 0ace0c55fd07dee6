/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of a convolution's matrix form: what every kernel multiplies its weights with. */
#ifndef BDNN_KERNELS_ROWS_H
#define BDNN_KERNELS_ROWS_H

#include "kernels/inner_product.h"

#include <stddef.h>

/* Output positions of the whole batch. */
static inline int64_t bdnn_ip_positions(const bdnn_ip_shape *shape)
{
    return shape->batch * shape->out_size[0] * shape->out_size[1] * shape->out_size[2];
}

/* A fully connected layer: one position per batch item, whose row is the item itself. */
bool bdnn_ip_is_dense(const bdnn_ip_shape *shape);

/* Gathers the D inputs of one group at `count` positions from `first` on (counted over the whole batch) into
 * rows[count][stride]; elements from D on are left alone. x: the layer's input, elements of `element` bytes: quantized
 * inputs (1), or floats (4) where the zero point is 0. */
void bdnn_ip_gather(const bdnn_ip_shape *shape, const void *x, size_t element, int64_t first, int64_t count,
                    int64_t group, int64_t stride, void *rows);

/* Whether the rows of all positions lie in x_q itself, D apart: a 1x1 convolution of stride 1, or a fully connected
 * layer. */
bool bdnn_ip_rows_in_place(const bdnn_ip_shape *shape);

#endif
