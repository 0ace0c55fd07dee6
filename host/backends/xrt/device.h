/* SPDX-License-Identifier: BSD-2-Clause */
/* XRT as a bus: a board or an emulated device, configured with an xclbin; its compute units and buffers. */
#ifndef BDNN_BACKENDS_XRT_DEVICE_H
#define BDNN_BACKENDS_XRT_DEVICE_H

#include "backends/device/accelerator.h"
#include "backends/xrt/library.h"
#include "backends/xrt/xclbin.h"

/* One compute unit. What its run was told last is kept, so that only what changes is told again. */
typedef struct bdnn_xrt_unit {
    xrtKernelHandle kernel;
    xrtRunHandle run;
    bool told;
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    xrtBufferHandle pointers[BDNN_HW_POINTERS];
} bdnn_xrt_unit;

typedef struct bdnn_xrt_device {
    bdnn_accelerator base;
    const bdnn_xrt_library *xrt;
    bdnn_xclbin xclbin;
    xrtDeviceHandle handle;
    bdnn_xrt_unit units[BDNN_XCLBIN_MAX_COMPUTE_UNITS];
    int groups[BDNN_HW_POINTERS]; /* memory of each pointer's buffers */
    bool has_memory;              /* the first buffer was allocated */
} bdnn_xrt_device;

/* Devices are called by their number. Of options, bitstream (NULL: BDNN_XCLBIN) is the file with the kernel. Errors of
 * open: BDNN_ERROR_IO, _FORMAT, _UNSUPPORTED for what the xclbin is; BDNN_ERROR_DEVICE, also where none is named. XRT
 * waits for runs that have not ended whenever anything is closed: of a lost device everything stays open. */
extern const bdnn_bus bdnn_xrt_bus;

/* The bus's functions for runs (runs.c). */
bdnn_status bdnn_xrt_start(bdnn_accelerator *accelerator, size_t unit, const bdnn_hw_job *job,
                           const bdnn_bus_memory *const pointers[BDNN_HW_POINTERS], bdnn_error *err);
bdnn_status bdnn_xrt_await(bdnn_accelerator *accelerator, size_t unit, uint64_t limit, bool *ended, bdnn_error *err);

/* Describes the devices, for bdnn_backend_type.list. */
size_t bdnn_xrt_list(const char *bitstream, bdnn_device_info *devices, size_t room);

/* The kind of device that XCL_EMULATION_MODE asks for; false for a name that XRT does not know. */
bool bdnn_xrt_target(bdnn_xclbin_target *target);

/* Refuses what XRT would end the process for: an XILINX_XRT without what drives such devices. */
bdnn_status bdnn_xrt_check_driver(bdnn_xclbin_target target, bdnn_error *err);

#endif
