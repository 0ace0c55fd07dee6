/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs one layer on its own and hands its results over in row-major order, so that a test can compare them with a naive
 * loop. Every run is repeated on several threads (and in place, where the layer allows it): the results must be the
 * same to the bit, the inputs untouched, and nothing written beyond outputs and scratch. */
#ifndef BDNN_TESTS_LAYERS_CHECK_H
#define BDNN_TESTS_LAYERS_CHECK_H

#define _DEFAULT_SOURCE /* posix_memalign */

#include "core/memory.h"
#include "core/threads.h"
#include "layers/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_INPUTS 4
#define GUARD      64

struct check {
    bdnn_layer layer;
    bdnn_value_info in[MAX_INPUTS], out[2];
    void *x[MAX_INPUTS]; /* row-major */
    void *y[2];          /* row-major; filled in by check_run */
};

static uint64_t random_state = 88172645463325252u;

/* xorshift64 (Marsaglia 2003). */
static inline uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static inline int64_t random_in(int64_t low, int64_t high)
{
    return low + (int64_t)(random_bits() % (uint64_t)(high - low + 1));
}

static inline bool random_bool(void)
{
    return random_bits() >> 40 & 1;
}

static inline float random_float(void)
{
    return (float)random_in(-1000000, 1000000) * 1e-6f;
}

static inline float *random_floats(int64_t count)
{
    float *data = bdnn_alloc((size_t)count, sizeof *data);
    for (int64_t i = 0; i < count; i++) {
        data[i] = random_float();
    }
    return data;
}

static inline bdnn_blob random_blob(int64_t count)
{
    return (bdnn_blob){random_floats(count), (size_t)count * sizeof(float), true};
}

static inline bdnn_window plain_window(void)
{
    return (bdnn_window){.kernel = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
}

static inline void check_begin(struct check *c, bdnn_op op, int32_t inputs)
{
    memset(c, 0, sizeof *c);
    c->layer.op = op;
    c->layer.name = (char *)"layer";
    c->layer.input_count = inputs;
    c->layer.output_count = 1;
}

/* An input of random values, or of a few whole numbers, so that equal elements meet. */
static inline void check_input(struct check *c, int i, const bdnn_shape *shape, bool whole)
{
    const int64_t count = bdnn_shape_elements(shape);
    float *x = random_floats(count);
    for (int64_t e = 0; e < count && whole; e++) {
        x[e] = (float)random_in(-3, 3);
    }
    c->in[i] = (bdnn_value_info){BDNN_FLOAT32, *shape};
    c->x[i] = x;
}

static inline void check_end(struct check *c)
{
    bdnn_blob_free(&c->layer.weight);
    bdnn_blob_free(&c->layer.bias);
    bdnn_decomposed_free(c->layer.decomposed);
    for (int i = 0; i < MAX_INPUTS; i++) {
        bdnn_free(c->x[i]);
    }
    bdnn_free(c->y[0]);
    bdnn_free(c->y[1]);
}

static inline size_t info_bytes(const bdnn_value_info *info)
{
    return (size_t)bdnn_shape_elements(&info->shape) * bdnn_type_size(info->type);
}

/* Memory for one run, every byte and the guard behind it set to a pattern that as a float is a NaN. */
static inline void *guarded(size_t bytes)
{
    void *memory = bdnn_alloc(bytes + GUARD, 1);
    assert_non_null(memory);
    memset(memory, 0xff, bytes + GUARD);
    return memory;
}

static inline void assert_guard(const void *memory, size_t bytes)
{
    for (size_t i = 0; i < GUARD; i++) {
        assert_int_equal(((const uint8_t *)memory)[bytes + i], 0xff);
    }
}

/* Inputs for one run in memory order; exactly their bytes, so that the address sanitizer sees reads beyond. */
static inline void *input_memory(const struct check *c, int i)
{
    void *memory = NULL;
    const size_t bytes = info_bytes(&c->in[i]);
    assert_int_equal(posix_memalign(&memory, BDNN_ALIGNMENT, bytes ? bytes : 1), 0);
    bdnn_from_row_major(&c->in[i].shape, c->in[i].type, c->x[i], memory);
    return memory;
}

static inline void assert_untouched(const struct check *c, int i, const void *memory)
{
    void *again = input_memory(c, i);
    assert_memory_equal(again, memory, info_bytes(&c->in[i]));
    free(again);
}

/* One run into y[] (row-major, owned by the caller). */
static inline void run_once(const struct check *c, size_t thread_count, bool in_place, void *y[2])
{
    const bdnn_layer_type *type = bdnn_layer_type_of(c->layer.op);
    bdnn_threads *threads = thread_count ? bdnn_threads_create(thread_count) : NULL;
    const size_t workers = bdnn_threads_count(threads);
    const size_t scratch = type->scratch ? type->scratch(&c->layer, c->in, c->out, workers) : 0;
    bdnn_tensor in[MAX_INPUTS], out[2];
    bdnn_layer_call call = {&c->layer, in, out, threads, guarded(scratch)};
    void *own = NULL;
    for (int i = 0; i < c->layer.input_count; i++) {
        in[i] = (bdnn_tensor){.type = c->in[i].type, .shape = c->in[i].shape, .data = input_memory(c, i)};
    }
    for (int o = 0; o < c->layer.output_count; o++) {
        out[o] =
            (bdnn_tensor){.type = c->out[o].type, .shape = c->out[o].shape, .data = guarded(info_bytes(&c->out[o]))};
    }
    if (in_place) {
        own = out[0].data;
        out[0].data = in[0].data;
    }
    type->run(&call);
    assert_guard(call.scratch, scratch);
    for (int o = 0; o < c->layer.output_count; o++) {
        y[o] = bdnn_alloc(info_bytes(&c->out[o]), 1);
        bdnn_to_row_major(&c->out[o].shape, c->out[o].type, out[o].data, y[o]);
        if (o > 0 || !in_place) {
            assert_guard(out[o].data, info_bytes(&c->out[o]));
            bdnn_free(out[o].data);
        }
    }
    for (int i = 0; i < c->layer.input_count; i++) {
        if (i > 0 || !in_place) {
            assert_untouched(c, i, in[i].data);
        }
        free(in[i].data);
    }
    bdnn_free(own);
    bdnn_free(call.scratch);
    bdnn_threads_destroy(threads);
}

static inline void check_infer(struct check *c)
{
    bdnn_error err = {.message = ""};
    if (bdnn_layer_type_of(c->layer.op)->infer(&c->layer, c->in, c->out, &err) != BDNN_OK) {
        fail_msg("refused: %s", err.message);
    }
}

static inline void check_run(struct check *c)
{
    check_infer(c);
    for (int variant = 0; variant < 4; variant++) {
        const bool in_place = variant == 3;
        void *y[2] = {NULL, NULL};
        if (in_place && !(bdnn_layer_type_of(c->layer.op)->in_place && c->in[0].type == c->out[0].type &&
                          bdnn_shape_equal(&c->in[0].shape, &c->out[0].shape))) {
            break;
        }
        run_once(c, (size_t)variant, in_place, variant == 0 ? c->y : y);
        for (int o = 0; o < c->layer.output_count && variant > 0; o++) {
            assert_memory_equal(c->y[o], y[o], info_bytes(&c->out[o]));
            bdnn_free(y[o]);
        }
    }
}

/* The layer must be refused with a message that has `text` in it. */
static inline void check_refused(struct check *c, const char *text)
{
    bdnn_error err = {.message = ""};
    bdnn_status status = bdnn_layer_type_of(c->layer.op)->infer(&c->layer, c->in, c->out, &err);
    if (status != BDNN_ERROR_FORMAT || !strstr(err.message, text)) {
        fail_msg("status %d, message '%s', which should speak of '%s'", (int)status, err.message, text);
    }
}

/* magnitude: sum of the absolute values of what was added up. */
static inline void assert_close(double got, double want, double magnitude)
{
    const double bound = 4e-6 * magnitude + 1e-7;
    if (!(fabs(got - want) <= bound)) {
        fail_msg("%.9g instead of %.9g (allowed difference %g)", got, want, bound);
    }
}

static inline void assert_shape(const bdnn_shape *shape, int32_t rank, const int64_t *dim)
{
    assert_int_equal(shape->rank, rank);
    for (int32_t a = 0; a < rank; a++) {
        assert_int_equal(shape->dim[a], dim[a]);
    }
}

/* The logical index of row-major element n, and back. */
static inline void unravel(const bdnn_shape *shape, int64_t n, int64_t *index)
{
    for (int a = shape->rank - 1; a >= 0; a--) {
        index[a] = n % shape->dim[a];
        n /= shape->dim[a];
    }
}

static inline int64_t ravel(const bdnn_shape *shape, const int64_t *index)
{
    int64_t n = 0;
    for (int a = 0; a < shape->rank; a++) {
        n = n * shape->dim[a] + index[a];
    }
    return n;
}

/* A random shape of `rank` axes: batch 1..2, channels a multiple of `multiple`, spatial sizes up to `most`. */
static inline bdnn_shape random_shape(int32_t rank, int64_t multiple, int64_t most)
{
    bdnn_shape shape = {.rank = rank};
    for (int32_t a = 0; a < rank; a++) {
        shape.dim[a] = a == 0 ? random_in(1, 2) : a == 1 ? multiple * random_in(1, 3) : random_in(1, most);
    }
    return shape;
}

/* A random window for `spatial` axes; the missing leading ones are the identity. */
static inline bdnn_window random_window(int32_t spatial)
{
    bdnn_window w = plain_window();
    for (int a = BDNN_SPATIAL - spatial; a < BDNN_SPATIAL; a++) {
        w.kernel[a] = (int32_t)random_in(1, 4);
        w.stride[a] = (int32_t)random_in(1, 3);
        w.dilation[a] = (int32_t)random_in(1, 2);
        w.pad_begin[a] = (int32_t)random_in(0, 2);
        w.pad_end[a] = (int32_t)random_in(0, 2);
    }
    return w;
}

/* How many windows there are along an axis, by moving the window: the next one exists while it ends within the padded
 * input; rounding up, while the one before left something over and it does not begin in the trailing pad. */
static inline int64_t count_windows(const bdnn_window *w, int axis, int64_t in, bool ceil_mode)
{
    const int64_t padded = in + w->pad_begin[axis] + w->pad_end[axis];
    const int64_t extent = (int64_t)w->dilation[axis] * (w->kernel[axis] - 1) + 1;
    int64_t count = 0;
    for (int64_t begin = 0;; begin += w->stride[axis], count++) {
        const bool left_over = count > 0 && begin - w->stride[axis] + extent < padded;
        if (begin + extent > padded && !(ceil_mode && left_over)) {
            return count;
        }
        if (ceil_mode && begin >= in + w->pad_begin[axis]) {
            return count;
        }
    }
}

/* An image-like shape as five sizes N, C, depth, height, width. */
static inline void five(const bdnn_shape *shape, int64_t size[5])
{
    for (int a = 0; a < 5; a++) {
        size[a] = 1;
    }
    for (int a = 0; a < shape->rank; a++) {
        size[a < 2 ? a : 5 - shape->rank + a] = shape->dim[a];
    }
}

#endif
