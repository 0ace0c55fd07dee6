/* SPDX-License-Identifier: BSD-2-Clause */
/* Float outputs of a network against OpenCV's dnn module on the same file and picture.
 *
 *     compare_opencv NET.onnx PICTURE MEAN STD TOLERANCE [PERCENT]
 *
 * Prints the largest difference relative to the largest output, how many outputs differ by no more than the tolerance,
 * and how often both name the same class of an item or of a pixel; ends with 1 where fewer than PERCENT (100) are
 * within the tolerance: an unpooling puts a value elsewhere when two inputs of its pooling are equal but for a
 * rounding. C++ because OpenCV has no C interface. */
#include "bdnn_data.h"

#include <opencv2/dnn.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

static int fail(const char *message)
{
    std::fprintf(stderr, "compare_opencv: %s\n", message);
    return 1;
}

/* The picture as the network's input [1][C][H][W]. */
static bdnn_status load_picture(const bdnn_model *model, const char *path, float mean, float deviation,
                                std::vector<float> &input, int64_t shape[6], bdnn_error *err)
{
    bdnn_preprocess p = {};
    bdnn_image image;
    bdnn_status status;
    bdnn_model_input_shape(model, shape);
    p.channels = (int32_t)shape[1];
    p.height = (int32_t)shape[2];
    p.width = (int32_t)shape[3];
    for (int c = 0; c < 3; c++) {
        p.mean[c] = mean;
        p.scale[c] = 1 / deviation;
    }
    status = bdnn_image_load(path, p.width, p.height, &image, err);
    if (status != BDNN_OK) {
        return status;
    }
    input.resize((size_t)(shape[1] * shape[2] * shape[3]));
    status = bdnn_image_preprocess(&image, &p, input.data(), err);
    bdnn_image_free(&image);
    return status;
}

/* Scores [1][classes][positions]. */
struct comparison {
    double largest, within, agreement; /* of the largest output; percent; percent */
};

static comparison compare(const float *a, const float *b, size_t classes, size_t positions, double tolerance)
{
    double difference = 0, most = 0;
    size_t equal = 0, within = 0;
    for (size_t i = 0; i < classes * positions; i++) {
        difference = std::fmax(difference, std::fabs((double)a[i] - b[i]));
        most = std::fmax(most, std::fabs((double)b[i]));
    }
    for (size_t i = 0; i < classes * positions; i++) {
        within += std::fabs((double)a[i] - b[i]) <= tolerance * most;
    }
    for (size_t p = 0; p < positions; p++) {
        size_t x = 0, y = 0;
        for (size_t c = 1; c < classes; c++) {
            x = a[c * positions + p] > a[x * positions + p] ? c : x;
            y = b[c * positions + p] > b[y * positions + p] ? c : y;
        }
        equal += x == y;
    }
    return {difference / most, 100.0 * (double)within / (double)(classes * positions),
            100.0 * (double)equal / (double)positions};
}

static int run(const char *net, const char *picture, float mean, float deviation, double tolerance, double percent)
{
    bdnn_session_options options = BDNN_SESSION_OPTIONS_INIT;
    std::vector<float> input;
    int64_t shape[6];
    bdnn_model *model;
    bdnn_session *session;
    bdnn_result result;
    bdnn_error err;
    size_t positions = 1;
    options.device = "float";
    options.batch = 1;
    if (bdnn_model_load(net, nullptr, &model, &err) != BDNN_OK ||
        load_picture(model, picture, mean, deviation, input, shape, &err) != BDNN_OK ||
        bdnn_session_create(model, &options, &session, &err) != BDNN_OK ||
        bdnn_session_run(session, input.data(), &err) != BDNN_OK ||
        bdnn_session_output(session, 0, &result, &err) != BDNN_OK) {
        return fail(err.message);
    }
    for (int32_t a = 2; a < result.rank; a++) {
        positions *= (size_t)result.shape[a];
    }
    const int sizes[4] = {1, (int)shape[1], (int)shape[2], (int)shape[3]};
    cv::dnn::Net other = cv::dnn::readNetFromONNX(net);
    other.setInput(cv::Mat(4, sizes, CV_32F, input.data()));
    const cv::Mat expected = other.forward();
    if (expected.total() != positions * (size_t)result.shape[1]) {
        return fail("the outputs differ in size");
    }
    const comparison c = compare(result.data, expected.ptr<float>(), (size_t)result.shape[1], positions, tolerance);
    std::printf("%s: largest difference %.1e of the largest output, %.3f %% within %g, same class %.2f %%\n", net,
                c.largest, c.within, tolerance, c.agreement);
    bdnn_session_free(session);
    bdnn_model_free(model);
    return c.within >= percent ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 7) {
        return fail("usage: compare_opencv NET.onnx PICTURE MEAN STD TOLERANCE [PERCENT]"), 2;
    }
    try {
        return run(argv[1], argv[2], (float)std::atof(argv[3]), (float)std::atof(argv[4]), std::atof(argv[5]),
                   argc == 7 ? std::atof(argv[6]) : 100.0);
    } catch (const std::exception &error) {
        return fail(error.what());
    }
}
