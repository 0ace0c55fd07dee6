/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that are read: opened without waiting for anybody, mapped or read whole, and watched for changes. Output is
 * core/output.h's. */
#ifndef BDNN_CORE_FILE_H
#define BDNN_CORE_FILE_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file's content: mapped read-only and private, or read into memory. data is NULL and size 0 for an empty file. */
typedef struct bdnn_file_map {
    const uint8_t *data;
    size_t size;
    bool copied;     /* read, not mapped */
    int watch;       /* of a mapped file: its descriptor + 1, which stays open; 0: none */
    int64_t seconds; /* of a mapped file: when it was last written to, at the time of mapping */
    int64_t nanoseconds;
} bdnn_file_map;

/* Opens a regular file for reading: *fd for close(), *size its bytes. Folders, FIFOs, sockets and devices are refused
 * by what they are, and none is waited for. Errors: BDNN_ERROR_IO with the path and the system's reason. */
bdnn_status bdnn_open_file(const char *path, int *fd, uint64_t *size, bdnn_error *err);

/* Maps a file. A mapped file is a view of what lies on the disk: whoever writes to it in place changes what is read
 * here, and whoever shortens it makes reading end in SIGBUS. bdnn_file_map_check tells the former. Errors: as above,
 * and a file that cannot be mapped. */
bdnn_status bdnn_map_file(const char *path, bdnn_file_map *map, bdnn_error *err);

/* Reads a file of at most `most` bytes into memory. Errors: as above; a larger file, one that ends before its size. */
bdnn_status bdnn_read_file(const char *path, size_t most, bdnn_file_map *map, bdnn_error *err);

/* Ends either. */
void bdnn_unmap_file(bdnn_file_map *map);

/* BDNN_ERROR_IO when a mapped file has been written to, or changed its size, since it was mapped. Its replacement by
 * another file of the same name is no change: the old one stays mapped. Costs one fstat. */
bdnn_status bdnn_file_map_check(const bdnn_file_map *map, const char *path, bdnn_error *err);

/* Lets the system have a map's pages of memory back: what is read again comes again, from its cache of files or from
 * the file. */
void bdnn_map_release_pages(const bdnn_file_map *map);

/* Reads exactly `size` bytes at `offset`. Errors: BDNN_ERROR_IO, with `path` and the reason, or that the file has
 * become shorter. */
bdnn_status bdnn_read_at(int fd, const char *path, uint64_t offset, void *to, size_t size, bdnn_error *err);

/* False only where there is certainly nothing of this name: what exists but cannot be reached counts as there, so that
 * opening it says why. */
bool bdnn_file_exists(const char *path);

#endif
