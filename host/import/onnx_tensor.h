/* SPDX-License-Identifier: BSD-2-Clause */
/* Constants from the tensors of an ONNX file. */
#ifndef BDNN_IMPORT_ONNX_TENSOR_H
#define BDNN_IMPORT_ONNX_TENSOR_H

#include "import/onnx_operand.h"

/* A constant from a tensor of the file; its elements may be borrowed from it. NULL on failure. */
onnx_operand *bdnn_onnx_tensor(onnx_importer *im, const Onnx__TensorProto *tensor);

/* The type that an ONNX element type becomes: floating point float, integers and bool int64. False for all others. */
bool bdnn_onnx_type(int32_t onnx_type, bdnn_type *type);
const char *bdnn_onnx_type_name(int32_t onnx_type);

/* One value as ONNX's float16 (rounded to nearest even) or bfloat16 (cut: operator sets up to 17 leave it open, their
 * tests cut). */
float bdnn_onnx_round_to(int32_t onnx_type, float value);

#endif
