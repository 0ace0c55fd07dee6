/* SPDX-License-Identifier: BSD-2-Clause */
/* Sliding windows: checks and sizes that convolutions and poolings share. */
#ifndef BDNN_LAYERS_WINDOW_H
#define BDNN_LAYERS_WINDOW_H

#include "layers/layer.h"

/* Refuses kernels, strides and dilations below 1, negative pads, and anything beyond 2^24, the number of the kernel's
 * positions included: then positions and products of two of these numbers stay far below 64 bits. */
bdnn_status bdnn_window_check(const bdnn_window *window, bdnn_error *err);

/* Positions of the kernel. */
static inline int64_t bdnn_window_taps(const bdnn_window *window)
{
    return (int64_t)window->kernel[0] * window->kernel[1] * window->kernel[2];
}

/* Refuses ranks other than 3 to 5, and a window that is not the identity on an axis that the input does not have. */
bdnn_status bdnn_window_check_rank(const bdnn_window *window, int32_t rank, bdnn_error *err);

/* The size that `count` windows cover on one axis, pads taken off: what transposed convolutions and unpoolings make of
 * `count` positions. Negative when there is none, or it exceeds what a tensor may hold. */
int64_t bdnn_window_covered(const bdnn_window *window, int axis, int64_t count);

/* The output shape of a window with `channels` output channels over `in` (rank 3 to 5). Errors: another rank, a window
 * for axes that the input does not have, no room for the window. */
bdnn_status bdnn_window_shape(const bdnn_window *window, bool ceil_mode, const bdnn_shape *in, int64_t channels,
                              bdnn_shape *out, bdnn_error *err);

#endif
