/* The backend interface: where the integer inner products are computed. A backend knows shapes, weights and integers;
 * it never knows a network, an importer or a float. */
#ifndef BDNN_RUNTIME_BACKEND_H
#define BDNN_RUNTIME_BACKEND_H

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

typedef struct bdnn_backend_type {
    const char *name; /* "cpu", "reference", "xrt", "uio" */
    bool numbered;    /* there may be several such devices: "xrt:1" */
    bool named;       /* likewise: "uio:bdnn1" */
    bdnn_status (*open)(const bdnn_backend_options *options, bdnn_backend **backend, bdnn_error *err);
    void (*close)(bdnn_backend *backend);
    /* Makes one layer's weights resident. shape is copied; weights stay valid until release, and so do the constants of
     * `sink`, which is what run() will get but for y, addend and x_q. */
    bdnn_status (*prepare)(bdnn_backend *backend, const bdnn_ip_shape *shape, const bdnn_ip_weights *weights,
                           const bdnn_sink *sink, bdnn_resident **resident, bdnn_error *err);
    void (*release)(bdnn_backend *backend, bdnn_resident *resident);
    /* Scratch memory that run() needs in the caller's plan. */
    size_t (*scratch_bytes)(const bdnn_backend *backend, const bdnn_resident *resident);
    /* x_q and sink as in bdnn_ip_kernel.run. */
    bdnn_status (*run)(bdnn_backend *backend, const bdnn_resident *resident, const uint8_t *x_q, const bdnn_sink *sink,
                       void *scratch, bdnn_error *err);
    /* What runs this layer, for tables: a kernel's name, and the bytes of weights that it reads. */
    const char *(*describe)(const bdnn_backend *backend, const bdnn_resident *resident, uint64_t *weight_bytes);
    /* What an accelerator did for a layer in its last run; NULL for backends that are none. */
    void (*cost)(const bdnn_backend *backend, const bdnn_resident *resident, bdnn_accelerator_cost *cost);
    /* How long an accelerator takes for a job with hardly any work, `count` times; NULL for backends that are none. */
    bdnn_status (*time_launches)(bdnn_backend *backend, size_t count, uint64_t *nanoseconds, bdnn_error *err);
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

/* Opens the device that a session's options name; *backend becomes NULL for "float", which needs none. */
bdnn_status bdnn_backend_open(const bdnn_session_options *options, bdnn_threads *threads, bdnn_backend **backend,
                              bdnn_error *err);

#endif
