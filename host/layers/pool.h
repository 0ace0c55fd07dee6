/* SPDX-License-Identifier: BSD-2-Clause */
/* What others need to know of poolings. */
#ifndef BDNN_LAYERS_POOL_H
#define BDNN_LAYERS_POOL_H

#include "kernels/inner_product.h"
#include "model/graph.h"

/* Whether a max pooling of integers may keep, in place of its int64 indices, the number of each window's largest tap in
 * a byte: its windows do not overlap, and nothing reads the indices but unpoolings of the same windows to the shape
 * that was pooled. The graph has passed shape inference. Then outputs[1] and the unpoolings' inputs[1] are UINT8
 * tensors. */
bool bdnn_pool_keeps_taps(const bdnn_graph *graph, const bdnn_layer *layer);

/* The geometry of a pooling over these shapes as that of an inner product of one filter a channel, with one base and
 * bits left 0. False where a size does not fit. */
bool bdnn_pool_shape(const bdnn_layer *layer, const bdnn_shape *in, const bdnn_shape *out, bdnn_ip_shape *shape);

#endif
