/* What a build without the image libraries (BDNN_WITH_IMAGES=OFF) has in place of its decoders and the bridge to
 * OpenCV. Images of the network's own size, as IDX and .npy sets often have, still reach the network. */
#include "core/error.h"
#include "imaging/opencv.h"

#include <string.h>

#define WITHOUT "this build of bdnn is without image libraries (BDNN_WITH_IMAGES=OFF)"

bdnn_status bdnn_image_decode(const char *name, const uint8_t *data, size_t size, int32_t width, int32_t height,
                              bdnn_image *image, bdnn_error *err)
{
    if (image) {
        *image = (bdnn_image){0};
    }
    if (!name || (size && !data) || !image) {
        return bdnn_fail_null(err, __func__);
    }
    (void)data, (void)size, (void)width, (void)height;
    memset(image, 0, sizeof *image);
    return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: " WITHOUT, name);
}

const char *bdnn_cv_encode_png(const bdnn_image *image, uint8_t **data, size_t *size)
{
    (void)image, (void)data, (void)size;
    return WITHOUT;
}

const char *bdnn_cv_resize(const bdnn_image *image, int32_t width, int32_t height, uint8_t *out)
{
    (void)image, (void)width, (void)height, (void)out;
    return WITHOUT;
}

const char *bdnn_cv_text(bdnn_image *image, const char *text, int32_t x, int32_t y, double size,
                         const uint8_t colour[3])
{
    (void)image, (void)text, (void)x, (void)y, (void)size, (void)colour;
    return WITHOUT;
}
