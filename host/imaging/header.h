/* SPDX-License-Identifier: BSD-2-Clause */
/* What an image file's header claims, read before anything is allocated for its pixels. */
#ifndef BDNN_IMAGING_HEADER_H
#define BDNN_IMAGING_HEADER_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

typedef enum bdnn_image_type {
    BDNN_IMAGE_JPEG,
    BDNN_IMAGE_PNG,
    BDNN_IMAGE_BMP,
    BDNN_IMAGE_TIFF,
    BDNN_IMAGE_PNM,
    BDNN_IMAGE_WEBP
} bdnn_image_type;

/* Tells the format by its signature and checks that the sizes in the header are 1..16384 a side, at most 64 Mpixel in
 * all and within what `size` bytes of the format can hold: a few bytes of a file can claim gigabytes. A JPEG's sizes
 * are left to its decoder. */
bdnn_status bdnn_image_probe(const char *name, const uint8_t *data, size_t size, bdnn_image_type *format,
                             bdnn_error *err);

/* The check of the sizes alone. */
bdnn_status bdnn_image_check_size(const char *name, int64_t width, int64_t height, bdnn_error *err);

#endif
