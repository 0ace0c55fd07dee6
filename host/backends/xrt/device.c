/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices behind XRT: opening one, its buffers and registers. */
#define _POSIX_C_SOURCE 200809L
#include "backends/xrt/device.h"

#include "core/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool bdnn_xrt_target(bdnn_xclbin_target *target)
{
    const char *mode = getenv("XCL_EMULATION_MODE");
    *target = BDNN_XCLBIN_HARDWARE;
    while (mode && *mode && strcmp(mode, bdnn_xclbin_target_name(*target)) != 0) {
        if (*target == BDNN_XCLBIN_SW_EMU) {
            return false;
        }
        *target = (bdnn_xclbin_target)(*target + 1);
    }
    return true;
}

/* XRT looks at the variable when it is loaded; the file must be of the same kind. */
static bdnn_status check_target(const bdnn_xrt_device *device, const char *path, bdnn_error *err)
{
    const char *mode = getenv("XCL_EMULATION_MODE"), *wanted = bdnn_xclbin_target_name(device->xclbin.target);
    const bool set = mode && *mode;
    bdnn_xclbin_target target;
    if (bdnn_xrt_target(&target) && target == device->xclbin.target) {
        return BDNN_OK;
    }
    if (device->xclbin.target == BDNN_XCLBIN_HARDWARE) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s is for a board, and XCL_EMULATION_MODE is '%.20s'", path,
                         set ? mode : "");
    }
    return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED,
                     "%s is for emulation and needs XCL_EMULATION_MODE=%s, which is %s%.20s", path, wanted,
                     set ? "" : "not set", set ? mode : "");
}

bdnn_status bdnn_xrt_check_driver(bdnn_xclbin_target target, bdnn_error *err)
{
    static const char *const names[] = {
        [BDNN_XCLBIN_HARDWARE] = "core", [BDNN_XCLBIN_HW_EMU] = "hwemu", [BDNN_XCLBIN_SW_EMU] = "swemu"};
    const char *root = getenv("XILINX_XRT");
    char path[1024];
#if defined(__aarch64__) || defined(__arm__)
    root = root ? root : "/usr"; /* as XRT does there */
#endif
    if (!root || !*root) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: XILINX_XRT is not set; it names the folder of XRT");
    }
    snprintf(path, sizeof path, "%s/lib/libxrt_%s.so.2", root, names[target]);
    return access(path, R_OK) == 0 ? BDNN_OK
                                   : bdnn_fail(err, BDNN_ERROR_DEVICE,
                                               "xrt: XILINX_XRT has nothing that drives such a device: no %s", path);
}

static bdnn_status configure(bdnn_xrt_device *device, unsigned index, const char *path, bdnn_error *err)
{
    const bdnn_xrt_library *xrt = device->xrt;
    xuid_t uuid;
    char wanted[37], found[37];
    device->handle = xrt->xrtDeviceOpen(index);
    /* Emulation opens devices of any number. */
    if (!device->handle || (bdnn_xrt_probe() && index >= bdnn_xrt_probe()())) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: there is no device %u", index);
    }
    if (xrt->xrtDeviceLoadXclbinFile(device->handle, path) != 0) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: device %u does not take %s", index, path);
    }
    if (xrt->xrtDeviceGetXclbinUUID(device->handle, uuid) != 0 ||
        memcmp(uuid, device->xclbin.uuid, sizeof device->xclbin.uuid) != 0) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: device %u holds the xclbin %s, not %s, which is %s", index,
                         bdnn_xclbin_uuid_text(uuid, found), path, bdnn_xclbin_uuid_text(device->xclbin.uuid, wanted));
    }
    return BDNN_OK;
}

/* The memories that a unit's pointers are connected to, the same on all units. */
static bdnn_status find_memories(bdnn_xrt_device *device, size_t unit, bdnn_error *err)
{
    for (int p = 0; p < BDNN_HW_POINTERS; p++) {
        const int group = device->xrt->xrtKernelArgGroupId(device->units[unit].kernel, p);
        if (group < 0 || (unit > 0 && group != device->groups[p])) {
            return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED,
                             "xrt: the compute units %s and %s are connected to different memories",
                             device->xclbin.units[0], device->xclbin.units[unit]);
        }
        device->groups[p] = group;
    }
    return device->groups[BDNN_HW_POINTER_WEIGHTS] == device->groups[BDNN_HW_POINTER_FILTERS]
               ? BDNN_OK
               : bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "xrt: weights and filters are in different memories");
}

/* Each unit by itself and exclusively: registers can be read, and a job's unit is known. */
static bdnn_status open_units(bdnn_xrt_device *device, bdnn_error *err)
{
    const bdnn_xrt_library *xrt = device->xrt;
    bdnn_status status = BDNN_OK;
    for (size_t u = 0; u < device->xclbin.unit_count && status == BDNN_OK; u++) {
        bdnn_xrt_unit *unit = &device->units[u];
        char name[128];
        device->base.units[u].name = device->xclbin.units[u];
        device->base.unit_count = u + 1;
        snprintf(name, sizeof name, BDNN_HW_KERNEL ":{%s}", device->xclbin.units[u]);
        unit->kernel = xrt->xrtPLKernelOpenExclusive(device->handle, device->xclbin.uuid, name);
        unit->run = unit->kernel ? xrt->xrtRunOpen(unit->kernel) : NULL;
        if (!unit->run) {
            return bdnn_fail(err, BDNN_ERROR_DEVICE,
                             "xrt: cannot open the compute unit %s; another program may hold it",
                             device->xclbin.units[u]);
        }
        status = find_memories(device, u, err);
    }
    return status;
}

static bdnn_status configure_and_open(bdnn_xrt_device *device, unsigned index, const char *path, bdnn_error *err)
{
    bdnn_status status = check_target(device, path, err);
    if (status == BDNN_OK) {
        status = bdnn_xrt_check_driver(device->xclbin.target, err);
    }
    if (status == BDNN_OK) {
        status = bdnn_xrt_load(&device->xrt, err);
    }
    if (status == BDNN_OK) {
        status = configure(device, index, path, err);
    }
    if (status == BDNN_OK) {
        status = open_units(device, err);
    }
    return status;
}

static void close_device(bdnn_accelerator *a)
{
    bdnn_xrt_device *device = (bdnn_xrt_device *)a;
    if (!a->lost) {
        for (size_t u = 0; u < a->unit_count; u++) {
            if (device->units[u].run) {
                device->xrt->xrtRunClose(device->units[u].run);
            }
            if (device->units[u].kernel) {
                device->xrt->xrtKernelClose(device->units[u].kernel);
            }
        }
        if (device->handle) {
            device->xrt->xrtDeviceClose(device->handle);
        }
    }
    bdnn_free(device);
}

static bdnn_status read_xclbin(const bdnn_backend_options *options, const char **path, bdnn_xclbin *xclbin,
                               bdnn_error *err)
{
    *path = options->bitstream ? options->bitstream : getenv("BDNN_XCLBIN");
    if (!*path || !**path) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE,
                         "xrt: no xclbin is named, neither by an option nor by the environment variable BDNN_XCLBIN");
    }
    return bdnn_xclbin_read(*path, BDNN_HW_KERNEL, xclbin, err);
}

static bdnn_status open_device(const char *name, const bdnn_backend_options *options, bdnn_accelerator **accelerator,
                               bdnn_error *err)
{
    bdnn_xrt_device *device = bdnn_zalloc(1, sizeof *device);
    const char *path;
    bdnn_status status;
    if (!device) {
        return bdnn_fail_memory(err, sizeof *device, "a device");
    }
    snprintf(device->base.label, sizeof device->base.label, "xrt");
    status = read_xclbin(options, &path, &device->xclbin, err);
    if (status == BDNN_OK) {
        status = configure_and_open(device, (unsigned)strtoul(name, NULL, 10), path, err);
    }
    if (status != BDNN_OK) {
        close_device(&device->base);
        return status;
    }
    *accelerator = &device->base;
    return BDNN_OK;
}

static bdnn_status share_device(const bdnn_accelerator *a, const bdnn_backend_options *options, bdnn_error *err)
{
    const bdnn_xrt_device *device = (const bdnn_xrt_device *)a;
    const char *path;
    bdnn_xclbin xclbin;
    bdnn_status status = read_xclbin(options, &path, &xclbin, err);
    if (status == BDNN_OK && memcmp(device->xclbin.uuid, xclbin.uuid, sizeof xclbin.uuid) != 0) {
        status = bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: this process uses device %s with another xclbin than %s",
                           a->name, path);
    }
    return status;
}

static bool read_register(bdnn_accelerator *a, size_t unit, uint32_t offset, uint32_t *value)
{
    const bdnn_xrt_device *device = (const bdnn_xrt_device *)a;
    return device->xrt->xrtKernelReadRegister(device->units[unit].kernel, offset, value) == 0;
}

/* A unit compares handles with those that it was told last; XRT gives the same one again for another buffer. */
static void forget(bdnn_xrt_device *device, xrtBufferHandle handle)
{
    for (size_t u = 0; u < device->base.unit_count; u++) {
        for (int p = 0; p < BDNN_HW_POINTERS; p++) {
            if (device->units[u].pointers[p] == handle) {
                device->units[u].told = false;
            }
        }
    }
}

static void free_memory(bdnn_accelerator *a, bdnn_bus_memory *memory)
{
    bdnn_xrt_device *device = (bdnn_xrt_device *)a;
    if (memory->handle && !a->lost) {
        forget(device, (xrtBufferHandle)memory->handle);
        device->xrt->xrtBOFree((xrtBufferHandle)memory->handle);
    }
    memset(memory, 0, sizeof *memory);
}

/* Emulation gives buffers that it has no memory for, at address 0. There may lie the very first, which is ours. */
static bool has_memory(const bdnn_xrt_device *device, xrtBufferHandle handle)
{
    const uint64_t address = device->xrt->xrtBOAddress(handle);
    return address != UINT64_MAX && (address != 0 || !device->has_memory);
}

/* Whole pages, as XRT asks the C library for the host's side of it. */
static bdnn_status allocate(bdnn_accelerator *a, int pointer, size_t bytes, const char *what, bdnn_bus_memory *memory,
                            bdnn_error *err)
{
    bdnn_xrt_device *device = (bdnn_xrt_device *)a;
    const bdnn_xrt_library *xrt = device->xrt;
    xrtBufferHandle handle = xrt->xrtBOAlloc(device->handle, bytes, 0, (xrtMemoryGroup)device->groups[pointer]);
    *memory = (bdnn_bus_memory){.bytes = bytes, .handle = (uintptr_t)handle};
    if (handle && has_memory(device, handle)) {
        memory->host = xrt->xrtBOMap(handle);
    }
    if (!memory->host) {
        free_memory(a, memory);
        return bdnn_fail(err, BDNN_ERROR_MEMORY, "xrt: the device has no %zu bytes for %s", bytes, what);
    }
    device->has_memory = true;
    return BDNN_OK;
}

static bool are_apart(const bdnn_accelerator *a)
{
    const bdnn_xrt_device *device = (const bdnn_xrt_device *)a;
    return device->groups[BDNN_HW_POINTER_ACTIVATIONS] != device->groups[BDNN_HW_POINTER_RESULTS];
}

static bdnn_status take_part(bdnn_accelerator *a, const bdnn_bus_memory *whole, size_t offset, size_t bytes,
                             bdnn_bus_memory *part, bdnn_error *err)
{
    const bdnn_xrt_device *device = (const bdnn_xrt_device *)a;
    *part = (bdnn_bus_memory){.host = (uint8_t *)whole->host + offset,
                              .bytes = bytes,
                              .is_part = true,
                              .handle =
                                  (uintptr_t)device->xrt->xrtBOSubAlloc((xrtBufferHandle)whole->handle, bytes, offset)};
    return part->handle ? BDNN_OK : bdnn_fail(err, BDNN_ERROR_MEMORY, "xrt: no handle for a part of a buffer");
}

static bool sync_memory(bdnn_accelerator *a, const bdnn_bus_memory *memory, enum xclBOSyncDirection direction,
                        size_t offset, size_t bytes)
{
    const bdnn_xrt_device *device = (const bdnn_xrt_device *)a;
    return device->xrt->xrtBOSync((xrtBufferHandle)memory->handle, direction, bytes, offset) == 0;
}

static bool to_device(bdnn_accelerator *a, const bdnn_bus_memory *memory, size_t offset, size_t bytes)
{
    return sync_memory(a, memory, XCL_BO_SYNC_BO_TO_DEVICE, offset, bytes);
}

static bool from_device(bdnn_accelerator *a, const bdnn_bus_memory *memory, size_t offset, size_t bytes)
{
    return sync_memory(a, memory, XCL_BO_SYNC_BO_FROM_DEVICE, offset, bytes);
}

const bdnn_bus bdnn_xrt_bus = {.name = "xrt",
                               .open = open_device,
                               .share = share_device,
                               .close = close_device,
                               .allocate = allocate,
                               .part = take_part,
                               .free = free_memory,
                               .apart = are_apart,
                               .to_device = to_device,
                               .from_device = from_device,
                               .start = bdnn_xrt_start,
                               .await = bdnn_xrt_await,
                               .read = read_register,
                               .runs_nothing = true};
