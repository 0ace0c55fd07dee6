/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading a model, whatever its form, and applying what the caller adds to it: labels and a mean image. */
#define _POSIX_C_SOURCE 200809L
#include "core/file.h"
#include "core/memory.h"
#include "core/options.h"
#include "import/import.h"
#include "import/npy.h"
#include "import/parameters.h"
#include "layers/layer.h"
#include "model/model_file.h"

#include <string.h>
#include <sys/stat.h>

/* ---- Options ---- */

/* Cuts the text into lines in place, each without its line end; NULL in `lines` only counts. Empty lines at the end do
 * not count, others do: a class's number is its line's. */
static size_t cut_lines(char *text, size_t size, const char **lines)
{
    size_t count = 0, kept = 0;
    for (size_t at = 0; at < size; count++) {
        char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - (text + at)) : size - at;
        size_t shown = length && text[at + length - 1] == '\r' ? length - 1 : length;
        kept = shown ? count + 1 : kept;
        if (lines) {
            lines[count] = text + at;
            text[at + shown] = 0;
        }
        at += length + 1;
    }
    return kept;
}

static bdnn_status set_label_text(const char *path, char *text, size_t size, bdnn_model *model, bdnn_error *err)
{
    size_t lines = 1;
    const char **labels;
    bdnn_status status;
    for (size_t i = 0; i < size; i++) {
        lines += text[i] == '\n';
        if (!text[i]) {
            return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: not a text file: byte %zu is zero", path, i);
        }
    }
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* a byte order mark is no part of the first name */
        size -= 3;
    }
    labels = bdnn_zalloc(lines, sizeof *labels);
    if (!labels) {
        return bdnn_fail_memory(err, lines * sizeof *labels, path);
    }
    status = bdnn_model_set_labels(model, labels, cut_lines(text, size, labels), err);
    bdnn_free(labels);
    return status;
}

#define MAX_LABELS_BYTES ((size_t)64 << 20)

static bdnn_status apply_labels(bdnn_model *model, const char *path, bdnn_error *err)
{
    bdnn_file_map map;
    char *text;
    bdnn_status status = bdnn_read_file(path, MAX_LABELS_BYTES, &map, err);
    if (status != BDNN_OK) {
        return status;
    }
    text = bdnn_zalloc(map.size + 1, 1);
    if (!text) {
        status = bdnn_fail_memory(err, map.size, path);
    } else {
        if (map.size) {
            memcpy(text, map.data, map.size);
        }
        status = set_label_text(path, text, map.size, model, err);
    }
    bdnn_free(text);
    bdnn_unmap_file(&map);
    return status;
}

/* Cuts the central height x width out of every channel, in place. */
static void crop(float *image, const bdnn_preprocess *to, int64_t height, int64_t width)
{
    const int64_t top = (height - to->height) / 2, left = (width - to->width) / 2;
    float *out = image;
    for (int64_t c = 0; c < to->channels; c++) {
        for (int64_t y = 0; y < to->height; y++, out += to->width) {
            memmove(out, image + (c * height + top + y) * width + left, (size_t)to->width * sizeof *image);
        }
    }
}

static bdnn_status apply_mean_image(bdnn_model *model, const char *path, bdnn_error *err)
{
    bdnn_preprocess preprocess = bdnn_model_preprocess(model);
    bdnn_shape shape;
    float *mean;
    bdnn_status status = bdnn_npy_load(path, &shape, &mean, err);
    char text[64];
    if (status != BDNN_OK) {
        return status;
    }
    if (shape.rank == 4 && shape.dim[0] == 1) {
        shape.rank = 3;
        memmove(shape.dim, shape.dim + 1, 3 * sizeof *shape.dim);
    }
    if (shape.rank != 3 || shape.dim[0] != preprocess.channels || shape.dim[1] < preprocess.height ||
        shape.dim[2] < preprocess.width) {
        status = bdnn_fail(
            err, BDNN_ERROR_ARGUMENT, "%s: a mean image of %s, the network takes images of %dx%dx%d (C, H, W)", path,
            bdnn_shape_text(&shape, text, sizeof text), preprocess.channels, preprocess.height, preprocess.width);
    } else {
        /* Caffe keeps the mean of whole images, 256 x 256, and subtracts it before the crop. */
        crop(mean, &preprocess, shape.dim[1], shape.dim[2]);
        preprocess.mean_image = mean;
        status = bdnn_model_set_preprocess(model, &preprocess, err);
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "%s", path);
        }
    }
    bdnn_free(mean);
    return status;
}

/* ---- Formats ---- */

static bdnn_status load_bdnn(const char *path, bdnn_file_map *map, bdnn_model **model, bdnn_error *err)
{
    bdnn_status status = bdnn_model_read(path, map, model, err);
    if (status != BDNN_OK) {
        return status;
    }
    (*model)->file = bdnn_strdup(path);
    if (!(*model)->file) {
        status = bdnn_fail_memory(err, strlen(path), "a file name");
    } else {
        status = bdnn_file_map_check(&(*model)->map, path, err); /* the checksums were right before it changed */
    }
    if (status != BDNN_OK) {
        bdnn_model_free(*model);
        *model = NULL;
        return status;
    }
    status = bdnn_graph_infer(&(*model)->graph, err);
    if (status == BDNN_OK && (*model)->preprocess.channels) {
        status = bdnn_model_check_preprocess(*model, &(*model)->preprocess, err);
    }
    if (status != BDNN_OK) {
        bdnn_model_free(*model);
        *model = NULL;
        /* The checks do not know that it is a file's numbers that they refuse. */
        return bdnn_prefix(err, status == BDNN_ERROR_ARGUMENT ? BDNN_ERROR_FORMAT : status, "%s", path);
    }
    return BDNN_OK;
}

static bdnn_status load_file(const char *path, const bdnn_load_options *options, bdnn_model **model, bdnn_error *err)
{
    const bdnn_onnx_options onnx = {.keep_batch_norm = options->keep_batch_norm};
    bdnn_file_map map;
    bdnn_status status = options->copy ? bdnn_read_file(path, SIZE_MAX, &map, err) : bdnn_map_file(path, &map, err);
    if (status != BDNN_OK) {
        return status;
    }
    if (!map.size) {
        status = bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: the file is empty", path);
    } else if (map.size >= 8 && memcmp(map.data, BDNN_FILE_MAGIC, 8) == 0) {
        status = load_bdnn(path, &map, model, err);
    } else if (map.size >= 6 && memcmp(map.data, "\x93NUMPY", 6) == 0) {
        status = bdnn_fail(err, BDNN_ERROR_ARGUMENT,
                           "%s: one .npy array; the folder that holds all of them is what can be loaded", path);
    } else {
        status = bdnn_import_onnx(path, map.data, map.size, &onnx, model, err);
        if (status == BDNN_OK) {
            status = bdnn_file_map_check(&map, path, err);
        }
    }
    bdnn_unmap_file(&map);
    return status;
}

/* A folder, with the labels and the mean image that lie in it unless the caller names others. */
static bdnn_status load_folder(const char *path, const bdnn_load_options *options, bdnn_model **model, bdnn_error *err)
{
    static const char *const names[2] = {"labels", "mean"}, *const suffixes[2] = {".txt", ".npy"};
    const bool wanted[2] = {!options->labels, !options->mean_image};
    bdnn_status status = bdnn_import_npy(path, options, model, err);
    for (int i = 0; i < 2 && status == BDNN_OK; i++) {
        char *file = wanted[i] ? bdnn_folder_path(path, names[i], suffixes[i]) : NULL;
        if (file && bdnn_file_exists(file)) {
            status = i == 0 ? apply_labels(*model, file, err) : apply_mean_image(*model, file, err);
        } else if (wanted[i] && !file) {
            status = bdnn_fail_memory(err, strlen(path), "a file name");
        }
        bdnn_free(file);
    }
    return status;
}

bdnn_status bdnn_model_load(const char *path, const bdnn_load_options *options, bdnn_model **model, bdnn_error *err)
{
    if (model) {
        *model = NULL;
    }
    if (!path || !model) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_load_options taken;
    struct stat info;
    bdnn_status status = bdnn_take_load_options(&taken, options, __func__, err);
    if (status != BDNN_OK) {
        return status;
    }
    options = &taken;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        status = load_folder(path, options, model, err);
    } else {
        status = load_file(path, options, model, err);
    }
    if (status == BDNN_OK) {
        /* OK means a model. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        (*model)->preprocess.ignore_exif = options->ignore_exif;
        status = bdnn_graph_check_finite(&(*model)->graph, err);
        if (status != BDNN_OK) {
            bdnn_prefix(err, status, "%s", path);
        }
    }
    if (status == BDNN_OK && options->labels) {
        status = apply_labels(*model, options->labels, err);
    }
    if (status == BDNN_OK && options->mean_image) {
        status = apply_mean_image(*model, options->mean_image, err);
    }
    if (status != BDNN_OK) {
        bdnn_model_free(*model);
        *model = NULL;
    }
    return status;
}
