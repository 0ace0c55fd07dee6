/* What others need to know of poolings. */
#ifndef BDNN_LAYERS_POOL_H
#define BDNN_LAYERS_POOL_H

#include "model/graph.h"

/* Whether a max pooling of integers may keep, in place of its int64 indices, the number of each window's largest tap in
 * a byte: its windows do not overlap, and nothing reads the indices but unpoolings of the same windows to the shape
 * that was pooled. The graph has passed shape inference. Then outputs[1] and the unpoolings' inputs[1] are UINT8
 * tensors. */
bool bdnn_pool_keeps_taps(const bdnn_graph *graph, const bdnn_layer *layer);

#endif
