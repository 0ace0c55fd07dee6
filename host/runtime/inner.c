/* SPDX-License-Identifier: BSD-2-Clause */
/* One decomposed layer, ready to run. */
#include "runtime/inner.h"

#include "core/memory.h"
#include "layers/formats.h"

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
        int64_t sum = 0; /* without a zero point not asked for: all weights would have to be read */
        for (int32_t k = 0; k < dec->bases && dec->zero_point; k++) {
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

bdnn_sink_kind bdnn_inner_sink_kind(const bdnn_format *format)
{
    switch (format->kind) {
    case BDNN_FORMAT_QUANTIZED:
        return BDNN_SINK_QUANTIZED;
    case BDNN_FORMAT_WIDE:
        return BDNN_SINK_WIDE;
    case BDNN_FORMAT_FLOAT:
        break;
    }
    return BDNN_SINK_FLOAT;
}

void bdnn_inner_limits(const bdnn_format *format, const bdnn_layer *clip, bdnn_requantizer *r)
{
    if (format->kind == BDNN_FORMAT_FLOAT) {
        return;
    }
    bdnn_format_limits(format, &r->low, &r->high);
    if (clip) {
        bdnn_format_clip(format, clip->attr.activation.low, clip->attr.activation.high, &r->low, &r->high);
    }
}

/* M_f and B_f of each filter, and the integers between which outputs are clamped. */
static bdnn_status fold_requantizer(bdnn_inner *inner, const bdnn_layer *layer, const bdnn_layer *clip, bdnn_error *err)
{
    const size_t filters = (size_t)inner->shape.filters;
    const int64_t d = bdnn_ip_inner(&inner->shape);
    bdnn_requantizer *r = &inner->requantizer;
    r->multiplier = bdnn_alloc(filters, sizeof *r->multiplier);
    r->offset = bdnn_alloc(filters, sizeof *r->offset);
    if (!r->multiplier || !r->offset) {
        return bdnn_fail_memory(err, filters * sizeof *r->offset, "a layer's constants");
    }
    for (size_t f = 0; f < filters; f++) {
        if (!bdnn_format_requantize(layer, (int64_t)f, d, &inner->out_format, &r->multiplier[f], &r->offset[f])) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "filter %zu cannot be requantized to steps of %g", f,
                             (double)inner->out_format.step);
        }
        r->offset[f] -= r->multiplier[f] * inner->epilogue.offset[f];
    }
    bdnn_inner_limits(&inner->out_format, clip, r);
    return BDNN_OK;
}

static bdnn_rescale rescale_of(float wide_step, const bdnn_decomposed *reader)
{
    bdnn_rescale r = {.zero_point = reader->zero_point, .most = (1 << reader->bits) - 1};
    bdnn_format_rescale(wide_step, reader->step, &r.multiplier, &r.shift);
    return r;
}

/* Where its sums go; results and addend are each run's. */
static bdnn_sink sink_of(const bdnn_inner *inner)
{
    return (bdnn_sink){.kind = bdnn_inner_sink_kind(&inner->out_format),
                       .filters = inner->shape.filters,
                       .epilogue = &inner->epilogue,
                       .requantizer = &inner->requantizer,
                       .bits = inner->out_format.bits,
                       .rescale = inner->has_reader ? &inner->next_rescale : NULL};
}

void bdnn_inner_shape(const bdnn_layer *layer, const bdnn_shape *in, const bdnn_shape *out, bool on_device,
                      bdnn_ip_shape *shape)
{
    bdnn_inner_geometry geometry;
    bdnn_inner_geometry_of(layer, in, out, &geometry);
    if (on_device && layer->op == BDNN_OP_DENSE) {
        geometry.in = bdnn_extent_of(in);
        for (int a = 0; a < BDNN_SPATIAL; a++) {
            geometry.window.kernel[a] = (int32_t)geometry.in.size[a];
        }
    }
    bdnn_ip_shape_of(&geometry, shape);
    shape->bases = layer->decomposed->bases;
    shape->bits = layer->decomposed->bits;
    shape->zero_point = layer->decomposed->zero_point;
}

bdnn_status bdnn_inner_prepare(bdnn_inner *inner, bdnn_backend *backend, const bdnn_layer *layer,
                               const bdnn_inner_place *place, bdnn_error *err)
{
    const bdnn_decomposed *dec = layer->decomposed;
    const bdnn_ip_weights weights = {dec->planes.data, dec->scales.data};
    bdnn_status status;
    memset(inner, 0, sizeof *inner);
    inner->backend = backend;
    inner->step = dec->step;
    inner->in_format = place->in_format;
    inner->out_format = place->out_format;
    inner->input_count = (size_t)bdnn_shape_elements(place->in);
    bdnn_inner_shape(layer, place->in, place->out, place->placement != NULL, &inner->shape);
    status = fold_constants(inner, layer, err);
    if (status == BDNN_OK && inner->out_format.kind != BDNN_FORMAT_FLOAT) {
        status = fold_requantizer(inner, layer, place->clip, err);
    }
    if (status == BDNN_OK && inner->in_format.kind == BDNN_FORMAT_WIDE) {
        inner->own_rescale = rescale_of(inner->in_format.step, dec);
    }
    if (status == BDNN_OK && inner->out_format.kind == BDNN_FORMAT_WIDE && place->reader) {
        inner->next_rescale = rescale_of(inner->out_format.step, place->reader);
        inner->has_reader = true;
    }
    if (status == BDNN_OK) {
        const bdnn_sink sink = sink_of(inner);
        status =
            backend->type->prepare(backend, &inner->shape, &weights, &sink, place->placement, &inner->resident, err);
    }
    if (status != BDNN_OK) {
        bdnn_inner_release(inner);
    }
    return status;
}

bdnn_status bdnn_inner_prepare_pool(bdnn_inner *inner, bdnn_backend *device, const bdnn_ip_shape *shape,
                                    bdnn_error *err)
{
    memset(inner, 0, sizeof *inner);
    inner->backend = device;
    inner->shape = *shape;
    inner->in_format.kind = inner->out_format.kind = BDNN_FORMAT_QUANTIZED;
    return device->type->device->prepare_pool(device, shape, &inner->resident, err);
}

void bdnn_inner_release(bdnn_inner *inner)
{
    if (inner->resident) {
        inner->backend->type->release(inner->backend, inner->resident);
    }
    bdnn_free(inner->epilogue.multiplier);
    bdnn_free(inner->epilogue.offset);
    bdnn_free(inner->epilogue.bias);
    bdnn_free(inner->requantizer.multiplier);
    bdnn_free(inner->requantizer.offset);
    memset(inner, 0, sizeof *inner);
}

/* Room for the quantized input, where it is not the input itself. */
static size_t quantized_bytes(const bdnn_inner *inner)
{
    return inner->in_format.kind == BDNN_FORMAT_QUANTIZED ? 0 : bdnn_round_up(inner->input_count, BDNN_ALIGNMENT);
}

size_t bdnn_inner_scratch(const bdnn_inner *inner)
{
    return bdnn_sum(quantized_bytes(inner), inner->backend->type->scratch_bytes(inner->backend, inner->resident));
}

/* The input as the layer reads it: itself, or quantized in scratch memory. */
static bdnn_feature_map quantize_input(const bdnn_inner *inner, const bdnn_feature_map *input, void *scratch,
                                       bdnn_threads *threads)
{
    const bdnn_ip_shape *s = &inner->shape;
    const bdnn_rescale *own = &inner->own_rescale;
    bdnn_feature_map quantized = *input;
    if (inner->in_format.kind == BDNN_FORMAT_QUANTIZED) {
        return quantized;
    }
    quantized.type = BDNN_UINT8;
    quantized.data = scratch;
    if (inner->in_format.kind == BDNN_FORMAT_WIDE) {
        bdnn_quantize_wide(input->data, inner->input_count, own->multiplier, own->shift, own->zero_point, s->bits,
                           scratch, threads);
    } else {
        bdnn_quantize(input->data, inner->input_count, inner->step, s->zero_point, s->bits, scratch, threads);
    }
    return quantized;
}

/* Scratch memory behind the quantized input. */
static void *backend_scratch(const bdnn_inner *inner, void *scratch)
{
    return (uint8_t *)scratch + quantized_bytes(inner);
}

bdnn_status bdnn_inner_run(const bdnn_inner *inner, const bdnn_operands *operands, void *scratch, bdnn_threads *threads,
                           bdnn_error *err)
{
    const bool sent = operands->send != NULL;
    bdnn_operands quantized = *operands;
    bdnn_feature_map input;
    if (sent || operands->input->place == BDNN_PLACE_HOST) {
        input = quantize_input(inner, sent ? operands->send : operands->input, scratch, threads);
        *(sent ? &quantized.send : &quantized.input) = &input;
    }
    return inner->backend->type->run(inner->backend, inner->resident, &quantized, backend_scratch(inner, scratch), err);
}

bdnn_status bdnn_inner_fetch(const bdnn_inner *inner, const bdnn_operands *operands, void *scratch, bdnn_error *err)
{
    return inner->backend->type->device->fetch(inner->backend, inner->resident, operands,
                                               backend_scratch(inner, scratch), err);
}
