/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding with a choice that the public calls make. */
#ifndef BDNN_IMAGING_DECODE_H
#define BDNN_IMAGING_DECODE_H

#include "bdnn_data.h"
#include "core/error.h"

/* bdnn_image_decode, which also turns a JPEG as EXIF says unless `as_stored`. */
bdnn_status bdnn_image_decode_as(const char *name, const uint8_t *data, size_t size, int32_t width, int32_t height,
                                 bool as_stored, bdnn_image *image, bdnn_error *err);

#endif
