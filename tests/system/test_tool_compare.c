/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn compare on the devices that need no accelerator: the tables, the JSON, the page. */
#define _XOPEN_SOURCE 700
#include "system/tool.h"

#define ALEXNET BDNN_TEST_DATA "/alexnet.onnx"

static char decomposed[256], images[256];

static int prepare(void **state)
{
    if (scratch_make(state) != 0) {
        return -1;
    }
    snprintf(images, sizeof images, "%s", tool_write_idx("images.idx3-ubyte", 4, 28));
    snprintf(decomposed, sizeof decomposed, "%s", scratch_path("decomposed<1>.bdnn"));
    tool_run(0, "decompose " ALEXNET " -o %s --bases 2 --bits 6 --calibrate-count 4 --calibrate %s", decomposed,
             images);
    return 0;
}

static void test_table(void **state)
{
    static const char *const shown[] = {"device", "images/s", "cpu",     "reference", "equal, 10 values",
                                        "cpu ms", "conv1",    "fc8    ", "noise"};
    (void)state;
    tool_run(0, "compare %s --devices cpu,reference --repeat 2", decomposed);
    assert_string_equal(tool.err, "");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if (!strstr(tool.out, shown[i])) {
            fail_msg("no '%s' in:\n%s", shown[i], tool.out);
        }
    }
}

static void test_json(void **state)
{
    cJSON *json;
    const cJSON *devices, *layer;
    double sum = 0;
    (void)state;
    tool_run(0, "compare %s --devices cpu,reference,float --batch 2 --repeat 3 --images %s --json", decomposed, images);
    json = tool_json();
    devices = cJSON_GetObjectItem(json, "devices");
    assert_int_equal(cJSON_GetArraySize(devices), 3);
    assert_string_equal(cJSON_GetObjectItem(json, "inputs")->valuestring, images);
    assert_true(tool_number(json, "compared_values") == 20);
    assert_true(tool_number(cJSON_GetArrayItem(devices, 1), "different_values") == 0);
    assert_true(tool_number(cJSON_GetArrayItem(devices, 2), "different_values") > 0);
    for (int d = 0; d < 3; d++) {
        const cJSON *device = cJSON_GetArrayItem(devices, d);
        const double ms = tool_number(device, "ms");
        assert_true(tool_number(device, "ms_min") <= ms && ms <= tool_number(device, "ms_max"));
        assert_float_equal(tool_number(device, "images_per_second"), 2000 / ms, 1e-3 * 2000 / ms);
        assert_null(cJSON_GetObjectItem(device, "accelerator"));
    }
    cJSON_ArrayForEach(layer, cJSON_GetObjectItem(cJSON_GetArrayItem(devices, 0), "layers"))
    {
        sum += tool_number(layer, "ms");
        assert_null(cJSON_GetObjectItem(layer, "accelerator"));
        if (strcmp(cJSON_GetObjectItem(layer, "name")->valuestring, "fc7") == 0) {
            assert_true(tool_number(layer, "multiply_adds") == 2 * 768 * 768);
        }
    }
    assert_float_equal(sum, tool_number(cJSON_GetArrayItem(devices, 0), "ms_layers"), 1e-6);
    cJSON_Delete(json);
}

/* Every element that is opened is closed, where it must be, and names cannot break out. */
static void test_page(void **state)
{
    static char page[1 << 16];
    (void)state;
    tool_run(0, "compare %s --devices cpu,float --repeat 1 --html %s", decomposed, scratch_path("page.html"));
    tool_read("page.html", page, sizeof page);
    assert_non_null(strstr(page, "decomposed&lt;1&gt;.bdnn"));
    assert_null(strstr(page, "decomposed<1>"));
    assert_non_null(strstr(page, "<svg "));
    assert_non_null(strstr(page, "conv2"));
    assert_non_null(strstr(page, "</html>"));
    assert_null(strstr(page, "http")); /* needs nothing else */
    assert_null(strstr(page, "nan"));
    assert_null(strstr(page, "inf"));
    assert_int_equal(tool_count_files("page.html"), 1);
}

static void test_what_fails(void **state)
{
    (void)state;
    tool_run(1, "compare %s --devices cpu,abacus", decomposed);
    tool_said("abacus");
    tool_run(2, "compare %s --devices cpu,cpu", decomposed);
    tool_said("twice");
    tool_run(2, "compare %s --devices cpu,", decomposed);
    tool_said("--devices");
    tool_run(2, "compare --devices cpu");
    tool_said("network");
    tool_run(2, "compare %s --clock 0", decomposed);
    tool_said("--clock");
    tool_run(1, "compare %s --devices cpu --images %s --batch 5", decomposed, images);
    tool_said("images.idx3-ubyte", "fewer");
    tool_run(1, "compare %s --devices cpu --html %s", decomposed, scratch_path("nofolder/page.html"));
    tool_said("nofolder/page.html");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_what_fails),
    };
    return cmocka_run_group_tests_name("tool: compare", tests, prepare, scratch_remove);
}
