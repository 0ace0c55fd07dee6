/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders of images: the input's first lines, up to an empty one, are the paths of files in the folder, the rest is its
 * label file. Also opened as it is: as a folder a class, or the Cityscapes tree where the paths make one. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "bdnn_data.h"
#include "tree.h"

#include <fcntl.h>

/* An empty file FOLDER/path, with the folders that it is in. */
static void make_file(const char *path, size_t length)
{
    char whole[512];
    int file;
    make_place(path, length, whole);
    file = open(whole, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0) {
        close(file);
    }
}

/* The files of the first lines; where the rest begins. */
static size_t make_files(const char *text, size_t size)
{
    size_t at = 0;
    for (int files = 0; at < size; files++) {
        const char *end = memchr(text + at, '\n', size - at);
        const size_t length = end ? (size_t)(end - text) - at : size - at;
        if (length > 0 && files < MAX_FILES && is_harmless(text + at, length)) {
            make_file(text + at, length);
        }
        at += length + (end != NULL);
        if (length == 0) {
            break;
        }
    }
    return at;
}

static void open_and_read(const char *label_file)
{
    const bdnn_preprocess p = {.channels = 1, .height = 4, .width = 4, .scale = {1}};
    float input[16];
    int32_t class_map[16];
    char name[64];
    bdnn_dataset *set;
    bdnn_error err;
    if (bdnn_dataset_open(root, label_file, &set, &err) != BDNN_OK) {
        return;
    }
    for (size_t i = 0; i < bdnn_dataset_count(set); i++) {
        bdnn_dataset_name(set, i, name, sizeof name);
        bdnn_dataset_input(set, i, &p, input, &err);
        if (bdnn_dataset_class(set, i, class_map, &err) == BDNN_OK && class_map[0] < 0) {
            abort(); /* an item without a class in a set of classes */
        }
        bdnn_dataset_class_map(set, i, 4, 4, class_map, &err);
    }
    bdnn_dataset_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *file;
    size_t at;
    enter();
    at = make_files((const char *)data, size);
    file = fopen(labels, "wb");
    if (!file || fwrite(data + at, 1, size - at, file) != size - at || fclose(file) != 0) {
        abort();
    }
    open_and_read(NULL);
    open_and_read(labels);
    clear();
    return 0;
}
