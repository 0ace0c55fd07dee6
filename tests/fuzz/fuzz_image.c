/* SPDX-License-Identifier: BSD-2-Clause */
/* Image files of every format: what is decoded goes on to a network's input. */
#include "fuzz.h"

#include "bdnn_data.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const bdnn_preprocess p = {.channels = 3,
                               .height = 8,
                               .width = 8,
                               .resize = size % 2 ? BDNN_RESIZE_CROP : BDNN_RESIZE_STRETCH,
                               .resize_short = 10,
                               .scale = {1, 1, 1}};
    static float input[3 * 8 * 8];
    bdnn_image image;
    bdnn_error err;
    if (bdnn_image_decode("input", data, size, 10, 10, &image, &err) == BDNN_OK) {
        if (image.width < 1 || image.height < 1 || (image.channels != 1 && image.channels != 3)) {
            abort();
        }
        bdnn_image_preprocess(&image, &p, input, &err);
    } else if (image.pixels) {
        abort();
    }
    bdnn_image_free(&image);
    return 0;
}
