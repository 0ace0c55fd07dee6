/* SPDX-License-Identifier: BSD-2-Clause */
/* The operators that are imported. Each handler defines the outputs of the current node. */
#ifndef BDNN_IMPORT_ONNX_OPERATORS_H
#define BDNN_IMPORT_ONNX_OPERATORS_H

#include "import/onnx_node.h"

typedef void bdnn_onnx_handler(onnx_importer *im);

/* NULL for an operator that is not supported. */
bdnn_onnx_handler *bdnn_onnx_find(const char *op_type);

bdnn_onnx_handler bdnn_onnx_conv, bdnn_onnx_conv_transpose;                         /* onnx_conv.c */
bdnn_onnx_handler bdnn_onnx_max_pool, bdnn_onnx_average_pool, bdnn_onnx_max_unpool, /* onnx_pool.c */
    bdnn_onnx_global_max_pool, bdnn_onnx_global_average_pool;
bdnn_onnx_handler bdnn_onnx_gemm, bdnn_onnx_matmul; /* onnx_dense.c */
bdnn_onnx_handler bdnn_onnx_relu, bdnn_onnx_clip, bdnn_onnx_leaky_relu, bdnn_onnx_sigmoid,
    bdnn_onnx_lrn, /* onnx_activation.c */
    bdnn_onnx_batch_norm, bdnn_onnx_softmax, bdnn_onnx_argmax, bdnn_onnx_dropout, bdnn_onnx_identity;
bdnn_onnx_handler bdnn_onnx_add_op, bdnn_onnx_sub, bdnn_onnx_mul, bdnn_onnx_div, bdnn_onnx_sum; /* onnx_arithmetic.c */
bdnn_onnx_handler bdnn_onnx_concat, bdnn_onnx_pad, bdnn_onnx_flatten, bdnn_onnx_reshape_op,
    bdnn_onnx_squeeze, /* onnx_shape.c */
    bdnn_onnx_unsqueeze, bdnn_onnx_transpose_op, bdnn_onnx_slice;
bdnn_onnx_handler bdnn_onnx_resize, bdnn_onnx_upsample; /* onnx_resize.c */
bdnn_onnx_handler bdnn_onnx_constant_op, bdnn_onnx_constant_of_shape, bdnn_onnx_shape,
    bdnn_onnx_gather, /* onnx_fold.c */
    bdnn_onnx_cast, bdnn_onnx_floor;

#endif
