/* Classifies one image with a .bdnn file: the least that a program needs of libbdnn.
 *
 *     cc classify.c $(pkg-config --cflags --libs bdnn) -o classify && ./classify alexnet.bdnn shoe.png */
#include <bdnn_data.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    bdnn_model *model = NULL;
    bdnn_session *session = NULL;
    bdnn_image image = {0};
    bdnn_error err;
    bdnn_result scores;
    bdnn_preprocess preprocess;
    const char *const *labels;
    float *input = NULL;
    size_t count, best;
    int failed = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: classify MODEL IMAGE\n");
        return 2;
    }
    if (bdnn_model_load(argv[1], NULL, &model, &err) != BDNN_OK) {
        goto end;
    }
    preprocess = bdnn_model_preprocess(model);
    input = malloc(sizeof *input * (size_t)preprocess.channels * (size_t)preprocess.height * (size_t)preprocess.width);
    if (!input || bdnn_image_load(argv[2], preprocess.width, preprocess.height, &image, &err) != BDNN_OK ||
        bdnn_image_preprocess(&image, &preprocess, input, &err) != BDNN_OK ||
        bdnn_session_create(model, NULL, &session, &err) != BDNN_OK || bdnn_session_run(session, input, &err) != BDNN_OK ||
        bdnn_session_output(session, 0, &scores, &err) != BDNN_OK) {
        goto end;
    }
    labels = bdnn_model_labels(model, &count);
    if (bdnn_top_classes(scores.data, (size_t)scores.shape[1], 1, &best)) {
        printf("%s\n", best < count ? labels[best] : "a class without a name");
    }
    failed = 0;
end:
    if (failed) {
        fprintf(stderr, "classify: %s\n", err.message);
    }
    bdnn_image_free(&image);
    bdnn_session_free(session);
    bdnn_model_free(model);
    free(input);
    return failed;
}
