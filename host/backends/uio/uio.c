/* SPDX-License-Identifier: BSD-2-Clause */
/* Accelerators without XRT as a backend: which there are, and which a name means. */
#include "backends/uio/uio.h"

#include "backends/device/backend.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEVICES 16 /* of a kind */

/* A device that was found: its name and the way to it. */
struct found {
    char name[64];
    const bdnn_bus *bus;
};

enum { MAX_FOUND = 3 * MAX_DEVICES };

/* What the device tree calls a UIO device (uio_pdrv_genirq: the node's name, or linux,uio-name). */
static bool read_uio_name(const char *uio, char *text, size_t bytes)
{
    char path[128];
    snprintf(path, sizeof path, "class/uio/%.60s/name", uio);
    return !strchr(uio, '/') && bdnn_uio_read_text(path, text, bytes);
}

static size_t add(struct found *devices, size_t count, const bdnn_bus *bus, const char *format, long number)
{
    snprintf(devices[count].name, sizeof devices->name, format, number);
    devices[count].bus = bus;
    return count + 1;
}

/* Every device, the one that "uio" stands for first: the module's nodes for everybody, those for root, and of UIO's the
 * devices that are called bdnn. */
static size_t find_all(struct found devices[MAX_FOUND])
{
    long numbers[MAX_DEVICES];
    char name[64], text[64];
    size_t count = 0, found = bdnn_uio_find_numbers("misc", "bdnn", numbers, MAX_DEVICES);
    for (size_t i = 0; i < found; i++) {
        count = add(devices, count, &bdnn_uio_mediated_bus, "bdnn%ld", numbers[i]);
    }
    for (size_t i = 0; i < found; i++) {
        count = add(devices, count, &bdnn_uio_direct_bus, "bdnn%ld-direct", numbers[i]);
    }
    found = bdnn_uio_find_numbers("uio", "uio", numbers, MAX_DEVICES);
    for (size_t i = 0; i < found; i++) {
        snprintf(name, sizeof name, "uio%ld", numbers[i]);
        if (read_uio_name(name, text, sizeof text) && strncmp(text, "bdnn", 4) == 0) {
            count = add(devices, count, &bdnn_uio_stock_bus, "uio%ld", numbers[i]);
        }
    }
    return count;
}

/* Any UIO device that is named outright, with its u-dma-buf or without: "uio1", "uio1,udmabuf0". */
static bool find_named(const char *name, struct found *device)
{
    char uio[64], text[64];
    snprintf(uio, sizeof uio, "%.*s", (int)strcspn(name, ","), name);
    device->bus = &bdnn_uio_stock_bus;
    snprintf(device->name, sizeof device->name, "%s", name);
    return strlen(name) < sizeof device->name && read_uio_name(uio, text, sizeof text);
}

static bdnn_status fail_find(const char *name, bdnn_error *err)
{
    const char *sysfs = bdnn_uio_system_used->sysfs;
    return name ? bdnn_fail(err, BDNN_ERROR_DEVICE,
                            "uio: there is no device '%.60s': neither %s/class/misc/%.60s nor %s/class/uio/%.60s", name,
                            sysfs, name, sysfs, name)
                : bdnn_fail(
                      err, BDNN_ERROR_DEVICE,
                      "uio: there is no accelerator: neither %s/class/misc/bdnn* nor a UIO device called bdnn*; is "
                      "the module loaded, and the accelerator in the device tree?",
                      sysfs);
}

/* The device of that name, or the first. */
static bdnn_status find(const char *name, struct found *device, bdnn_error *err)
{
    struct found all[MAX_FOUND];
    const size_t count = find_all(all);
    for (size_t i = 0; i < count; i++) {
        if (!name || strcmp(all[i].name, name) == 0) {
            *device = all[i];
            return BDNN_OK;
        }
    }
    return name && find_named(name, device) ? BDNN_OK : fail_find(name, err);
}

static bdnn_status open_uio(const bdnn_backend_options *options, bdnn_backend **backend, bdnn_error *err)
{
    struct found device;
    bdnn_status status = find(options->name, &device, err);
    return status == BDNN_OK
               ? bdnn_device_backend_open(&bdnn_backend_uio, device.bus, device.name, options, backend, err)
               : status;
}

static void describe(const struct found *device, bdnn_device_info *info)
{
    const bdnn_backend_options options = {.wait = BDNN_WAIT_HYBRID};
    bdnn_accelerator *a;
    bdnn_error err;
    snprintf(info->name, sizeof info->name, "uio:%.26s", device->name);
    snprintf(info->description, sizeof info->description, "accelerator behind %s",
             device->bus == &bdnn_uio_stock_bus    ? "UIO"
             : device->bus == &bdnn_uio_direct_bus ? "the bdnn module, its registers mapped"
                                                   : "the bdnn module");
    snprintf(info->target, sizeof info->target, "uio");
    info->accelerator = true;
    if (bdnn_accelerator_open(device->bus, device->name, &options, &a, &err) != BDNN_OK) {
        memcpy(info->problem, err.message, sizeof info->problem);
        return;
    }
    bdnn_accelerator_describe(a, info);
    info->memory_bytes = ((const bdnn_uio_device *)a)->pool_bytes;
    bdnn_accelerator_close(a);
}

static size_t list_uio(const char *bitstream, bdnn_device_info *devices, size_t room)
{
    struct found all[MAX_FOUND];
    const size_t count = find_all(all);
    bdnn_error err;
    (void)bitstream;
    for (size_t i = 0; i < count && i < room; i++) {
        describe(&all[i], &devices[i]);
    }
    if (count == 0 && room > 0) {
        snprintf(devices->name, sizeof devices->name, "uio");
        snprintf(devices->description, sizeof devices->description, "accelerators of a Zynq, without XRT");
        devices->accelerator = true;
        fail_find(NULL, &err);
        memcpy(devices->problem, err.message, sizeof devices->problem);
        return 1;
    }
    return count < room ? count : room;
}

const bdnn_backend_type bdnn_backend_uio = {
    .name = "uio", .named = true, .open = open_uio, BDNN_DEVICE_BACKEND_FUNCTIONS, .list = list_uio};
