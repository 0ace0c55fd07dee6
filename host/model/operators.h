/* SPDX-License-Identifier: BSD-2-Clause */
/* The operators of networks, one line each. The enumeration, names, model file records, layer types and what importers
 * and formats ask of an operator follow from this list. A new operator is a line here, its bdnn_<name>_type in layers/,
 * and, where it has attributes of its own, a part of bdnn_layer's union with its <attributes>_attributes in record.c;
 * then the words that make one: import/topology_table.c and import/onnx_operators.c. */
#ifndef BDNN_MODEL_OPERATORS_H
#define BDNN_MODEL_OPERATORS_H

/* What is true of every layer of an operator. */
enum bdnn_op_traits {
    BDNN_OP_INNER_PRODUCT = 1, /* of inputs with weights: can be decomposed */
    BDNN_OP_KEEPS_FORMAT = 2,  /* can do its work on integers, whose format inputs and output then share */
    BDNN_OP_CHEAP = 4          /* costs about as much as its elements: computed at import where inputs are constants */
};

/* OPERATOR(identifier, name, number, attributes, traits)
 * number: stored in model files; never renumber, only append.
 * attributes: the part of bdnn_layer's union that it has; no: none. */
#define BDNN_OPERATORS(OPERATOR)                                                                                       \
    OPERATOR(CONV, conv, 0, conv, BDNN_OP_INNER_PRODUCT)                                                               \
    OPERATOR(CONV_TRANSPOSE, conv_transpose, 1, conv, 0)                                                               \
    /* fully connected over all elements of a batch item */                                                            \
    OPERATOR(DENSE, dense, 2, dense, BDNN_OP_INNER_PRODUCT)                                                            \
    /* two values, numpy's broadcasting rules; float only */                                                           \
    OPERATOR(MATMUL, matmul, 3, no, 0)                                                                                 \
    /* element by element: relu, clip, leaky relu, sigmoid; clips alone keep formats */                                \
    OPERATOR(ACTIVATION, activation, 4, activation, BDNN_OP_KEEPS_FORMAT | BDNN_OP_CHEAP)                              \
    OPERATOR(LRN, lrn, 5, lrn, 0)                                                                                      \
    OPERATOR(MAX_POOL, max_pool, 6, pool, BDNN_OP_KEEPS_FORMAT)                                                        \
    OPERATOR(AVERAGE_POOL, average_pool, 7, pool, 0)                                                                   \
    OPERATOR(MAX_UNPOOL, max_unpool, 8, pool, BDNN_OP_KEEPS_FORMAT)                                                    \
    /* per channel y = scale x + shift: a batch normalization that could not be folded */                              \
    OPERATOR(AFFINE, affine, 9, no, BDNN_OP_CHEAP)                                                                     \
    OPERATOR(ADD, add, 10, no, BDNN_OP_KEEPS_FORMAT | BDNN_OP_CHEAP)                                                   \
    OPERATOR(MUL, mul, 11, no, BDNN_OP_CHEAP)                                                                          \
    OPERATOR(CONCAT, concat, 12, axis, BDNN_OP_KEEPS_FORMAT | BDNN_OP_CHEAP)                                           \
    OPERATOR(PAD, pad, 13, pad, BDNN_OP_CHEAP)                                                                         \
    /* also flatten, squeeze, unsqueeze */                                                                             \
    OPERATOR(RESHAPE, reshape, 14, reshape, BDNN_OP_KEEPS_FORMAT | BDNN_OP_CHEAP)                                      \
    OPERATOR(TRANSPOSE, transpose, 15, transpose, BDNN_OP_CHEAP)                                                       \
    OPERATOR(RESIZE, resize, 16, resize, 0)                                                                            \
    OPERATOR(SOFTMAX, softmax, 17, axis, BDNN_OP_CHEAP)                                                                \
    OPERATOR(ARGMAX, argmax, 18, axis, BDNN_OP_CHEAP)

#define BDNN_OPERATOR_NUMBER(identifier, name, number, attributes, traits) BDNN_OP_##identifier = (number),
typedef enum bdnn_op { BDNN_OPERATORS(BDNN_OPERATOR_NUMBER) BDNN_OP_COUNT } bdnn_op;

#endif
