/* Files. */
#define _DEFAULT_SOURCE /* madvise */
#include "core/file.h"

#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bdnn_status bdnn_map_file(const char *path, bdnn_map *map, bdnn_error *err)
{
    struct stat info;
    void *data;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    map->data = NULL;
    map->size = 0;
    if (fd < 0) {
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
    }
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: not a regular file", path);
    }
    if (info.st_size == 0) {
        close(fd);
        return BDNN_OK;
    }
    if ((off_t)(size_t)info.st_size != info.st_size) {
        close(fd);
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: %lld bytes are more than this %zu-bit program can address", path,
                         (long long)info.st_size, sizeof(void *) * 8);
    }
    data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED) {
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot map %lld bytes: %s", path, (long long)info.st_size,
                         strerror(errno));
    }
    map->data = data;
    map->size = (size_t)info.st_size;
    return BDNN_OK;
}

void bdnn_map_let_go(const bdnn_map *map)
{
    if (map->data) {
        madvise((void *)map->data, map->size, MADV_DONTNEED);
    }
}

void bdnn_unmap_file(bdnn_map *map)
{
    if (map->data) {
        munmap((void *)map->data, map->size);
    }
    map->data = NULL;
    map->size = 0;
}

bdnn_status bdnn_output_open(bdnn_output *output, const char *path, bdnn_error *err)
{
    static const char suffix[] = ".XXXXXX";
    size_t length = strlen(path);
    mode_t mask;
    int fd = -1;
    struct stat there;
    memset(output, 0, sizeof *output);
    /* The finished file is renamed over what is there, which would put a file in the place of a device such as
     * /dev/null. */
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot write: not a plain file", path);
    }
    output->path = bdnn_strdup(path);
    output->temporary = bdnn_alloc(length + sizeof suffix, 1);
    if (!output->path || !output->temporary) {
        bdnn_output_discard(output);
        return bdnn_fail_memory(err, length, "a file name");
    }
    memcpy(output->temporary, path, length);
    memcpy(output->temporary + length, suffix, sizeof suffix);
    fd = mkstemp(output->temporary);
    if (fd >= 0) {
        /* mkstemp makes the file private; the finished one gets the permissions that open() would have given it. */
        mask = umask(0);
        umask(mask);
        if (fchmod(fd, 0666 & ~mask) == 0) {
            output->stream = fdopen(fd, "wb");
        }
    }
    if (!output->stream) {
        bdnn_status status = bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
            unlink(output->temporary);
        }
        bdnn_free(output->temporary);
        output->temporary = NULL;
        bdnn_output_discard(output);
        return status;
    }
    return BDNN_OK;
}

bdnn_status bdnn_output_commit(bdnn_output *output, bdnn_error *err)
{
    bool failed = ferror(output->stream) || fflush(output->stream) != 0 || fsync(fileno(output->stream)) != 0;
    bdnn_status status = BDNN_OK;
    failed = fclose(output->stream) != 0 || failed;
    output->stream = NULL;
    if (failed || rename(output->temporary, output->path) != 0) {
        status = bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot write: %s", output->path, strerror(errno));
    } else {
        bdnn_free(output->temporary);
        output->temporary = NULL;
    }
    bdnn_output_discard(output);
    return status;
}

void bdnn_output_discard(bdnn_output *output)
{
    if (output->stream) {
        fclose(output->stream);
    }
    if (output->temporary) {
        unlink(output->temporary);
    }
    bdnn_free(output->temporary);
    bdnn_free(output->path);
    memset(output, 0, sizeof *output);
}
