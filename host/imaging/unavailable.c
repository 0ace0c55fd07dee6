/* SPDX-License-Identifier: BSD-2-Clause */
/* What a build without the image libraries (BDNN_WITH_IMAGES=OFF) has in place of its decoders and the writer
 * of PNG files. */
#include "imaging/decode.h"
#include "imaging/png.h"

#include <string.h>

#define WITHOUT "this build of bdnn is without image libraries (BDNN_WITH_IMAGES=OFF)"

bdnn_status bdnn_image_decode_as(const char *name, const uint8_t *data, size_t size, int32_t width, int32_t height,
                                 bool as_stored, bdnn_image *image, bdnn_error *err)
{
    if (image) {
        *image = (bdnn_image){0};
    }
    if (!name || (size && !data) || !image) {
        return bdnn_fail_null(err, __func__);
    }
    (void)data, (void)size, (void)width, (void)height, (void)as_stored;
    memset(image, 0, sizeof *image);
    return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: " WITHOUT, name);
}

bdnn_status bdnn_png_encode(const char *name, const bdnn_image *image, uint8_t **data, size_t *size, bdnn_error *err)
{
    (void)image;
    *data = NULL;
    *size = 0;
    return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: " WITHOUT, name);
}
