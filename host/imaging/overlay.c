/* SPDX-License-Identifier: BSD-2-Clause */
/* The picture of a segmentation. */
#define _POSIX_C_SOURCE 200809L
#include "core/arithmetic.h"
#include "core/error.h"
#include "core/memory.h"
#include "imaging/opencv.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* Part of the class color in a tinted pixel, the legend's line height and width. */
#define TINT   0.55
#define LINE   18
#define LEGEND 130

/* Smaller pictures are enlarged to this width, as far as their height allows, so that the legend does not dwarf them.
 */
#define MIN_WIDTH   384
#define MAX_ENLARGE 2048

/* So many hues can be told apart. */
#define MAX_EVEN_HUES 24

/* The classes of Cityscapes and, with "void" as the twelfth, of CamVid as SegNet has them, in their customary colors.
 */
static const uint8_t cityscapes[19][3] = {
    {128, 64, 128}, {244, 35, 232}, {70, 70, 70},    {102, 102, 156}, {190, 153, 153}, {153, 153, 153}, {250, 170, 30},
    {220, 220, 0},  {107, 142, 35}, {152, 251, 152}, {70, 130, 180},  {220, 20, 60},   {255, 0, 0},     {0, 0, 142},
    {0, 0, 70},     {0, 60, 100},   {0, 80, 100},    {0, 0, 230},     {119, 11, 32}};
static const uint8_t camvid[12][3] = {{128, 128, 128}, {128, 0, 0},   {192, 192, 128}, {128, 64, 128},
                                      {60, 40, 222},   {128, 128, 0}, {192, 128, 128}, {64, 64, 128},
                                      {64, 0, 128},    {64, 64, 0},   {0, 128, 192},   {0, 0, 0}};

/* What is drawn of the classes. */
struct classes {
    const char *const *labels; /* NULL: no legend */
    size_t count;
    bool *seen; /* those that occur and are tinted */
    size_t seen_count;
    const uint8_t (*palette)[3]; /* NULL: generated */
};

static void choose_palette(struct classes *classes)
{
    if (classes->count == 19) {
        classes->palette = cityscapes;
    } else if (classes->labels && (classes->count == 11 || classes->count == 12) &&
               strcasecmp(classes->labels[0], "sky") == 0) {
        classes->palette = camvid;
    }
}

/* Without a palette: as many hues as classes, every second one dark; or, of many classes, hues a golden angle apart. */
static void color_of(const struct classes *classes, int32_t label, uint8_t color[3])
{
    const double angle = classes->count <= MAX_EVEN_HUES ? 360.0 / (double)classes->count : 137.508;
    const double hue = fmod(label * angle, 360) / 60, value = label % 2 ? 255 : 160;
    if (classes->palette) {
        memcpy(color, classes->palette[label], 3);
        return;
    }
    for (int c = 0; c < 3; c++) {
        const double k = fmod(hue + 5 - 2 * c, 6), ramp = fmin(fmin(k, 4 - k), 1);
        color[c] = (uint8_t)(value * (1 - 0.85 * fmax(ramp, 0)));
    }
}

static void look_for_classes(struct classes *classes, const int32_t *class_map, int64_t size)
{
    const bool background = classes->labels && strcmp(classes->labels[0], "background") == 0;
    for (int64_t i = 0; i < size; i++) {
        if (class_map[i] >= background && (size_t)class_map[i] < classes->count && !classes->seen[class_map[i]]) {
            classes->seen[class_map[i]] = true;
            classes->seen_count++;
        }
    }
}

static void tint(const bdnn_image *image, const int32_t *class_map, int32_t height, int32_t width,
                 const struct classes *classes, int32_t zoom, bdnn_image *out)
{
    for (int32_t y = 0; y < image->height * zoom; y++) {
        const int32_t *labels = class_map + (int64_t)y * height / (image->height * zoom) * width;
        const uint8_t *row = image->pixels + (size_t)(y / zoom) * (size_t)image->width * (size_t)image->channels;
        uint8_t *to = out->pixels + (size_t)y * (size_t)out->width * 3;
        for (int32_t x = 0; x < image->width * zoom; x++, to += 3) {
            const uint8_t *from = row + (size_t)(x / zoom) * (size_t)image->channels;
            const int32_t label = labels[(int64_t)x * width / (image->width * zoom)];
            const bool tinted = label >= 0 && (size_t)label < classes->count && classes->seen[label];
            uint8_t color[3];
            if (tinted) {
                color_of(classes, label, color);
            }
            for (int c = 0; c < 3; c++) {
                const double pixel = from[image->channels == 1 ? 0 : c];
                to[c] = tinted ? (uint8_t)(pixel * (1 - TINT) + color[c] * TINT) : (uint8_t)pixel;
            }
        }
    }
}

static const char *draw_legend(bdnn_image *out, int32_t left, const struct classes *classes)
{
    static const uint8_t black[3] = {0, 0, 0};
    const char *problem = NULL;
    int32_t y = 4;
    for (size_t label = 0; label < classes->count && !problem; label++) {
        uint8_t color[3];
        if (!classes->seen[label]) {
            continue;
        }
        color_of(classes, (int32_t)label, color);
        for (int32_t row = y + 2; row < y + LINE - 3; row++) {
            for (int32_t x = left + 6; x < left + 22; x++) {
                memcpy(out->pixels + ((size_t)row * (size_t)out->width + (size_t)x) * 3, color, 3);
            }
        }
        problem = bdnn_cv_text(out, classes->labels[label], left + 28, y + LINE - 6, 0.42, black);
        y += LINE;
    }
    return problem;
}

static int32_t enlargement(const bdnn_image *image)
{
    const int32_t wanted = (int32_t)bdnn_ceil_div(MIN_WIDTH, image->width), most = MAX_ENLARGE / image->height;
    return (int32_t)bdnn_max(bdnn_min(wanted, most), 1);
}

/* A white picture with room for the image and the legend beside it. */
static bdnn_status make_canvas(const bdnn_image *image, const struct classes *classes, int32_t zoom,
                               bdnn_image *overlay, bdnn_error *err)
{
    const int32_t legend = classes->labels ? (int32_t)classes->seen_count * LINE + 8 : 0;
    size_t bytes;
    overlay->channels = 3;
    overlay->width = image->width * zoom + (legend ? LEGEND : 0);
    overlay->height = (int32_t)bdnn_max(image->height * zoom, legend);
    bytes = (size_t)overlay->width * (size_t)overlay->height * 3;
    overlay->pixels = bdnn_alloc(bytes, 1);
    if (!overlay->pixels) {
        return bdnn_fail_memory(err, bytes, "an overlay");
    }
    memset(overlay->pixels, 255, bytes);
    return BDNN_OK;
}

bdnn_status bdnn_image_overlay(const bdnn_image *image, const int32_t *class_map, int32_t height, int32_t width,
                               const char *const *labels, size_t label_count, bdnn_image *overlay, bdnn_error *err)
{
    if (overlay) {
        *overlay = (bdnn_image){0};
    }
    if (!image || !image->pixels || !class_map || (label_count && !labels) || !overlay) {
        return bdnn_fail_null(err, __func__);
    }
    for (size_t i = 0; i < label_count; i++) {
        if (!labels[i]) {
            return bdnn_fail_null(err, __func__);
        }
    }
    struct classes classes = {.labels = label_count ? labels : NULL, .count = label_count ? label_count : 256};
    const int32_t zoom = enlargement(image);
    const char *problem = NULL;
    bdnn_status status;
    memset(overlay, 0, sizeof *overlay);
    classes.seen = bdnn_zalloc(classes.count, sizeof *classes.seen);
    if (!classes.seen) {
        return bdnn_fail_memory(err, classes.count, "an overlay");
    }
    choose_palette(&classes);
    look_for_classes(&classes, class_map, (int64_t)height * width);
    status = make_canvas(image, &classes, zoom, overlay, err);
    if (status == BDNN_OK) {
        tint(image, class_map, height, width, &classes, zoom, overlay);
        problem = classes.labels ? draw_legend(overlay, image->width * zoom, &classes) : NULL;
        status = problem ? bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "the overlay's legend: %s", problem) : BDNN_OK;
    }
    bdnn_free(classes.seen);
    if (status != BDNN_OK) {
        bdnn_image_free(overlay);
    }
    return status;
}
