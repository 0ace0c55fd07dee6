/* SPDX-License-Identifier: BSD-2-Clause */
/* Pairs of .npy arrays: images uint8 (N,H,W), (N,H,W,C) or (N,C,H,W), or float32 (N,C,H,W) taken as the network's input
 * as it is; labels integers (N) or (N,H,W). */
#include "datasets/kind.h"

#include "core/file.h"
#include "core/finite.h"
#include "core/memory.h"
#include "import/npy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_SIDE 16384

struct npy_dataset {
    bdnn_dataset base;
    char *path, *label_path;
    bdnn_npy_file file;
    bdnn_npy images; /* its header */
    bool planar;     /* (N,C,H,W) */
    int32_t channels, height, width;
    bdnn_shape label_shape;
    float *labels;
};

static void close_npy(bdnn_dataset *dataset)
{
    struct npy_dataset *set = (struct npy_dataset *)dataset;
    bdnn_npy_close(&set->file);
    bdnn_free(set->path);
    bdnn_free(set->label_path);
    bdnn_free(set->labels);
    bdnn_free(set);
}

static bdnn_status input_floats(const struct npy_dataset *set, size_t index, const bdnn_preprocess *p, float *input,
                                bdnn_error *err)
{
    const size_t bytes = (size_t)set->channels * (size_t)set->height * (size_t)set->width * sizeof *input;
    bdnn_status status;
    size_t at;
    if (p->channels != set->channels || p->height != set->height || p->width != set->width) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT,
                         "%s: float inputs of %d x %d x %d; the network takes %d x %d x %d (C, H, W)", set->path,
                         set->channels, set->height, set->width, p->channels, p->height, p->width);
    }
    status = bdnn_read_at(set->file.fd, set->path, set->file.begin + (uint64_t)index * bytes, input, bytes, err);
    at = status == BDNN_OK ? bdnn_first_not_finite(input, bytes / sizeof *input) : 0;
    if (status == BDNN_OK && at < bytes / sizeof *input) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: image %zu: number %zu is %g", set->path, index, at,
                         (double)input[at]);
    }
    return status;
}

static bdnn_status input_npy(const bdnn_dataset *dataset, size_t index, const bdnn_preprocess *p, float *input,
                             bdnn_error *err)
{
    const struct npy_dataset *set = (const struct npy_dataset *)dataset;
    const size_t pixels = (size_t)set->height * (size_t)set->width, channels = (size_t)set->channels;
    uint8_t *data;
    bdnn_image image = {.height = set->height, .width = set->width, .channels = set->channels};
    bdnn_status status;
    if (set->images.type == BDNN_NPY_FLOAT32) {
        return input_floats(set, index, p, input, err);
    }
    data = bdnn_alloc(pixels, channels);
    image.pixels = bdnn_alloc(pixels, channels);
    status = data && image.pixels
                 ? bdnn_read_at(set->file.fd, set->path, set->file.begin + (uint64_t)index * pixels * channels, data,
                                pixels * channels, err)
                 : bdnn_fail_memory(err, pixels * channels, set->path);
    for (size_t i = 0; i < pixels && status == BDNN_OK; i++) {
        for (size_t c = 0; c < channels; c++) {
            image.pixels[i * channels + c] = data[set->planar ? c * pixels + i : i * channels + c];
        }
    }
    bdnn_free(data);
    if (status == BDNN_OK) {
        status = bdnn_image_preprocess(&image, p, input, err);
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "%s: image %zu", set->path, index);
        }
    }
    bdnn_image_free(&image);
    return status;
}

static bdnn_status label_of(const struct npy_dataset *set, size_t at, int32_t *label, bdnn_error *err)
{
    const float v = set->labels[at];
    if (!(fabsf(v) < 1e6f) || v != floorf(v)) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: label number %zu is %g", set->label_path, at, (double)v);
    }
    *label = (int32_t)v;
    return BDNN_OK;
}

static bdnn_status label_npy(const bdnn_dataset *dataset, size_t index, int32_t *label, bdnn_error *err)
{
    const struct npy_dataset *set = (const struct npy_dataset *)dataset;
    bdnn_status status = label_of(set, index, label, err);
    if (status == BDNN_OK && *label < 0) {
        status = bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: label number %zu is %d", set->label_path, index, *label);
    }
    return status;
}

static bdnn_status class_map_npy(const bdnn_dataset *dataset, size_t index, int32_t height, int32_t width,
                                 int32_t *class_map, bdnn_error *err)
{
    const struct npy_dataset *set = (const struct npy_dataset *)dataset;
    const int64_t h = set->label_shape.dim[1], w = set->label_shape.dim[2];
    for (int32_t y = 0; y < height; y++) {
        for (int32_t x = 0; x < width; x++) {
            const int64_t at = ((int64_t)index * h + y * h / height) * w + x * w / width;
            bdnn_status status = label_of(set, (size_t)at, class_map++, err);
            if (status != BDNN_OK) {
                return status;
            }
            class_map[-1] = class_map[-1] == BDNN_LABEL_VOID ? -1 : class_map[-1];
        }
    }
    return BDNN_OK;
}

static void name_npy(const bdnn_dataset *dataset, size_t index, char *text, size_t size)
{
    snprintf(text, size, "%s: image %zu", ((const struct npy_dataset *)dataset)->path, index);
}

static const bdnn_dataset_type npy_type = {
    .close = close_npy, .input = input_npy, .label = label_npy, .class_map = class_map_npy, .name = name_npy};

/* Sides that a picture can have, which also keeps them within 32 bits. */
static bool sides_fit(const bdnn_shape *shape)
{
    for (int32_t a = 1; a < shape->rank; a++) {
        if (shape->dim[a] > MAX_SIDE) {
            return false;
        }
    }
    return true;
}

static bdnn_status open_images(struct npy_dataset *set, bdnn_error *err)
{
    const bdnn_shape *shape = &set->images.shape;
    char text[128];
    bdnn_status status = bdnn_npy_open(set->path, &set->file, err);
    if (status != BDNN_OK) {
        return status;
    }
    set->images = set->file.array;
    if (set->images.fortran || (set->images.type != BDNN_NPY_UINT8 && set->images.type != BDNN_NPY_FLOAT32) ||
        shape->rank < 3 || shape->rank > 4 || (set->images.type == BDNN_NPY_FLOAT32 && shape->rank != 4) ||
        bdnn_shape_elements(shape) < 1 || !sides_fit(shape)) {
        return bdnn_fail(
            err, BDNN_ERROR_UNSUPPORTED,
            "%s: an array of %s; images are uint8 (N,H,W), (N,H,W,C), (N,C,H,W) or float32 (N,C,H,W), rows last",
            set->path, bdnn_shape_text(shape, text, sizeof text));
    }
    set->planar =
        shape->rank == 4 && (set->images.type == BDNN_NPY_FLOAT32 || (shape->dim[3] != 1 && shape->dim[3] != 3));
    set->channels = shape->rank == 3 ? 1 : (int32_t)shape->dim[set->planar ? 1 : 3];
    set->height = (int32_t)shape->dim[set->planar ? 2 : 1];
    set->width = (int32_t)shape->dim[set->planar ? 3 : 2];
    set->base.count = (size_t)shape->dim[0];
    if (set->images.type == BDNN_NPY_UINT8 && set->channels != 1 && set->channels != 3) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: images of %d channels", set->path, set->channels);
    }
    return BDNN_OK;
}

static bdnn_status open_labels(struct npy_dataset *set, const char *path, bdnn_error *err)
{
    bdnn_status status = bdnn_npy_load(path, &set->label_shape, &set->labels, err);
    if (status == BDNN_OK &&
        ((set->label_shape.rank != 1 && set->label_shape.rank != 3) ||
         set->label_shape.dim[0] != set->images.shape.dim[0] || bdnn_shape_elements(&set->label_shape) < 1)) {
        char text[128];
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: labels of %s for %lld images; (N) or (N,H,W) are read", path,
                         bdnn_shape_text(&set->label_shape, text, sizeof text), (long long)set->images.shape.dim[0]);
    }
    set->base.kind = set->label_shape.rank == 1 ? BDNN_LABEL_CLASS : BDNN_LABEL_CLASS_MAP;
    return status;
}

bdnn_status bdnn_open_npy(const char *path, const char *labels, bdnn_dataset **dataset, bdnn_error *err)
{
    struct npy_dataset *set = bdnn_zalloc(1, sizeof *set);
    bdnn_status status;
    if (!set || !(set->path = bdnn_strdup(path)) || (labels && !(set->label_path = bdnn_strdup(labels)))) {
        bdnn_free(set ? set->path : NULL);
        bdnn_free(set);
        return bdnn_fail_memory(err, sizeof *set, path);
    }
    set->base.type = &npy_type;
    set->file.fd = -1;
    status = labels ? BDNN_OK : bdnn_replace_last(path, "images", "labels", &set->label_path, err);
    if (status == BDNN_OK) {
        status = open_images(set, err);
    }
    if (status == BDNN_OK && set->label_path && (labels || bdnn_file_exists(set->label_path))) {
        status = open_labels(set, set->label_path, err);
    }
    if (status != BDNN_OK) {
        close_npy(&set->base);
        return status;
    }
    *dataset = &set->base;
    return BDNN_OK;
}
