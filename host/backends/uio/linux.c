/* SPDX-License-Identifier: BSD-2-Clause */
/* What the buses have in common, and files of sysfs. */
#include "backends/uio/uio.h"

#include "core/clock.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

bdnn_status bdnn_uio_part(bdnn_accelerator *a, const bdnn_bus_memory *whole, size_t offset, size_t bytes,
                          bdnn_bus_memory *part, bdnn_error *err)
{
    (void)a;
    (void)err;
    *part = *whole;
    part->host = (uint8_t *)whole->host + offset;
    part->bytes = bytes;
    part->offset += offset;
    part->address += offset;
    part->is_part = true;
    return BDNN_OK;
}

static void path_of(const char *below, char path[256])
{
    snprintf(path, 256, "%s/%s", bdnn_uio_system_used->sysfs, below);
}

bool bdnn_uio_exists(const char *below)
{
    char path[256];
    path_of(below, path);
    return access(path, F_OK) == 0;
}

bool bdnn_uio_read_text(const char *below, char *text, size_t bytes)
{
    char path[256];
    path_of(below, path);
    FILE *file = fopen(path, "re");
    const bool read = file && fgets(text, (int)bytes, file);
    if (file) {
        fclose(file);
    }
    if (read) {
        text[strcspn(text, "\n")] = '\0';
    }
    return read;
}

bool bdnn_uio_read_number(const char *below, uint64_t *number)
{
    char text[32], *end;
    if (!bdnn_uio_read_text(below, text, sizeof text)) {
        return false;
    }
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 0);
    if (errno || end == text || *end) {
        return false;
    }
    *number = value;
    return true;
}

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

size_t bdnn_uio_find_numbers(const char *class, const char *prefix, long *numbers, size_t room)
{
    char below[64], path[256];
    size_t count = 0;
    snprintf(below, sizeof below, "class/%s", class);
    path_of(below, path);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && count < room && (entry = readdir(folder));) {
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
