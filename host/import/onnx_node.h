/* SPDX-License-Identifier: BSD-2-Clause */
/* The current node: its inputs and attributes, and the layers it becomes. */
#ifndef BDNN_IMPORT_ONNX_NODE_H
#define BDNN_IMPORT_ONNX_NODE_H

#include "import/onnx_operand.h"

/* Input `index`, or NULL where the node has none. */
onnx_operand *bdnn_onnx_input(onnx_importer *im, size_t index);

/* The same, but a missing input, or one that is not a constant, is a failure. `what` names its role. */
onnx_operand *bdnn_onnx_need(onnx_importer *im, size_t index, const char *what);
onnx_operand *bdnn_onnx_need_constant(onnx_importer *im, size_t index, bdnn_type type, const char *what);

/* The graph's value for an operand; a constant becomes one on its first use. -1 on failure. */
int32_t bdnn_onnx_value_of(onnx_importer *im, onnx_operand *x);

/* Whether output `index` is named, and so perhaps read. */
bool bdnn_onnx_has_output(const onnx_importer *im, size_t index);

/* Output `index` stands for `x`. */
void bdnn_onnx_define(onnx_importer *im, size_t index, onnx_operand *x);

bool bdnn_onnx_has(const onnx_importer *im, const char *attribute);
int64_t bdnn_onnx_int(onnx_importer *im, const char *attribute, int64_t otherwise);
float bdnn_onnx_float(onnx_importer *im, const char *attribute, float otherwise);
/* A number of the list `choices`, which NULL ends; `otherwise` when the attribute is absent. Any other text is
 * unsupported. */
int bdnn_onnx_choice(onnx_importer *im, const char *attribute, const char *const *choices, int otherwise);
/* How many integers (at most `max`) went into out; -1 when the attribute is absent. */
int bdnn_onnx_ints(onnx_importer *im, const char *attribute, int64_t *out, int max);
int bdnn_onnx_floats(onnx_importer *im, const char *attribute, float *out, int max);
const Onnx__TensorProto *bdnn_onnx_attribute_tensor(onnx_importer *im, const char *attribute);
const Onnx__AttributeProto *bdnn_onnx_attribute(const onnx_importer *im, const char *attribute);

/* The integers of a constant of rank 0 or 1: how many, at most `max`; -1 on failure. */
int bdnn_onnx_list(onnx_importer *im, const onnx_operand *x, const char *what, int64_t *out, int max);

/* Integers from an attribute of that name or, where the node has one, from the constant input `index`; -1 when neither
 * is there. */
int bdnn_onnx_ints_or_input(onnx_importer *im, const char *attribute, size_t index, int64_t *out, int max);

/* An axis number, which may count from the end, as 0..rank-1; a number outside fails and gives 0. */
int32_t bdnn_onnx_axis(onnx_importer *im, int64_t axis, int32_t rank);

/* Adds a layer with the attributes and parameters of `spec` (whose blobs are taken over, also on failure) that reads
 * `inputs`, infers its shapes and returns its outputs in outputs[0..output_count-1], NULL on failure. `role` is NULL
 * for the layer that gets the node's own name. A cheap layer that reads only constants is computed at once instead, and
 * its outputs are constants. */
void bdnn_onnx_add(onnx_importer *im, const bdnn_layer *spec, const char *role, onnx_operand *const *inputs,
                   int input_count, onnx_operand **outputs, int output_count);

/* The common cases: one output of one or two inputs. NULL on failure. */
onnx_operand *bdnn_onnx_add1(onnx_importer *im, const bdnn_layer *spec, const char *role, onnx_operand *x);
onnx_operand *bdnn_onnx_add2(onnx_importer *im, bdnn_op op, const char *role, onnx_operand *a, onnx_operand *b);

/* x under another shape of the same size, with no negative dimension. */
onnx_operand *bdnn_onnx_reshape(onnx_importer *im, onnx_operand *x, const bdnn_shape *shape, const char *role);

/* x with its axes in another order. */
onnx_operand *bdnn_onnx_transpose(onnx_importer *im, onnx_operand *x, const int32_t *permutation, const char *role);

/* value into *out when it lies in low..high, else a failure that names `what`. */
bool bdnn_onnx_int32(onnx_importer *im, const char *what, int64_t value, int64_t low, int64_t high, int32_t *out);

#endif
