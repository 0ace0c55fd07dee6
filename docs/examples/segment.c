/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives each pixel of an image a class, prints how much of it each class takes, and draws the classes over the image.
 *
 *     cc segment.c $(pkg-config --cflags --libs bdnn) -o segment && ./segment segnet.bdnn street.png overlay.png */
#include <bdnn.h>
#include <bdnn_data.h>
#include <stdio.h>
#include <stdlib.h>

/* The class of the highest score at each position: scores are [1][classes][height][width], map [height][width]. */
static void choose_classes(const bdnn_result *scores, int32_t *map)
{
    const size_t classes = (size_t)scores->shape[1], positions = (size_t)(scores->shape[2] * scores->shape[3]);
    for (size_t p = 0; p < positions; p++) {
        map[p] = 0;
        for (size_t c = 1; c < classes; c++) {
            if (scores->data[c * positions + p] > scores->data[(size_t)map[p] * positions + p]) {
                map[p] = (int32_t)c;
            }
        }
    }
}

static void print_shares(const bdnn_model *model, const int32_t *map, size_t positions, size_t classes)
{
    size_t label_count;
    const char *const *labels = bdnn_model_labels(model, &label_count);
    for (size_t c = 0; c < classes; c++) {
        size_t count = 0;
        for (size_t p = 0; p < positions; p++) {
            count += map[p] == (int32_t)c;
        }
        if (count) {
            printf("%5.1f %%  %s\n", 100.0 * (double)count / (double)positions, c < label_count ? labels[c] : "?");
        }
    }
}

/* Prints and draws what the session's last run found. */
static bdnn_status show(const bdnn_model *model, const bdnn_session *session, const bdnn_image *image, const char *path,
                        bdnn_error *err)
{
    size_t label_count;
    const char *const *labels = bdnn_model_labels(model, &label_count);
    bdnn_image overlay;
    bdnn_result scores;
    int32_t *map;
    bdnn_status status = bdnn_session_output(session, 0, &scores, err);
    if (status == BDNN_OK && scores.rank != 4) {
        snprintf(err->message, sizeof err->message, "output '%.60s' has no score for each pixel", scores.name);
        return BDNN_ERROR_UNSUPPORTED;
    }
    if (status != BDNN_OK) {
        return status;
    }
    map = calloc((size_t)(scores.shape[2] * scores.shape[3]), sizeof *map);
    if (!map) {
        snprintf(err->message, sizeof err->message, "no memory for the class map");
        return BDNN_ERROR_MEMORY;
    }
    choose_classes(&scores, map);
    print_shares(model, map, (size_t)(scores.shape[2] * scores.shape[3]), (size_t)scores.shape[1]);
    status = bdnn_image_overlay(image, map, (int32_t)scores.shape[2], (int32_t)scores.shape[3], labels, label_count,
                                &overlay, err);
    if (status == BDNN_OK) {
        status = bdnn_image_save(&overlay, path, err);
        bdnn_image_free(&overlay);
    }
    free(map);
    return status;
}

static bdnn_status segment(const bdnn_model *model, const char *path, const char *overlay, bdnn_error *err)
{
    const bdnn_preprocess p = bdnn_model_preprocess(model);
    float *input = calloc((size_t)p.channels * (size_t)p.height * (size_t)p.width, sizeof *input);
    bdnn_session *session = NULL;
    bdnn_image image = {0};
    bdnn_status status;
    if (!input || !p.channels) {
        snprintf(err->message, sizeof err->message, "no images are taken, or there is no memory for one");
        free(input);
        return BDNN_ERROR_MEMORY;
    }
    if ((status = bdnn_image_load_for(path, &p, &image, err)) == BDNN_OK &&
        (status = bdnn_image_preprocess(&image, &p, input, err)) == BDNN_OK &&
        (status = bdnn_session_create(model, NULL, &session, err)) == BDNN_OK &&
        (status = bdnn_session_run(session, input, err)) == BDNN_OK) {
        status = show(model, session, &image, overlay, err);
    }
    bdnn_session_free(session);
    bdnn_image_free(&image);
    free(input);
    return status;
}

int main(int argc, char **argv)
{
    bdnn_model *model;
    bdnn_error err;
    bdnn_status status;
    if (argc != 4) {
        fprintf(stderr, "usage: segment MODEL IMAGE OVERLAY.png\n");
        return 2;
    }
    status = bdnn_model_load(argv[1], NULL, &model, &err);
    if (status == BDNN_OK) {
        status = segment(model, argv[2], argv[3], &err);
    }
    if (status != BDNN_OK) {
        fprintf(stderr, "segment: %s\n", err.message);
    }
    bdnn_model_free(model);
    return status == BDNN_OK ? 0 : 1;
}
