/* SPDX-License-Identifier: BSD-2-Clause */
/* A folder in memory for fuzz targets that read folders: made for each input, emptied after it. */
#ifndef BDNN_TESTS_FUZZ_TREE_H
#define BDNN_TESTS_FUZZ_TREE_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILES 64

static char root[] = "/dev/shm/bdnn-fuzz-XXXXXX", labels[64]; /* a file beside it */

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind;
    return walk->level > 0 ? remove(path) : 0;
}

static void clear(void)
{
    nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void leave(void)
{
    clear();
    rmdir(root);
    unlink(labels);
}

static void enter(void)
{
    static bool entered;
    if (!entered) {
        if (!mkdtemp(root)) {
            abort();
        }
        snprintf(labels, sizeof labels, "%s.txt", root);
        atexit(leave);
        entered = true;
    }
}

/* No way out of the folder, no path that is none. */
static bool is_harmless(const char *path, size_t length)
{
    return length > 0 && length < 200 && path[0] != '/' && !memchr(path, 0, length) && !memmem(path, length, "..", 2);
}

/* FOLDER/path, with the folders that it is in made. */
static void make_place(const char *path, size_t length, char whole[512])
{
    snprintf(whole, 512, "%s/%.*s", root, (int)length, path);
    for (char *slash = whole + sizeof root; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
}

#endif
