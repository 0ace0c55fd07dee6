/* SPDX-License-Identifier: BSD-2-Clause */
/* PNG files by libpng, in memory. */
#ifndef BDNN_IMAGING_PNG_H
#define BDNN_IMAGING_PNG_H

#include "bdnn_data.h"
#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

/* Decodes as 8-bit gray or red, green, blue: 16 bits keep their upper byte, palettes are looked up, an alpha channel is
 * left out. The caller has checked the sizes and frees the image, also after an error. Errors: BDNN_ERROR_FORMAT with
 * libpng's words, BDNN_ERROR_MEMORY. */
bdnn_status bdnn_png_decode(const char *name, const uint8_t *data, size_t size, bdnn_image *image, bdnn_error *err);

/* A gray or color image as a file of *size bytes, for bdnn_free. Errors: memory; BDNN_ERROR_UNSUPPORTED in a build
 * without image libraries. */
bdnn_status bdnn_png_encode(const char *name, const bdnn_image *image, uint8_t **data, size_t *size, bdnn_error *err);

#endif
