/* SPDX-License-Identifier: BSD-2-Clause */
/* A folder of its own for a test's files, removed with everything in it. */
#ifndef BDNN_TESTS_SCRATCH_H
#define BDNN_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char scratch_folder[] = "/tmp/bdnn-test-XXXXXX";

/* For cmocka's group setup and teardown. */
static int scratch_make(void **unused)
{
    (void)unused;
    return mkdtemp(scratch_folder) ? 0 : -1;
}

static int scratch_remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static int scratch_remove(void **unused)
{
    (void)unused;
    return nftw(scratch_folder, scratch_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* FOLDER/name, valid until the fourth call after this one. */
static inline const char *scratch_path(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
    return path;
}

/* Writes a file, making the folders it is in. */
static inline const char *scratch_write(const char *name, const void *data, size_t size)
{
    const char *path = scratch_path(name);
    char folder[512];
    FILE *file;
    for (const char *slash = path + sizeof scratch_folder; (slash = strchr(slash, '/')) != NULL; slash++) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        mkdir(folder, 0777);
    }
    file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        abort();
    }
    return path;
}

#endif
