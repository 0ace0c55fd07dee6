/* SPDX-License-Identifier: BSD-2-Clause */
/* MaxPool, AveragePool, MaxUnpool and the global poolings. */
#include "import/onnx_operators.h"
#include "import/onnx_window.h"

#include <string.h>

static onnx_operand *pool_window(onnx_importer *im, bdnn_layer *spec)
{
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    onnx_auto_pad auto_pad;
    return x && bdnn_onnx_window(im, x, NULL, true, &spec->attr.pool.window, &auto_pad) ? x : NULL;
}

void bdnn_onnx_max_pool(onnx_importer *im)
{
    bdnn_layer spec = {.op = BDNN_OP_MAX_POOL};
    onnx_operand *x = pool_window(im, &spec), *outputs[2];
    int count = bdnn_onnx_has_output(im, 1) ? 2 : 1;
    if (!x) {
        return;
    }
    spec.attr.pool.ceil_mode = bdnn_onnx_int(im, "ceil_mode", 0) != 0;
    spec.attr.pool.column_major = bdnn_onnx_int(im, "storage_order", 0) != 0;
    bdnn_onnx_add(im, &spec, NULL, &x, 1, outputs, count);
    for (int i = 0; i < count; i++) {
        bdnn_onnx_define(im, (size_t)i, outputs[i]);
    }
}

void bdnn_onnx_average_pool(onnx_importer *im)
{
    bdnn_layer spec = {.op = BDNN_OP_AVERAGE_POOL};
    onnx_operand *x = pool_window(im, &spec);
    spec.attr.pool.ceil_mode = bdnn_onnx_int(im, "ceil_mode", 0) != 0;
    spec.attr.pool.count_include_pad = bdnn_onnx_int(im, "count_include_pad", 0) != 0;
    if (x) {
        bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, &spec, NULL, x));
    }
}

static void global_pool(onnx_importer *im, bdnn_op op)
{
    bdnn_layer spec = {.op = op};
    onnx_operand *x = bdnn_onnx_need(im, 0, "data");
    spec.attr.pool.global = true;
    for (int i = 0; i < BDNN_SPATIAL; i++) { /* ignored, but a window that a reader may look at */
        spec.attr.pool.window.kernel[i] = spec.attr.pool.window.stride[i] = spec.attr.pool.window.dilation[i] = 1;
    }
    if (x) {
        bdnn_onnx_define(im, 0, bdnn_onnx_add1(im, &spec, NULL, x));
    }
}

void bdnn_onnx_global_max_pool(onnx_importer *im)
{
    global_pool(im, BDNN_OP_MAX_POOL);
}

void bdnn_onnx_global_average_pool(onnx_importer *im)
{
    global_pool(im, BDNN_OP_AVERAGE_POOL);
}

void bdnn_onnx_max_unpool(onnx_importer *im)
{
    bdnn_layer spec = {.op = BDNN_OP_MAX_UNPOOL};
    onnx_operand *inputs[2] = {pool_window(im, &spec), bdnn_onnx_need(im, 1, "indices")}, *y;
    const onnx_operand *output_shape = bdnn_onnx_input(im, 2);
    if (output_shape) {
        int count = bdnn_onnx_list(im, output_shape, "output_shape", spec.attr.pool.output_shape.dim, BDNN_MAX_RANK);
        if (count < 0) {
            return;
        }
        spec.attr.pool.output_shape.rank = count;
    }
    bdnn_onnx_add(im, &spec, NULL, inputs, 2, &y, 1);
    bdnn_onnx_define(im, 0, y);
}
