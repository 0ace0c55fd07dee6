/* SPDX-License-Identifier: BSD-2-Clause */
/* Decomposed layers simulated in float, on the device "float": weights s_f W, inputs quantized and put back. */
#ifndef BDNN_RUNTIME_FLOAT_FORM_H
#define BDNN_RUNTIME_FLOAT_FORM_H

#include "layers/layer.h"

/* The float form of a decomposed layer over these shapes: the layer with the weights s_f W, all else borrowed from it.
 * Errors: memory. */
bdnn_status bdnn_float_form_create(const bdnn_layer *layer, const bdnn_shape *in, const bdnn_shape *out,
                                   bdnn_layer **form, bdnn_error *err);
void bdnn_float_form_free(bdnn_layer *form);

/* What quantization leaves of a decomposed layer's input, in floats. */
void bdnn_float_form_input(const bdnn_layer *layer, const float *in, size_t count, float *x);

#endif
