/* SPDX-License-Identifier: BSD-2-Clause */
/* Images in files and memory. */
#include "core/file.h"
#include "core/memory.h"
#include "imaging/decode.h"
#include "imaging/png.h"

#include <string.h>

/* The most pixels that are read, as text of 16 bits a channel, take less. */
#define MAX_BYTES ((size_t)1 << 30)

void bdnn_image_free(bdnn_image *image)
{
    if (image) {
        bdnn_free(image->pixels);
        memset(image, 0, sizeof *image);
    }
}

bdnn_status bdnn_image_decode(const char *name, const uint8_t *data, size_t size, int32_t width, int32_t height,
                              bdnn_image *image, bdnn_error *err)
{
    return bdnn_image_decode_as(name, data, size, width, height, false, image, err);
}

static bdnn_status load(const char *path, int32_t width, int32_t height, bool as_stored, bdnn_image *image,
                        bdnn_error *err)
{
    bdnn_file_map map;
    /* Read, not mapped: a picture that somebody shortens meanwhile becomes an error, not a SIGBUS. */
    bdnn_status status = bdnn_read_file(path, MAX_BYTES, &map, err);
    memset(image, 0, sizeof *image);
    if (status == BDNN_OK) {
        status = bdnn_image_decode_as(path, map.data, map.size, width, height, as_stored, image, err);
        bdnn_unmap_file(&map);
    }
    return status;
}

bdnn_status bdnn_image_load(const char *path, int32_t width, int32_t height, bdnn_image *image, bdnn_error *err)
{
    if (image) {
        *image = (bdnn_image){0};
    }
    if (!path || !image) {
        return bdnn_fail_null(err, __func__);
    }
    return load(path, width, height, false, image, err);
}

bdnn_status bdnn_image_load_for(const char *path, const bdnn_preprocess *p, bdnn_image *image, bdnn_error *err)
{
    if (image) {
        *image = (bdnn_image){0};
    }
    if (!path || !p || !image) {
        return bdnn_fail_null(err, __func__);
    }
    const int32_t least = p->resize == BDNN_RESIZE_CROP ? p->resize_short : 0;
    return load(path, least ? least : p->width, least ? least : p->height, p->ignore_exif, image, err);
}

bdnn_status bdnn_image_save(const bdnn_image *image, const char *path, bdnn_error *err)
{
    if (!image || !image->pixels || !path) {
        return bdnn_fail_null(err, __func__);
    }
    uint8_t *data = NULL;
    size_t size = 0;
    bdnn_status status = bdnn_png_encode(path, image, &data, &size, err);
    if (status == BDNN_OK) {
        status = bdnn_write_file(path, data, size, err);
    }
    bdnn_free(data);
    return status;
}
