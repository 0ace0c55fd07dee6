/* Accelerators without XRT as a backend: finding their nodes. */
#include "backends/uio/uio.h"

#include "backends/device/backend.h"
#include "core/clock.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_DEVICES 16

uint32_t bdnn_uio_milliseconds_until(uint64_t limit)
{
    const uint64_t now = bdnn_clock(), left = limit > now ? (limit - now) / 1000000 : 0;
    return left < 60000 ? (uint32_t)left + 1 : 60000;
}

bdnn_status bdnn_uio_fail_open(const char *path, int error, bdnn_error *err)
{
    const bool direct = strstr(path, "-direct");
    switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "uio: there is no %s", path);
    case EBUSY:
    case EWOULDBLOCK:
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "uio: %s is in use by another process", path);
    case EACCES:
    case EPERM:
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "uio: %s: permission denied; %s", path,
                         direct ? "it is for root alone"
                                : "that needs the group that the node belongs to (ls -l shows it), or root");
    case EIO:
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "uio: %s: the accelerator still runs for a process that is gone",
                         path);
    default:
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "uio: %s: %s", path, strerror(error));
    }
}

/* A device that was found, as sysfs knows it. */
struct found {
    char name[64];
    const bdnn_bus *bus;
};

/* Of "bdnn7" 7, of everything else -1. */
static long number_of(const char *name, const char *prefix)
{
    const size_t length = strlen(prefix);
    char *end;
    if (strncmp(name, prefix, length) != 0 || name[length] < '0' || name[length] > '9') {
        return -1;
    }
    const long number = strtol(name + length, &end, 10);
    return *end == '\0' && number < 1000000 ? number : -1;
}

static int by_number(const void *a, const void *b)
{
    const long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

/* The numbers of a class's entries of that prefix, in ascending order. */
static size_t find_numbers(const char *class, const char *prefix, long numbers[MOST_DEVICES])
{
    char path[256];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/class/%s", bdnn_uio_system_used->sysfs, class);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && count < MOST_DEVICES && (entry = readdir(folder));) {
        const long number = number_of(entry->d_name, prefix);
        if (number >= 0) {
            numbers[count++] = number;
        }
    }
    if (folder) {
        closedir(folder);
    }
    qsort(numbers, count, sizeof *numbers, by_number);
    return count;
}

/* Every device, the one that "uio" stands for first: the module's nodes, those for everybody before those for root. */
static size_t find_all(struct found devices[2 * MOST_DEVICES])
{
    long numbers[MOST_DEVICES];
    const size_t nodes = find_numbers("misc", "bdnn", numbers);
    size_t count = 0;
    for (size_t i = 0; i < nodes; i++, count++) {
        snprintf(devices[count].name, sizeof devices->name, "bdnn%ld", numbers[i]);
        devices[count].bus = &bdnn_uio_mediated_bus;
    }
    for (size_t i = 0; i < nodes; i++, count++) {
        snprintf(devices[count].name, sizeof devices->name, "bdnn%ld-direct", numbers[i]);
        devices[count].bus = &bdnn_uio_direct_bus;
    }
    return count;
}

static bdnn_status fail_find(const char *name, bdnn_error *err)
{
    const char *sysfs = bdnn_uio_system_used->sysfs;
    return name ? bdnn_fail(err, BDNN_ERROR_DEVICE, "uio: there is no device '%.40s': no %s/class/misc/%.40s", name,
                            sysfs, name)
                : bdnn_fail(err, BDNN_ERROR_DEVICE,
                            "uio: there is no accelerator: no %s/class/misc/bdnn*; is the module loaded, and the "
                            "accelerator in the device tree?",
                            sysfs);
}

/* The device of that name, or the first. */
static bdnn_status find(const char *name, struct found *device, bdnn_error *err)
{
    struct found all[2 * MOST_DEVICES];
    const size_t count = find_all(all);
    for (size_t i = 0; i < count; i++) {
        if (!name || strcmp(all[i].name, name) == 0) {
            *device = all[i];
            return BDNN_OK;
        }
    }
    return fail_find(name, err);
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
    snprintf(info->description, sizeof info->description, "accelerator behind the bdnn module%s",
             device->bus == &bdnn_uio_direct_bus ? ", its registers mapped" : "");
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
    struct found all[2 * MOST_DEVICES];
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
