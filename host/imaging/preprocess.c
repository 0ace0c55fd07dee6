/* SPDX-License-Identifier: BSD-2-Clause */
/* From an image to a network's input. */
#include "core/arithmetic.h"
#include "core/error.h"
#include "core/memory.h"
#include "core/pixels.h"
#include "imaging/opencv.h"

#include <math.h>
#include <string.h>

/* A picture of one row, its shorter side made 256, would be millions of columns wide. */
#define MAX_PIXELS ((int64_t)64 << 20)

/* The size to resize to before the crop: false when it has too many pixels. */
static bool resized_size(const bdnn_image *image, const bdnn_preprocess *p, int32_t *width, int32_t *height)
{
    double w = p->width, h = p->height;
    if (p->resize == BDNN_RESIZE_CROP) {
        const double shorter = (double)bdnn_min(image->width, image->height);
        w = fmax(rint(image->width * (double)p->resize_short / shorter), w);
        h = fmax(rint(image->height * (double)p->resize_short / shorter), h);
    }
    if (!(w * h <= MAX_PIXELS)) {
        return false;
    }
    *width = (int32_t)w;
    *height = (int32_t)h;
    return true;
}

/* Luma of ITU-R BT.601, in integers, as JPEG and OpenCV have it. */
static uint8_t gray_of(const uint8_t *rgb)
{
    return (uint8_t)((rgb[0] * 4899 + rgb[1] * 9617 + rgb[2] * 1868 + 8192) >> 14);
}

static uint8_t pixel_channel(const bdnn_image *image, const bdnn_preprocess *p, const uint8_t *pixel, int32_t channel)
{
    if (image->channels == 1) {
        return pixel[0];
    }
    return p->channels == 1 ? gray_of(pixel) : pixel[p->bgr ? 2 - channel : channel];
}

static void fill(const bdnn_image *image, const bdnn_preprocess *p, float *input)
{
    const int32_t top = (image->height - p->height) / 2, left = (image->width - p->width) / 2;
    for (int32_t c = 0; c < p->channels; c++) {
        for (int32_t y = 0; y < p->height; y++) {
            const uint8_t *row =
                image->pixels + ((size_t)(top + y) * (size_t)image->width + (size_t)left) * (size_t)image->channels;
            const float *means =
                p->mean_image ? p->mean_image + ((size_t)c * (size_t)p->height + (size_t)y) * (size_t)p->width : NULL;
            for (int32_t x = 0; x < p->width; x++) {
                const float mean = means ? means[x] : p->mean[c];
                *input++ =
                    bdnn_normalize_pixel(pixel_channel(image, p, row + x * image->channels, c), mean, p->scale[c]);
            }
        }
    }
}

/* As many bytes, pixel by pixel. */
static void fill_pixels(const bdnn_image *image, const bdnn_preprocess *p, void *to)
{
    const int32_t top = (image->height - p->height) / 2, left = (image->width - p->width) / 2;
    uint8_t *pixels = to;
    for (int32_t y = 0; y < p->height; y++) {
        const uint8_t *row =
            image->pixels + ((size_t)(top + y) * (size_t)image->width + (size_t)left) * (size_t)image->channels;
        for (int32_t x = 0; x < p->width; x++) {
            for (int32_t c = 0; c < p->channels; c++) {
                *pixels++ = pixel_channel(image, p, row + x * image->channels, c);
            }
        }
    }
}

static void fill_input(const bdnn_image *image, const bdnn_preprocess *p, void *to)
{
    fill(image, p, to);
}

/* Resizes, unless the size is right, and hands the image over to be cropped. */
static bdnn_status resize_into(const bdnn_image *image, const bdnn_preprocess *p,
                               void (*put)(const bdnn_image *, const bdnn_preprocess *, void *), void *to,
                               bdnn_error *err)
{
    bdnn_image resized = {.channels = image->channels};
    const char *problem;
    if (p->channels != 1 && p->channels != 3) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "the network takes %d channels, not an image of 1 or 3",
                         p->channels);
    }
    if (!resized_size(image, p, &resized.width, &resized.height)) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED,
                         "an image of %d x %d pixels becomes one of more than %lld before its crop", image->width,
                         image->height, (long long)MAX_PIXELS);
    }
    if (resized.width == image->width && resized.height == image->height) {
        put(image, p, to);
        return BDNN_OK;
    }
    resized.pixels = bdnn_alloc((size_t)resized.width * (size_t)resized.height, (size_t)resized.channels);
    if (!resized.pixels) {
        return bdnn_fail_memory(err, (size_t)resized.width * (size_t)resized.height, "a resized image");
    }
    problem = bdnn_cv_resize(image, resized.width, resized.height, resized.pixels);
    if (!problem) {
        put(&resized, p, to);
    }
    bdnn_image_free(&resized);
    return problem ? bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "resizing: %s", problem) : BDNN_OK;
}

bdnn_status bdnn_image_preprocess(const bdnn_image *image, const bdnn_preprocess *p, float *input, bdnn_error *err)
{
    return image && image->pixels && p && input ? resize_into(image, p, fill_input, input, err)
                                                : bdnn_fail_null(err, __func__);
}

bdnn_status bdnn_image_pixels(const bdnn_image *image, const bdnn_preprocess *p, uint8_t *pixels, bdnn_error *err)
{
    return image && image->pixels && p && pixels ? resize_into(image, p, fill_pixels, pixels, err)
                                                 : bdnn_fail_null(err, __func__);
}
