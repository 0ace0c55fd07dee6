/* SPDX-License-Identifier: BSD-2-Clause */
/* Test vectors of the accelerator's max pooling (pool_case.h). */
#include "pool_case.h"

#include "device_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
    if (!memory) {
        perror("malloc");
        exit(1);
    }
    return memory;
}

/* The greatest of the taps inside of the image, 0 without any. */
static void solve(const uint8_t *x, const bdnn_ip_shape *s, uint8_t *y)
{
    for (int64_t i = 0; i < s->out_size[1] * s->out_size[2] * s->channels; i++) {
        const int64_t c = i % s->channels, at_x = i / s->channels % s->out_size[2];
        const int64_t at_y = i / s->channels / s->out_size[2];
        y[i] = 0;
        for (int64_t tap = 0; tap < (int64_t)s->kernel[1] * s->kernel[2]; tap++) {
            const int64_t in_y = at_y * s->stride[1] + tap / s->kernel[2] * s->dilation[1] - s->pad_begin[1];
            const int64_t in_x = at_x * s->stride[2] + tap % s->kernel[2] * s->dilation[2] - s->pad_begin[2];
            if (in_y >= 0 && in_x >= 0 && in_y < s->in_size[1] && in_x < s->in_size[2]) {
                const uint8_t value = x[(in_y * s->in_size[2] + in_x) * s->channels + c];
                y[i] = value > y[i] ? value : y[i];
            }
        }
    }
}

bool pool_case_make(pool_case *c, const bdnn_device_array *array)
{
    const bdnn_device_output output = {.mode = BDNN_HW_MODE_MAXIMUM};
    bdnn_ip_shape s = device_shape_random();
    memset(c, 0, sizeof *c);
    s.groups = s.batch = 1;
    s.filters = s.channels;
    if (!bdnn_device_plan(array, &s, &output, &c->layer)) {
        shape_print(&s);
        printf(": the plan refuses max pooling\n");
        return false;
    }
    const size_t in = (size_t)(s.in_size[1] * s.in_size[2] * s.channels);
    const size_t out = (size_t)(s.out_size[1] * s.out_size[2] * s.channels);
    c->activations = fence_make(c->layer.activation_words * 8, 8);
    c->results = fence_make(c->layer.result_words * 8, 8);
    fence_fill(&c->results);
    uint8_t *x = must(malloc(in));
    c->expected = must(malloc(out));
    c->unpacked = must(malloc(out));
    /* Neighbors that differ little are decided in the lowest planes. */
    const int64_t most = (1 << s.bits) - 1, least = random_in(0, 1) ? 0 : random_in(0, most);
    for (size_t i = 0; i < in; i++) {
        x[i] = (uint8_t)random_in(least, most);
    }
    bdnn_device_pack_activations(&c->layer, x, c->activations.data);
    solve(x, &s, c->expected);
    free(x);
    return true;
}

bdnn_hw_job pool_case_job(const pool_case *c)
{
    bdnn_hw_job job = bdnn_device_job(&c->layer, 0);
    job.activations = (uintptr_t)c->activations.data;
    job.results = (uintptr_t)c->results.data;
    /* Of no meaning to max pooling */
    job.pad_units = (uint32_t)random_in(0, BDNN_HW_PAD_UNITS_MAX);
    job.words = (uint32_t)random_in(0, BDNN_HW_WORDS_MAX);
    job.tiles = (uint32_t)random_in(0, BDNN_HW_TILES_MAX);
    return job;
}

bool pool_case_check(pool_case *c)
{
    const bdnn_ip_shape *s = &c->layer.shape;
    const size_t out = (size_t)(s->out_size[1] * s->out_size[2] * s->channels);
    bdnn_device_unpack_results(&c->layer, c->results.data, c->unpacked);
    for (size_t i = 0; i < out; i++) {
        if (c->unpacked[i] != c->expected[i]) {
            printf("maximum %zu of %zu: %u, expected %u\n", i, out, c->unpacked[i], c->expected[i]);
            return false;
        }
    }
    const uint64_t *words = c->results.data;
    for (size_t i = 0; i < c->layer.result_words && s->channels % BDNN_HW_UNIT != 0; i++) {
        const bool last =
            i / (size_t)c->layer.unit_words % (size_t)c->layer.result_units == (size_t)c->layer.result_units - 1;
        if (last && words[i] >> s->channels % BDNN_HW_UNIT) {
            printf("bits behind the last channel in result word %zu\n", i);
            return false;
        }
    }
    if (!fence_intact(&c->results)) {
        printf("results behind their buffer\n");
        return false;
    }
    return true;
}

void pool_case_free(pool_case *c)
{
    fence_free(&c->activations);
    fence_free(&c->results);
    free(c->expected);
    free(c->unpacked);
}
