/* SPDX-License-Identifier: BSD-2-Clause */
/* What convolutions and poolings share. */
#ifndef BDNN_IMPORT_ONNX_WINDOW_H
#define BDNN_IMPORT_ONNX_WINDOW_H

#include "import/onnx_node.h"

typedef enum onnx_auto_pad { ONNX_NOTSET = 0, ONNX_SAME_UPPER = 1, ONNX_SAME_LOWER = 2, ONNX_VALID = 3 } onnx_auto_pad;

/* Kernel, strides, dilations, pads of the current node for input x, whose spatial axes must be one to three. `kernel`
 * holds the kernel sizes that the weights have, or is NULL where the attribute decides. auto_pad SAME becomes explicit
 * pads of a convolution or pooling only when `resolve`; *auto_pad says what it was. False on failure. */
bool bdnn_onnx_window(onnx_importer *im, const onnx_operand *x, const int64_t *kernel, bool resolve,
                      bdnn_window *window, onnx_auto_pad *auto_pad);

/* Spatial axis i of a tensor of this rank is window axis i + offset. */
static inline int bdnn_onnx_window_offset(int32_t rank)
{
    return BDNN_SPATIAL - (rank - 2);
}

#endif
