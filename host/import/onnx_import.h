/* The ONNX importer's inner interface: what the operators' files share.
 *
 * Every ONNX name stands for an operand: a value of the graph being built, or a constant known at import. A node's
 * handler reads its operands and attributes, adds layers, and says which operands its outputs stand for. Failures
 * stick: the first is kept in the importer, and from then on every call below does nothing and returns a harmless
 * result, so that handlers need not test each step. */
#ifndef BDNN_IMPORT_ONNX_IMPORT_H
#define BDNN_IMPORT_ONNX_IMPORT_H

#include "import/import.h"
#include "import/names.h"
#include "import/onnx_wire.h"

/* Row-major elements of a constant: float or int64_t, as `type` says. */
typedef struct onnx_operand {
    const char *name;  /* borrowed; NULL for what lies between the layers of one node */
    const char *layer; /* the layer that makes it, borrowed from layer_names; NULL for none */
    bdnn_type type;
    bdnn_shape shape;
    int32_t value;    /* in the graph; -1 while it is only a constant */
    const void *data; /* the constant; NULL for what the network computes */
    bool owned;       /* data ends with the operand */
    size_t number;    /* in onnx_importer.operands */
} onnx_operand;

typedef struct onnx_importer {
    bdnn_graph *graph;
    const bdnn_onnx_options *options;
    int64_t opset;
    const Onnx__NodeProto *node; /* being imported; NULL before and after */
    onnx_operand **operands;     /* all of them, owned */
    size_t operand_count;
    bdnn_names names;       /* ONNX name -> index of its operand */
    bdnn_names layer_names; /* unique names given so far */
    uint64_t budget;        /* bytes of parameters and computed constants that may still be made */
    bdnn_status status;     /* the first failure */
    bdnn_error error;
} onnx_importer;

/* ---- onnx_import.c: failures, operands ---- */

/* Records a failure of the current node, unless there is one already; returns the recorded status. */
bdnn_status bdnn_onnx_fail(onnx_importer *im, bdnn_status status, const char *format, ...) BDNN_PRINTF(3, 4);
bdnn_status bdnn_onnx_short_of_memory(onnx_importer *im);
#if defined(__clang_analyzer__)
/* As bdnn_fail in core/error.h: no analyser is to go on behind a failure. */
#define bdnn_onnx_fail(im, code, ...) (bdnn_onnx_fail(im, code, __VA_ARGS__), (im)->status = (code))
#define bdnn_onnx_short_of_memory(im) (bdnn_onnx_short_of_memory(im), (im)->status = BDNN_ERROR_MEMORY)
#endif

/* Frees the operands and names; what was put into the graph stays there. */
void bdnn_onnx_release(onnx_importer *im);

/* Takes `bytes` for a constant or parameters of this shape (or NULL) from the budget; false, and a failure, when it is
 * used up: the file refers to the same data over and over, or computes out of nothing. */
bool bdnn_onnx_charge(onnx_importer *im, uint64_t bytes, const bdnn_shape *shape);

/* A new operand, value -1. NULL on failure. */
onnx_operand *bdnn_onnx_operand(onnx_importer *im, bdnn_type type, const bdnn_shape *shape);

/* A new constant with memory for its elements (zeros), to be filled through *data. Counts against the budget. NULL on
 * failure. */
onnx_operand *bdnn_onnx_constant(onnx_importer *im, bdnn_type type, const bdnn_shape *shape, void **data);

/* A constant that shares the elements of `x` under another shape of the same size. */
onnx_operand *bdnn_onnx_reshaped(onnx_importer *im, const onnx_operand *x, const bdnn_shape *shape);

/* A float constant of rank 0. */
onnx_operand *bdnn_onnx_scalar(onnx_importer *im, float value);

static inline bool bdnn_onnx_is_constant(const onnx_operand *x)
{
    return x && x->data;
}

/* ---- onnx_tensor.c ---- */

/* A constant from a tensor of the file; its elements may be borrowed from it. NULL on failure. */
onnx_operand *bdnn_onnx_tensor(onnx_importer *im, const Onnx__TensorProto *tensor);

/* The type that an ONNX element type becomes: floating point float, integers and bool int64. False for all others. */
bool bdnn_onnx_type(int32_t onnx_type, bdnn_type *type);
const char *bdnn_onnx_type_name(int32_t onnx_type);

/* One value as ONNX's float16 (rounded to nearest even) or bfloat16 (cut: operator sets up to 17 leave it open, their
 * tests cut). */
float bdnn_onnx_round_to(int32_t onnx_type, float value);

/* ---- onnx_node.c: attributes, inputs, layers of the current node ---- */

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

/* ---- Operators: each handler defines its node's outputs ---- */

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

/* ---- onnx_window.c: what convolutions and poolings share ---- */

typedef enum onnx_auto_pad { ONNX_NOTSET = 0, ONNX_SAME_UPPER = 1, ONNX_SAME_LOWER = 2, ONNX_VALID = 3 } onnx_auto_pad;

/* Kernel, strides, dilations, pads of the current node for input x, whose spatial axes must be one to three. `kernel`
 * holds the kernel sizes that the weights have, or is NULL where the attribute decides. auto_pad SAME becomes explicit
 * pads of a convolution or pooling only when `resolve`; *auto_pad says what it was. False on failure. */
bool bdnn_onnx_window(onnx_importer *im, const onnx_operand *x, const int64_t *kernel, bool resolve,
                      bdnn_window *window, onnx_auto_pad *auto_pad);

/* value into *out when it lies in low..high, else a failure that names `what`. */
bool bdnn_onnx_int32(onnx_importer *im, const char *what, int64_t value, int64_t low, int64_t high, int32_t *out);

/* Spatial axis i of a tensor of this rank is window axis i + offset. */
static inline int bdnn_onnx_window_offset(int32_t rank)
{
    return BDNN_SPATIAL - (rank - 2);
}

#endif
