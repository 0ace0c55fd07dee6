/* SPDX-License-Identifier: BSD-2-Clause */
/* Turning pictures. EXIF tells where the stored first row and first column lie when the picture is seen: 1 top and
 * left, 2 top and right, 3 bottom and right, 4 bottom and left; 5 left and top, 6 right and top, 7 right and bottom, 8
 * left and bottom. */
#include "imaging/turn.h"

#include "core/memory.h"

#include <string.h>

bdnn_status bdnn_image_turn(bdnn_image *image, int orientation, bdnn_error *err)
{
    const bool swaps = bdnn_orientation_swaps(orientation);
    const bool from_right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    const size_t pixel = (size_t)image->channels, row = (size_t)image->width * pixel;
    const int32_t width = swaps ? image->height : image->width, height = swaps ? image->width : image->height;
    /* From one pixel of the result to the next in its row, in the stored picture. */
    const ptrdiff_t step = (ptrdiff_t)(swaps ? row : pixel) * (from_right ? -1 : 1);
    uint8_t *turned, *to;
    if (orientation == 1) {
        return BDNN_OK;
    }
    to = turned = bdnn_alloc((size_t)image->height, row);
    if (!turned) {
        return bdnn_fail_memory(err, (size_t)image->height * row, "a turned picture");
    }
    for (int32_t y = 0; y < height; y++) {
        const int32_t across = from_right ? width - 1 : 0, down = from_bottom ? height - 1 - y : y;
        const uint8_t *from = image->pixels + (swaps ? (size_t)across * row + (size_t)down * pixel
                                                     : (size_t)down * row + (size_t)across * pixel);
        for (int32_t x = 0; x < width; x++, from += step) {
            for (size_t c = 0; c < pixel; c++) {
                *to++ = from[c];
            }
        }
    }
    bdnn_free(image->pixels);
    image->pixels = turned;
    image->width = width;
    image->height = height;
    return BDNN_OK;
}
