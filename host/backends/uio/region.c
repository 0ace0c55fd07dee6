/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory beside UIO, which has none to give: a reserved region that the device itself maps (map1), or a u-dma-buf;
 * shared out in pages, first fit. */
#define _POSIX_C_SOURCE 200809L
#include "backends/uio/uio.h"
#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is taken of a region, in ascending order. */
typedef struct bdnn_uio_block {
    size_t offset, bytes;
    struct bdnn_uio_block *next;
} block;

/* ---- u-dma-buf: /sys/class/u-dma-buf/NAME, in older versions /sys/class/udmabuf/NAME ---- */

static const char *const classes[] = {"u-dma-buf", "udmabuf"};
enum { CLASSES = sizeof classes / sizeof *classes };

/* The class of the u-dma-buf that is meant, and its name. NULL: there is none, or several and none was named. */
static const char *find_buffer(const char *wanted, char name[64])
{
    for (int c = 0; c < CLASSES; c++) {
        char path[160];
        long number[2];
        snprintf(name, 64, "%.63s", wanted ? wanted : "");
        if (!wanted && bdnn_uio_find_numbers(classes[c], "udmabuf", number, 2) == 1) {
            snprintf(name, 64, "udmabuf%ld", number[0]);
        }
        snprintf(path, sizeof path, "class/%s/%s", classes[c], name);
        if (*name && !strchr(name, '/') && bdnn_uio_exists(path)) {
            return classes[c];
        }
    }
    return NULL;
}

/* The files of the manual cache management. */
enum { OFFSET, SIZE, DIRECTION, FOR_DEVICE, FOR_CPU };

static bdnn_status open_files(bdnn_uio_region *region, const char *class, bdnn_error *err)
{
    static const char *const names[BDNN_UIO_SYNC_FILES] = {[OFFSET] = "sync_offset",
                                                           [SIZE] = "sync_size",
                                                           [DIRECTION] = "sync_direction",
                                                           [FOR_DEVICE] = "sync_for_device",
                                                           [FOR_CPU] = "sync_for_cpu"};
    region->is_handed = true;
    for (int i = 0; i < BDNN_UIO_SYNC_FILES; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/class/%s/%s/%s", bdnn_uio_system_used->sysfs, class, region->name, names[i]);
        region->files[i] = bdnn_uio_system_used->open(path, O_WRONLY);
        if (region->files[i] < 0) {
            return bdnn_uio_fail_open(path, errno, err);
        }
    }
    return BDNN_OK;
}

static bool write_number(int fd, uint64_t number)
{
    char text[24];
    const int bytes = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return bdnn_uio_system_used->write(fd, text, (size_t)bytes) == bytes;
}

enum { TO_DEVICE = 1, FROM_DEVICE = 2 };

static bool hand_over(const bdnn_uio_region *region, size_t offset, size_t bytes, int direction)
{
    const int *files = region->files;
    return !region->is_handed || (write_number(files[OFFSET], offset) && write_number(files[SIZE], bytes) &&
                                  write_number(files[DIRECTION], (uint64_t)direction) &&
                                  write_number(files[direction == TO_DEVICE ? FOR_DEVICE : FOR_CPU], 1));
}

static bdnn_status open_buffer(bdnn_uio_region *region, const char *wanted, const char *uio, bdnn_error *err)
{
    const char *class = find_buffer(wanted, region->name);
    char path[160];
    uint64_t bytes = 0, coherent = 0;
    if (!class) {
        return wanted ? bdnn_fail(err, BDNN_ERROR_DEVICE, "uio: there is no %s/class/u-dma-buf/%.60s",
                                  bdnn_uio_system_used->sysfs, wanted)
                      : bdnn_fail(err, BDNN_ERROR_DEVICE,
                                  "uio: %s has no memory: neither a map1, nor is there one u-dma-buf (of several, "
                                  "name one: uio:%s,udmabuf0)",
                                  uio, uio);
    }
    snprintf(path, sizeof path, "class/%s/%s/phys_addr", class, region->name);
    bool known = bdnn_uio_read_number(path, &region->address);
    snprintf(path, sizeof path, "class/%s/%s/size", class, region->name);
    known = bdnn_uio_read_number(path, &bytes) && known;
    snprintf(path, sizeof path, "class/%s/%s/dma_coherent", class, region->name);
    bdnn_uio_read_number(path, &coherent);
    if (!known || bytes < BDNN_BUS_PAGE || bytes > SIZE_MAX / 2) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "uio: %s/class/%s/%s does not tell its address and size",
                         bdnn_uio_system_used->sysfs, class, region->name);
    }
    region->bytes = (size_t)bytes;
    snprintf(path, sizeof path, "/dev/%s", region->name);
    region->fd = bdnn_uio_system_used->open(path, O_RDWR);
    region->is_buffer = region->fd >= 0;
    if (region->fd < 0 || bdnn_uio_system_used->flock(region->fd) != 0) {
        return bdnn_uio_fail_open(path, errno, err);
    }
    region->map = bdnn_uio_system_used->mmap(region->fd, region->bytes, 0);
    return coherent ? BDNN_OK : open_files(region, class, err);
}

/* ---- The region ---- */

bdnn_status bdnn_uio_region_open(bdnn_uio_region *region, int uio_fd, const char *uio, const char *buffer,
                                 bdnn_error *err)
{
    char path[160];
    uint64_t bytes = 0;
    bdnn_status status = BDNN_OK;
    snprintf(path, sizeof path, "class/uio/%s/maps/map1/size", uio);
    if (buffer || !bdnn_uio_read_number(path, &bytes) || bytes < BDNN_BUS_PAGE || bytes > SIZE_MAX / 2) {
        status = open_buffer(region, buffer, uio, err);
    } else {
        region->bytes = (size_t)bytes;
        region->staged = true; /* UIO maps it as device memory, for which memset may be too clever */
        snprintf(region->name, sizeof region->name, "%s's map1", uio);
        snprintf(path, sizeof path, "class/uio/%s/maps/map1/addr", uio);
        if (!bdnn_uio_read_number(path, &region->address)) {
            return bdnn_fail(err, BDNN_ERROR_DEVICE, "uio: %s/%s holds no address", bdnn_uio_system_used->sysfs, path);
        }
        region->map = bdnn_uio_system_used->mmap(uio_fd, region->bytes, (uint64_t)sysconf(_SC_PAGESIZE));
    }
    return status != BDNN_OK || region->map
               ? status
               : bdnn_fail(err, BDNN_ERROR_DEVICE, "uio: %s, %zu bytes, cannot be mapped: %s", region->name,
                           region->bytes, strerror(errno));
}

void bdnn_uio_region_close(bdnn_uio_region *region)
{
    if (region->map) {
        bdnn_uio_system_used->munmap(region->map, region->bytes);
    }
    for (int i = 0; i < BDNN_UIO_SYNC_FILES && region->is_handed; i++) {
        if (region->files[i] > 0) {
            bdnn_uio_system_used->close(region->files[i]);
        }
    }
    if (region->is_buffer) {
        bdnn_uio_system_used->close(region->fd);
    }
    while (region->blocks) {
        block *next = region->blocks->next;
        bdnn_free(region->blocks);
        region->blocks = next;
    }
}

/* Where `bytes` can be put in: the link behind which, and the offset. NULL: nowhere. */
static block **find_gap(bdnn_uio_region *region, size_t bytes, size_t *offset)
{
    block **link = &region->blocks;
    *offset = 0;
    while (*link && (*link)->offset - *offset < bytes) {
        *offset = (*link)->offset + (*link)->bytes;
        link = &(*link)->next;
    }
    return region->bytes - *offset >= bytes ? link : NULL;
}

bdnn_status bdnn_uio_region_allocate(bdnn_accelerator *a, int pointer, size_t bytes, const char *what,
                                     bdnn_bus_memory *memory, bdnn_error *err)
{
    bdnn_uio_region *region = &((bdnn_uio_device *)a)->region;
    size_t offset;
    block **link = find_gap(region, bytes, &offset);
    block *taken = link ? bdnn_zalloc(1, sizeof *taken) : NULL;
    void *host = !taken ? NULL : region->staged ? bdnn_zalloc(bytes, 1) : region->map + offset;
    (void)pointer;
    if (!link) {
        return bdnn_fail(err, BDNN_ERROR_MEMORY,
                         "%s: the device has no %zu bytes for %s: of %s, %zu bytes, %zu are free", a->label, bytes,
                         what, region->name, region->bytes, region->bytes - region->used);
    }
    if (!host) {
        bdnn_free(taken);
        return bdnn_fail_memory(err, bytes, what);
    }
    *taken = (block){.offset = offset, .bytes = bytes, .next = *link};
    *link = taken;
    region->used += bytes;
    *memory = (bdnn_bus_memory){
        .host = host, .bytes = bytes, .handle = offset + 1, .offset = offset, .address = region->address + offset};
    /* What the processor wrote there before must have left its caches before the accelerator writes. */
    return hand_over(region, offset, bytes, TO_DEVICE)
               ? BDNN_OK
               : bdnn_accelerator_lose(a, NULL, err, "%s cannot be handed over: %s", region->name, strerror(errno));
}

void bdnn_uio_region_free(bdnn_accelerator *a, bdnn_bus_memory *memory)
{
    bdnn_uio_region *region = &((bdnn_uio_device *)a)->region;
    block **link = &region->blocks;
    while (!memory->is_part && *link && (*link)->offset + 1 != memory->handle) {
        link = &(*link)->next;
    }
    if (!memory->is_part && *link) {
        block *freed = *link;
        *link = freed->next;
        region->used -= freed->bytes;
        bdnn_free(freed);
        if (region->staged) {
            bdnn_free(memory->host);
        }
    }
    memset(memory, 0, sizeof *memory);
}

/* Device memory takes whole words in order; sizes and places are multiples of one. */
static void copy_words(volatile void *to, const volatile void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof(uintptr_t); i++) {
        ((volatile uintptr_t *)to)[i] = ((const volatile uintptr_t *)from)[i];
    }
}

bool bdnn_uio_region_to_device(bdnn_accelerator *a, const bdnn_bus_memory *memory, size_t offset, size_t bytes)
{
    const bdnn_uio_region *region = &((const bdnn_uio_device *)a)->region;
    if (region->staged) {
        copy_words(region->map + memory->offset + offset, (const uint8_t *)memory->host + offset, bytes);
    }
    return hand_over(region, memory->offset + offset, bytes, TO_DEVICE);
}

bool bdnn_uio_region_from_device(bdnn_accelerator *a, const bdnn_bus_memory *memory, size_t offset, size_t bytes)
{
    const bdnn_uio_region *region = &((const bdnn_uio_device *)a)->region;
    if (!hand_over(region, memory->offset + offset, bytes, FROM_DEVICE)) {
        return false;
    }
    if (region->staged) {
        copy_words((uint8_t *)memory->host + offset, region->map + memory->offset + offset, bytes);
    }
    return true;
}
