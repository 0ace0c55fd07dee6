/* Images in files and memory. */
#include "core/file.h"
#include "core/memory.h"
#include "imaging/opencv.h"

#include <stdlib.h>
#include <string.h>

/* The most pixels that are read, as text of 16 bits a channel, take less. */
#define MOST_BYTES ((size_t)1 << 30)

void bdnn_image_free(bdnn_image *image)
{
    if (image) {
        bdnn_free(image->pixels);
        memset(image, 0, sizeof *image);
    }
}

bdnn_status bdnn_image_load(const char *path, int32_t width, int32_t height, bdnn_image *image, bdnn_error *err)
{
    bdnn_map map;
    /* Read, not mapped: a picture that somebody shortens meanwhile becomes an error, not a SIGBUS. */
    bdnn_status status = bdnn_read_file(path, MOST_BYTES, &map, err);
    memset(image, 0, sizeof *image);
    if (status == BDNN_OK) {
        status = bdnn_image_decode(path, map.data, map.size, width, height, image, err);
        bdnn_unmap_file(&map);
    }
    return status;
}

bdnn_status bdnn_image_save(const bdnn_image *image, const char *path, bdnn_error *err)
{
    uint8_t *data = NULL;
    size_t size = 0;
    const char *problem = bdnn_cv_encode_png(image, &data, &size);
    bdnn_status status = problem ? bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: %s", path, problem) : BDNN_OK;
    if (status == BDNN_OK) {
        status = bdnn_write_file(path, data, size, err);
    }
    free(data);
    return status;
}
