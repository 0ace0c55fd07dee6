/* SPDX-License-Identifier: BSD-2-Clause */
/* One decomposed layer, ready to run: the input in whatever format is quantized, the backend computes the integer inner
 * product, the sums become the output's format. What the session and the decomposition both use, so that the network
 * that is calibrated is the network that runs. */
#ifndef BDNN_RUNTIME_INNER_H
#define BDNN_RUNTIME_INNER_H

#include "backends/backend.h"
#include "kernels/quantize.h"
#include "layers/layer.h"

typedef struct bdnn_inner {
    bdnn_backend *backend;
    bdnn_resident *resident;
    bdnn_ip_shape shape;
    bdnn_epilogue epilogue;       /* float outputs; its offsets serve integer ones too */
    bdnn_requantizer requantizer; /* integer outputs */
    bdnn_format in_format, out_format;
    float step;
    bdnn_rescale own_rescale;  /* of wide inputs */
    bdnn_rescale next_rescale; /* of wide outputs, by place.reader */
    bool has_reader;           /* there is one */
    size_t input_count;        /* elements of the whole batch's input */
} bdnn_inner;

/* Where a decomposed layer stands: the shapes and formats at its ends, and a clip of its integer outputs that is done
 * on the way (NULL for none). */
typedef struct bdnn_inner_place {
    const bdnn_shape *in, *out;
    bdnn_format in_format, out_format; /* in_format: of what bdnn_inner_quantize is given */
    const bdnn_layer *clip;
    const bdnn_decomposed *reader;   /* for whom wide outputs are also written as it reads them; NULL for nobody */
    const bdnn_placement *placement; /* on a backend with memory of its own; else NULL */
} bdnn_inner_place;

/* Shape of a layer's work as backends take it. On a device a fully connected layer is a convolution whose kernel is its
 * whole input; on the host one position whose channels are that. */
void bdnn_inner_shape(const bdnn_layer *layer, const bdnn_shape *in, const bdnn_shape *out, bool on_device,
                      bdnn_ip_shape *shape);

/* The kind of sink that makes outputs of a format, and the integers between which it clamps them; floats have none. */
bdnn_sink_kind bdnn_inner_sink_kind(const bdnn_format *format);
void bdnn_inner_limits(const bdnn_format *format, const bdnn_layer *clip, bdnn_requantizer *requantizer);

/* Prepares `layer` (with layer->decomposed), whose formats have passed bdnn_formats_check. The layer and the backend
 * must outlive it. */
bdnn_status bdnn_inner_prepare(bdnn_inner *inner, bdnn_backend *backend, const bdnn_layer *layer,
                               const bdnn_inner_place *place, bdnn_error *err);

/* The same for a max pooling on a device: shape as bdnn_pool_shape says, with its bits. It has an input and an output
 * alone. */
bdnn_status bdnn_inner_prepare_pool(bdnn_inner *inner, bdnn_backend *device, const bdnn_ip_shape *shape,
                                    bdnn_error *err);

void bdnn_inner_release(bdnn_inner *inner);

size_t bdnn_inner_scratch(const bdnn_inner *inner);

/* Runs the layer. What it is given on the host, the operands' input or `send`, is of in_format: where that is not
 * quantized, it becomes so in scratch memory. scratch: bdnn_inner_scratch bytes. */
bdnn_status bdnn_inner_run(const bdnn_inner *inner, const bdnn_operands *operands, void *scratch, bdnn_threads *threads,
                           bdnn_error *err);

/* Transfers the output of an earlier run on a device: operands output and fetch. */
bdnn_status bdnn_inner_fetch(const bdnn_inner *inner, const bdnn_operands *operands, void *scratch, bdnn_error *err);

#endif
