/* SPDX-License-Identifier: BSD-2-Clause */
/* The importer of ONNX files and its operands: what all of its files share.
 *
 * Every ONNX name stands for an operand: a value of the graph being built, or a constant known at import. A node's
 * handler reads its operands and attributes, adds layers, and says which operands its outputs stand for. Failures
 * stick: the first is kept in the importer, and from then on every call below does nothing and returns a harmless
 * result, so that handlers need not test each step. */
#ifndef BDNN_IMPORT_ONNX_OPERAND_H
#define BDNN_IMPORT_ONNX_OPERAND_H

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

/* Records a failure of the current node, unless there is one already; returns the recorded status. */
bdnn_status bdnn_onnx_fail(onnx_importer *im, bdnn_status status, const char *format, ...) BDNN_PRINTF(3, 4);
bdnn_status bdnn_onnx_short_of_memory(onnx_importer *im);
#if defined(__clang_analyzer__)
/* As bdnn_fail in core/error.h: no analyzer is to go on behind a failure. */
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

#endif
