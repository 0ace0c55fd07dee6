/* SPDX-License-Identifier: BSD-2-Clause */
/* From bytes to protobuf-c's tree of an ONNX model, within limits that protobuf-c itself does not keep. */
#ifndef BDNN_IMPORT_ONNX_WIRE_H
#define BDNN_IMPORT_ONNX_WIRE_H

#include "core/error.h"

#include "onnx.pb-c.h"

/* Messages nested deeper than this are refused. A network needs 9 levels; each level of control flow adds 3. */
#define BDNN_ONNX_MAX_DEPTH 64

/* The tree may take so many bytes for each byte of the file, and this many in any case. */
#define BDNN_ONNX_TREE_RATIO 64
#define BDNN_ONNX_TREE_BASE  ((uint64_t)1 << 20)

/* *model ends with bdnn_onnx_free. Errors: BDNN_ERROR_FORMAT for bytes that are no ONNX model, nest too deep or would
 * unfold to far more memory than they take; BDNN_ERROR_MEMORY. */
bdnn_status bdnn_onnx_unpack(const uint8_t *data, size_t size, Onnx__ModelProto **model, bdnn_error *err);

/* The same for a file that holds a single tensor. */
bdnn_status bdnn_onnx_unpack_tensor(const uint8_t *data, size_t size, Onnx__TensorProto **tensor, bdnn_error *err);

#define bdnn_onnx_free(message) protobuf_c_message_free_unpacked((ProtobufCMessage *)(message), NULL)

#endif
