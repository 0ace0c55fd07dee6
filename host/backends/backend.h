/* SPDX-License-Identifier: BSD-2-Clause */
/* The backend interface: where the integer inner products are computed. A backend knows shapes, weights and integers;
 * it never knows a network, an importer or a float. */
#ifndef BDNN_BACKENDS_BACKEND_H
#define BDNN_BACKENDS_BACKEND_H

#include "backends/feature_map.h"
#include "bdnn_measure.h"
#include "core/error.h"
#include "kernels/inner_product.h"

typedef struct bdnn_backend bdnn_backend;

/* Weights of one layer, resident on the device in its own layout. */
typedef struct bdnn_resident bdnn_resident;

/* How a backend is opened. Memory is borrowed for the call; the threads, on which the backend may start work, outlive
 * it. */
typedef struct bdnn_backend_options {
    bdnn_threads *threads;
    /* Of accelerators: */
    unsigned index;        /* which of the devices, from 0 */
    const char *name;      /* likewise, of backends whose devices have names; NULL: the first */
    const char *bitstream; /* file that configures the device; NULL: what the environment says */
    uint32_t timeout_ms;   /* longest time for one run of a kernel; 0: the backend's own */
    bdnn_wait wait;        /* how the end of a run is waited for, where the backend has a choice */
} bdnn_backend_options;

/* What one run of a layer reads and writes. Shapes are those of the whole batch; NULL for what there is not. On the
 * host input and output are host maps. On a device they are the device's; `send` is the input on the host, to be
 * transferred first, `fetch` where the output goes on the host afterwards, and a device overlaps both with its work.
 * What is added and read next is added and read on the host. */
typedef struct bdnn_operands {
    const bdnn_feature_map *input;  /* quantized, as the layer reads it */
    const bdnn_feature_map *output; /* of the sink's kind */
    const bdnn_feature_map *addend; /* wide: added before the clamp, perhaps the host's output itself */
    const bdnn_feature_map *next;   /* quantized: the wide output as the sink's rescale says */
    const bdnn_feature_map *send, *fetch;
} bdnn_operands;

/* How a layer lies on a device: what its input and output look like there. */
typedef struct bdnn_placement {
    bool gathered;      /* the host gathers each output position's inputs, which must therefore come from the host */
    int32_t in_groups;  /* of the input's layout */
    int32_t out_groups; /* of the output's layout */
    size_t in_bytes, out_bytes;
} bdnn_placement;

/* Backends whose feature maps lie in memory of their own. Transfers are steps of the plan. */
typedef struct bdnn_device_type {
    int64_t block_channels; /* of a block of a device map */
    /* Whether the device runs this layer, and how. sink: its kind, filters and limits. `resident`: the input is on the
     * device already, with in_groups groups, and gathering it would take it away from there. */
    bool (*place_layer)(const bdnn_backend *backend, const bdnn_ip_shape *shape, const bdnn_sink *sink, bool resident,
                        bdnn_placement *placement);
    /* The same of max pooling: filters are the channels, bases 1, groups 1. */
    bool (*place_pool)(const bdnn_backend *backend, const bdnn_ip_shape *shape, bdnn_placement *placement);
    bdnn_status (*prepare_pool)(bdnn_backend *backend, const bdnn_ip_shape *shape, bdnn_resident **resident,
                                bdnn_error *err);
    /* Whether results may be read where they were written; else each goes by the host. */
    bool (*chains)(const bdnn_backend *backend);
    /* Memory for all device maps of a session, which lie at their offsets in it; once, before the first run. Errors:
     * BDNN_ERROR_MEMORY, BDNN_ERROR_UNSUPPORTED for more than jobs reach. */
    bdnn_status (*reserve)(bdnn_backend *backend, size_t bytes, bdnn_error *err);
    /* Transfers the output of an earlier run: operands output and fetch. scratch: scratch_bytes. */
    bdnn_status (*fetch)(bdnn_backend *backend, bdnn_resident *resident, const bdnn_operands *operands, void *scratch,
                         bdnn_error *err);
    /* What the device did for a layer in its last run. */
    void (*cost)(const bdnn_backend *backend, const bdnn_resident *resident, bdnn_accelerator_cost *cost);
    /* How long a job with hardly any work takes, `count` times. */
    bdnn_status (*time_launches)(bdnn_backend *backend, size_t count, uint64_t *nanoseconds, bdnn_error *err);
} bdnn_device_type;

typedef struct bdnn_backend_type {
    const char *name;               /* "cpu", "reference", "xrt", "uio" */
    bool numbered;                  /* there may be several such devices: "xrt:1" */
    bool named;                     /* likewise: "uio:bdnn1" */
    const bdnn_device_type *device; /* NULL: it computes on the host's memory */
    bdnn_status (*open)(const bdnn_backend_options *options, bdnn_backend **backend, bdnn_error *err);
    void (*close)(bdnn_backend *backend);
    /* Makes one layer's weights resident. shape and sink are copied; weights stay valid until release, and so do the
     * constants behind the sink, whose y, addend and x_q are each run's. placement: what place_layer said; NULL on the
     * host. */
    bdnn_status (*prepare)(bdnn_backend *backend, const bdnn_ip_shape *shape, const bdnn_ip_weights *weights,
                           const bdnn_sink *sink, const bdnn_placement *placement, bdnn_resident **resident,
                           bdnn_error *err);
    void (*release)(bdnn_backend *backend, bdnn_resident *resident);
    /* Scratch memory that run and transfers need in the caller's plan. */
    size_t (*scratch_bytes)(const bdnn_backend *backend, const bdnn_resident *resident);
    bdnn_status (*run)(bdnn_backend *backend, bdnn_resident *resident, const bdnn_operands *operands, void *scratch,
                       bdnn_error *err);
    /* What runs this layer, for tables: a kernel's name, and the bytes of weights that it reads. */
    const char *(*describe)(const bdnn_backend *backend, const bdnn_resident *resident, uint64_t *weight_bytes);
    /* Describes the backend's devices, at most `room` of them; returns how many. */
    size_t (*list)(const char *bitstream, bdnn_device_info *devices, size_t room);
} bdnn_backend_type;

/* Each backend's struct begins with this. */
struct bdnn_backend {
    const bdnn_backend_type *type;
    bool counting; /* an accelerator's counters are wanted */
};

extern const bdnn_backend_type bdnn_backend_cpu, bdnn_backend_reference, bdnn_backend_xrt, bdnn_backend_uio;

/* The backend of a device "BACKEND", "BACKEND:INDEX" of numbered ones, "BACKEND:NAME" of named ones; sets index and
 * name of the options, the latter within `device`. NULL for what no backend of this build is called. */
extern const bdnn_backend_type *const bdnn_backends[]; /* NULL ends the list */
const bdnn_backend_type *bdnn_backend_find(const char *device, bdnn_backend_options *options);

/* The error for a device that bdnn_backend_find does not know. */
bdnn_status bdnn_backend_unknown(const char *device, bdnn_error *err);

/* Opens the device that a session's options name; *backend becomes NULL for "float", which needs none. */
bdnn_status bdnn_backend_open(const bdnn_session_options *options, bdnn_threads *threads, bdnn_backend **backend,
                              bdnn_error *err);

#endif
