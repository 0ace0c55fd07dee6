/* SPDX-License-Identifier: BSD-2-Clause */
/* Turning a picture as EXIF's orientation asks for. */
#ifndef BDNN_IMAGING_TURN_H
#define BDNN_IMAGING_TURN_H

#include "bdnn_data.h"
#include "core/error.h"

/* Orientations 5 to 8 lie on their side: width and height change places. */
static inline bool bdnn_orientation_swaps(int orientation)
{
    return orientation >= 5;
}

/* Turns an image of orientation 1 to 8 to how it is to be seen. Errors: memory; the image is as before then. */
bdnn_status bdnn_image_turn(bdnn_image *image, int orientation, bdnn_error *err);

#endif
