/* SPDX-License-Identifier: BSD-2-Clause */
/* Every public call with NULL for each of its pointers, one at a time: an error where that may not be, and no crash.
 * tests/system/headers.py sees to it that no call and no pointer is left out. */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include "networks.h"

#include "bdnn_data.h"
#include "bdnn_measure.h"

static bdnn_error err;

/* The call says BDNN_ERROR_ARGUMENT and which call it was. */
#define REFUSED(call)                                                                                                  \
    do {                                                                                                               \
        memset(&err, 0, sizeof err);                                                                                   \
        assert_int_equal(call, BDNN_ERROR_ARGUMENT);                                                                   \
        assert_int_equal(err.status, BDNN_ERROR_ARGUMENT);                                                             \
        assert_int_equal(strncmp(err.message, #call, strcspn(#call, "(")), 0);                                         \
    } while (0)

static bdnn_model *small_network(void)
{
    const bdnn_shape shape = {4, {1, 1, 2, 2}};
    bdnn_model *model = model_with_input(&shape);
    finish(model, add_conv(model, 0, 1, 1, 2, 1));
    return model;
}

static void basics(void **unused)
{
    (void)unused;
    assert_string_equal(bdnn_status_name((bdnn_status)-1), "unknown status");
    REFUSED(bdnn_write_file(NULL, "", 0, &err));
    REFUSED(bdnn_write_file(scratch_path("none"), NULL, 1, &err));
    assert_int_equal(bdnn_write_file(scratch_path("empty"), NULL, 0, NULL), BDNN_OK);
}

static void models(void **unused)
{
    static const char *const labels[1] = {"a"}, *const unnamed[2] = {"a", NULL};
    bdnn_model *model = small_network(), *none = model;
    bdnn_preprocess p;
    bdnn_layer_info info;
    int64_t shape[6];
    size_t count = 7;
    const void *address = model;
    (void)unused;
    REFUSED(bdnn_model_load(NULL, NULL, &none, &err));
    assert_null(none);
    REFUSED(bdnn_model_load("x", NULL, NULL, &err));
    REFUSED(bdnn_model_save(NULL, scratch_path("x"), &err));
    REFUSED(bdnn_model_save(model, NULL, &err));
    REFUSED(bdnn_model_export_npy(NULL, scratch_path("x"), &err));
    REFUSED(bdnn_model_export_npy(model, NULL, &err));
    bdnn_model_release_pages(NULL);
    bdnn_model_mapping(NULL, &address, &count);
    assert_null(address);
    assert_int_equal(count, 0);
    bdnn_model_mapping(model, NULL, NULL);
    bdnn_model_free(NULL);
    p = bdnn_model_preprocess(NULL);
    assert_int_equal(p.channels, 0);
    p = bdnn_model_preprocess(model);
    REFUSED(bdnn_model_set_preprocess(NULL, &p, &err));
    REFUSED(bdnn_model_set_preprocess(model, NULL, &err));
    assert_null(bdnn_model_labels(NULL, &count));
    assert_int_equal(count, 0);
    assert_null(bdnn_model_labels(model, NULL));
    REFUSED(bdnn_model_set_labels(NULL, labels, 1, &err));
    REFUSED(bdnn_model_set_labels(model, NULL, 1, &err));
    REFUSED(bdnn_model_set_labels(model, unnamed, 2, &err));
    assert_int_equal(bdnn_model_set_labels(model, NULL, 0, &err), BDNN_OK);
    assert_int_equal(bdnn_model_layer_count(NULL), 0);
    REFUSED(bdnn_model_layer(NULL, 0, &info, &err));
    REFUSED(bdnn_model_layer(model, 0, NULL, &err));
    assert_int_equal(bdnn_model_input_shape(NULL, shape), 0);
    assert_int_equal(bdnn_model_input_shape(model, NULL), 0);
    /* err may always be NULL */
    assert_int_equal(bdnn_model_load(NULL, NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_model_save(NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_model_export_npy(NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_model_set_preprocess(NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_model_set_labels(NULL, NULL, 0, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_model_layer(NULL, 0, NULL, NULL), BDNN_ERROR_ARGUMENT);
    bdnn_model_free(model);
}

static void decomposition(void **unused)
{
    static const float inputs[4] = {1, 2, 3, 4};
    bdnn_decompose_options options = BDNN_DECOMPOSE_OPTIONS_INIT;
    const bdnn_layer_setting unnamed = {.bases = 2, .bits = 2};
    bdnn_model *model = small_network(), *out = model;
    bdnn_layer_report *report = (bdnn_layer_report *)model;
    (void)unused;
    REFUSED(bdnn_decompose(NULL, inputs, 1, NULL, &out, NULL, NULL, &err));
    assert_null(out);
    REFUSED(bdnn_decompose(model, NULL, 1, NULL, &out, NULL, NULL, &err));
    REFUSED(bdnn_decompose(model, inputs, 1, NULL, NULL, NULL, NULL, &err));
    REFUSED(bdnn_decompose(model, inputs, 1, NULL, &out, &report, NULL, &err));
    assert_null(report);
    options.layer_count = 1;
    REFUSED(bdnn_decompose(model, inputs, 1, &options, &out, NULL, NULL, &err));
    options.layers = &unnamed;
    REFUSED(bdnn_decompose(model, inputs, 1, &options, &out, NULL, NULL, &err));
    assert_int_equal(bdnn_decompose(NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    bdnn_report_free(NULL);
    bdnn_model_free(model);
}

static void sessions(void **unused)
{
    static const float input[4] = {1, 2, 3, 4};
    bdnn_model *model = small_network();
    bdnn_session *session = NULL, *none = (bdnn_session *)model;
    bdnn_result result;
    bdnn_layer_cost cost;
    uint64_t planned = 1, without = 1;
    bdnn_peak peak;
    (void)unused;
    REFUSED(bdnn_session_create(NULL, NULL, &none, &err));
    assert_null(none);
    REFUSED(bdnn_session_create(model, NULL, NULL, &err));
    assert_int_equal(bdnn_session_create(model, NULL, &session, &err), BDNN_OK);
    REFUSED(bdnn_session_run(NULL, input, &err));
    REFUSED(bdnn_session_run(session, NULL, &err));
    REFUSED(bdnn_session_run_nhwc(NULL, input, &err));
    REFUSED(bdnn_session_run_nhwc(session, NULL, &err));
    REFUSED(bdnn_session_run_pixels(NULL, (const uint8_t *)input, &err));
    REFUSED(bdnn_session_run_pixels(session, NULL, &err));
    assert_int_equal(bdnn_session_output_count(NULL), 0);
    REFUSED(bdnn_session_output(NULL, 0, &result, &err));
    REFUSED(bdnn_session_output(session, 0, NULL, &err));
    REFUSED(bdnn_session_profile(NULL, &err));
    REFUSED(bdnn_session_layer(NULL, 0, &cost, &err));
    REFUSED(bdnn_session_layer(session, 0, NULL, &err));
    bdnn_session_memory(NULL, &planned, &without);
    assert_true(planned == 0 && without == 0);
    bdnn_session_memory(session, NULL, NULL);
    assert_int_equal(bdnn_session_create(NULL, NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_session_run(NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_session_run_nhwc(NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_session_run_pixels(NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_session_output(NULL, 0, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_session_profile(NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_session_layer(NULL, 0, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_session_transfer_count(NULL), 0);
    assert_int_equal(bdnn_session_transfer(NULL, 0, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_false(bdnn_peak_measure(NULL, 1, &peak));
    assert_false(bdnn_peak_measure("panel", 1, NULL));
    bdnn_session_free(NULL);
    bdnn_session_free(session);
    bdnn_model_free(model);
}

static void devices(void **unused)
{
    const bdnn_session_options unnamed = BDNN_SESSION_OPTIONS_INIT;
    bdnn_device_info *list = (bdnn_device_info *)&err;
    bdnn_device_info info;
    bdnn_launch_times times;
    size_t count = 7;
    (void)unused;
    REFUSED(bdnn_devices(NULL, NULL, &count, &err));
    assert_int_equal(count, 0);
    REFUSED(bdnn_devices(NULL, &list, NULL, &err));
    assert_null(list);
    assert_int_equal(bdnn_devices(NULL, NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    bdnn_devices_free(NULL);
    REFUSED(bdnn_device_describe("cpu", NULL, NULL, &err));
    assert_int_equal(bdnn_device_describe(NULL, NULL, &info, NULL), BDNN_OK); /* "cpu" */
    assert_string_equal(info.name, "cpu");
    REFUSED(bdnn_device_launches(NULL, 1, NULL, &err));
    /* Nobody has named a device: neither in options that are not there, nor in those that are. */
    assert_int_equal(bdnn_device_launches(&unnamed, 1, &times, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_device_launches(&unnamed, 1, &times, &err), BDNN_ERROR_ARGUMENT);
    assert_string_equal(err.message, "device 'cpu' is no accelerator");
    assert_int_equal(bdnn_device_launches(NULL, 1, &times, &err), BDNN_ERROR_ARGUMENT);
    assert_string_equal(err.message, "device 'cpu' is no accelerator");
    assert_int_equal(
        bdnn_device_launches(&(bdnn_session_options){.struct_size = sizeof(bdnn_session_options), .device = "float"}, 1,
                             &times, &err),
        BDNN_ERROR_ARGUMENT);
    assert_string_equal(err.message, "device 'float' is no accelerator");
}

static void images(void **unused)
{
    uint8_t pixels[4] = {1, 2, 3, 4};
    bdnn_image image = {pixels, 2, 2, 1}, empty = {0}, out = image;
    const bdnn_preprocess p = {.channels = 1, .height = 2, .width = 2, .scale = {1}};
    const int32_t map[4] = {0};
    static const char *const unnamed[2] = {"a", NULL};
    float input[4];
    (void)unused;
    REFUSED(bdnn_image_load(NULL, 0, 0, &out, &err));
    assert_null(out.pixels);
    REFUSED(bdnn_image_load("x", 0, 0, NULL, &err));
    REFUSED(bdnn_image_load_for(NULL, &p, &out, &err));
    REFUSED(bdnn_image_load_for("x", NULL, &out, &err));
    REFUSED(bdnn_image_load_for("x", &p, NULL, &err));
    REFUSED(bdnn_image_decode(NULL, pixels, 4, 0, 0, &out, &err));
    REFUSED(bdnn_image_decode("x", NULL, 4, 0, 0, &out, &err));
    REFUSED(bdnn_image_decode("x", pixels, 4, 0, 0, NULL, &err));
    bdnn_image_free(NULL);
    REFUSED(bdnn_image_preprocess(NULL, &p, input, &err));
    REFUSED(bdnn_image_preprocess(&empty, &p, input, &err));
    REFUSED(bdnn_image_preprocess(&image, NULL, input, &err));
    REFUSED(bdnn_image_preprocess(&image, &p, NULL, &err));
    REFUSED(bdnn_image_pixels(NULL, &p, (uint8_t *)input, &err));
    REFUSED(bdnn_image_pixels(&empty, &p, (uint8_t *)input, &err));
    REFUSED(bdnn_image_pixels(&image, NULL, (uint8_t *)input, &err));
    REFUSED(bdnn_image_pixels(&image, &p, NULL, &err));
    REFUSED(bdnn_image_save(NULL, scratch_path("x.png"), &err));
    REFUSED(bdnn_image_save(&empty, scratch_path("x.png"), &err));
    REFUSED(bdnn_image_save(&image, NULL, &err));
    REFUSED(bdnn_image_overlay(NULL, map, 2, 2, NULL, 0, &out, &err));
    REFUSED(bdnn_image_overlay(&empty, map, 2, 2, NULL, 0, &out, &err));
    REFUSED(bdnn_image_overlay(&image, NULL, 2, 2, NULL, 0, &out, &err));
    REFUSED(bdnn_image_overlay(&image, map, 2, 2, NULL, 1, &out, &err));
    REFUSED(bdnn_image_overlay(&image, map, 2, 2, NULL, 0, NULL, &err));
    REFUSED(bdnn_image_overlay(&image, map, 2, 2, unnamed, 2, &out, &err));
    assert_int_equal(bdnn_image_load(NULL, 0, 0, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_image_load_for(NULL, NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_image_decode(NULL, NULL, 0, 0, 0, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_image_preprocess(NULL, NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_image_pixels(NULL, NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_image_save(NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_image_overlay(NULL, NULL, 0, 0, NULL, 0, NULL, NULL), BDNN_ERROR_ARGUMENT);
}

static void datasets(void **unused)
{
    static const uint8_t one[] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 5};
    const bdnn_preprocess p = {.channels = 1, .height = 1, .width = 1, .scale = {1}};
    const char *path = scratch_write("one.idx", one, sizeof one);
    bdnn_dataset *set = NULL, *none = (bdnn_dataset *)&p;
    float input;
    int32_t label;
    char text[8] = "full";
    (void)unused;
    REFUSED(bdnn_dataset_open(NULL, NULL, &none, &err));
    assert_null(none);
    REFUSED(bdnn_dataset_open(path, NULL, NULL, &err));
    assert_int_equal(bdnn_dataset_open(path, NULL, &set, &err), BDNN_OK);
    assert_int_equal(bdnn_dataset_count(NULL), 0);
    assert_int_equal(bdnn_dataset_label_kind(NULL), BDNN_LABEL_NONE);
    assert_string_equal(bdnn_dataset_name(NULL, 0, text, sizeof text), "");
    assert_null(bdnn_dataset_name(set, 0, NULL, 8));
    REFUSED(bdnn_dataset_input(NULL, 0, &p, &input, &err));
    REFUSED(bdnn_dataset_input(set, 0, NULL, &input, &err));
    REFUSED(bdnn_dataset_input(set, 0, &p, NULL, &err));
    REFUSED(bdnn_dataset_class(NULL, 0, &label, &err));
    REFUSED(bdnn_dataset_class(set, 0, NULL, &err));
    REFUSED(bdnn_dataset_class_map(NULL, 0, 1, 1, &label, &err));
    REFUSED(bdnn_dataset_class_map(set, 0, 1, 1, NULL, &err));
    assert_int_equal(bdnn_dataset_open(NULL, NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_dataset_input(NULL, 0, NULL, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_dataset_class(NULL, 0, NULL, NULL), BDNN_ERROR_ARGUMENT);
    assert_int_equal(bdnn_dataset_class_map(NULL, 0, 1, 1, NULL, NULL), BDNN_ERROR_ARGUMENT);
    bdnn_dataset_free(NULL);
    bdnn_dataset_free(set);
}

static void metrics(void **unused)
{
    const float scores[1] = {1};
    const int32_t zero[1] = {0};
    bdnn_class_counts counts[1] = {{0, 0, 0}};
    double iou[1];
    size_t class;
    (void)unused;
    assert_int_equal(bdnn_rank_of(NULL, 1, 0), 1);
    assert_int_equal(bdnn_top_classes(NULL, 1, 1, &class), 0);
    assert_int_equal(bdnn_top_classes(scores, 1, 1, NULL), 0);
    REFUSED(bdnn_class_counts_add(NULL, 1, zero, zero, 1, &err));
    REFUSED(bdnn_class_counts_add(counts, 1, NULL, zero, 1, &err));
    REFUSED(bdnn_class_counts_add(counts, 1, zero, NULL, 1, &err));
    assert_int_equal(bdnn_class_counts_add(NULL, 0, NULL, NULL, 0, NULL), BDNN_ERROR_ARGUMENT);
    assert_true(bdnn_mean_iou(NULL, 1, iou) == 0);
    assert_true(bdnn_mean_iou(counts, 1, NULL) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basics),   cmocka_unit_test(models),  cmocka_unit_test(decomposition),
        cmocka_unit_test(sessions), cmocka_unit_test(devices), cmocka_unit_test(images),
        cmocka_unit_test(datasets), cmocka_unit_test(metrics),
    };
    return cmocka_run_group_tests_name("NULL", tests, scratch_make, scratch_remove);
}
