/* Decoding and writing images: JPEG by libjpeg-turbo, everything else by OpenCV. */
#include "core/file.h"
#include "core/memory.h"
#include "imaging/opencv.h"

#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

/* Images beyond this are refused before their pixels are allocated: a few bytes of a file can claim gigabytes. */
#define MOST_SIDE   16384
#define MOST_PIXELS ((int64_t)64 << 20)

static bdnn_status check_size(const char *name, int64_t width, int64_t height, bdnn_error *err)
{
    if (width < 1 || height < 1 || width > MOST_SIDE || height > MOST_SIDE || width * height > MOST_PIXELS) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT,
                         "%s: an image of %lld x %lld pixels; at most %d a side and %lld in all are read", name,
                         (long long)width, (long long)height, MOST_SIDE, (long long)MOST_PIXELS);
    }
    return BDNN_OK;
}

void bdnn_image_free(bdnn_image *image)
{
    if (image) {
        bdnn_free(image->pixels);
        memset(image, 0, sizeof *image);
    }
}

static bdnn_status allocate(bdnn_image *image, const char *name, bdnn_error *err)
{
    const size_t bytes = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
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

static bdnn_status decode_jpeg(tjhandle decoder, const char *name, const uint8_t *data, size_t size, int32_t width,
                               int32_t height, bdnn_image *image, bdnn_error *err)
{
    int subsampling, colours, w, h;
    bdnn_status status;
    if (tjDecompressHeader3(decoder, data, (unsigned long)size, &w, &h, &subsampling, &colours) != 0) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: damaged JPEG: %s", name, tjGetErrorStr2(decoder));
    }
    status = check_size(name, w, h, err);
    if (status != BDNN_OK) {
        return status;
    }
    if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: a JPEG in CMYK; convert it to RGB first", name);
    }
    image->width = w;
    image->height = h;
    image->channels = colours == TJCS_GRAY ? 1 : 3;
    choose_scale(image, width, height);
    status = allocate(image, name, err);
    /* The accurate transform: the fast one costs accuracy that the quantisation then pays for. Warnings count as
     * errors: a picture whose lower half is grey because the file ends early would be a silent wrong answer. */
    if (status == BDNN_OK &&
        tjDecompress2(decoder, data, (unsigned long)size, image->pixels, image->width, 0, image->height,
                      image->channels == 1 ? TJPF_GRAY : TJPF_RGB, TJFLAG_ACCURATEDCT) != 0) {
        status = bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: damaged JPEG: %s", name, tjGetErrorStr2(decoder));
    }
    return status;
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* PNG states its size in its first 24 bytes; other formats go to OpenCV, which has a limit of its own (2^30 pixels). */
static bdnn_status decode_other(const char *name, const uint8_t *data, size_t size, bdnn_image *image, bdnn_error *err)
{
    uint8_t *pixels = NULL;
    const char *problem;
    bdnn_status status = BDNN_OK;
    if (size >= 24 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0) {
        status = check_size(name, big_endian(data + 16), big_endian(data + 20), err);
    }
    if (status != BDNN_OK) {
        return status;
    }
    problem = size > INT32_MAX ? "too large"
                               : bdnn_cv_decode(data, size, &pixels, &image->width, &image->height, &image->channels);
    if (problem) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: %s", name, problem);
    }
    status = allocate(image, name, err);
    if (status == BDNN_OK) {
        memcpy(image->pixels, pixels, (size_t)image->width * (size_t)image->height * (size_t)image->channels);
    }
    free(pixels);
    return status;
}

bdnn_status bdnn_image_decode(const char *name, const uint8_t *data, size_t size, int32_t width, int32_t height,
                              bdnn_image *image, bdnn_error *err)
{
    bdnn_status status;
    memset(image, 0, sizeof *image);
    if (size < 4) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: %zu bytes are no image", name, size);
    }
    if (data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff) {
        tjhandle decoder = tjInitDecompress();
        if (!decoder) {
            return bdnn_fail(err, BDNN_ERROR_MEMORY, "%s: the JPEG decoder cannot start", name);
        }
        status = decode_jpeg(decoder, name, data, size, width, height, image, err);
        tjDestroy(decoder);
    } else {
        status = decode_other(name, data, size, image, err);
    }
    if (status != BDNN_OK) {
        bdnn_image_free(image);
    }
    return status;
}

bdnn_status bdnn_image_load(const char *path, int32_t width, int32_t height, bdnn_image *image, bdnn_error *err)
{
    bdnn_map map;
    bdnn_status status = bdnn_map_file(path, &map, err);
    memset(image, 0, sizeof *image);
    if (status == BDNN_OK) {
        status = bdnn_image_decode(path, map.data, map.size, width, height, image, err);
        bdnn_unmap_file(&map);
    }
    return status;
}

bdnn_status bdnn_image_save(const bdnn_image *image, const char *path, bdnn_error *err)
{
    bdnn_output output;
    uint8_t *data = NULL;
    size_t size = 0;
    const char *problem = bdnn_cv_encode_png(image, &data, &size);
    bdnn_status status = problem ? bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: %s", path, problem) : BDNN_OK;
    if (status == BDNN_OK) {
        status = bdnn_output_open(&output, path, err);
    }
    if (status == BDNN_OK) {
        fwrite(data, 1, size, output.stream); /* the stream remembers an error until the commit */
        status = bdnn_output_commit(&output, err);
    }
    free(data);
    return status;
}
