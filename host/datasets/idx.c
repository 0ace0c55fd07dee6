/* SPDX-License-Identifier: BSD-2-Clause */
/* IDX files of bytes, as (Fashion-)MNIST comes in, raw or compressed by gzip. */
#define _POSIX_C_SOURCE 200809L
#include "datasets/kind.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/tensor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* One file: bytes of `rank` dimensions. */
struct idx {
    uint8_t *data;
    int32_t rank;
    uint32_t dim[4];
};

struct idx_dataset {
    bdnn_dataset base;
    char *path;
    struct idx images, labels;
};

/* Why zlib could not read: the disk, memory, or else what `wrong` says about the file. */
static bdnn_status fail_read(gzFile file, const char *path, const char *wrong, bdnn_error *err)
{
    int reason = Z_OK;
    const char *text = gzerror(file, &reason);
    if (reason == Z_ERRNO) {
        return bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot read: %s", path, text);
    }
    return reason == Z_MEM_ERROR ? bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: no memory to read it", path)
                                 : bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: %s", path, wrong);
}

/* Reads exactly `size` bytes; false when there are fewer. */
static bool read_bytes(gzFile file, uint8_t *to, size_t size)
{
    while (size > 0) {
        const unsigned part = size > (1u << 30) ? 1u << 30 : (unsigned)size;
        const int got = gzread(file, to, part);
        if (got <= 0) {
            return false;
        }
        to += got;
        size -= (size_t)got;
    }
    return true;
}

/* Memory grows with what is really there, so that a short file that claims much costs little. */
static bdnn_status read_data(gzFile file, const char *path, struct idx *idx, size_t size, bdnn_error *err)
{
    size_t room = size < (1u << 20) ? size : 1u << 20, used = 0;
    uint8_t byte;
    char wrong[128];
    while (used < size) {
        uint8_t *larger = bdnn_alloc(room, 1);
        if (!larger) {
            return bdnn_fail_memory(err, room, path);
        }
        if (used) {
            memcpy(larger, idx->data, used);
        }
        bdnn_free(idx->data);
        idx->data = larger;
        if (!read_bytes(file, larger + used, room - used)) {
            snprintf(wrong, sizeof wrong, "damaged, or ends before the %zu bytes that its header states", size);
            return fail_read(file, path, wrong, err);
        }
        used = room;
        room = room > size / 4 ? size : room * 4;
    }
    if (gzread(file, &byte, 1) != 0) {
        snprintf(wrong, sizeof wrong, "damaged, or more data than the %zu bytes that its header states", size);
        return fail_read(file, path, wrong, err);
    }
    return BDNN_OK;
}

static bdnn_status read_file(gzFile file, const char *path, struct idx *idx, bdnn_error *err)
{
    uint8_t head[4], word[4];
    bdnn_shape shape = {0};
    if (!read_bytes(file, head, sizeof head) || head[0] != 0 || head[1] != 0) {
        return fail_read(file, path, "not an IDX file (nor a .npy file or a folder)", err);
    }
    if (head[2] != 8 || head[3] < 1 || head[3] > 4) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED,
                         "%s: IDX type 0x%02x of %d dimensions; bytes (0x08) of 1 to 4 are read", path, head[2],
                         head[3]);
    }
    idx->rank = shape.rank = head[3];
    for (int32_t a = 0; a < idx->rank; a++) {
        if (!read_bytes(file, word, sizeof word)) {
            return fail_read(file, path, "ends in its header", err);
        }
        idx->dim[a] = (uint32_t)word[0] << 24 | (uint32_t)word[1] << 16 | (uint32_t)word[2] << 8 | word[3];
        shape.dim[a] = idx->dim[a];
    }
    if (bdnn_shape_elements(&shape) <= 0) {
        char text[128];
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: dimensions %s", path, bdnn_shape_text(&shape, text, sizeof text));
    }
    return read_data(file, path, idx, (size_t)bdnn_shape_elements(&shape), err);
}

static bdnn_status load(const char *path, struct idx *idx, bdnn_error *err)
{
    gzFile file;
    uint64_t size;
    int fd, closed;
    bdnn_status status = bdnn_open_file(path, &fd, &size, err);
    if (status != BDNN_OK) {
        return status;
    }
    file = gzdopen(fd, "rb");
    if (!file) {
        close(fd);
        return bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: no memory to read it", path);
    }
    status = read_file(file, path, idx, err);
    closed = gzclose(file);
    if (status == BDNN_OK && closed == Z_ERRNO) {
        status = bdnn_fail(err, BDNN_ERROR_IO, "%s: cannot read: %s", path, strerror(errno));
    } else if (status == BDNN_OK && closed != Z_OK) {
        status = bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: damaged: its gzip stream does not end properly", path);
    }
    return status;
}

/* The label file beside an image file: images -> labels, and idx3 -> idx1 for one label an image. NULL: none. */
static bdnn_status find_labels(const char *path, char **labels, bdnn_error *err)
{
    char *class_maps, *classes = NULL;
    bdnn_status status = bdnn_replace_last(path, "images", "labels", &class_maps, err);
    *labels = NULL;
    if (status == BDNN_OK && class_maps) {
        status = bdnn_replace_last(class_maps, "idx3", "idx1", &classes, err);
    }
    if (status == BDNN_OK && classes && bdnn_file_exists(classes)) {
        *labels = classes;
    } else if (status == BDNN_OK && class_maps && bdnn_file_exists(class_maps)) {
        *labels = class_maps;
    }
    bdnn_free(*labels == classes ? NULL : classes);
    bdnn_free(*labels == class_maps ? NULL : class_maps);
    return status;
}

static void close_idx(bdnn_dataset *dataset)
{
    struct idx_dataset *set = (struct idx_dataset *)dataset;
    bdnn_free(set->path);
    bdnn_free(set->images.data);
    bdnn_free(set->labels.data);
    bdnn_free(set);
}

static bdnn_status input_idx(const bdnn_dataset *dataset, size_t index, const bdnn_preprocess *preprocess, float *input,
                             bdnn_error *err)
{
    const struct idx_dataset *set = (const struct idx_dataset *)dataset;
    const struct idx *images = &set->images;
    bdnn_image image = {
        .height = (int32_t)images->dim[1], .width = (int32_t)images->dim[2], .channels = images->rank == 4 ? 3 : 1};
    bdnn_status status;
    image.pixels = images->data + index * (size_t)image.height * (size_t)image.width * (size_t)image.channels;
    status = bdnn_image_preprocess(&image, preprocess, input, err);
    return status == BDNN_OK ? status : bdnn_prefix(err, status, "%s: image %zu", set->path, index);
}

static bdnn_status label_idx(const bdnn_dataset *dataset, size_t index, int32_t *label, bdnn_error *err)
{
    (void)err;
    *label = ((const struct idx_dataset *)dataset)->labels.data[index];
    return BDNN_OK;
}

static bdnn_status class_map_idx(const bdnn_dataset *dataset, size_t index, int32_t height, int32_t width,
                                 int32_t *class_map, bdnn_error *err)
{
    const struct idx *labels = &((const struct idx_dataset *)dataset)->labels;
    (void)err;
    bdnn_resize_class_map(labels->data + index * (size_t)labels->dim[1] * labels->dim[2], (int32_t)labels->dim[1],
                          (int32_t)labels->dim[2], NULL, height, width, class_map);
    return BDNN_OK;
}

static void name_idx(const bdnn_dataset *dataset, size_t index, char *text, size_t size)
{
    snprintf(text, size, "%s: image %zu", ((const struct idx_dataset *)dataset)->path, index);
}

static const bdnn_dataset_type idx_type = {
    .close = close_idx, .input = input_idx, .label = label_idx, .class_map = class_map_idx, .name = name_idx};

static bdnn_status attach_labels(struct idx_dataset *set, const char *path, bdnn_error *err)
{
    bdnn_status status = load(path, &set->labels, err);
    if (status != BDNN_OK) {
        return status;
    }
    if (set->labels.rank != 1 && set->labels.rank != 3) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: labels of %d dimensions; 1 (classes) or 3 (class maps) are read",
                         path, set->labels.rank);
    }
    if (set->labels.dim[0] != set->images.dim[0]) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: %u labels for the %u images of %s", path, set->labels.dim[0],
                         set->images.dim[0], set->path);
    }
    set->base.kind = set->labels.rank == 1 ? BDNN_LABEL_CLASS : BDNN_LABEL_CLASS_MAP;
    return BDNN_OK;
}

bdnn_status bdnn_open_idx(const char *path, const char *labels, bdnn_dataset **dataset, bdnn_error *err)
{
    struct idx_dataset *set = bdnn_zalloc(1, sizeof *set);
    char *found = NULL;
    bdnn_status status;
    if (!set || !(set->path = bdnn_strdup(path)) || (labels && !(found = bdnn_strdup(labels)))) {
        bdnn_free(set ? set->path : NULL);
        bdnn_free(set);
        return bdnn_fail_memory(err, sizeof *set, path);
    }
    set->base.type = &idx_type;
    status = labels ? BDNN_OK : find_labels(path, &found, err);
    if (status == BDNN_OK) {
        status = load(path, &set->images, err);
    }
    if (status == BDNN_OK && set->images.rank != 3 && (set->images.rank != 4 || set->images.dim[3] != 3)) {
        status =
            bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: images of %d dimensions; 3 (N, H, W) or 4 (N, H, W, 3) are read",
                      path, set->images.rank);
    }
    if (status == BDNN_OK && (set->images.dim[1] > 16384 || set->images.dim[2] > 16384)) {
        status = bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: images of %u x %u pixels", path, set->images.dim[1],
                           set->images.dim[2]);
    }
    set->base.count = set->images.dim[0];
    if (status == BDNN_OK && found) {
        status = attach_labels(set, found, err);
    }
    bdnn_free(found);
    if (status != BDNN_OK) {
        close_idx(&set->base);
        return status;
    }
    *dataset = &set->base;
    return BDNN_OK;
}
