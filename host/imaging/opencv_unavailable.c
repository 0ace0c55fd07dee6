/* SPDX-License-Identifier: BSD-2-Clause */
/* What a build without the image libraries (BDNN_WITH_IMAGES=OFF) has in place of the bridge to OpenCV. Images of the
 * network's own size, as IDX and .npy sets often have, still reach the network. */
#include "imaging/opencv.h"

const char bdnn_cv_out_of_memory[] = "out of memory";

#define WITHOUT "this build of bdnn is without image libraries (BDNN_WITH_IMAGES=OFF)"

const char *bdnn_cv_decode(const uint8_t *data, size_t size, uint8_t **pixels, int32_t *width, int32_t *height,
                           int32_t *channels)
{
    (void)data, (void)size, (void)pixels, (void)width, (void)height, (void)channels;
    return WITHOUT;
}

const char *bdnn_cv_resize(const bdnn_image *image, int32_t width, int32_t height, uint8_t *out)
{
    (void)image, (void)width, (void)height, (void)out;
    return WITHOUT;
}

const char *bdnn_cv_text(bdnn_image *image, const char *text, int32_t x, int32_t y, double size, const uint8_t color[3])
{
    (void)image, (void)text, (void)x, (void)y, (void)size, (void)color;
    return WITHOUT;
}
