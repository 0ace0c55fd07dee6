/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the sizes in the headers of image files. */
#include "imaging/header.h"

#include "imaging/bytes.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define MAX_SIDE   16384
#define MAX_PIXELS ((int64_t)64 << 20)

/* Deflate packs 1032 bytes into one at best, and a byte holds at most 8 pixels. Other packings reach more only for
 * empty pictures. */
#define MAX_PIXELS_PER_BYTE (1032 * 8)

bdnn_status bdnn_image_check_size(const char *name, int64_t width, int64_t height, bdnn_error *err)
{
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT,
                         "%s: an image of %lld x %lld pixels; at most %d a side and %lld in all are read", name,
                         (long long)width, (long long)height, MAX_SIDE, (long long)MAX_PIXELS);
    }
    return BDNN_OK;
}

static void size_of_png(const struct bytes *b, int64_t *width, int64_t *height)
{
    const struct bytes ordered = {b->data, b->size, true};
    *width = number(&ordered, 16, 4);
    *height = number(&ordered, 20, 4);
}

/* The header of OS/2 has 12 bytes and numbers of 16 bits; in the others a negative height means top-down rows. */
static void size_of_bmp(const struct bytes *b, int64_t *width, int64_t *height)
{
    const bool os2 = number(b, 14, 4) == 12;
    *width = os2 ? (int32_t)number(b, 18, 2) : (int32_t)number(b, 18, 4);
    *height = os2 ? (int32_t)number(b, 20, 2) : (int32_t)number(b, 22, 4);
    *height = *height < 0 ? -*height : *height;
}

static void size_of_webp(const struct bytes *b, int64_t *width, int64_t *height)
{
    if (b->size < 30) {
        return;
    }
    if (memcmp(b->data + 12, "VP8X", 4) == 0) {
        *width = (int64_t)number(b, 24, 3) + 1;
        *height = (int64_t)number(b, 27, 3) + 1;
    } else if (memcmp(b->data + 12, "VP8L", 4) == 0) {
        *width = (number(b, 21, 4) & 0x3fff) + 1;
        *height = (number(b, 21, 4) >> 14 & 0x3fff) + 1;
    } else {
        *width = number(b, 26, 2) & 0x3fff;
        *height = number(b, 28, 2) & 0x3fff;
    }
}

/* A decimal number after white space and comments. */
static int64_t pnm_number(const struct bytes *b, size_t *at)
{
    int64_t value = 0;
    while (*at < b->size && (isspace(b->data[*at]) || b->data[*at] == '#')) {
        if (b->data[(*at)++] == '#') {
            while (*at < b->size && b->data[*at] != '\n' && b->data[*at] != '\r') {
                ++*at;
            }
        }
    }
    while (*at < b->size && isdigit(b->data[*at]) && value <= INT32_MAX) {
        value = 10 * value + b->data[(*at)++] - '0';
    }
    return value;
}

static void size_of_pnm(const struct bytes *b, int64_t *width, int64_t *height)
{
    size_t at = 2;
    *width = pnm_number(b, &at);
    *height = pnm_number(b, &at);
}

/* Of the first directory; tiles count as well, since the decoder allocates one. */
static void size_of_tiff(const struct bytes *file, int64_t *width, int64_t *height)
{
    const struct bytes b = {file->data, file->size, file->data[0] == 'M'};
    const size_t directory = number(&b, 4, 4), entries = number(&b, directory, 2);
    for (size_t i = 0; i < entries; i++) {
        const size_t entry = directory + 2 + 12 * i;
        const uint32_t tag = number(&b, entry, 2);
        const int64_t value = number(&b, entry + 8, number(&b, entry + 2, 2) == 3 ? 2 : 4);
        if ((tag == 256 || tag == 322) && value > *width) {
            *width = value;
        }
        if ((tag == 257 || tag == 323) && value > *height) {
            *height = value;
        }
    }
}

struct signature {
    bdnn_image_type format;
    size_t at, length;
    const char *text;
    void (*size)(const struct bytes *b, int64_t *width, int64_t *height);
};

static const struct signature signatures[] = {
    {BDNN_IMAGE_JPEG, 0, 3, "\xff\xd8\xff", NULL},  {BDNN_IMAGE_PNG, 0, 8, "\x89PNG\r\n\x1a\n", size_of_png},
    {BDNN_IMAGE_BMP, 0, 2, "BM", size_of_bmp},      {BDNN_IMAGE_TIFF, 0, 4, "II*\0", size_of_tiff},
    {BDNN_IMAGE_TIFF, 0, 4, "MM\0*", size_of_tiff}, {BDNN_IMAGE_WEBP, 8, 4, "WEBP", size_of_webp},
    {BDNN_IMAGE_PNM, 0, 2, "P1", size_of_pnm},      {BDNN_IMAGE_PNM, 0, 2, "P2", size_of_pnm},
    {BDNN_IMAGE_PNM, 0, 2, "P3", size_of_pnm},      {BDNN_IMAGE_PNM, 0, 2, "P4", size_of_pnm},
    {BDNN_IMAGE_PNM, 0, 2, "P5", size_of_pnm},      {BDNN_IMAGE_PNM, 0, 2, "P6", size_of_pnm},
};

static bool has_text(const uint8_t *data, size_t size, size_t at, const char *text, size_t length)
{
    return size >= at + length && memcmp(data + at, text, length) == 0;
}

/* At least as strict as OpenCV's own, which hands what its readers do not know to GDAL or GDCM where certain words
 * stand at certain places: libraries of a hundred formats that have no business here. */
static const struct signature *find_signature(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const struct signature *s = &signatures[i];
        if (!has_text(data, size, s->at, s->text, s->length)) {
            continue;
        }
        if (s->format == BDNN_IMAGE_WEBP &&
            (!has_text(data, size, 0, "RIFF", 4) || has_text(data, size, 128, "DICM", 4) ||
             has_text(data, size, 140, "DTED", 4))) {
            return NULL;
        }
        return s->format == BDNN_IMAGE_PNM && (size < 3 || !isspace(data[2])) ? NULL : s;
    }
    return NULL;
}

bdnn_status bdnn_image_probe(const char *name, const uint8_t *data, size_t size, bdnn_image_type *format,
                             bdnn_error *err)
{
    const struct bytes bytes = {data, size, false};
    const struct signature *signature = find_signature(data, size);
    int64_t width = 0, height = 0;
    bdnn_status status;
    if (!signature) {
        return bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: %zu bytes that are no JPEG, PNG, BMP, TIFF, PNM or WebP image",
                         name, size);
    }
    *format = signature->format;
    if (!signature->size) {
        return BDNN_OK;
    }
    signature->size(&bytes, &width, &height);
    status = bdnn_image_check_size(name, width, height, err);
    if (status == BDNN_OK && width * height / MAX_PIXELS_PER_BYTE > (int64_t)size) {
        status = bdnn_fail(err, BDNN_ERROR_FORMAT, "%s: %lld x %lld pixels in %zu bytes", name, (long long)width,
                           (long long)height, size);
    }
    return status;
}
