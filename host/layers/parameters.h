/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of the parameters of inner-product layers, float or decomposed. */
#ifndef BDNN_LAYERS_PARAMETERS_H
#define BDNN_LAYERS_PARAMETERS_H

#include "layers/layer.h"

/* A float blob of `count` elements; `what` names it in the message. */
bdnn_status bdnn_check_floats(const bdnn_blob *blob, int64_t count, const char *what, bdnn_error *err);

/* Weights or bases of F filters of D elements, and the bias if there is one. */
bdnn_status bdnn_check_inner_product(const bdnn_layer *layer, int64_t filters, int64_t inner, bdnn_error *err);

#endif
