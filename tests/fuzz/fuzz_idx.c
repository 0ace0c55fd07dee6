/* SPDX-License-Identifier: BSD-2-Clause */
/* IDX files, raw or gzip: the input as the images, and as the labels of a small set. A file without a name stands for
 * one on disk. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "bdnn_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int make_file(const uint8_t *data, size_t size, char path[32])
{
    const int file = memfd_create("input", MFD_CLOEXEC);
    if (file < 0 || write(file, data, size) != (ssize_t)size) {
        abort();
    }
    snprintf(path, 32, "/proc/self/fd/%d", file);
    return file;
}

static void read_items(const bdnn_dataset *set)
{
    const bdnn_preprocess p = {.channels = 1, .height = 4, .width = 4, .scale = {1}};
    float input[16];
    int32_t class_map[16];
    bdnn_error err;
    const size_t last = bdnn_dataset_count(set) - 1;
    for (size_t i = 0; i < 2; i++) {
        const size_t index = i ? last : 0;
        bdnn_dataset_input(set, index, &p, input, &err);
        bdnn_dataset_class(set, index, class_map, &err);
        bdnn_dataset_class_map(set, index, 4, 4, class_map, &err);
    }
}

static void open_and_read(const char *images, const char *labels)
{
    bdnn_dataset *set;
    bdnn_error err;
    if (bdnn_dataset_open(images, labels, &set, &err) == BDNN_OK) {
        read_items(set);
    }
    bdnn_dataset_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t two_images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5, 6};
    char path[32], small_path[32];
    const int file = make_file(data, size, path), small_file = make_file(two_images, sizeof two_images, small_path);
    open_and_read(path, NULL);
    open_and_read(small_path, path);
    close(file);
    close(small_file);
    return 0;
}
