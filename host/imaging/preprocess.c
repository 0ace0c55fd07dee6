/* From an image to a network's input. */
#include "core/error.h"
#include "core/memory.h"
#include "imaging/opencv.h"

#include <math.h>
#include <string.h>

/* A picture of one row, its shorter side made 256, would be millions of columns wide. */
#define MOST_PIXELS ((int64_t)64 << 20)

/* The size to resize to before the crop. */
static void resized_size(const bdnn_image *image, const bdnn_preprocess *p, int32_t *width, int32_t *height)
{
    *width = p->width;
    *height = p->height;
    if (p->resize == BDNN_RESIZE_CROP) {
        const int32_t shorter = image->width < image->height ? image->width : image->height;
        *width = (int32_t)lrint((double)image->width * p->resize_short / shorter);
        *height = (int32_t)lrint((double)image->height * p->resize_short / shorter);
        *width = *width < p->width ? p->width : *width;
        *height = *height < p->height ? p->height : *height;
    }
}

/* Luma of ITU-R BT.601, in integers, as JPEG and OpenCV have it. */
static uint8_t grey_of(const uint8_t *rgb)
{
    return (uint8_t)((rgb[0] * 4899 + rgb[1] * 9617 + rgb[2] * 1868 + 8192) >> 14);
}

static uint8_t pixel_channel(const bdnn_image *image, const bdnn_preprocess *p, const uint8_t *pixel, int32_t channel)
{
    if (image->channels == 1) {
        return pixel[0];
    }
    return p->channels == 1 ? grey_of(pixel) : pixel[p->bgr ? 2 - channel : channel];
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
                *input++ = ((float)pixel_channel(image, p, row + x * image->channels, c) - mean) * p->scale[c];
            }
        }
    }
}

bdnn_status bdnn_image_preprocess(const bdnn_image *image, const bdnn_preprocess *p, float *input, bdnn_error *err)
{
    bdnn_image resized = {.channels = image->channels};
    const char *problem;
    if (p->channels != 1 && p->channels != 3) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "the network takes %d channels, not an image of 1 or 3",
                         p->channels);
    }
    resized_size(image, p, &resized.width, &resized.height);
    if (resized.width == image->width && resized.height == image->height) {
        fill(image, p, input);
        return BDNN_OK;
    }
    if ((int64_t)resized.width * resized.height > MOST_PIXELS) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "an image of %d x %d becomes %d x %d pixels before its crop",
                         image->width, image->height, resized.width, resized.height);
    }
    resized.pixels = bdnn_alloc((size_t)resized.width * (size_t)resized.height, (size_t)resized.channels);
    if (!resized.pixels) {
        return bdnn_fail_memory(err, (size_t)resized.width * (size_t)resized.height, "a resized image");
    }
    problem = bdnn_cv_resize(image, resized.width, resized.height, resized.pixels);
    if (!problem) {
        fill(&resized, p, input);
    }
    bdnn_image_free(&resized);
    return problem ? bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "resizing: %s", problem) : BDNN_OK;
}
