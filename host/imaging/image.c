/* Images in files and memory. */
#include "core/file.h"
#include "core/memory.h"
#include "imaging/opencv.h"

#include <stdlib.h>
#include <string.h>

void bdnn_image_free(bdnn_image *image)
{
    if (image) {
        bdnn_free(image->pixels);
        memset(image, 0, sizeof *image);
    }
}

bdnn_status bdnn_image_load(const char *path, int32_t width, int32_t height, bdnn_image *image, bdnn_error *err)
{
    if (image) {
        *image = (bdnn_image){0};
    }
    if (!path || !image) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_map map;
    bdnn_status status = bdnn_map_file(path, &map, err);
    memset(image, 0, sizeof *image);
    if (status == BDNN_OK) {
        status = bdnn_image_decode(path, map.data, map.size, width, height, image, err);
        bdnn_unmap_file(&map);
    }
    return status;
}

bdnn_status bdnn_image_save(const bdnn_image *image, const char *path, bdnn_error *err)
{
    if (!image || !image->pixels || !path) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_output output;
    uint8_t *data = NULL;
    size_t size = 0;
    const char *problem = bdnn_cv_encode_png(image, &data, &size);
    bdnn_status status = problem ? bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: %s", path, problem) : BDNN_OK;
    if (status == BDNN_OK) {
        status = bdnn_output_open(&output, path, err);
    }
    if (status == BDNN_OK) {
        fwrite(data, 1, size, output.stream); /* the stream remembers an error until the commit */
        status = bdnn_output_commit(&output, err);
    }
    free(data);
    return status;
}
