/* SPDX-License-Identifier: BSD-2-Clause */
/* Output under temporary names, and the list of these names. */
#define _GNU_SOURCE /* getrandom, O_DIRECTORY */
#include "core/output.h"

#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Temporary names ---- */

/* Copies of the names that exist now, for whoever handles a signal: fixed memory, because a handler can follow no
 * pointer that another thread frees. More outputs at once than slots are written all the same. */
#define SLOTS   8
#define NO_SLOT (-1)
enum { FREE, FILLING, LISTED };
static struct {
    atomic_int state;
    char path[PATH_MAX];
} slots[SLOTS];

static int list_name(const char *path)
{
    for (int i = 0; i < SLOTS && strlen(path) < PATH_MAX; i++) {
        int expected = FREE;
        if (atomic_compare_exchange_strong(&slots[i].state, &expected, FILLING)) {
            strcpy(slots[i].path, path);
            atomic_store(&slots[i].state, LISTED);
            return i;
        }
    }
    return NO_SLOT;
}

static void unlist_name(int slot)
{
    if (slot != NO_SLOT) {
        atomic_store(&slots[slot].state, FREE);
    }
}

/* What getdents64 fills in. readdir would allocate, which a signal's handler must not. */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short bytes;
    unsigned char type;
    char name[];
};

static void remove_at(int folder, const char *name, int depth);

static void remove_content(int folder, int depth)
{
    _Alignas(struct entry) char buffer[2048];
    long got;
    while ((got = syscall(SYS_getdents64, folder, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < got;) {
            const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
            if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0) {
                remove_at(folder, entry->name, depth);
            }
            at += entry->bytes;
        }
    }
}

/* A file, or a folder with all in it; what lies deeper than any output of ours stays. Safe in a signal's handler. */
static void remove_at(int folder, const char *name, int depth)
{
    int inner;
    if (unlinkat(folder, name, 0) == 0 || depth == 0) {
        return;
    }
    inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner >= 0) {
        remove_content(inner, depth - 1);
        close(inner);
        unlinkat(folder, name, AT_REMOVEDIR);
    }
}

#define DEEPEST 8

static void remove_name(const char *path)
{
    remove_at(AT_FDCWD, path, DEEPEST);
}

void bdnn_remove_temporaries(void)
{
    const int before = errno;
    for (int i = 0; i < SLOTS; i++) {
        if (atomic_load(&slots[i].state) == LISTED) {
            remove_name(slots[i].path);
        }
    }
    errno = before;
}

/* PATH.0123456789abcdef, for bdnn_free, made by `make` (open or mkdir), which must fail where something is already. The
 * name is listed before it exists, so that there is no moment at which it would be forgotten. */
#define SUFFIX 17
static char *make_temporary(const char *path, int (*make)(const char *name), int *made, int *slot)
{
    static const char digits[] = "0123456789abcdef";
    const size_t length = strlen(path);
    char *name = bdnn_alloc(length + SUFFIX + 1, 1);
    *made = -1;
    *slot = NO_SLOT;
    errno = ENOMEM;
    for (int tries = 0; name && *made < 0 && tries < 100; tries++) {
        uint8_t random[8];
        if (getrandom(random, sizeof random, 0) != sizeof random) {
            break;
        }
        memcpy(name, path, length);
        name[length] = '.';
        for (size_t i = 0; i < 2 * sizeof random; i++) {
            name[length + 1 + i] = digits[random[i / 2] >> 4 * (i % 2) & 15];
        }
        name[length + SUFFIX] = 0;
        *slot = list_name(name);
        *made = make(name);
        if (*made < 0) {
            const int reason = errno;
            unlist_name(*slot);
            *slot = NO_SLOT;
            errno = reason;
            if (reason != EEXIST) {
                break;
            }
        }
    }
    if (*made < 0) {
        const int reason = errno;
        bdnn_free(name);
        name = NULL;
        errno = reason;
    }
    return name;
}

static int make_file(const char *name)
{
    return open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

static int make_folder(const char *name)
{
    return mkdir(name, 0777);
}

/* ---- Getting the name ---- */

/* A new name is on the disk only when its folder is. Some file systems cannot do that, and say so by EINVAL. */
static bool sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const size_t length = slash ? (size_t)(slash - path) : 0;
    char folder[PATH_MAX] = ".";
    bool done;
    int fd;
    if (length >= sizeof folder) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (slash) {
        memcpy(folder, slash == path ? "/" : path, length ? length : 1);
        folder[length ? length : 1] = 0;
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno == EACCES; /* a folder that may be written but not read */
    }
    done = fsync(fd) == 0 || errno == EINVAL;
    close(fd);
    return done;
}

static bdnn_status cannot_write(const char *path, bdnn_error *err)
{
    return bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
}

bdnn_status bdnn_output_open(bdnn_output *output, const char *path, bdnn_error *err)
{
    struct stat there;
    bdnn_status status;
    int fd = -1;
    memset(output, 0, sizeof *output);
    output->slot = NO_SLOT;
    /* The finished file is renamed over what is there, which would put a file in the place of a device such as
     * /dev/null. */
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot write: not a plain file", path);
    }
    output->path = bdnn_strdup(path);
    if (!output->path) {
        return bdnn_fail_memory(err, strlen(path), "a file name");
    }
    output->temporary = make_temporary(path, make_file, &fd, &output->slot);
    output->stream = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!output->stream) {
        status = cannot_write(path, err);
        if (fd >= 0) {
            close(fd);
        }
        bdnn_output_discard(output);
        return status;
    }
    return BDNN_OK;
}

bdnn_status bdnn_output_commit(bdnn_output *output, bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    bool complete;
    errno = EIO; /* where an earlier write failed and nothing fails now */
    complete = fflush(output->stream) == 0 && !ferror(output->stream) && fsync(fileno(output->stream)) == 0;
    if (!complete) {
        status = cannot_write(output->path, err);
    }
    if (fclose(output->stream) != 0 && complete) {
        status = cannot_write(output->path, err);
    }
    output->stream = NULL;
    if (status == BDNN_OK) {
        if (rename(output->temporary, output->path) != 0) {
            status = cannot_write(output->path, err);
        } else {
            unlist_name(output->slot);
            output->slot = NO_SLOT;
            bdnn_free(output->temporary);
            output->temporary = NULL;
            status = sync_folder_of(output->path) ? BDNN_OK : cannot_write(output->path, err);
        }
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
        unlist_name(output->slot);
    }
    bdnn_free(output->temporary);
    bdnn_free(output->path);
    memset(output, 0, sizeof *output);
    output->slot = NO_SLOT;
}

bdnn_status bdnn_write_file(const char *path, const void *data, size_t size, bdnn_error *err)
{
    bdnn_output output;
    if (!path || (!data && size)) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_status status = bdnn_output_open(&output, path, err);
    if (status != BDNN_OK) {
        return status;
    }
    if (size) {
        fwrite(data, 1, size, output.stream);
    }
    return bdnn_output_commit(&output, err);
}

/* ---- Folders ---- */

bdnn_status bdnn_output_folder_open(bdnn_output_folder *output, const char *path, bdnn_error *err)
{
    size_t length = strlen(path);
    struct stat there;
    int made;
    memset(output, 0, sizeof *output);
    output->slot = NO_SLOT;
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    if (lstat(path, &there) == 0) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "%s: exists already", path);
    }
    output->path = bdnn_zalloc(length + 1, 1);
    if (!output->path) {
        return bdnn_fail_memory(err, length, "a file name");
    }
    memcpy(output->path, path, length);
    output->temporary = make_temporary(output->path, make_folder, &made, &output->slot);
    if (!output->temporary) {
        bdnn_status status = cannot_write(path, err);
        bdnn_output_folder_discard(output);
        return status;
    }
    return BDNN_OK;
}

bdnn_status bdnn_output_folder_commit(bdnn_output_folder *output, bdnn_error *err)
{
    struct stat there;
    bdnn_status status = BDNN_OK;
    /* rename() would replace an empty folder without a word. */
    if (lstat(output->path, &there) == 0) {
        status = bdnn_fail(err, BDNN_ERROR_IO, "%s: exists already", output->path);
    } else if (rename(output->temporary, output->path) != 0) {
        status = cannot_write(output->path, err);
    } else {
        unlist_name(output->slot);
        output->slot = NO_SLOT;
        bdnn_free(output->temporary);
        output->temporary = NULL;
        status = sync_folder_of(output->path) ? BDNN_OK : cannot_write(output->path, err);
    }
    bdnn_output_folder_discard(output);
    return status;
}

void bdnn_output_folder_discard(bdnn_output_folder *output)
{
    if (output->temporary) {
        remove_name(output->temporary);
        unlist_name(output->slot);
    }
    bdnn_free(output->temporary);
    bdnn_free(output->path);
    memset(output, 0, sizeof *output);
    output->slot = NO_SLOT;
}
