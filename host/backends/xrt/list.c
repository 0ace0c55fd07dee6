/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of devices behind XRT. */
#include "backends/xrt/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the driver says of it. */
static void ask_driver(const bdnn_xrt_library *xrt, xrtDeviceHandle handle, bdnn_device_info *info)
{
    struct xclDeviceInfo2 told;
    memset(&told, 0, sizeof told);
    if (!bdnn_xrt_device_info() || bdnn_xrt_device_info()(xrt->xrtDeviceToXclDevice(handle), &told) != 0) {
        return;
    }
    snprintf(info->description, sizeof info->description, "%.*s", (int)sizeof info->description - 1, told.mName);
    info->memory_bytes = told.mDDRSize;
    info->clock_mhz = told.mOCLFrequency[0];
}

/* What the kernel says of itself. */
static void ask_kernel(unsigned index, const char *bitstream, bdnn_device_info *info)
{
    const bdnn_backend_options options = {.index = index, .bitstream = bitstream};
    char name[16];
    bdnn_accelerator *a;
    bdnn_error err;
    snprintf(name, sizeof name, "%u", index);
    if (bdnn_accelerator_open(&bdnn_xrt_bus, name, &options, &a, &err) != BDNN_OK) {
        memcpy(info->problem, err.message, sizeof info->problem);
        return;
    }
    const bdnn_xclbin *xclbin = &((const bdnn_xrt_device *)a)->xclbin;
    bdnn_accelerator_describe(a, info);
    bdnn_xclbin_uuid_text(xclbin->uuid, info->uuid);
    info->clock_mhz = xclbin->clock_mhz ? xclbin->clock_mhz : info->clock_mhz;
    info->ports = xclbin->ports;
    info->port_bits = xclbin->port_bits;
    bdnn_accelerator_close(a);
}

static bool describe(const bdnn_xrt_library *xrt, unsigned index, const char *bitstream, bdnn_device_info *info)
{
    const char *named = bitstream ? bitstream : getenv("BDNN_XCLBIN");
    xrtDeviceHandle handle = xrt->xrtDeviceOpen(index);
    if (!handle) {
        return false;
    }
    snprintf(info->name, sizeof info->name, "xrt:%u", index);
    ask_driver(xrt, handle, info);
    xrt->xrtDeviceClose(handle);
    if (named && *named) {
        ask_kernel(index, named, info);
    }
    return true;
}

size_t bdnn_xrt_list(const char *bitstream, bdnn_device_info *devices, size_t room)
{
    const bdnn_xrt_library *xrt;
    bdnn_xclbin_target target;
    bdnn_error err = {.message = "xrt: XCL_EMULATION_MODE is neither hw_emu nor sw_emu"};
    size_t count = 0, all = 1;
    if (room < 1) {
        return 0;
    }
    if (bdnn_xrt_target(&target) && bdnn_xrt_check_driver(target, &err) == BDNN_OK &&
        bdnn_xrt_load(&xrt, &err) == BDNN_OK) {
        snprintf(err.message, sizeof err.message, "xrt: there is no device");
        for (; count < all && count < room && describe(xrt, (unsigned)count, bitstream, &devices[count]); count++) {
            all = bdnn_xrt_probe() ? bdnn_xrt_probe()() : 1;
            devices[count].accelerator = true;
            devices[count].emulated = target != BDNN_XCLBIN_HARDWARE;
            snprintf(devices[count].target, sizeof devices->target, "%s", bdnn_xclbin_target_name(target));
        }
    }
    if (count == 0) {
        snprintf(devices->name, sizeof devices->name, "xrt");
        snprintf(devices->description, sizeof devices->description, "boards and emulated devices behind Xilinx XRT");
        memcpy(devices->problem, err.message, sizeof devices->problem);
        devices->accelerator = true;
        count = 1;
    }
    return count;
}
