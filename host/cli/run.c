/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn run: images through a network. */
#define _POSIX_C_SOURCE 200809L /* stat, strcasecmp, strdup */

#include "cli/cli.h"

#include "bdnn_data.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define COMMAND     "run"
#define MAX_SHOWN   1000
#define MAX_CLASSES 256 /* an index class_map has one byte a pixel */

enum { TOP = CLI_COMMAND_OPTION, THREADS, OVERLAY, CLASS_MAP, SKIP_BAD, JSON };

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    CLI_DEVICE_OPTIONS,
    CLI_FALLBACK_OPTION,
    {"top", required_argument, NULL, TOP},
    {"threads", required_argument, NULL, THREADS},
    {"overlay", required_argument, NULL, OVERLAY},
    {"class-map", required_argument, NULL, CLASS_MAP},
    {"skip-bad", required_argument, NULL, SKIP_BAD},
    {"json", no_argument, NULL, JSON},
    {NULL, 0, NULL, 0},
};

struct running {
    cli_model_options model_options;
    bdnn_model *model;
    cli_device device;
    cli_session session;
    const char *overlay, *class_map;
    long long top, threads;
    cli_skips skips;
    const char *const *labels;
    size_t label_count;
    cJSON *json; /* an array, or NULL */
};

static bool take_option(int option, struct running *r)
{
    if (cli_is_device_option(option)) {
        return cli_take_device_option(COMMAND, option, optarg, &r->device);
    }
    switch (option) {
    case TOP:
        return cli_integer(COMMAND, "top", optarg, 1, MAX_SHOWN, &r->top);
    case THREADS:
        return cli_integer(COMMAND, "threads", optarg, 1, 1024, &r->threads);
    case OVERLAY:
        r->overlay = optarg;
        return true;
    case CLASS_MAP:
        r->class_map = optarg;
        return true;
    case SKIP_BAD:
        return cli_take_skip_bad(COMMAND, optarg, &r->skips);
    case JSON:
        r->json = r->json ? r->json : cJSON_CreateArray();
        return true;
    default:
        return cli_take_model_option(COMMAND, option, optarg, &r->model_options);
    }
}

static const char *label_of(const struct running *r, int32_t label, char *text, size_t size)
{
    if ((size_t)label < r->label_count) {
        return r->labels[label];
    }
    snprintf(text, size, "class %d", label);
    return text;
}

static void show_class(const struct running *r, size_t rank, size_t c, double score, cJSON *list)
{
    char text[32], plain[128];
    const char *label = label_of(r, (int32_t)c, text, sizeof text);
    if (list) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "class", (double)c);
        cli_json_text(item, "label", label);
        cJSON_AddNumberToObject(item, "score", score);
        cJSON_AddItemToArray(list, item);
    } else {
        snprintf(plain, sizeof plain, "%s", label);
        printf("  %zu. %-24s %g\n", rank + 1, cli_printable(plain), score);
    }
}

/* The classes in the order of their scores, the first `top`. A score that is not a number has no rank. */
static void show_classes(struct running *r, const char *path, const bdnn_result *result)
{
    const size_t classes = (size_t)result->shape[1], shown = (size_t)r->top < classes ? (size_t)r->top : classes;
    size_t order[MAX_SHOWN], found;
    cJSON *row = r->json ? cJSON_CreateObject() : NULL, *list = NULL;
    if (row) {
        cJSON_AddItemToArray(r->json, row);
        cli_json_text(row, "image", path);
        list = cJSON_AddArrayToObject(row, "classes");
    } else {
        printf("%s\n", path);
    }
    found = bdnn_top_classes(result->data, classes, shown, order);
    for (size_t rank = 0; rank < found; rank++) {
        show_class(r, rank, order[rank], (double)result->data[order[rank]], list);
    }
}

/* FILE.jpg -> FILE<suffix>, for free(). */
static char *default_name(const char *path, const char *suffix)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    const size_t length = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
    char *name = malloc(length + strlen(suffix) + 1);
    if (name) {
        memcpy(name, path, length);
        strcpy(name + length, suffix);
    }
    return name;
}

static bdnn_status write_pictures(struct running *r, const char *path, const bdnn_image *image,
                                  const int32_t *class_map, int32_t height, int32_t width, bdnn_error *err)
{
    char *overlay_name = r->overlay ? NULL : default_name(path, "-overlay.png");
    char *map_name = r->class_map ? NULL : default_name(path, "-classes.png");
    const char *overlay_path = r->overlay ? r->overlay : overlay_name,
               *map_path = r->class_map ? r->class_map : map_name;
    bdnn_image overlay = {0}, index = {.width = width, .height = height, .channels = 1};
    bdnn_status status = bdnn_image_overlay(image, class_map, height, width, r->labels, r->label_count, &overlay, err);
    index.pixels = calloc((size_t)height, (size_t)width);
    if (status == BDNN_OK && (!index.pixels || !overlay_path || !map_path)) {
        status = cli_error(err, BDNN_ERROR_MEMORY, "%s: no memory for the pictures", path);
    }
    if (status == BDNN_OK) {
        for (size_t i = 0; i < (size_t)height * (size_t)width; i++) {
            index.pixels[i] = (uint8_t)class_map[i];
        }
        status = bdnn_image_save(&overlay, overlay_path, err);
    }
    if (status == BDNN_OK) {
        status = bdnn_image_save(&index, map_path, err);
    }
    if (status == BDNN_OK && r->json) {
        cJSON *row = cJSON_CreateObject();
        cli_json_text(row, "image", path);
        cli_json_text(row, "overlay", overlay_path);
        cli_json_text(row, "class_map", map_path);
        cJSON_AddItemToArray(r->json, row);
    } else if (status == BDNN_OK) {
        printf("%s: %s, %s\n", path, overlay_path, map_path);
    }
    free(index.pixels);
    bdnn_image_free(&overlay);
    free(overlay_name);
    free(map_name);
    return status;
}

/* The part of an image that reaches the network, when only its center does; an empty image without memory. */
static bdnn_image center_of(const bdnn_image *image, const bdnn_preprocess *p)
{
    const double shorter = image->width < image->height ? image->width : image->height;
    const double scale = shorter / p->resize_short, w = scale * p->width, h = scale * p->height;
    bdnn_image part = {.channels = image->channels,
                       .width = w < 1              ? 1
                                : w < image->width ? (int32_t)w
                                                   : image->width,
                       .height = h < 1               ? 1
                                 : h < image->height ? (int32_t)h
                                                     : image->height};
    const size_t row = (size_t)part.width * (size_t)part.channels,
                 whole_row = (size_t)image->width * (size_t)image->channels;
    const uint8_t *from = image->pixels + (size_t)((image->height - part.height) / 2) * whole_row +
                          (size_t)((image->width - part.width) / 2) * (size_t)part.channels;
    part.pixels = malloc(row * (size_t)part.height);
    for (size_t y = 0; part.pixels && y < (size_t)part.height; y++) {
        memcpy(part.pixels + y * row, from + y * whole_row, row);
    }
    return part;
}

static bdnn_status show_map(struct running *r, const char *path, const bdnn_image *image, const bdnn_result *result,
                            bdnn_error *err)
{
    const size_t classes = (size_t)result->shape[1], positions = (size_t)(result->shape[2] * result->shape[3]);
    const bdnn_preprocess preprocess = bdnn_model_preprocess(r->model);
    int32_t *class_map = calloc(positions, sizeof *class_map);
    bdnn_image center = {0};
    bdnn_status status;
    if (!class_map) {
        return cli_error(err, BDNN_ERROR_MEMORY, "%s: no memory for the class map", path);
    }
    for (size_t p = 0; p < positions; p++) {
        for (size_t c = 1; c < classes; c++) {
            class_map[p] = result->data[c * positions + p] > result->data[(size_t)class_map[p] * positions + p]
                               ? (int32_t)c
                               : class_map[p];
        }
    }
    if (preprocess.resize == BDNN_RESIZE_CROP) {
        center = center_of(image, &preprocess);
        image = &center;
    }
    if (image->pixels) {
        status = write_pictures(r, path, image, class_map, (int32_t)result->shape[2], (int32_t)result->shape[3], err);
    } else {
        status = cli_error(err, BDNN_ERROR_MEMORY, "%.300s: no memory for the pictures", path);
    }
    free(center.pixels);
    free(class_map);
    return status;
}

/* N,C[,1...]: scores of classes; N,C,H,W: scores of each pixel's classes. */
static bdnn_status show_result(struct running *r, const char *path, const bdnn_image *image, const bdnn_result *result,
                               bdnn_error *err)
{
    int64_t positions = 1;
    for (int32_t a = 2; a < result->rank; a++) {
        positions *= result->shape[a];
    }
    if (result->rank == 4 && positions > 1 && result->shape[1] <= MAX_CLASSES) {
        return show_map(r, path, image, result, err);
    }
    if (result->rank < 2 || positions != 1) {
        return cli_error(
            err, BDNN_ERROR_UNSUPPORTED,
            "%.300s: output '%.60s' of %d axes is neither scores of classes nor of pixels (at most %d classes)", path,
            result->name, result->rank, MAX_CLASSES);
    }
    if (r->overlay || r->class_map) {
        return cli_error(err, BDNN_ERROR_ARGUMENT,
                         "%.300s: --overlay and --class-map are for networks that give each pixel a class", path);
    }
    show_classes(r, path, result);
    return BDNN_OK;
}

/* A deflated picture has a thousand times its file's bytes at the most; 32 kB make what fits beside any network. */
#define SMALL_FILE 32768

/* Makes room for pictures that are decoded whole - a JPEG is decoded at a scale that fits - and may take as much memory
 * as the network. */
static void make_room(const struct running *r, const char *path)
{
    const char *dot = strrchr(path, '.');
    const bool jpeg = dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
    struct stat file;
    if (!jpeg && stat(path, &file) == 0 && file.st_size > SMALL_FILE) {
        bdnn_model_release_pages(r->model);
    }
}

/* What comes of the image's file alone. On an error *image is empty. */
static bdnn_status read_image(const struct running *r, const char *path, bdnn_image *image, uint8_t *pixels,
                              bdnn_error *err)
{
    const bdnn_preprocess p = bdnn_model_preprocess(r->model);
    bdnn_status status;
    make_room(r, path);
    status = bdnn_image_load_for(path, &p, image, err);
    if (status == BDNN_OK) {
        status = bdnn_image_pixels(image, &p, pixels, err);
        if (status != BDNN_OK) {
            bdnn_image_free(image);
        }
    }
    return status;
}

/* The image is freed as soon as it can be. */
static bdnn_status run_image(struct running *r, const char *path, bdnn_image *image, const uint8_t *pixels,
                             bdnn_error *err)
{
    bdnn_result result;
    bdnn_status status = bdnn_session_output(r->session.session, 0, &result, err); /* its shape alone */
    if (status == BDNN_OK && result.rank < 4) {
        bdnn_image_free(
            image); /* only class maps are drawn over it, and a photograph can be larger than all activations */
    }
    if (status == BDNN_OK) {
        status = cli_session_run_pixels(&r->session, pixels, err);
    }
    if (status == BDNN_OK) {
        status = bdnn_session_output(r->session.session, 0, &result, err);
    }
    if (status == BDNN_OK) {
        status = show_result(r, path, image, &result, err);
    }
    bdnn_image_free(image);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* What is written for an image, and the image itself: where they are, without links. False without memory. */
static bool find_places(const struct running *r, const char *path, char *places[3])
{
    char *overlay = default_name(path, "-overlay.png"), *class_map = default_name(path, "-classes.png");
    places[0] = overlay ? cli_plain_path(r->overlay ? r->overlay : overlay) : NULL;
    places[1] = class_map ? cli_plain_path(r->class_map ? r->class_map : class_map) : NULL;
    places[2] = cli_plain_path(path);
    free(overlay);
    free(class_map);
    return places[0] && places[1] && places[2];
}

/* Each place once, or a picture would be lost - a.jpg and a.png have the same, and a name that is given for one picture
 * may be the other's - or an image overwritten. */
static bdnn_status compare_pictures(const struct running *r, char **places, char **paths, size_t count, bdnn_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!find_places(r, paths[i], places + 3 * i)) {
            return cli_error(err, BDNN_ERROR_MEMORY, "no memory for the names of pictures");
        }
    }
    qsort(places, 3 * count, sizeof *places, compare_names);
    for (size_t i = 1; i < 3 * count; i++) {
        if (strcmp(places[i], places[i - 1]) == 0) {
            return cli_error(err, BDNN_ERROR_ARGUMENT,
                             "%.300s would be written and is another picture's name, or that of an image", places[i]);
        }
    }
    return BDNN_OK;
}

/* Before the first image is run. An image named twice writes the same twice, which is refused too. */
static bdnn_status check_pictures(const struct running *r, char **paths, size_t count, bdnn_error *err)
{
    bdnn_result result;
    char **names;
    bdnn_status status = bdnn_session_output(r->session.session, 0, &result, err); /* its shape alone */
    if (status != BDNN_OK || result.rank != 4 || result.shape[2] * result.shape[3] == 1) {
        return status;
    }
    names = calloc(3 * count, sizeof *names);
    status = names ? compare_pictures(r, names, paths, count, err)
                   : cli_error(err, BDNN_ERROR_MEMORY, "no memory for the names of pictures");
    for (size_t i = 0; names && i < 3 * count; i++) {
        free(names[i]);
    }
    free(names);
    return status;
}

static void show_skipped(struct running *r, const char *path, const char *reason)
{
    if (r->json) {
        cJSON *row = cJSON_CreateObject();
        cli_json_text(row, "image", path);
        cli_json_text(row, "skipped", reason);
        cJSON_AddItemToArray(r->json, row);
    }
}

/* Image by image until one fails or a signal comes; *done and *seen: how many were run, and looked at. */
static bdnn_status run_each(struct running *r, char **paths, int count, uint8_t *pixels, int *done, int *seen,
                            bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    for (*seen = *done = 0; *seen < count && status == BDNN_OK && !cli_stopped(); ++*seen) {
        const char *path = paths[*seen];
        bdnn_image image = {0};
        status = read_image(r, path, &image, pixels, err);
        if (status == BDNN_OK) {
            status = run_image(r, path, &image, pixels, err);
            *done += status == BDNN_OK;
            continue;
        }
        status = cli_skip(&r->skips, status, (size_t)*seen, path, err);
        if (status == BDNN_OK) {
            show_skipped(r, path, r->skips.items[r->skips.count - 1].reason);
        }
    }
    return status == BDNN_OK && *seen == count && *done == 0 && r->skips.count
               ? cli_error(err, BDNN_ERROR_FORMAT, "none of the %d images can be read; the first: %.400s", count,
                           r->skips.items[0].reason)
               : status;
}

/* Says that images are missing, and why: as the last element of the JSON, or the last lines. */
static void show_partial(struct running *r, int done, int count, const char *reason)
{
    if (r->json) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddTrueToObject(row, "partial");
        cJSON_AddNumberToObject(row, "images", done);
        cJSON_AddNumberToObject(row, "images_asked", count);
        cli_json_text(row, "ended_by", reason);
        cJSON_AddItemToArray(r->json, row);
    } else {
        printf("\nPARTIAL: %d of %d images, ended by %s\n", done, count, cli_stopped() ? reason : "an error");
    }
}

static int run_images(struct running *r, char **paths, int count)
{
    const bdnn_preprocess p = bdnn_model_preprocess(r->model);
    uint8_t *pixels;
    bdnn_error err = {0};
    bdnn_status status;
    int done = 0, seen = 0;
    if (!p.channels) {
        snprintf(err.message, sizeof err.message, "the network takes no images of one or three channels");
        return cli_fail(&err);
    }
    r->labels = bdnn_model_labels(r->model, &r->label_count);
    status = cli_session_open(&r->session, r->model, &r->device, (size_t)r->threads, 1, &err);
    pixels = calloc((size_t)p.channels * (size_t)p.height * (size_t)p.width, sizeof *pixels);
    if (status == BDNN_OK && !pixels) {
        snprintf(err.message, sizeof err.message, "no memory for an input");
        status = BDNN_ERROR_MEMORY;
    }
    if (status == BDNN_OK) {
        status = check_pictures(r, paths, (size_t)count, &err);
    }
    if (status == BDNN_OK) {
        cli_stop_gently();
        status = run_each(r, paths, count, pixels, &done, &seen, &err);
    }
    free(pixels);
    if (!r->json && done) {
        cli_skips_print(&r->skips, (size_t)count);
    }
    if ((status != BDNN_OK && done) || (status == BDNN_OK && seen < count)) {
        show_partial(r, done, count, status == BDNN_OK ? cli_stopped() : err.message);
    }
    if (r->json && (status == BDNN_OK || done)) {
        const int code = cli_print_json(r->json);
        r->json = NULL;
        return status == BDNN_OK ? cli_stop_code(code) : cli_fail(&err);
    }
    return status == BDNN_OK ? cli_stop_code(CLI_OK) : cli_fail(&err);
}

/* `inputs`: the network and the images. */
static int check_paths(const struct running *r, char **inputs, size_t count)
{
    const char *const outputs[2] = {r->overlay, r->class_map};
    const char *const others[2] = {r->model_options.load.labels, r->model_options.load.mean_image};
    const int code = cli_check_outputs(COMMAND, outputs, 2, others, 2);
    return code == CLI_OK && (r->overlay || r->class_map)
               ? cli_check_outputs(COMMAND, outputs, 2, (const char *const *)inputs, count)
               : code;
}

int cli_run(int argc, char **argv)
{
    struct running r = {.top = 5};
    bdnn_error err;
    int option, code;
    while ((option = cli_option(COMMAND, argc, argv, ":", long_options)) != -1) {
        if (!take_option(option, &r)) {
            cJSON_Delete(r.json);
            return CLI_USAGE;
        }
    }
    if (argc - optind < 2 || ((r.overlay || r.class_map) && argc - optind > 2)) {
        cJSON_Delete(r.json);
        return cli_usage(COMMAND, "a network and images are needed (one image with --overlay or --class-map)");
    }
    code = check_paths(&r, argv + optind, (size_t)(argc - optind));
    if (code != CLI_OK) {
        cJSON_Delete(r.json);
        return code;
    }
    if (cli_load(argv[optind], &r.model_options, &r.model, &err) != BDNN_OK) {
        cJSON_Delete(r.json);
        return cli_fail(&err);
    }
    code = run_images(&r, argv + optind + 1, argc - optind - 1);
    cJSON_Delete(r.json);
    cli_skips_free(&r.skips);
    cli_session_close(&r.session);
    bdnn_model_free(r.model);
    return code;
}
