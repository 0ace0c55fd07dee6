/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn bench on a real network: the table, the JSON and their sums. */
#define _XOPEN_SOURCE 700
#include "system/tool.h"

#define ALEXNET BDNN_TEST_DATA "/alexnet.onnx"

static char decomposed[256];

static int prepare(void **state)
{
    if (scratch_make(state) != 0) {
        return -1;
    }
    snprintf(decomposed, sizeof decomposed, "%s", scratch_path("decomposed.bdnn"));
    tool_run(0, "decompose " ALEXNET " -o %s --bases 2 --bits 6 --layer fc6:float --calibrate-count 4 --calibrate %s",
             decomposed, tool_write_idx("images.idx3-ubyte", 8, 28));
    return 0;
}

static void test_table(void **state)
{
    static const char *const shown[] = {"layer",  "kernel", "of the peak", "conv1", "fc8",
                                        "total ", "run ",   "device ",     "peak ", "GB/s"};
    (void)state;
    tool_run(0, "bench %s --repeat 3", decomposed);
    assert_string_equal(tool.err, ""); /* no progress where there is no terminal */
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if (!strstr(tool.out, shown[i])) {
            fail_msg("no '%s' in:\n%s", shown[i], tool.out);
        }
    }
    assert_non_null(strstr(tool.out, "cpu, 1 thread, batch 1"));
    tool_run(0, "bench %s --repeat 1 --all", decomposed);
    assert_non_null(strstr(tool.out, "relu5"));
}

static const char *text_of(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    if (!cJSON_IsString(item)) {
        fail_msg("no text '%s'", key);
    }
    return item->valuestring;
}

/* Quartiles in order; returns the median. */
static double check_spread(const cJSON *json)
{
    const double ms = tool_number(json, "ms");
    assert_true(tool_number(json, "ms_min") <= tool_number(json, "ms_lower_quartile"));
    assert_true(tool_number(json, "ms_lower_quartile") <= ms && ms <= tool_number(json, "ms_upper_quartile"));
    assert_true(tool_number(json, "ms_upper_quartile") <= tool_number(json, "ms_max"));
    return ms;
}

/* Returns how many layers are decomposed. */
static int check_layers(const cJSON *json, double batch)
{
    double sum = 0, read = 0;
    int count = 0;
    const cJSON *layer;
    cJSON_ArrayForEach(layer, cJSON_GetObjectItem(json, "layers"))
    {
        const char *kernel = text_of(layer, "kernel");
        const double ms = check_spread(layer), bytes = tool_number(layer, "weight_bytes");
        sum += ms;
        read += bytes + tool_number(layer, "input_bytes");
        assert_true((strcmp(kernel, "fused") == 0) == (tool_number(layer, "ms_max") == 0));
        if (cJSON_GetObjectItem(layer, "bases")) {
            count++;
            assert_true(bytes > 0);
            assert_true(tool_number(layer, "multiply_adds") > 0);
            assert_non_null(text_of(layer, "bound"));
        }
        if (strcmp(text_of(layer, "name"), "fc7") == 0) {
            assert_true(tool_number(layer, "multiply_adds") == batch * 768 * 768);
        }
    }
    assert_true(sum > 0 && sum <= tool_number(json, "ms_layers") * 1.001 &&
                sum >= tool_number(json, "ms_layers") * 0.999);
    assert_true(read == tool_number(cJSON_GetObjectItem(json, "machine"), "read_bytes_of_a_run"));
    return count;
}

/* The layers' time and the run's belong together: all but bringing the input in and the outputs out. Generous, because
 * the medians of a busy machine need not come from the same runs. */
static void check_total(const cJSON *json)
{
    const double ms = check_spread(json), layers = tool_number(json, "ms_layers");
    if (layers > 1.2 * ms || layers < 0.5 * ms) {
        fail_msg("layers %g ms, run %g ms", layers, ms);
    }
}

static void test_json(void **state)
{
    cJSON *json;
    const cJSON *machine, *start_up;
    (void)state;
    tool_run(0, "bench %s --repeat 30 --json", decomposed);
    json = tool_json();
    assert_int_equal(check_layers(json, 1), 7);
    check_total(json);
    assert_string_equal(text_of(json, "device"), "cpu");
    start_up = cJSON_GetObjectItem(json, "start_up_ms");
    assert_true(tool_number(start_up, "file") > 0 && tool_number(start_up, "load") > 0);
    assert_true(tool_number(start_up, "make_ready") > 0);
    assert_true(tool_number(start_up, "first_run") > tool_number(json, "ms_layers") / 3);
    machine = cJSON_GetObjectItem(json, "machine");
    assert_true(tool_number(machine, "read_bytes_per_second") > 0);
    assert_true(tool_number(machine, "memory_bytes_per_second") > 0);
    assert_true(cJSON_IsArray(cJSON_GetObjectItem(machine, "peaks")));
    cJSON_Delete(json);
}

static void test_devices_threads_and_batches(void **state)
{
    cJSON *json;
    const cJSON *layer;
    (void)state;
    tool_run(0, "bench %s --device reference --threads 2 --batch 2 --repeat 1 --json", decomposed);
    json = tool_json();
    assert_true(tool_number(json, "threads") == 2 && tool_number(json, "batch") == 2 &&
                tool_number(json, "repeat") == 1);
    check_layers(json, 2);
    cJSON_ArrayForEach(layer, cJSON_GetObjectItem(json, "layers"))
    {
        if (cJSON_GetObjectItem(layer, "bases")) {
            assert_string_equal(text_of(layer, "kernel"), "xnor_scalar");
        }
    }
    cJSON_Delete(json);
    tool_run(0, "bench " ALEXNET " --device float --repeat 1");
    assert_non_null(strstr(tool.out, "conv1"));
    assert_null(strstr(tool.out, "peak  "));
}

static void test_what_fails(void **state)
{
    (void)state;
    tool_run(1, "bench %s --device abacus", decomposed);
    tool_said("abacus");
    tool_run(1, "bench %s", scratch_path("absent.onnx"));
    tool_said("absent.onnx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_devices_threads_and_batches),
        cmocka_unit_test(test_what_fails),
    };
    return cmocka_run_group_tests_name("tool: bench", tests, prepare, scratch_remove);
}
