/* PNG files by libpng. */
#ifndef BDNN_IMAGING_PNG_H
#define BDNN_IMAGING_PNG_H

#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

/* Decodes as 8-bit grey or red, green, blue: 16 bits keep their upper byte, palettes are looked up, an alpha channel is
 * left out. The caller has checked the sizes and frees the image, also after an error. Errors: BDNN_ERROR_FORMAT with
 * libpng's words. */
bdnn_status bdnn_png_decode(const char *name, const uint8_t *data, size_t size, bdnn_image *image, bdnn_error *err);

#endif
