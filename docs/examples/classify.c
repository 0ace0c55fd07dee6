/* SPDX-License-Identifier: BSD-2-Clause */
/* Classifies one image: the least that a program needs of libbdnn.
 *
 *     cc classify.c $(pkg-config --cflags --libs bdnn) -o classify && ./classify alexnet.bdnn shoe.png */
#include <bdnn.h>
#include <bdnn_data.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads the image as the network's input, [C][H][W]. */
static bdnn_status read_input(const bdnn_preprocess *preprocess, const char *path, float *input, bdnn_error *err)
{
    bdnn_image image;
    bdnn_status status = bdnn_image_load_for(path, preprocess, &image, err);
    if (status == BDNN_OK) {
        status = bdnn_image_preprocess(&image, preprocess, input, err);
        bdnn_image_free(&image);
    }
    return status;
}

static bdnn_status classify(const bdnn_model *model, const float *input, bdnn_error *err)
{
    bdnn_session *session;
    bdnn_result scores; /* [1][classes] */
    const char *const *labels;
    size_t label_count, best;
    bdnn_status status = bdnn_session_create(model, NULL, &session, err);
    if (status != BDNN_OK) {
        return status;
    }
    status = bdnn_session_run(session, input, err);
    if (status == BDNN_OK) {
        status = bdnn_session_output(session, 0, &scores, err);
    }
    if (status == BDNN_OK && bdnn_top_classes(scores.data, (size_t)scores.shape[1], 1, &best) == 1) {
        labels = bdnn_model_labels(model, &label_count);
        printf("%s\n", best < label_count ? labels[best] : "a class without a name");
    }
    bdnn_session_free(session);
    return status;
}

int main(int argc, char **argv)
{
    bdnn_model *model;
    bdnn_preprocess p;
    bdnn_error err;
    bdnn_status status;
    float *input;
    if (argc != 3) {
        fprintf(stderr, "usage: classify MODEL IMAGE\n");
        return 2;
    }
    if (bdnn_model_load(argv[1], NULL, &model, &err) != BDNN_OK) {
        fprintf(stderr, "classify: %s\n", err.message);
        return 1;
    }
    p = bdnn_model_preprocess(model);
    input = calloc((size_t)p.channels * (size_t)p.height * (size_t)p.width, sizeof *input);
    if (!input || !p.channels) {
        fprintf(stderr, "classify: %s: no images are taken, or there is no memory for one\n", argv[1]);
        status = BDNN_ERROR_MEMORY;
    } else {
        status = read_input(&p, argv[2], input, &err);
        if (status == BDNN_OK) {
            status = classify(model, input, &err);
        }
        if (status != BDNN_OK) {
            fprintf(stderr, "classify: %s\n", err.message);
        }
    }
    free(input);
    bdnn_model_free(model);
    return status == BDNN_OK ? 0 : 1;
}
