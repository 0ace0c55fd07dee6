/* One decomposed layer, ready to run. */
#include "runtime/inner.h"

#include "core/memory.h"

#include <string.h>

/* The constants of each filter: step s_f, z sum_d W_f[d], bias. */
static bdnn_status fold_constants(bdnn_inner *inner, const bdnn_layer *layer, bdnn_error *err)
{
    const bdnn_decomposed *dec = layer->decomposed;
    const size_t filters = (size_t)inner->shape.filters;
    const int64_t d = bdnn_ip_inner(&inner->shape), words = (d + 63) / 64;
    const float *factor = dec->filter_scale.data;
    bdnn_epilogue *e = &inner->epilogue;
    e->multiplier = bdnn_alloc(filters, sizeof *e->multiplier);
    e->offset = bdnn_alloc(filters, sizeof *e->offset);
    e->bias = bdnn_zalloc(filters, sizeof *e->bias);
    if (!e->multiplier || !e->offset || !e->bias) {
        return bdnn_fail_memory(err, filters * sizeof *e->bias, "a layer's constants");
    }
    for (size_t f = 0; f < filters; f++) {
        const uint64_t *planes = (const uint64_t *)dec->planes.data + f * (size_t)(dec->bases * words);
        const int8_t *scales = (const int8_t *)dec->scales.data + f * (size_t)dec->bases;
        int64_t sum = 0;
        for (int32_t k = 0; k < dec->bases; k++) {
            int64_t negative = 0; /* filler bits are 1 and do not count */
            for (int64_t w = 0; w < words; w++) {
                negative += __builtin_popcountll(~planes[k * words + w]);
            }
            sum += scales[k] * (d - 2 * negative);
        }
        e->multiplier[f] = dec->step * factor[f];
        e->offset[f] = (int32_t)(dec->zero_point * sum);
    }
    if (layer->bias.data) {
        memcpy(e->bias, layer->bias.data, filters * sizeof *e->bias);
    }
    return BDNN_OK;
}

bdnn_status bdnn_inner_prepare(bdnn_inner *inner, bdnn_backend *backend, const bdnn_layer *layer, const bdnn_shape *in,
                               const bdnn_shape *out, bdnn_error *err)
{
    const bdnn_decomposed *dec = layer->decomposed;
    const bdnn_ip_weights weights = {dec->planes.data, dec->scales.data};
    bdnn_inner_geometry geometry;
    bdnn_status status;
    memset(inner, 0, sizeof *inner);
    inner->backend = backend;
    inner->step = dec->step;
    inner->input_count = (size_t)bdnn_shape_elements(in);
    bdnn_inner_geometry_of(layer, in, out, &geometry);
    bdnn_ip_shape_of(&geometry, &inner->shape);
    inner->shape.bases = dec->bases;
    inner->shape.bits = dec->bits;
    inner->shape.zero_point = dec->zero_point;
    status = fold_constants(inner, layer, err);
    if (status == BDNN_OK) {
        status = backend->type->prepare(backend, &inner->shape, &weights, &inner->resident, err);
    }
    if (status != BDNN_OK) {
        bdnn_inner_release(inner);
    }
    return status;
}

void bdnn_inner_release(bdnn_inner *inner)
{
    if (inner->resident) {
        inner->backend->type->release(inner->backend, inner->resident);
    }
    bdnn_free(inner->epilogue.multiplier);
    bdnn_free(inner->epilogue.offset);
    bdnn_free(inner->epilogue.bias);
    memset(inner, 0, sizeof *inner);
}

size_t bdnn_inner_scratch(const bdnn_inner *inner)
{
    return bdnn_round_up(inner->input_count, BDNN_ALIGNMENT) +
           inner->backend->type->scratch_bytes(inner->backend, inner->resident);
}

bdnn_status bdnn_inner_run(const bdnn_inner *inner, const float *x, float *y, void *scratch, bdnn_threads *threads,
                           bdnn_error *err)
{
    const bdnn_ip_shape *s = &inner->shape;
    uint8_t *x_q = scratch;
    const bdnn_sink sink = {.kind = BDNN_SINK_FLOAT, .y = y, .filters = s->filters, .epilogue = &inner->epilogue};
    bdnn_quantize(x, inner->input_count, inner->step, s->zero_point, s->bits, x_q, threads);
    return inner->backend->type->run(inner->backend, inner->resident, x_q, &sink,
                                     x_q + bdnn_round_up(inner->input_count, BDNN_ALIGNMENT), err);
}
