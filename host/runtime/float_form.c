/* SPDX-License-Identifier: BSD-2-Clause */
/* Decomposed layers in float. */
#include "runtime/float_form.h"

#include "core/memory.h"
#include "kernels/quantize.h"

bdnn_status bdnn_float_form_create(const bdnn_layer *layer, const bdnn_shape *in, const bdnn_shape *out,
                                   bdnn_layer **result, bdnn_error *err)
{
    const bdnn_decomposed *dec = layer->decomposed;
    bdnn_inner_geometry geometry;
    bdnn_inner_geometry_of(layer, in, out, &geometry);
    const int64_t words = (geometry.inner + 63) / 64;
    bdnn_layer *form = bdnn_zalloc(1, sizeof *form);
    int8_t *decoded = bdnn_alloc((size_t)geometry.inner, 1);
    float *w;
    *result = form;
    if (form) {
        *form = *layer;
        form->decomposed = NULL;
        form->weight = bdnn_blob_copy(NULL, (size_t)(geometry.filters * geometry.inner) * sizeof *w);
    }
    if (!decoded || !form || !form->weight.data) {
        bdnn_free(decoded);
        return bdnn_fail_memory(err, (size_t)(geometry.filters * geometry.inner) * sizeof *w,
                                "a layer's float weights");
    }
    w = (float *)form->weight.data;
    for (int64_t f = 0; f < geometry.filters; f++) {
        bdnn_ip_decode((const uint64_t *)dec->planes.data + f * dec->bases * words,
                       (const int8_t *)dec->scales.data + f * dec->bases, dec->bases, geometry.inner, decoded);
        for (int64_t d = 0; d < geometry.inner; d++) {
            w[f * geometry.inner + d] = ((const float *)dec->filter_scale.data)[f] * (float)decoded[d];
        }
    }
    bdnn_free(decoded);
    return BDNN_OK;
}

void bdnn_float_form_free(bdnn_layer *form)
{
    if (form) {
        bdnn_blob_free(&form->weight);
        bdnn_free(form);
    }
}

void bdnn_float_form_input(const bdnn_layer *layer, const float *in, size_t count, float *x)
{
    const bdnn_decomposed *dec = layer->decomposed;
    bdnn_fake_quantize(in, count, dec->step, dec->zero_point, dec->bits, x);
}
