/* SPDX-License-Identifier: BSD-2-Clause */
/* A session takes its input row-major, channels-last, and as pixels: the same outputs, bit for bit. */
#include "bdnn_data.h"
#include "networks.h"

#include "layers/formats.h"

enum { BATCH = 3, HEIGHT = 7, WIDTH = 9, CLASSES = 5 };

static bdnn_error err;

static void check(bdnn_status status)
{
    if (status != BDNN_OK) {
        fail_msg("%s", err.message);
    }
}

static bdnn_model *network(int32_t channels)
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, channels, HEIGHT, WIDTH}});
    bdnn_layer *layer;
    const int32_t conv = add_relu(model, add_conv(model, 0, channels, 1, 8, 3));
    const int32_t scores = add_layer(model, BDNN_OP_DENSE, &conv, 1, &layer);
    layer->attr.dense.filters = CLASSES;
    layer->decomposed = random_decomposed(CLASSES, HEIGHT * WIDTH * 8);
    finish(model, scores);
    assert_int_equal(bdnn_formats_choose(&model->graph, &err), BDNN_OK);
    return model;
}

static void set_preprocess(bdnn_model *model, int32_t channels, bool bgr, bool mean_image)
{
    float means[3 * HEIGHT * WIDTH];
    bdnn_preprocess p = {.channels = channels, .height = HEIGHT, .width = WIDTH, .bgr = bgr};
    for (int32_t c = 0; c < channels; c++) {
        p.mean[c] = 100 + 7.3f * (float)c;
        p.scale[c] = 1 / (60 + 5.7f * (float)c);
    }
    for (size_t i = 0; i < sizeof means / sizeof *means; i++) {
        means[i] = (float)below(2000) / 7;
    }
    p.mean_image = mean_image ? means : NULL;
    check(bdnn_model_set_preprocess(model, &p, &err));
}

static void take_output(bdnn_session *session, float output[BATCH * CLASSES])
{
    bdnn_result result;
    check(bdnn_session_output(session, 0, &result, &err));
    memcpy(output, result.data, BATCH * CLASSES * sizeof *output);
}

static void compare(bdnn_model *model, const bdnn_image images[BATCH])
{
    const bdnn_preprocess p = bdnn_model_preprocess(model);
    const size_t item = (size_t)p.channels * HEIGHT * WIDTH;
    bdnn_session_options options = BDNN_SESSION_OPTIONS_INIT;
    float row_major[BATCH * 3 * HEIGHT * WIDTH], nhwc[BATCH * 3 * HEIGHT * WIDTH], expected[BATCH * CLASSES];
    float output[BATCH * CLASSES];
    uint8_t pixels[BATCH * 3 * HEIGHT * WIDTH];
    bdnn_session *session;
    options.batch = BATCH;
    check(bdnn_session_create(model, &options, &session, &err));
    for (size_t i = 0; i < BATCH; i++) {
        check(bdnn_image_preprocess(&images[i], &p, row_major + i * item, &err));
        check(bdnn_image_pixels(&images[i], &p, pixels + i * item, &err));
        for (size_t at = 0; at < item; at++) {
            const size_t c = at % (size_t)p.channels, position = at / (size_t)p.channels;
            nhwc[i * item + at] = row_major[i * item + c * HEIGHT * WIDTH + position];
        }
    }
    check(bdnn_session_run(session, row_major, &err));
    take_output(session, expected);
    check(bdnn_session_run_nhwc(session, nhwc, &err));
    take_output(session, output);
    assert_memory_equal(output, expected, sizeof output);
    memset(output, 0, sizeof output);
    check(bdnn_session_run_pixels(session, pixels, &err));
    take_output(session, output);
    assert_memory_equal(output, expected, sizeof output);
    nhwc[5] = NAN;
    assert_int_equal(bdnn_session_run_nhwc(session, nhwc, &err), BDNN_ERROR_ARGUMENT);
    bdnn_session_free(session);
}

/* Of the network's size, and larger by a border that the crop leaves out. */
static void forms_of_input_agree(void **unused)
{
    (void)unused;
    for (int n = 0; n < 16; n++) {
        const int32_t channels = n & 1 ? 3 : 1, in_image = n & 2 ? 3 : 1;
        bdnn_model *model = network(channels);
        uint8_t bytes[BATCH][3 * HEIGHT * WIDTH];
        bdnn_image images[BATCH];
        for (size_t i = 0; i < BATCH; i++) {
            for (size_t at = 0; at < sizeof bytes[i]; at++) {
                bytes[i][at] = (uint8_t)below(256);
            }
            images[i] = (bdnn_image){bytes[i], WIDTH, HEIGHT, in_image};
        }
        if (n >= 2) { /* else as the network came, without mean and scale */
            set_preprocess(model, channels, n & 4, n & 8);
        }
        compare(model, images);
        bdnn_model_free(model);
    }
}

static void networks_without_images_are_told(void **unused)
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, 5, HEIGHT, WIDTH}});
    const uint8_t pixels[5 * HEIGHT * WIDTH] = {0};
    bdnn_session *session;
    (void)unused;
    finish(model, add_relu(model, 0));
    check(bdnn_session_create(model, NULL, &session, &err));
    assert_int_equal(bdnn_session_run_pixels(session, pixels, &err), BDNN_ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "takes no images"));
    bdnn_session_free(session);
    bdnn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_of_input_agree),
        cmocka_unit_test(networks_without_images_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
