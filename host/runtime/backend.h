/* The backend interface: where the integer inner products are computed. A backend knows shapes, weights and integers;
 * it never knows a network, an importer or a float. */
#ifndef BDNN_RUNTIME_BACKEND_H
#define BDNN_RUNTIME_BACKEND_H

#include "core/error.h"
#include "kernels/inner_product.h"

typedef struct bdnn_backend bdnn_backend;

/* Weights of one layer, resident on the device in its own layout. */
typedef struct bdnn_resident bdnn_resident;

typedef struct bdnn_backend_type {
    const char *name; /* "cpu", "reference" */
    /* The backend may start work on `threads`, which outlives it. */
    bdnn_status (*open)(bdnn_threads *threads, bdnn_backend **backend, bdnn_error *err);
    void (*close)(bdnn_backend *backend);
    /* Makes one layer's weights resident. shape is copied; weights stay valid until release. */
    bdnn_status (*prepare)(bdnn_backend *backend, const bdnn_ip_shape *shape, const bdnn_ip_weights *weights,
                           bdnn_resident **resident, bdnn_error *err);
    void (*release)(bdnn_backend *backend, bdnn_resident *resident);
    /* Scratch memory that run() needs in the caller's plan. */
    size_t (*scratch_bytes)(const bdnn_backend *backend, const bdnn_resident *resident);
    /* x_q and sink as in bdnn_ip_kernel.run. */
    bdnn_status (*run)(bdnn_backend *backend, const bdnn_resident *resident, const uint8_t *x_q, const bdnn_sink *sink,
                       void *scratch, bdnn_error *err);
    /* What runs this layer, for tables: a kernel's name, and the bytes of weights that it reads. */
    const char *(*describe)(const bdnn_backend *backend, const bdnn_resident *resident, uint64_t *weight_bytes);
} bdnn_backend_type;

/* Each backend's struct begins with this. */
struct bdnn_backend {
    const bdnn_backend_type *type;
};

extern const bdnn_backend_type bdnn_backend_cpu, bdnn_backend_reference;

/* NULL for a name that no compiled-in backend has. */
const bdnn_backend_type *bdnn_backend_find(const char *name);

#endif
