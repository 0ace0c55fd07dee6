/* One decomposed layer, ready to run: quantise the float input, the backend's integer inner product, the shared
 * epilogue. What the session and the decomposition both use, so that the network that is calibrated is the network that
 * runs. */
#ifndef BDNN_RUNTIME_INNER_H
#define BDNN_RUNTIME_INNER_H

#include "kernels/quantize.h"
#include "layers/layer.h"
#include "runtime/backend.h"

typedef struct bdnn_inner {
    bdnn_backend *backend;
    bdnn_resident *resident;
    bdnn_ip_shape shape;
    bdnn_epilogue epilogue;
    float step;
    size_t input_count; /* elements of the whole batch's input */
} bdnn_inner;

/* Prepares `layer` (with layer->decomposed) for inputs and outputs of these shapes. The layer and the backend must
 * outlive it. */
bdnn_status bdnn_inner_prepare(bdnn_inner *inner, bdnn_backend *backend, const bdnn_layer *layer, const bdnn_shape *in,
                               const bdnn_shape *out, bdnn_error *err);
void bdnn_inner_release(bdnn_inner *inner);

size_t bdnn_inner_scratch(const bdnn_inner *inner);

/* x and y: float tensors in memory order. scratch: bdnn_inner_scratch bytes. */
bdnn_status bdnn_inner_run(const bdnn_inner *inner, const float *x, float *y, void *scratch, bdnn_threads *threads,
                           bdnn_error *err);

#endif
