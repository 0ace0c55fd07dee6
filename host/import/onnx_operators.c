/* SPDX-License-Identifier: BSD-2-Clause */
/* The operators that can be imported. */
#include "import/onnx_operators.h"

#include <stdlib.h>
#include <string.h>

typedef struct operator_entry {
    const char *op_type;
    bdnn_onnx_handler *handler;
} operator_entry;

/* In the order of strcmp. */
static const operator_entry operators[] = {
    {"Add", bdnn_onnx_add_op},
    {"ArgMax", bdnn_onnx_argmax},
    {"AveragePool", bdnn_onnx_average_pool},
    {"BatchNormalization", bdnn_onnx_batch_norm},
    {"Cast", bdnn_onnx_cast},
    {"Clip", bdnn_onnx_clip},
    {"Concat", bdnn_onnx_concat},
    {"Constant", bdnn_onnx_constant_op},
    {"ConstantOfShape", bdnn_onnx_constant_of_shape},
    {"Conv", bdnn_onnx_conv},
    {"ConvTranspose", bdnn_onnx_conv_transpose},
    {"Div", bdnn_onnx_div},
    {"Dropout", bdnn_onnx_dropout},
    {"Flatten", bdnn_onnx_flatten},
    {"Floor", bdnn_onnx_floor},
    {"Gather", bdnn_onnx_gather},
    {"Gemm", bdnn_onnx_gemm},
    {"GlobalAveragePool", bdnn_onnx_global_average_pool},
    {"GlobalMaxPool", bdnn_onnx_global_max_pool},
    {"Identity", bdnn_onnx_identity},
    {"LRN", bdnn_onnx_lrn},
    {"LeakyRelu", bdnn_onnx_leaky_relu},
    {"MatMul", bdnn_onnx_matmul},
    {"MaxPool", bdnn_onnx_max_pool},
    {"MaxUnpool", bdnn_onnx_max_unpool},
    {"Mul", bdnn_onnx_mul},
    {"Pad", bdnn_onnx_pad},
    {"Relu", bdnn_onnx_relu},
    {"Reshape", bdnn_onnx_reshape_op},
    {"Resize", bdnn_onnx_resize},
    {"Shape", bdnn_onnx_shape},
    {"Sigmoid", bdnn_onnx_sigmoid},
    {"Slice", bdnn_onnx_slice},
    {"Softmax", bdnn_onnx_softmax},
    {"Squeeze", bdnn_onnx_squeeze},
    {"Sub", bdnn_onnx_sub},
    {"Sum", bdnn_onnx_sum},
    {"Transpose", bdnn_onnx_transpose_op},
    {"Unsqueeze", bdnn_onnx_unsqueeze},
    {"Upsample", bdnn_onnx_upsample},
};

static int compare(const void *op_type, const void *entry)
{
    return strcmp(op_type, ((const operator_entry *)entry)->op_type);
}

bdnn_onnx_handler *bdnn_onnx_find(const char *op_type)
{
    const operator_entry *entry =
        bsearch(op_type, operators, sizeof operators / sizeof *operators, sizeof *operators, compare);
    return entry ? entry->handler : NULL;
}
