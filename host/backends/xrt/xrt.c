/* SPDX-License-Identifier: BSD-2-Clause */
/* Boards and emulated devices behind XRT as a backend. */
#include "backends/device/backend.h"
#include "backends/xrt/device.h"

#include <stdio.h>

static bdnn_status open_xrt(const bdnn_backend_options *options, bdnn_backend **backend, bdnn_error *err)
{
    char name[16];
    snprintf(name, sizeof name, "%u", options->index);
    return bdnn_device_backend_open(&bdnn_backend_xrt, &bdnn_xrt_bus, name, options, backend, err);
}

const bdnn_backend_type bdnn_backend_xrt = {
    .name = "xrt", .numbered = true, .open = open_xrt, BDNN_DEVICE_BACKEND_FUNCTIONS, .list = bdnn_xrt_list};
