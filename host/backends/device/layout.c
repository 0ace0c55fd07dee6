/* SPDX-License-Identifier: BSD-2-Clause */
/* Packs what the accelerator reads and unpacks what it writes, by docs/reference/accelerator.md. */
#include "backends/device/layout.h"

#include <string.h>

static int64_t group_channels(const bdnn_ip_shape *s)
{
    return s->channels / s->groups;
}

static int64_t group_filters(const bdnn_ip_shape *s)
{
    return s->filters / s->groups;
}

/* The bits of channels first..first + count - 1 of a row, the rest of the unit 1. */
static uint64_t take_unit(const uint64_t *row, int64_t first, int64_t count)
{
    uint64_t bits = row[first / 64] >> (first % 64);
    if (first % 64 + count > 64) {
        bits |= row[first / 64 + 1] << (64 - first % 64);
    }
    return count < BDNN_HW_UNIT ? bits | UINT64_MAX << count : bits;
}

/* One basis of one filter: its units, which lie rows x parts apart from word to word. */
static void pack_basis(const bdnn_device_layer *layer, const uint64_t *row, uint64_t *to)
{
    const bdnn_hw_job *job = &layer->job;
    const int64_t channels = group_channels(&layer->shape), taps = bdnn_ip_inner(&layer->shape) / channels;
    const int64_t parts = (taps * job->units + job->pad_units) / job->words;
    for (int64_t tap = 0; tap < taps; tap++) {
        for (int64_t u = 0; u < job->units; u++) {
            const int64_t at = tap * job->units + u, left = channels - u * BDNN_HW_UNIT;
            to[at / parts * layer->rows * parts + at % parts] =
                take_unit(row, tap * channels + u * BDNN_HW_UNIT, left < BDNN_HW_UNIT ? left : BDNN_HW_UNIT);
        }
    }
}

void bdnn_device_pack_weights(const bdnn_device_layer *layer, const bdnn_ip_weights *weights, int64_t group,
                              uint64_t *to)
{
    const bdnn_ip_shape *s = &layer->shape;
    const int64_t inner = bdnn_ip_inner(s), words = (inner + 63) / 64, filters = group_filters(s);
    const int64_t units = inner / group_channels(s) * layer->job.units + layer->job.pad_units;
    const int64_t parts = units / layer->job.words;
    memset(to, 0xFF, layer->weight_words * sizeof *to);
    for (int64_t f = 0; f < filters; f++) {
        const int64_t chunk = f / layer->rows, place = f % layer->rows;
        for (int64_t i = 0; i < s->bases; i++) {
            pack_basis(layer, weights->planes + ((group * filters + f) * s->bases + i) * words,
                       to + (chunk * s->bases + i) * units * layer->rows + place * parts);
        }
    }
}

/* -(2^Q - 1) sum_i g_i N_i; the sums of valid scales fit 32 bits, those of others wrap. */
static uint32_t filter_constant(const bdnn_ip_shape *s, const uint64_t *planes, const int8_t *scales)
{
    const int64_t words = (bdnn_ip_inner(s) + 63) / 64;
    int64_t constant = 0;
    for (int32_t i = 0; i < s->bases; i++) {
        int64_t minus = 0;
        for (int64_t w = 0; w < words; w++) {
            minus += __builtin_popcountll(~planes[i * words + w]);
        }
        constant -= (((int64_t)1 << s->bits) - 1) * scales[i] * minus;
    }
    return (uint32_t)constant;
}

void bdnn_device_pack_filters(const bdnn_device_layer *layer, const bdnn_ip_weights *weights,
                              const bdnn_requantizer *requantizer, int64_t group, uint64_t *to)
{
    const bdnn_ip_shape *s = &layer->shape;
    const int64_t words = (bdnn_ip_inner(s) + 63) / 64, filters = group_filters(s);
    memset(to, 0, layer->filter_words * sizeof *to);
    for (int64_t at = 0; at < filters; at++) {
        const int64_t f = group * filters + at;
        const int8_t *scales = weights->scales + f * s->bases;
        bdnn_hw_filter filter = {.constant = filter_constant(s, weights->planes + f * s->bases * words, scales)};
        for (int32_t i = 0; i < s->bases; i++) {
            filter.scales |= (uint64_t)(uint8_t)scales[i] << (BDNN_HW_SCALE_BITS * i);
        }
        if (requantizer) {
            filter.multiplier = (uint32_t)requantizer->multiplier[f];
            filter.offset = (uint64_t)requantizer->offset[f];
        }
        bdnn_hw_pack_filter(&filter, to + BDNN_HW_FILTER_WORDS * at);
    }
}

/* Transposes 8 x 8 bits, byte i being row i (Warren, Hacker's Delight, 7-3): exchanges the off-diagonal halves of
 * blocks of 2, 4 and 8. */
static uint64_t transpose(uint64_t x)
{
    uint64_t t = (x ^ x >> 7) & 0x00AA00AA00AA00AA;
    x ^= t ^ t << 7;
    t = (x ^ x >> 14) & 0x0000CCCC0000CCCC;
    x ^= t ^ t << 14;
    t = (x ^ x >> 28) & 0x00000000F0F0F0F0;
    return x ^ t ^ t << 28;
}

/* One unit of one pixel: planes of up to 64 values. Bits from the layer's Q on are 0 in every value. */
static void pack_unit(const uint8_t *x, int64_t count, int32_t bits, uint64_t *planes)
{
    for (int32_t q = 0; q < bits; q++) {
        planes[q] = 0;
    }
    for (int64_t c = 0; c < count; c += 8) {
        const int64_t values = count - c < 8 ? count - c : 8;
        uint64_t rows = 0;
        for (int64_t i = 0; i < values; i++) {
            rows |= (uint64_t)x[c + i] << (8 * i);
        }
        rows = transpose(rows);
        for (int32_t q = 0; q < bits; q++) {
            planes[q] |= (rows >> (8 * q) & 0xFF) << c;
        }
    }
}

void bdnn_device_pack_activations(const bdnn_device_layer *layer, const uint8_t *x_q, uint64_t *to)
{
    const bdnn_ip_shape *s = &layer->shape;
    const int64_t channels = group_channels(s), units = layer->job.units;
    for (int64_t pixel = 0; pixel < s->in_size[1] * s->in_size[2]; pixel++) {
        for (int64_t g = 0; g < s->groups; g++) {
            for (int64_t u = 0; u < units; u++) {
                const int64_t count =
                    channels - u * BDNN_HW_UNIT < BDNN_HW_UNIT ? channels - u * BDNN_HW_UNIT : BDNN_HW_UNIT;
                pack_unit(x_q + pixel * s->channels + g * channels + u * BDNN_HW_UNIT, count, s->bits, to);
                to += s->bits;
            }
        }
    }
}

/* Values of a unit's planes. */
static void unpack_planes(const uint64_t *planes, int64_t bits, int64_t count, uint8_t *y)
{
    for (int64_t c = 0; c < count; c += 8) {
        const int64_t values = count - c < 8 ? count - c : 8;
        uint64_t rows = 0;
        for (int64_t q = 0; q < bits; q++) {
            rows |= (planes[q] >> c & 0xFF) << (8 * q);
        }
        rows = transpose(rows);
        for (int64_t i = 0; i < values; i++) {
            y[c + i] = (uint8_t)(rows >> (8 * i));
        }
    }
}

/* One unit of one pixel: `count` values from the unit's words to y[at..]. */
static void unpack_unit(const bdnn_device_layer *layer, const uint64_t *words, int64_t count, void *y, int64_t at)
{
    if (layer->output.mode == BDNN_HW_MODE_INT16) {
        int16_t *values = (int16_t *)y + at;
        for (int64_t c = 0; c < count; c++) {
            values[c] = (int16_t)(words[c * BDNN_HW_MODE_INT16_BITS / BDNN_HW_UNIT] >>
                                  (c * BDNN_HW_MODE_INT16_BITS % BDNN_HW_UNIT));
        }
    } else if (layer->output.mode == BDNN_HW_MODE_INT32) {
        int32_t *values = (int32_t *)y + at;
        for (int64_t c = 0; c < count; c++) {
            values[c] = (int32_t)(words[c * BDNN_HW_MODE_INT32_BITS / BDNN_HW_UNIT] >>
                                  (c * BDNN_HW_MODE_INT32_BITS % BDNN_HW_UNIT));
        }
    } else {
        unpack_planes(words, layer->unit_words, count, (uint8_t *)y + at);
    }
}

void bdnn_device_unpack_results(const bdnn_device_layer *layer, const uint64_t *results, void *y)
{
    const bdnn_ip_shape *s = &layer->shape;
    const int64_t filters = group_filters(s);
    for (int64_t pixel = 0; pixel < s->out_size[1] * s->out_size[2]; pixel++) {
        for (int64_t g = 0; g < s->groups; g++) {
            for (int64_t u = 0; u < layer->result_units; u++) {
                const int64_t count =
                    filters - u * BDNN_HW_UNIT < BDNN_HW_UNIT ? filters - u * BDNN_HW_UNIT : BDNN_HW_UNIT;
                unpack_unit(layer, results, count, y, pixel * s->filters + g * filters + u * BDNN_HW_UNIT);
                results += layer->unit_words;
            }
        }
    }
}

bdnn_hw_job bdnn_device_job(const bdnn_device_layer *layer, int64_t group)
{
    bdnn_hw_job job = layer->job;
    job.origin += (uint32_t)(BDNN_HW_ALIGNMENT * group * job.units * job.planes);
    job.result_origin = (uint32_t)(BDNN_HW_ALIGNMENT * group * layer->result_units * layer->unit_words);
    return job;
}

bool bdnn_device_job_move(bdnn_hw_job *job, size_t activations, size_t results)
{
    const int64_t most = (int64_t)1 << BDNN_HW_OFFSET_BITS;
    if (activations >= (size_t)most || results >= (size_t)most) {
        return false;
    }
    /* Less than 2^31 each, and counts of at most 16 bits: where the furthest tap and the last pixel's results begin. */
    const int64_t origin = (int32_t)job->origin + (int64_t)activations;
    const int64_t tap = origin + (int64_t)(job->pixels / job->out_width - 1) * job->row_step +
                        (int64_t)(job->out_width - 1) * job->pixel_step +
                        (int64_t)(job->kernel_height - 1) * job->tap_row_step +
                        (int64_t)(job->kernel_width - 1) * job->tap_step;
    const int64_t first = (int64_t)job->result_origin + (int64_t)results;
    job->origin = (uint32_t)(int32_t)origin;
    job->result_origin = (uint32_t)first;
    return origin < most && tap < most && first + (int64_t)(job->pixels - 1) * job->result_step < most;
}

bdnn_ip_shape bdnn_device_flatten(const bdnn_ip_shape *shape)
{
    bdnn_ip_shape flat = *shape;
    flat.channels = bdnn_ip_inner(shape) * shape->groups;
    for (int a = 0; a < 3; a++) {
        flat.in_size[a] = shape->out_size[a];
        flat.kernel[a] = flat.stride[a] = flat.dilation[a] = 1;
        flat.pad_begin[a] = 0;
    }
    return flat;
}
