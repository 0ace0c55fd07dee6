/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening a dataset of whatever kind. */
#define _POSIX_C_SOURCE 200809L
#include "datasets/kind.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

bdnn_status bdnn_dataset_open(const char *path, const char *labels, bdnn_dataset **dataset, bdnn_error *err)
{
    if (dataset) {
        *dataset = NULL;
    }
    if (!path || !dataset) {
        return bdnn_fail_null(err, __func__);
    }
    const size_t length = strlen(path);
    struct stat info;
    *dataset = NULL;
    if (stat(path, &info) != 0) {
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
    }
    if (S_ISDIR(info.st_mode)) {
        return bdnn_open_folder(path, labels, dataset, err);
    }
    if (length > 4 && strcmp(path + length - 4, ".npy") == 0) {
        return bdnn_open_npy(path, labels, dataset, err);
    }
    return bdnn_open_idx(path, labels, dataset, err);
}

void bdnn_dataset_free(bdnn_dataset *dataset)
{
    if (dataset) {
        dataset->type->close(dataset);
    }
}

size_t bdnn_dataset_count(const bdnn_dataset *dataset)
{
    if (!dataset) {
        return 0;
    }
    return dataset->count;
}

bdnn_label_kind bdnn_dataset_label_kind(const bdnn_dataset *dataset)
{
    if (!dataset) {
        return BDNN_LABEL_NONE;
    }
    return dataset->kind;
}

static bdnn_status check(const bdnn_dataset *dataset, size_t index, bdnn_label_kind kind, bdnn_error *err)
{
    if (index >= dataset->count) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "item %zu of %zu", index, dataset->count);
    }
    if (kind != BDNN_LABEL_NONE && dataset->kind != kind) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "the dataset has no labels of this kind");
    }
    return BDNN_OK;
}

bdnn_status bdnn_dataset_input(const bdnn_dataset *dataset, size_t index, const bdnn_preprocess *preprocess,
                               float *input, bdnn_error *err)
{
    if (!dataset || !preprocess || !input) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_status status = check(dataset, index, BDNN_LABEL_NONE, err);
    return status == BDNN_OK ? dataset->type->input(dataset, index, preprocess, input, err) : status;
}

bdnn_status bdnn_dataset_class(const bdnn_dataset *dataset, size_t index, int32_t *label, bdnn_error *err)
{
    if (!dataset || !label) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_status status = check(dataset, index, BDNN_LABEL_CLASS, err);
    return status == BDNN_OK ? dataset->type->label(dataset, index, label, err) : status;
}

bdnn_status bdnn_dataset_class_map(const bdnn_dataset *dataset, size_t index, int32_t height, int32_t width,
                                   int32_t *class_map, bdnn_error *err)
{
    if (!dataset || !class_map) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_status status = check(dataset, index, BDNN_LABEL_CLASS_MAP, err);
    return status == BDNN_OK ? dataset->type->class_map(dataset, index, height, width, class_map, err) : status;
}

char *bdnn_dataset_name(const bdnn_dataset *dataset, size_t index, char *text, size_t size)
{
    if (!text || size == 0) {
        return text;
    }
    text[0] = '\0';
    if (dataset && index < dataset->count) {
        dataset->type->name(dataset, index, text, size);
    }
    return text;
}
