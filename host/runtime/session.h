/* SPDX-License-Identifier: BSD-2-Clause */
/* A session: a plan, its memory, and every step made ready for a device. */
#ifndef BDNN_RUNTIME_SESSION_H
#define BDNN_RUNTIME_SESSION_H

#include "runtime/inner.h"
#include "runtime/plan.h"

/* What a layer needs to run. */
typedef struct bdnn_ready_layer {
    bdnn_inner inner; /* a decomposed layer on a backend, or a pooling on the device; else all zero */
    bdnn_layer *form; /* a decomposed layer on the device "float": its float form; else NULL */
} bdnn_ready_layer;

/* What a step of kind LAYER needs. */
typedef struct bdnn_ready_step {
    bool in_float;       /* the layer works in float on inputs that may be integers */
    bdnn_tensor *inputs; /* the layer's, in the session's arena */
    bdnn_tensor *read;   /* the same as the layer reads them: perhaps converted, in scratch memory */
    bdnn_tensor *outputs;
} bdnn_ready_step;

struct bdnn_session {
    const bdnn_model *model;
    const bdnn_graph *graph; /* the model's */
    bdnn_plan plan;
    bdnn_threads *threads;
    bdnn_backend *backend;    /* of the session's device; NULL on the device "float" */
    bdnn_backend *host;       /* what decomposed layers on the host run on: the same, or the CPU beside a device */
    bdnn_ready_layer *layers; /* one a layer */
    bdnn_ready_step *steps;   /* one a step */
    bool allow_not_finite;
    uint8_t *arena, *scratch;
    size_t scratch_bytes;
    uint64_t *nanoseconds; /* per step, of the last run, with those that ran with it; NULL unless runs are timed */
    float **results;       /* per graph output, row-major */
};

/* A run's input, for all images. */
typedef enum bdnn_input_kind {
    BDNN_INPUT_ROW_MAJOR, /* float32 [N][C][H][W] */
    BDNN_INPUT_NHWC,      /* float32 in the memory order of core/tensor.h */
    BDNN_INPUT_PIXELS     /* uint8 [N][H][W][C], of the model's pre-processing */
} bdnn_input_kind;

typedef struct bdnn_session_input {
    bdnn_input_kind kind;
    const void *data;
} bdnn_session_input;

/* Makes the network's input of it (input.c). */
void bdnn_session_put_input(const bdnn_session *session, const bdnn_session_input *input);

/* The host's tensor of a value: constant or map; without data for what is not on the host. */
bdnn_tensor bdnn_session_tensor(const bdnn_session *session, int32_t value);

/* Whether input `input` of a step of kind LAYER is converted to float in scratch memory, and to how many bytes. */
bool bdnn_session_converts(const bdnn_session *session, size_t step, int32_t input);
size_t bdnn_session_float_bytes(const bdnn_session *session, int32_t value);

/* Runs step `first`, and with it those of the same layer behind it that a device overlaps: *count in all (walk.c).
 * Errors: BDNN_ERROR_DEVICE. */
bdnn_status bdnn_session_run_steps(bdnn_session *session, size_t first, size_t *count, bdnn_error *err);

#endif
