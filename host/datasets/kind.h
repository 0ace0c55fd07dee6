/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside a dataset: one table of calls per kind of storage, and what the kinds share. */
#ifndef BDNN_DATASETS_KIND_H
#define BDNN_DATASETS_KIND_H

#include "bdnn_data.h"
#include "core/error.h"

typedef struct bdnn_dataset_type {
    void (*close)(bdnn_dataset *dataset);
    bdnn_status (*input)(const bdnn_dataset *dataset, size_t index, const bdnn_preprocess *preprocess, float *input,
                         bdnn_error *err);
    bdnn_status (*label)(const bdnn_dataset *dataset, size_t index, int32_t *label, bdnn_error *err);
    bdnn_status (*class_map)(const bdnn_dataset *dataset, size_t index, int32_t height, int32_t width,
                             int32_t *class_map, bdnn_error *err);
    void (*name)(const bdnn_dataset *dataset, size_t index, char *text, size_t size);
} bdnn_dataset_type;

/* Each kind's struct begins with this. */
struct bdnn_dataset {
    const bdnn_dataset_type *type;
    size_t count;
    bdnn_label_kind kind;
};

/* The kinds. labels may be NULL where the layout itself tells where they are. */
bdnn_status bdnn_open_idx(const char *path, const char *labels, bdnn_dataset **dataset, bdnn_error *err);
bdnn_status bdnn_open_npy(const char *path, const char *labels, bdnn_dataset **dataset, bdnn_error *err);
bdnn_status bdnn_open_folder(const char *path, const char *labels, bdnn_dataset **dataset, bdnn_error *err);

/* The value that label images of many sets have where a pixel is not to be judged. */
#define BDNN_LABEL_VOID 255

/* Resizes a class map of bytes by nearest neighbor; `to_class` (256 entries) translates what is stored, NULL: as it
 * is, BDNN_LABEL_VOID becoming -1. */
void bdnn_resize_class_map(const uint8_t *from, int32_t from_height, int32_t from_width, const int32_t *to_class,
                           int32_t height, int32_t width, int32_t *class_map);

/* Makes *result `text` with its last `from` replaced by `to`, for bdnn_free; NULL when it has none. Errors: memory. */
bdnn_status bdnn_replace_last(const char *text, const char *from, const char *to, char **result, bdnn_error *err);

#endif
