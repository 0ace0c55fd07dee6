/* SPDX-License-Identifier: BSD-2-Clause */
/* Output that appears under its name only when it is complete: files and folders under a temporary name beside it,
 * written to the disk, then renamed. */
#ifndef BDNN_CORE_OUTPUT_H
#define BDNN_CORE_OUTPUT_H

#include "core/error.h"

#include <stdio.h>

/* A file. bdnn_output_commit writes it to the disk and renames it over `path`, and the folder to the disk too;
 * bdnn_output_discard (also right after a failed open or commit, and then harmless) removes it. Nothing but a commit
 * touches `path`. The temporary name cannot be foretold, and what has it already is never followed or overwritten;
 * permissions are those that the process's umask asks for. Write through `stream`, which remembers errors until the
 * commit. */
typedef struct bdnn_output {
    FILE *stream;
    char *path;
    char *temporary;
    int slot; /* in the list of bdnn_remove_temporaries */
} bdnn_output;

bdnn_status bdnn_output_open(bdnn_output *output, const char *path, bdnn_error *err);
bdnn_status bdnn_output_commit(bdnn_output *output, bdnn_error *err);
void bdnn_output_discard(bdnn_output *output);

/* A folder likewise, which must not exist when it gets its name: write into the folder `temporary`. */
typedef struct bdnn_output_folder {
    char *path;
    char *temporary;
    int slot;
} bdnn_output_folder;

bdnn_status bdnn_output_folder_open(bdnn_output_folder *output, const char *path, bdnn_error *err);
bdnn_status bdnn_output_folder_commit(bdnn_output_folder *output, bdnn_error *err);
void bdnn_output_folder_discard(bdnn_output_folder *output);

#endif
