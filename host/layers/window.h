/* Sliding windows: checks and sizes that convolutions and poolings share. */
#ifndef BDNN_LAYERS_WINDOW_H
#define BDNN_LAYERS_WINDOW_H

#include "layers/layer.h"

/* Refuses kernels, strides and dilations below 1, negative pads, and anything beyond what 32-bit positions hold. */
bdnn_status bdnn_window_check(const bdnn_window *window, bdnn_error *err);

/* The output shape of a window with `channels` output channels over `in` (rank 3 to 5). Errors: another rank, a window
 * for axes that the input does not have, no room for the window. */
bdnn_status bdnn_window_shape(const bdnn_window *window, bool ceil_mode, const bdnn_shape *in, int64_t channels,
                              bdnn_shape *out, bdnn_error *err);

#endif
