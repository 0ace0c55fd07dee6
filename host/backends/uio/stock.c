/* SPDX-License-Identifier: BSD-2-Clause */
/* UIO as Linux has it (a device of uio_pdrv_genirq, for example) as a bus: registers by map0, interrupts by read and
 * write, memory of region.c. UIO itself lends a device to everybody and forgets whose it was: processes of bdnn keep
 * each other out by a lock on the node, and whoever comes next ends what a dead one has left running. */
#include "backends/uio/uio.h"
#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void close_node(bdnn_accelerator *a)
{
    bdnn_uio_device *device = (bdnn_uio_device *)a;
    if (device->known) {
        bdnn_uio_system_used->store(device->registers + BDNN_HW_REG_GLOBAL_INTERRUPT / 4, 0);
        bdnn_uio_mapped_stop(device);
    }
    if (device->registers) {
        bdnn_uio_system_used->munmap((void *)(uintptr_t)device->registers, BDNN_HW_REGISTER_SPAN);
    }
    bdnn_uio_region_close(&device->region);
    if (device->fd >= 0) {
        bdnn_uio_system_used->close(device->fd);
    }
    bdnn_free(device);
}

static bdnn_status map_registers(bdnn_uio_device *device, const char *uio, bdnn_error *err)
{
    char path[128];
    uint64_t bytes = 0, offset = 0;
    snprintf(path, sizeof path, "class/uio/%s/maps/map0/offset", uio);
    bdnn_uio_read_number(path, &offset);
    snprintf(path, sizeof path, "class/uio/%s/maps/map0/size", uio);
    if (!bdnn_uio_read_number(path, &bytes) || bytes < BDNN_HW_REGISTER_SPAN || offset != 0) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE,
                         "%s: its map0, %llu bytes at %llu of a page, is not the %d bytes of the kernel's registers",
                         device->base.label, (unsigned long long)bytes, (unsigned long long)offset,
                         BDNN_HW_REGISTER_SPAN);
    }
    device->registers = bdnn_uio_system_used->mmap(device->fd, BDNN_HW_REGISTER_SPAN, 0);
    return device->registers ? BDNN_OK
                             : bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: its registers cannot be mapped: %s",
                                         device->base.label, strerror(errno));
}

/* Looks who it is before anything is written; a run of a process that died may still be under way. */
static bdnn_status take_over(bdnn_uio_device *device, bdnn_error *err)
{
    const bdnn_uio_system *system = bdnn_uio_system_used;
    const uint32_t identity = system->load(device->registers + BDNN_HW_REG_IDENTITY / 4);
    device->known = identity == 0 || identity == BDNN_HW_IDENTITY; /* a kernel in C has none before its first run */
    if (!device->known) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: the kernel's identity is 0x%08x, not 0x%08x",
                         device->base.label, identity, BDNN_HW_IDENTITY);
    }
    system->store(device->registers + BDNN_HW_REG_GLOBAL_INTERRUPT / 4, 0);
    if (!bdnn_uio_mapped_stop(device)) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: it is running and does not stop", device->base.label);
    }
    const uint32_t status = system->load(device->registers + BDNN_HW_REG_INTERRUPT_STATUS / 4);
    system->store(device->registers + BDNN_HW_REG_INTERRUPT_STATUS / 4, status);
    system->store(device->registers + BDNN_HW_REG_INTERRUPT_ENABLE / 4, BDNN_HW_INTERRUPT_ENABLE_DONE);
    return BDNN_OK;
}

static bdnn_status open_device(bdnn_uio_device *device, const char *uio, const char *buffer, bdnn_error *err)
{
    char path[80];
    bdnn_status status = BDNN_OK;
    snprintf(path, sizeof path, "/dev/%s", uio);
    device->fd = bdnn_uio_system_used->open(path, O_RDWR);
    if (device->fd < 0 || bdnn_uio_system_used->flock(device->fd) != 0) {
        status = bdnn_uio_fail_open(path, errno, err);
    }
    if (status == BDNN_OK) {
        status = map_registers(device, uio, err);
    }
    if (status == BDNN_OK) {
        status = take_over(device, err);
    }
    return status == BDNN_OK ? bdnn_uio_region_open(&device->region, device->fd, uio, buffer, err) : status;
}

/* "uio0" or "uio0,udmabuf0". */
static bdnn_status open_stock(const char *name, const bdnn_backend_options *options, bdnn_accelerator **accelerator,
                              bdnn_error *err)
{
    bdnn_uio_device *device = bdnn_zalloc(1, sizeof *device);
    const size_t length = strcspn(name, ",");
    char uio[64];
    bdnn_status status;
    (void)options;
    if (!device) {
        return bdnn_fail_memory(err, sizeof *device, "a device");
    }
    snprintf(uio, sizeof uio, "%.*s", (int)(length < sizeof uio ? length : sizeof uio - 1), name);
    snprintf(device->base.label, sizeof device->base.label, "uio:%.64s", name);
    device->base.unit_count = 1;
    device->unattended = true;
    status = open_device(device, uio, name[length] ? name + length + 1 : NULL, err);
    if (status != BDNN_OK) {
        close_node(&device->base);
        return status;
    }
    device->pool_bytes = device->region.bytes;
    *accelerator = &device->base;
    return BDNN_OK;
}

static bool reset(bdnn_accelerator *a, size_t unit)
{
    (void)unit;
    return bdnn_uio_mapped_stop((bdnn_uio_device *)a);
}

const bdnn_bus bdnn_uio_stock_bus = {.name = "uio",
                                     .open = open_stock,
                                     .close = close_node,
                                     .allocate = bdnn_uio_region_allocate,
                                     .part = bdnn_uio_part,
                                     .free = bdnn_uio_region_free,
                                     .to_device = bdnn_uio_region_to_device,
                                     .from_device = bdnn_uio_region_from_device,
                                     .start = bdnn_uio_mapped_start,
                                     .await = bdnn_uio_mapped_await,
                                     .read = bdnn_uio_mapped_read,
                                     .reset = reset,
                                     .runs_nothing = true};
