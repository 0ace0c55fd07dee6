/* The picture of a segmentation. */
#include "core/error.h"
#include "core/memory.h"
#include "imaging/opencv.h"

#include <math.h>
#include <string.h>

/* Part of the class colour in a tinted pixel, the legend's line height and width, and the least width of the picture
 * itself. */
#define TINT        0.55
#define LINE        18
#define LEGEND      130
#define LEAST_WIDTH 384

/* The 19 classes of Cityscapes in their customary colours. */
static const uint8_t cityscapes[19][3] = {
    {128, 64, 128}, {244, 35, 232}, {70, 70, 70},    {102, 102, 156}, {190, 153, 153}, {153, 153, 153}, {250, 170, 30},
    {220, 220, 0},  {107, 142, 35}, {152, 251, 152}, {70, 130, 180},  {220, 20, 60},   {255, 0, 0},     {0, 0, 142},
    {0, 0, 70},     {0, 60, 100},   {0, 80, 100},    {0, 0, 230},     {119, 11, 32}};

/* Other sets: hues a golden angle apart, so that any number of classes differs. */
static void colour_of(int32_t label, size_t classes, uint8_t colour[3])
{
    const double hue = fmod(label * 137.508, 360) / 60, value = label % 2 ? 255 : 215;
    if (classes == 19 && label < 19) {
        memcpy(colour, cityscapes[label], 3);
        return;
    }
    for (int c = 0; c < 3; c++) {
        const double k = fmod(hue + 5 - 2 * c, 6), ramp = fmin(fmin(k, 4 - k), 1);
        colour[c] = (uint8_t)(value * (1 - 0.85 * fmax(ramp, 0)));
    }
}

static bool is_background(int32_t label, const char *const *labels, size_t count)
{
    return label == 0 && count > 0 && strcmp(labels[0], "background") == 0;
}

static void tint(const bdnn_image *image, const int32_t *map, int32_t height, int32_t width, const char *const *labels,
                 size_t count, int32_t zoom, bdnn_image *out, bool *seen, size_t classes)
{
    for (int32_t y = 0; y < image->height * zoom; y++) {
        for (int32_t x = 0; x < image->width * zoom; x++) {
            const uint8_t *from = image->pixels + ((size_t)(y / zoom) * (size_t)image->width + (size_t)(x / zoom)) *
                                                      (size_t)image->channels;
            const int32_t label =
                map[(int64_t)y * height / (image->height * zoom) * width + (int64_t)x * width / (image->width * zoom)];
            uint8_t *to = out->pixels + ((size_t)y * (size_t)out->width + (size_t)x) * 3, colour[3];
            const bool plain = label < 0 || (size_t)label >= classes || is_background(label, labels, count);
            if (!plain) {
                colour_of(label, count, colour);
                seen[label] = true;
            }
            for (int c = 0; c < 3; c++) {
                const double pixel = from[image->channels == 1 ? 0 : c];
                to[c] = plain ? (uint8_t)pixel : (uint8_t)(pixel * (1 - TINT) + colour[c] * TINT);
            }
        }
    }
}

static const char *draw_legend(bdnn_image *out, int32_t left, const bool *seen, const char *const *labels, size_t count)
{
    static const uint8_t black[3] = {0, 0, 0};
    const char *problem = NULL;
    int32_t y = 4;
    for (size_t label = 0; label < count && !problem && y + LINE <= out->height; label++) {
        uint8_t colour[3];
        if (!seen[label]) {
            continue;
        }
        colour_of((int32_t)label, count, colour);
        for (int32_t row = y + 2; row < y + LINE - 3; row++) {
            for (int32_t x = left + 6; x < left + 22; x++) {
                memcpy(out->pixels + ((size_t)row * (size_t)out->width + (size_t)x) * 3, colour, 3);
            }
        }
        problem = bdnn_cv_text(out, labels[label], left + 28, y + LINE - 6, 0.42, black);
        y += LINE;
    }
    return problem;
}

bdnn_status bdnn_image_overlay(const bdnn_image *image, const int32_t *map, int32_t height, int32_t width,
                               const char *const *labels, size_t label_count, bdnn_image *overlay, bdnn_error *err)
{
    /* Small pictures are enlarged, so that the legend does not dwarf them. */
    const int32_t zoom = image->width < LEAST_WIDTH ? (LEAST_WIDTH + image->width - 1) / image->width : 1;
    const size_t classes = label_count ? label_count : 256;
    const char *problem = NULL;
    bool *seen = bdnn_zalloc(classes, sizeof *seen);
    *overlay = (bdnn_image){
        .width = image->width * zoom + (label_count ? LEGEND : 0), .height = image->height * zoom, .channels = 3};
    overlay->pixels = bdnn_alloc((size_t)overlay->width * (size_t)overlay->height, 3);
    if (!seen || !overlay->pixels) {
        bdnn_free(seen);
        bdnn_image_free(overlay);
        return bdnn_fail_memory(err, (size_t)overlay->width * (size_t)overlay->height * 3, "an overlay");
    }
    memset(overlay->pixels, 255, (size_t)overlay->width * (size_t)overlay->height * 3);
    tint(image, map, height, width, labels, label_count, zoom, overlay, seen, classes);
    problem = draw_legend(overlay, image->width * zoom, seen, labels, label_count);
    bdnn_free(seen);
    if (problem) {
        bdnn_image_free(overlay);
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "the overlay's legend: %s", problem);
    }
    return BDNN_OK;
}
