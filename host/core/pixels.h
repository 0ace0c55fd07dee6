/* SPDX-License-Identifier: BSD-2-Clause */
/* From pixels to numbers, the one way. */
#ifndef BDNN_CORE_PIXELS_H
#define BDNN_CORE_PIXELS_H

#include <stdint.h>

/* (pixel - mean) * scale, each rounded to float on its own. */
static inline float bdnn_normalize_pixel(uint8_t pixel, float mean, float scale)
{
    return ((float)pixel - mean) * scale;
}

#endif
