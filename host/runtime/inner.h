/* One decomposed layer, ready to run: the input in whatever format is quantised, the backend computes the integer inner
 * product, the sums become the output's format. What the session and the decomposition both use, so that the network
 * that is calibrated is the network that runs. */
#ifndef BDNN_RUNTIME_INNER_H
#define BDNN_RUNTIME_INNER_H

#include "kernels/quantize.h"
#include "layers/layer.h"
#include "runtime/backend.h"

typedef struct bdnn_inner {
    bdnn_backend *backend;
    bdnn_resident *resident;
    bdnn_ip_shape shape;
    bdnn_epilogue epilogue;       /* float outputs; its offsets serve integer ones too */
    bdnn_requantiser requantiser; /* integer outputs */
    bdnn_format in_format, out_format;
    float step;
    bdnn_reading own_reading;  /* of wide inputs */
    bdnn_reading next_reading; /* of wide outputs, by place.reader */
    bool is_read;              /* there is one */
    size_t input_count;        /* elements of the whole batch's input */
} bdnn_inner;

/* Where a decomposed layer stands: the shapes and formats at its ends, and a clip of its integer outputs that is done
 * on the way (NULL for none). */
typedef struct bdnn_inner_place {
    const bdnn_shape *in, *out;
    bdnn_format in_format, out_format;
    const bdnn_layer *clip;
    const bdnn_decomposed *reader; /* for whom wide outputs are also written as it reads them; NULL for nobody */
} bdnn_inner_place;

/* What one run reads and writes: tensors in memory order, of the formats prepared for. */
typedef struct bdnn_inner_data {
    const void *x;
    const int16_t
        *addend; /* what is added to wide outputs before they are clipped, perhaps y itself; NULL for nothing */
    void *y;
    uint8_t *x_q; /* y as the reader of the place reads it, when there is one */
} bdnn_inner_data;

/* Prepares `layer` (with layer->decomposed), whose formats have passed bdnn_formats_check. The layer and the backend
 * must outlive it. */
bdnn_status bdnn_inner_prepare(bdnn_inner *inner, bdnn_backend *backend, const bdnn_layer *layer,
                               const bdnn_inner_place *place, bdnn_error *err);
void bdnn_inner_release(bdnn_inner *inner);

size_t bdnn_inner_scratch(const bdnn_inner *inner);

/* scratch: bdnn_inner_scratch bytes. */
bdnn_status bdnn_inner_run(const bdnn_inner *inner, const bdnn_inner_data *data, void *scratch, bdnn_threads *threads,
                           bdnn_error *err);

#endif
