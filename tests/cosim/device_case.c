/* SPDX-License-Identifier: BSD-2-Clause */
/* Test vectors of the accelerator (device_case.h). */
#include "device_case.h"

#include "kernels/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const bdnn_hw_mode device_sums[DEVICE_SUMS] = {BDNN_HW_MODE_PLANES, BDNN_HW_MODE_INT16, BDNN_HW_MODE_INT32};

static void *must(void *memory)
{
    if (!memory) {
        perror("malloc");
        exit(1);
    }
    return memory;
}

bdnn_ip_shape device_shape_random(void)
{
    bdnn_ip_shape s;
    do {
        s = shape_random();
    } while (s.in_size[0] != 1 || s.kernel[0] != 1 || s.out_size[0] != 1 || s.batch > 2);
    return s;
}

static bdnn_device_output random_output(bdnn_hw_mode mode)
{
    bdnn_device_output o = {.mode = mode, .bits = (int32_t)random_in(1, BDNN_HW_OUT_PLANES_MAX)};
    if (mode == BDNN_HW_MODE_PLANES) {
        o.low = random_in(0, 3) ? 0 : (int32_t)random_in(0, (1 << o.bits) - 1);
        o.high = random_in(0, 3) ? (1 << o.bits) - 1 : (int32_t)random_in(o.low, (1 << o.bits) - 1);
    } else {
        o.low = random_in(0, 1) ? -32767 : (int32_t)random_in(-32767, 0);
        o.high = random_in(0, 1) ? 32767 : (int32_t)random_in(0, 32767);
    }
    return o;
}

/* Mostly such that values fall between the bounds; one in eight as large as is allowed. */
static void fill_requantizer(device_case *c)
{
    const bdnn_ip_shape *s = &c->problem.shape;
    const int64_t spread = c->layer.output.mode == BDNN_HW_MODE_PLANES ? 1 << c->layer.output.bits : 8192;
    int64_t most = 1;
    for (int64_t i = 0; i < shape_positions(s) * s->filters; i++) {
        const int64_t size = llabs(c->problem.expected[i]);
        most = size > most ? size : most;
    }
    const int64_t fitting = (spread << 32) / most, scale = fitting < INT32_MAX ? fitting : INT32_MAX;
    for (int64_t f = 0; f < s->filters; f++) {
        const bool extreme = random_in(0, 7) == 0;
        c->multiplier[f] = extreme ? (random_in(0, 1) ? INT32_MAX : -INT32_MAX) : random_in(-scale, scale);
        c->offset[f] =
            extreme ? random_in(-((int64_t)1 << 61), (int64_t)1 << 61) : random_in(-(spread << 31), spread << 32);
    }
}

static size_t value_bytes(bdnn_hw_mode mode)
{
    return mode == BDNN_HW_MODE_INT32 ? 4 : mode == BDNN_HW_MODE_INT16 ? 2 : 1;
}

/* Accumulators by direct arithmetic; values by the scalar kernel and its sink. */
static void solve(device_case *c, const bdnn_requantizer *requantizer)
{
    const bdnn_ip_shape *s = &c->problem.shape;
    const size_t count = (size_t)(shape_positions(s) * s->filters);
    c->expected = must(calloc(count, value_bytes(c->layer.output.mode)));
    c->unpacked = must(calloc(count, value_bytes(c->layer.output.mode)));
    if (c->layer.output.mode == BDNN_HW_MODE_INT32) {
        memcpy(c->expected, c->problem.expected, count * 4);
        return;
    }
    const bdnn_sink sink = {.kind = c->layer.output.mode == BDNN_HW_MODE_PLANES ? BDNN_SINK_QUANTIZED : BDNN_SINK_WIDE,
                            .y = c->expected,
                            .filters = s->filters,
                            .requantizer = requantizer};
    void *scratch = must(aligned_alloc(64, (bdnn_ip_xnor_scalar.scratch_bytes(s, 1) + 63) / 64 * 64));
    bdnn_ip_xnor_scalar.run(s, &c->problem.weights, NULL, c->problem.x_q.data, &sink, scratch, NULL);
    free(scratch);
}

/* The layer's input as the packed shape has it: gathered where that is flattened. */
static uint8_t *input_of(const device_case *c)
{
    const bdnn_ip_shape *s = &c->problem.shape;
    const int64_t inner = bdnn_ip_inner(s), positions = shape_positions(s);
    if (!c->flattened) {
        const size_t bytes = (size_t)(s->batch * s->in_size[1] * s->in_size[2] * s->channels);
        return memcpy(must(malloc(bytes)), c->problem.x_q.data, bytes);
    }
    uint8_t *rows = must(malloc((size_t)(positions * s->groups * inner)));
    for (int64_t g = 0; g < s->groups; g++) {
        bdnn_ip_gather(s, c->problem.x_q.data, 1, 0, positions, g, s->groups * inner, rows + g * inner);
    }
    return rows;
}

static void pack(device_case *c, const bdnn_requantizer *requantizer)
{
    const bdnn_device_layer *layer = &c->layer;
    const bdnn_ip_shape *s = &layer->shape;
    c->weights = fence_make((size_t)s->groups * layer->weight_words * 8, 8);
    c->filters = fence_make((size_t)s->groups * layer->filter_words * 8, 8);
    c->activations = fence_make((size_t)s->batch * layer->activation_words * 8, 8);
    c->results = fence_make((size_t)s->batch * layer->result_words * 8, 8);
    for (int64_t g = 0; g < s->groups; g++) {
        bdnn_device_pack_weights(layer, &c->problem.weights, g,
                                 (uint64_t *)c->weights.data + (size_t)g * layer->weight_words);
        bdnn_device_pack_filters(layer, &c->problem.weights, requantizer, g,
                                 (uint64_t *)c->filters.data + (size_t)g * layer->filter_words);
    }
    uint8_t *x = input_of(c);
    for (int64_t n = 0; n < s->batch; n++) {
        bdnn_device_pack_activations(layer, x + n * s->in_size[1] * s->in_size[2] * s->channels,
                                     (uint64_t *)c->activations.data + (size_t)n * layer->activation_words);
    }
    free(x);
    fence_fill(&c->results);
}

bool device_case_make(device_case *c, const bdnn_device_array *array, const bdnn_ip_shape *shape, enum filling filling,
                      bdnn_hw_mode mode, bool flatten)
{
    const bdnn_ip_shape packed = flatten ? bdnn_device_flatten(shape) : *shape;
    const bdnn_device_output output = random_output(mode);
    memset(c, 0, sizeof *c);
    if (!bdnn_device_plan(array, &packed, &output, &c->layer)) {
        return false;
    }
    c->flattened = flatten;
    c->problem = problem_make(shape, filling, true);
    c->multiplier = must(calloc((size_t)shape->filters, sizeof(int64_t)));
    c->offset = must(calloc((size_t)shape->filters, sizeof(int64_t)));
    fill_requantizer(c);
    const bdnn_requantizer requantizer = {c->multiplier, c->offset, output.low, output.high};
    solve(c, &requantizer);
    pack(c, mode == BDNN_HW_MODE_INT32 ? NULL : &requantizer);
    return true;
}

bdnn_hw_job device_case_job(const device_case *c, int64_t image, int64_t group)
{
    bdnn_hw_job job = bdnn_device_job(&c->layer, group);
    job.weights = (uintptr_t)((uint64_t *)c->weights.data + (size_t)group * c->layer.weight_words);
    job.filters = (uintptr_t)((uint64_t *)c->filters.data + (size_t)group * c->layer.filter_words);
    job.activations = (uintptr_t)((uint64_t *)c->activations.data + (size_t)image * c->layer.activation_words);
    job.results = (uintptr_t)((uint64_t *)c->results.data + (size_t)image * c->layer.result_words);
    return job;
}

/* What lies behind the last filter of each pixel and group is 0: with it unpacked values, packed again, are the
 * results. */
static bool fillers_are_zero(const device_case *c)
{
    const bdnn_device_layer *layer = &c->layer;
    const int64_t filters = layer->shape.filters / layer->shape.groups, left = filters % BDNN_HW_UNIT;
    const uint64_t *unit = c->results.data;
    const size_t units = (size_t)layer->shape.batch * layer->result_words / (size_t)layer->unit_words;
    for (size_t i = 0; i < units && left; i++, unit += layer->unit_words) {
        if ((int64_t)(i + 1) % layer->result_units != 0) {
            continue;
        }
        const bool planes = layer->output.mode == BDNN_HW_MODE_PLANES;
        const int64_t per_word = planes ? BDNN_HW_UNIT : BDNN_HW_UNIT / layer->unit_words;
        for (int64_t w = 0; w < layer->unit_words; w++) {
            const int64_t used = planes ? left : left - w * per_word;
            const int64_t bits = used <= 0 ? 0 : used >= per_word ? 64 : used * (BDNN_HW_UNIT / per_word);
            if (bits < 64 && unit[w] >> bits) {
                return false;
            }
        }
    }
    return true;
}

bool device_case_check(device_case *c)
{
    const bdnn_ip_shape *s = &c->layer.shape;
    const size_t image = (size_t)(s->out_size[1] * s->out_size[2] * s->filters) * value_bytes(c->layer.output.mode);
    for (int64_t n = 0; n < s->batch; n++) {
        bdnn_device_unpack_results(&c->layer, (const uint64_t *)c->results.data + (size_t)n * c->layer.result_words,
                                   (uint8_t *)c->unpacked + (size_t)n * image);
    }
    const uint8_t *got = c->unpacked, *expected = c->expected;
    for (size_t i = 0; i < (size_t)s->batch * image; i++) {
        if (got[i] != expected[i]) {
            printf("mode %d, byte %zu of %zu: 0x%02x, expected 0x%02x\n", (int)c->layer.output.mode, i,
                   (size_t)s->batch * image, got[i], expected[i]);
            return false;
        }
    }
    if (!fillers_are_zero(c) || !fence_intact(&c->results)) {
        printf("results behind the last filter, or behind their buffer\n");
        return false;
    }
    return true;
}

void device_case_free(device_case *c)
{
    problem_free(&c->problem);
    fence_free(&c->weights);
    fence_free(&c->filters);
    fence_free(&c->activations);
    fence_free(&c->results);
    free(c->expected);
    free(c->unpacked);
    free(c->multiplier);
    free(c->offset);
}
