/* SPDX-License-Identifier: BSD-2-Clause */
/* The bridge to OpenCV, whose interface is C++ alone. No exception leaves it; each call returns NULL or a static text
 * that says what went wrong. */
#ifndef BDNN_IMAGING_OPENCV_H
#define BDNN_IMAGING_OPENCV_H

#include "bdnn_data.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The text, this very one, when it was memory. */
extern const char bdnn_cv_out_of_memory[];

/* Any format that OpenCV decodes, as 8-bit gray or red, green, blue; *pixels is for bdnn_free(), also after an error.
 */
const char *bdnn_cv_decode(const uint8_t *data, size_t size, uint8_t **pixels, int32_t *width, int32_t *height,
                           int32_t *channels);

/* Resizes into out[height][width][channels]: INTER_AREA when either side shrinks, else INTER_LINEAR. */
const char *bdnn_cv_resize(const bdnn_image *image, int32_t width, int32_t height, uint8_t *out);

/* Writes text with its baseline's left end at x, y. */
const char *bdnn_cv_text(bdnn_image *image, const char *text, int32_t x, int32_t y, double size,
                         const uint8_t color[3]);

#ifdef __cplusplus
}
#endif

#endif
