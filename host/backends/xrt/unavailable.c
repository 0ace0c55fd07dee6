/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of the XRT backend, where bdnn is built without it. */
#include "backends/backend.h"

static bdnn_status open_none(const bdnn_backend_options *options, bdnn_backend **backend, bdnn_error *err)
{
    (void)options;
    (void)backend;
    return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "xrt: this bdnn was built without XRT");
}

static size_t list_none(const char *bitstream, bdnn_device_info *devices, size_t room)
{
    (void)bitstream;
    (void)devices;
    (void)room;
    return 0;
}

const bdnn_backend_type bdnn_backend_xrt = {.name = "xrt", .numbered = true, .open = open_none, .list = list_none};
