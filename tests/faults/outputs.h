/* SPDX-License-Identifier: BSD-2-Clause */
/* The folder of outputs: what is in it, by name and content. */
#ifndef BDNN_TESTS_OUTPUTS_H
#define BDNN_TESTS_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_ENTRIES 16

struct listing {
    int count;
    struct output {
        char name[256];
        uint64_t hash;
    } entry[MAX_ENTRIES];
};

/* NULL where there is none of this name. */
const struct output *find_output(const struct listing *listing, const char *name);

/* What lies directly in `folder`; of a folder in it, all of it makes the hash. `timed`: of pages only whether they are
 * whole. */
void list_outputs(const char *folder, bool timed, struct listing *listing);

/* 0 for a file that cannot be read. `timed`: numbers in it are left out, and the space that makes columns of them. */
uint64_t hash_file(const char *path, bool timed);

void empty_folder(const char *path);
void write_old(const char *path);

/* Whether this process has mapped a file whose path begins so. */
bool is_mapped(const char *path);

#endif
