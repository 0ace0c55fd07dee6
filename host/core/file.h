/* Files: whole files mapped for reading, and output that appears only when it is complete. */
#ifndef BDNN_CORE_FILE_H
#define BDNN_CORE_FILE_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A regular file mapped read-only and private. data is NULL and size 0 for an empty file. */
typedef struct bdnn_map {
    const uint8_t *data;
    size_t size;
} bdnn_map;

/* Errors: BDNN_ERROR_IO, with the path and the system's reason, for a file that cannot be opened, is a directory or
 * cannot be mapped. */
bdnn_status bdnn_map_file(const char *path, bdnn_map *map, bdnn_error *err);
void bdnn_unmap_file(bdnn_map *map);

/* Lets the system have a map's pages of memory back: what is read again comes again, from its cache of files or from
 * the file. */
void bdnn_map_let_go(const bdnn_map *map);

/* Output to `path` under a temporary name in the same directory: bdnn_output_commit flushes it to the disk and renames
 * it over `path`; bdnn_output_discard (also right after a failed open or commit, and then harmless) removes it. Nothing
 * but a commit touches `path`. Write through `stream`. */
typedef struct bdnn_output {
    FILE *stream;
    char *path;
    char *temporary;
} bdnn_output;

bdnn_status bdnn_output_open(bdnn_output *output, const char *path, bdnn_error *err);
bdnn_status bdnn_output_commit(bdnn_output *output, bdnn_error *err);
void bdnn_output_discard(bdnn_output *output);

#endif
