/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding images: JPEG by libjpeg-turbo, PNG by libpng, everything else by OpenCV. */
#include "imaging/decode.h"

#include "core/memory.h"
#include "imaging/header.h"
#include "imaging/jpeg_markers.h"
#include "imaging/opencv.h"
#include "imaging/png.h"
#include "imaging/turn.h"

#include <string.h>
#include <turbojpeg.h>

/* An 8 x 8 block of a JPEG takes a bit at the very least, which no picture of use comes near. */
#define MAX_JPEG_PIXELS_PER_BYTE 512

static bdnn_status allocate(bdnn_image *image, int channels, const char *name, bdnn_error *err)
{
    const size_t bytes = (size_t)image->width * (size_t)image->height * (size_t)channels;
    image->pixels = bdnn_alloc(bytes, 1);
    return image->pixels ? BDNN_OK : bdnn_fail_memory(err, bytes, name);
}

/* The smallest scale of the decoder whose picture still covers width x height; the whole picture where they are 0. */
static void choose_scale(bdnn_image *image, int32_t width, int32_t height)
{
    int count = 0;
    tjscalingfactor *factors = tjGetScalingFactors(&count);
    const int32_t whole_width = image->width, whole_height = image->height;
    for (int i = 0; factors && width > 0 && height > 0 && i < count; i++) {
        const int32_t w = TJSCALED(whole_width, factors[i]), h = TJSCALED(whole_height, factors[i]);
        if (w >= width && h >= height && (int64_t)w * h < (int64_t)image->width * image->height) {
            image->width = w;
            image->height = h;
        }
    }
}

/* libjpeg-turbo tells the reason in words alone. */
static bdnn_status fail_jpeg(tjhandle decoder, const char *name, bdnn_error *err)
{
    const char *text = tjGetErrorStr2(decoder);
    return strstr(text, "Insufficient memory") || strstr(text, "Memory allocation failure")
               ? bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: no memory for its picture", name)
               : bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: damaged JPEG: %s", name, text);
}

/* In place. Adobe's numbers are what paper reflects, 255 without ink, and black lies over the colors: red is C K. A
 * color profile in the file is not applied, here as little as elsewhere. */
static void cmyk_to_rgb(uint8_t *pixels, size_t count)
{
    const uint8_t *from = pixels;
    for (size_t i = 0; i < count; i++, from += 4) {
        const int black = from[3];
        for (int c = 0; c < 3; c++) {
            *pixels++ = (uint8_t)((from[c] * black + 127) / 255);
        }
    }
}

static bdnn_status decode_jpeg(tjhandle decoder, const char *name, const uint8_t *data, size_t size, int32_t width,
                               int32_t height, bool as_stored, bdnn_image *image, bdnn_error *err)
{
    const bdnn_jpeg_markers markers = bdnn_jpeg_read_markers(data, size);
    int subsampling, colors, w, h;
    bool cmyk, swaps;
    bdnn_status status;
    if (tjDecompressHeader3(decoder, data, (unsigned long)size, &w, &h, &subsampling, &colors) != 0) {
        return fail_jpeg(decoder, name, err);
    }
    status = bdnn_image_check_size(name, w, h, err);
    if (status != BDNN_OK) {
        return status;
    }
    cmyk = colors == TJCS_CMYK || colors == TJCS_YCCK;
    if ((int64_t)w * h / MAX_JPEG_PIXELS_PER_BYTE > (int64_t)size) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: damaged JPEG: %d x %d pixels in %zu bytes", name, w, h, size);
    }
    if (cmyk && !markers.adobe) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED,
                         "%s: a JPEG of four colors without Adobe's marker, which would tell what its numbers mean",
                         name);
    }
    image->width = w;
    image->height = h;
    image->channels = colors == TJCS_GRAY ? 1 : 3;
    swaps = !as_stored && bdnn_orientation_swaps(markers.orientation);
    choose_scale(image, swaps ? height : width, swaps ? width : height);
    status = allocate(image, cmyk ? 4 : image->channels, name, err);
    /* The accurate transform: the fast one costs accuracy that the quantization then pays for. Warnings count as
     * errors: a picture whose lower half is gray because the file ends early would be a silent wrong answer. A
     * progressive file of thousands of scans, made to keep the decoder busy, is refused. */
    if (status == BDNN_OK &&
        tjDecompress2(decoder, data, (unsigned long)size, image->pixels, image->width, 0, image->height,
                      cmyk                   ? TJPF_CMYK
                      : image->channels == 1 ? TJPF_GRAY
                                             : TJPF_RGB,
                      TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0) {
        status = fail_jpeg(decoder, name, err);
    }
    if (status == BDNN_OK && cmyk) {
        cmyk_to_rgb(image->pixels, (size_t)image->width * (size_t)image->height);
    }
    return status == BDNN_OK && !as_stored ? bdnn_image_turn(image, markers.orientation, err) : status;
}

/* OpenCV tells the format by the same signatures. */
static bdnn_status decode_other(const char *name, const uint8_t *data, size_t size, bdnn_image *image, bdnn_error *err)
{
    const char *problem =
        size > INT32_MAX ? "too large"
                         : bdnn_cv_decode(data, size, &image->pixels, &image->width, &image->height, &image->channels);
    return problem ? bdnn_fail(err, problem == bdnn_cv_out_of_memory ? BDNN_ERROR_MEMORY : BDNN_ERROR_FORMAT, "%s: %s",
                               name, problem)
                   : BDNN_OK;
}

bdnn_status bdnn_image_decode_as(const char *name, const uint8_t *data, size_t size, int32_t width, int32_t height,
                                 bool as_stored, bdnn_image *image, bdnn_error *err)
{
    if (image) {
        *image = (bdnn_image){0};
    }
    if (!name || (size && !data) || !image) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_image_type format = BDNN_IMAGE_JPEG;
    bdnn_status status = bdnn_image_probe(name, data, size, &format, err);
    memset(image, 0, sizeof *image);
    if (status == BDNN_OK && format == BDNN_IMAGE_JPEG) {
        tjhandle decoder = tjInitDecompress();
        if (!decoder) {
            return bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: the JPEG decoder cannot start", name);
        }
        status = decode_jpeg(decoder, name, data, size, width, height, as_stored, image, err);
        tjDestroy(decoder);
    } else if (status == BDNN_OK && format == BDNN_IMAGE_PNG) {
        status = bdnn_png_decode(name, data, size, image, err);
    } else if (status == BDNN_OK) {
        status = decode_other(name, data, size, image, err);
    }
    if (status != BDNN_OK) {
        bdnn_image_free(image);
    }
    return status;
}
