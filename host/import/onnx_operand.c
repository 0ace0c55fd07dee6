/* SPDX-License-Identifier: BSD-2-Clause */
/* Failures, operands and the budget of an import. */
#include "import/onnx_operand.h"

#include "core/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Failures ---- */

#undef bdnn_onnx_fail /* macros where an analyzer reads */
#undef bdnn_onnx_short_of_memory

bdnn_status bdnn_onnx_fail(onnx_importer *im, bdnn_status status, const char *format, ...)
{
    const Onnx__NodeProto *node = im->node;
    va_list args;
    if (im->status != BDNN_OK) {
        return im->status;
    }
    im->status = im->error.status = status;
    va_start(args, format);
    vsnprintf(im->error.message, sizeof im->error.message, format, args);
    va_end(args);
    if (node) {
        const char *name = node->name && node->name[0] ? node->name : node->n_output ? node->output[0] : "";
        bdnn_prefix(&im->error, status, "node '%.100s' (%.40s)", name, node->op_type ? node->op_type : "");
    }
    /* Names come from the file. */
    for (char *c = im->error.message; *c; c++) {
        *c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
    }
    return status;
}

bdnn_status bdnn_onnx_short_of_memory(onnx_importer *im)
{
    return bdnn_onnx_fail(im, BDNN_ERROR_MEMORY, "memory is short");
}

/* ---- Operands ---- */

onnx_operand *bdnn_onnx_operand(onnx_importer *im, bdnn_type type, const bdnn_shape *shape)
{
    onnx_operand *x;
    if (im->status != BDNN_OK) {
        return NULL;
    }
    if (!(im->operand_count & (im->operand_count - 1))) { /* full: the array doubles at powers of two */
        size_t count = im->operand_count;
        onnx_operand **larger = bdnn_alloc(count ? 2 * count : 1, sizeof(*larger));
        if (!larger) {
            bdnn_onnx_short_of_memory(im);
            return NULL;
        }
        if (count) {
            memcpy(larger, im->operands, count * sizeof(*larger));
        }
        bdnn_free(im->operands);
        im->operands = larger;
    }
    x = bdnn_zalloc(1, sizeof *x);
    if (!x) {
        bdnn_onnx_short_of_memory(im);
        return NULL;
    }
    x->type = type;
    x->shape = *shape;
    x->value = -1;
    x->number = im->operand_count;
    im->operands[im->operand_count++] = x;
    return x;
}

bool bdnn_onnx_charge(onnx_importer *im, uint64_t bytes, const bdnn_shape *shape)
{
    char text[128] = "parameters";
    if (im->status != BDNN_OK) {
        return false;
    }
    if (bytes > im->budget) {
        bdnn_onnx_fail(im, BDNN_ERROR_FORMAT,
                       "%s: with these, parameters and computed constants are out of proportion to the file",
                       shape ? bdnn_shape_text(shape, text, sizeof text) : text);
        return false;
    }
    im->budget -= bytes;
    return true;
}

onnx_operand *bdnn_onnx_constant(onnx_importer *im, bdnn_type type, const bdnn_shape *shape, void **data)
{
    int64_t count = bdnn_shape_elements(shape);
    onnx_operand *x;
    if (!bdnn_onnx_charge(im, count < 0 ? UINT64_MAX : (uint64_t)count * bdnn_type_size(type), shape)) {
        return NULL;
    }
    x = bdnn_onnx_operand(im, type, shape);
    *data = x ? bdnn_zalloc((size_t)count, bdnn_type_size(type)) : NULL;
    if (!*data) {
        bdnn_onnx_short_of_memory(im);
        return NULL;
    }
    x->data = *data;
    x->owned = true;
    return x;
}

onnx_operand *bdnn_onnx_reshaped(onnx_importer *im, const onnx_operand *x, const bdnn_shape *shape)
{
    onnx_operand *y = bdnn_onnx_operand(im, x->type, shape);
    if (y) {
        y->data = x->data;
    }
    return y;
}

onnx_operand *bdnn_onnx_scalar(onnx_importer *im, float value)
{
    const bdnn_shape shape = {0};
    void *data;
    onnx_operand *x = bdnn_onnx_constant(im, BDNN_FLOAT32, &shape, &data);
    if (x) {
        *(float *)data = value;
    }
    return x;
}

void bdnn_onnx_release(onnx_importer *im)
{
    for (size_t i = 0; i < im->operand_count; i++) {
        if (im->operands[i]->owned) {
            bdnn_free((void *)im->operands[i]->data);
        }
        bdnn_free(im->operands[i]);
    }
    bdnn_free(im->operands);
    bdnn_names_free(&im->names);
    bdnn_names_free(&im->layer_names);
}
