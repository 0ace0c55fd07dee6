/* A session: a plan, its memory, and every layer made ready for a device. */
#ifndef BDNN_RUNTIME_SESSION_H
#define BDNN_RUNTIME_SESSION_H

#include "runtime/inner.h"
#include "runtime/plan.h"

/* One layer of the plan. */
typedef struct bdnn_step {
    const bdnn_layer *layer;
    bdnn_inner inner;       /* a decomposed layer on a backend; else all zero */
    bdnn_layer *substitute; /* a decomposed layer on the device "float": its float form; else NULL */
    int32_t addend, result; /* of a decomposed layer: the value to add to its output, or -1; the value that it writes */
    int32_t read_result; /* of a decomposed layer: the value that it also writes as the plan's reader reads it, or -1 */
    bool reads_ready;    /* a decomposed layer whose wide input its maker has written as this one reads it */
    bool done_before;    /* a sum or clip that a decomposed layer before it does on the way */
    bool floats;         /* the layer works in float on inputs that may be integers */
    bdnn_tensor *inputs; /* the layer's, in the session's arena */
    bdnn_tensor *read;   /* the same as the layer reads them: perhaps converted, in scratch memory */
    bdnn_tensor *outputs;
} bdnn_step;

struct bdnn_session {
    const bdnn_model *model;
    const bdnn_graph *graph; /* the model's */
    bdnn_plan plan;
    bdnn_threads *threads;
    bdnn_backend *backend; /* NULL on the device "float" */
    bdnn_step *steps;      /* one a layer */
    bool allow_not_finite;
    bool *readable;        /* per value: its maker also writes it as the plan's reader reads it */
    uint8_t *arena, *scratch;
    size_t scratch_bytes;
    uint64_t *nanoseconds; /* per layer, of the last run; NULL unless runs are timed */
    float **results;       /* per graph output, row-major */
};

#endif
