/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that are read. */
#define _DEFAULT_SOURCE /* madvise */
#include "core/file.h"

#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)                    ? "a folder"
           : S_ISFIFO(mode)                 ? "a FIFO"
           : S_ISSOCK(mode)                 ? "a socket"
           : S_ISCHR(mode) || S_ISBLK(mode) ? "a device"
                                            : "no file of data";
}

/* A FIFO without a writer, or a serial line, would keep a blocking open() waiting for ever. */
static bdnn_status open_regular(const char *path, int *fd, struct stat *info, bdnn_error *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0) {
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
    }
    if (fstat(*fd, info) != 0 || !S_ISREG(info->st_mode)) {
        close(*fd);
        *fd = -1;
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: not a regular file but %s", path, kind_of(info->st_mode));
    }
    return BDNN_OK;
}

bdnn_status bdnn_open_file(const char *path, int *fd, uint64_t *size, bdnn_error *err)
{
    struct stat info = {0};
    bdnn_status status = open_regular(path, fd, &info, err);
    *size = status == BDNN_OK ? (uint64_t)info.st_size : 0;
    return status;
}

static bdnn_status fail_size(const char *path, const struct stat *info, bdnn_error *err)
{
    return bdnn_fail(err, BDNN_ERROR_IO, "%s: %lld bytes are more than this %zu-bit program can address", path,
                     (long long)info->st_size, sizeof(void *) * 8);
}

bdnn_status bdnn_map_file(const char *path, bdnn_file_map *map, bdnn_error *err)
{
    struct stat info = {0};
    void *data;
    int fd;
    bdnn_status status = open_regular(path, &fd, &info, err);
    memset(map, 0, sizeof *map);
    if (status != BDNN_OK) {
        return status;
    }
    if (info.st_size == 0 || (off_t)(size_t)info.st_size != info.st_size) {
        close(fd);
        return info.st_size ? fail_size(path, &info, err) : BDNN_OK;
    }
    data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        status = bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot map %lld bytes: %s", path, (long long)info.st_size,
                           strerror(errno));
        close(fd);
        return status;
    }
    *map = (bdnn_file_map){.data = data,
                           .size = (size_t)info.st_size,
                           .watch = fd + 1,
                           .seconds = info.st_mtim.tv_sec,
                           .nanoseconds = info.st_mtim.tv_nsec};
    return BDNN_OK;
}

bdnn_status bdnn_read_at(int fd, const char *path, uint64_t offset, void *to, size_t size, bdnn_error *err)
{
    for (size_t done = 0; done < size;) {
        const size_t part = size - done < (1u << 30) ? size - done : 1u << 30;
        const ssize_t got = pread(fd, (char *)to + done, part, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot read %zu bytes at %llu: %s", path, size - done,
                             (unsigned long long)(offset + done),
                             got < 0 ? strerror(errno) : "the file has become shorter");
        }
        done += (size_t)got;
    }
    return BDNN_OK;
}

bdnn_status bdnn_read_file(const char *path, size_t most, bdnn_file_map *map, bdnn_error *err)
{
    uint8_t *data;
    uint64_t size;
    int fd;
    bdnn_status status = bdnn_open_file(path, &fd, &size, err);
    memset(map, 0, sizeof *map);
    if (status != BDNN_OK || size == 0) {
        if (fd >= 0) {
            close(fd);
        }
        return status;
    }
    if (size > most) {
        close(fd);
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: %llu bytes; at most %zu are read", path,
                         (unsigned long long)size, most);
    }
    data = bdnn_alloc((size_t)size, 1);
    status =
        data ? bdnn_read_at(fd, path, 0, data, (size_t)size, err)
             : bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: no memory for its %llu bytes", path, (unsigned long long)size);
    close(fd);
    if (status != BDNN_OK) {
        bdnn_free(data);
        return status;
    }
    *map = (bdnn_file_map){.data = data, .size = (size_t)size, .copied = true};
    return BDNN_OK;
}

bdnn_status bdnn_file_map_check(const bdnn_file_map *map, const char *path, bdnn_error *err)
{
    struct stat now;
    if (!map->watch) {
        return BDNN_OK;
    }
    if (fstat(map->watch - 1, &now) != 0) {
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot be looked at any more: %s", path, strerror(errno));
    }
    if ((uint64_t)now.st_size != map->size) {
        return bdnn_fail(err, BDNN_ERROR_IO,
                         "%s: the file was changed while it was in use: it had %zu bytes and has %lld", path, map->size,
                         (long long)now.st_size);
    }
    if (now.st_mtim.tv_sec != map->seconds || now.st_mtim.tv_nsec != map->nanoseconds) {
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: the file was written to while it was in use", path);
    }
    return BDNN_OK;
}

void bdnn_map_release_pages(const bdnn_file_map *map)
{
    if (map->data && !map->copied) {
        madvise((void *)map->data, map->size, MADV_DONTNEED);
    }
}

void bdnn_unmap_file(bdnn_file_map *map)
{
    if (map->copied) {
        bdnn_free((void *)map->data);
    } else if (map->data) {
        munmap((void *)map->data, map->size);
    }
    if (map->watch) {
        close(map->watch - 1);
    }
    memset(map, 0, sizeof *map);
}

bool bdnn_file_exists(const char *path)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}
