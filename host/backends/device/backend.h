/* SPDX-License-Identifier: BSD-2-Clause */
/* What the backends of accelerators have in common, which is all but how a device is found and opened. */
#ifndef BDNN_BACKENDS_DEVICE_BACKEND_H
#define BDNN_BACKENDS_DEVICE_BACKEND_H

#include "backends/device/bus.h"

/* Opens the device of that name on the bus, for bdnn_backend_type.open. */
bdnn_status bdnn_device_backend_open(const bdnn_backend_type *type, const bdnn_bus *bus, const char *name,
                                     const bdnn_backend_options *options, bdnn_backend **backend, bdnn_error *err);

/* The functions of a bdnn_backend_type, but for open and list. */
void bdnn_device_backend_close(bdnn_backend *backend);
bdnn_status bdnn_device_backend_prepare(bdnn_backend *backend, const bdnn_ip_shape *shape,
                                        const bdnn_ip_weights *weights, const bdnn_sink *sink,
                                        const bdnn_placement *placement, bdnn_resident **resident, bdnn_error *err);
void bdnn_device_backend_release(bdnn_backend *backend, bdnn_resident *resident);
size_t bdnn_device_backend_scratch_bytes(const bdnn_backend *backend, const bdnn_resident *resident);
bdnn_status bdnn_device_backend_run(bdnn_backend *backend, bdnn_resident *resident, const bdnn_operands *operands,
                                    void *scratch, bdnn_error *err);
const char *bdnn_device_backend_describe(const bdnn_backend *backend, const bdnn_resident *resident,
                                         uint64_t *weight_bytes);

extern const bdnn_device_type bdnn_device_backend_device;

#define BDNN_DEVICE_BACKEND_FUNCTIONS                                                                                  \
    .device = &bdnn_device_backend_device, .close = bdnn_device_backend_close, .prepare = bdnn_device_backend_prepare, \
    .release = bdnn_device_backend_release, .scratch_bytes = bdnn_device_backend_scratch_bytes,                        \
    .run = bdnn_device_backend_run, .describe = bdnn_device_backend_describe

#endif
