/* SPDX-License-Identifier: BSD-2-Clause */
/* The tool on sets with images that cannot be read, and ended half way: what was skipped, and what was done so far, is
 * told; the rest is as it would have been. */
#define _XOPEN_SOURCE 700
#include "system/tool.h"

#include <signal.h>
#include <time.h>

#define ALEXNET BDNN_TEST_DATA "/alexnet.onnx"
#define SEGNET  BDNN_TEST_DATA "/segnet.onnx"
#define VGG     BDNN_TEST_DATA "/vgg.onnx"
#define SEGTEST BDNN_TEST_DATA "/segtest-images.idx3-ubyte.gz"
#define UNIT    "--mean 0.2860 --std 0.3530 --unit"
#define COUNT   10

/* Two folders of two classes: `good` has ten images, `bad` the same and one damaged in each class. */
static char good[256], bad[256];

static void write_image(const char *folder, int n)
{
    char name[64], data[1024];
    const int head = snprintf(data, sizeof data, "P5\n28 28\n255\n");
    for (int i = 0; i < 28 * 28; i++) {
        data[head + i] = (char)((i * (n + 3) + i / 28 * n * 11) & 255);
    }
    snprintf(name, sizeof name, "%s/class%d/%02d.pgm", folder, n % 2, 10 * n);
    scratch_write(name, data, (size_t)head + 28 * 28);
}

static int prepare(void **state)
{
    if (scratch_make(state) != 0) {
        return -1;
    }
    for (int n = 0; n < COUNT; n++) {
        write_image("good", n);
        write_image("bad", n);
    }
    scratch_write("bad/class0/35.pgm", "P5\n28 28\n255\nshort", 17);
    scratch_write("bad/class1/75.png", "no picture", 10);
    snprintf(good, sizeof good, "%s", scratch_path("good"));
    snprintf(bad, sizeof bad, "%s", scratch_path("bad"));
    return 0;
}

static void same_number(const cJSON *a, const cJSON *b, const char *key)
{
    assert_true(tool_number(a, key) == tool_number(b, key));
}

static const cJSON *first_network(const cJSON *json)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(json, "networks"), 0);
}

/* Both damaged ones, by index, file and reason. */
static void check_skipped(const cJSON *json)
{
    const cJSON *skipped = cJSON_GetObjectItem(json, "skipped"), *first = cJSON_GetArrayItem(skipped, 0),
                *second = cJSON_GetArrayItem(skipped, 1);
    assert_int_equal(cJSON_GetArraySize(skipped), 2);
    assert_true(tool_number(first, "index") == 2 && tool_number(second, "index") == 10);
    assert_non_null(strstr(cJSON_GetObjectItem(first, "item")->valuestring, "class0/35.pgm"));
    assert_non_null(strstr(cJSON_GetObjectItem(second, "reason")->valuestring, "class1/75.png"));
}

static void test_eval_skips(void **state)
{
    cJSON *whole, *json;
    (void)state;
    tool_run(0, "eval " ALEXNET " %s --compare " VGG " " UNIT " --json", good);
    whole = tool_json();
    assert_true(tool_number(whole, "items") == COUNT);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(whole, "partial")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(whole, "skipped")), 0);
    for (int batch = 1; batch <= 16; batch = 3 * batch + 2) {
        tool_run(0, "eval " ALEXNET " %s --compare " VGG " " UNIT " --json --skip-bad 2 --batch %d", bad, batch);
        json = tool_json();
        assert_true(tool_number(json, "items") == COUNT && tool_number(json, "items_asked") == COUNT + 2);
        assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "partial")));
        check_skipped(json);
        for (int n = 0; n < 2; n++) {
            const cJSON *a = cJSON_GetArrayItem(cJSON_GetObjectItem(whole, "networks"), n),
                        *b = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "networks"), n);
            same_number(a, b, "top1_percent");
            same_number(a, b, "top5_percent");
            if (n) {
                same_number(a, b, "agreement_percent");
            }
        }
        cJSON_Delete(json);
    }
    cJSON_Delete(whole);
    tool_run(0, "eval " ALEXNET " %s " UNIT " --skip-bad all", bad);
    assert_non_null(strstr(tool.out, "skipped 2 of 12, which cannot be read:"));
    assert_non_null(strstr(tool.out, "class0/35.pgm"));
    assert_null(strstr(tool.out, "PARTIAL"));
}

/* Without --skip-bad, and where there are more than it allows: an error, and a report of what came before. */
static void test_eval_fails_with_a_report(void **state)
{
    cJSON *json;
    (void)state;
    tool_run(1, "eval " ALEXNET " %s " UNIT, bad);
    assert_non_null(strstr(tool.err, "class0/35.pgm"));
    assert_non_null(strstr(tool.out, "PARTIAL: 2 of 12 items, ended by an error"));
    tool_run(1, "eval " ALEXNET " %s " UNIT " --skip-bad 1 --json --batch 4", bad);
    assert_non_null(strstr(tool.err, "class1/75.png"));
    assert_non_null(strstr(tool.err, "1 before it were skipped"));
    json = tool_json();
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "partial")));
    assert_true(tool_number(json, "items") == 9);
    assert_non_null(strstr(cJSON_GetObjectItem(json, "ended_by")->valuestring, "class1/75.png"));
    cJSON_Delete(json);
    tool_run(0, "eval " ALEXNET " %s " UNIT " --limit 2", bad);
    tool_run(1, "eval " ALEXNET " %s " UNIT " --skip-bad all",
             scratch_path("nothing")); /* the set itself is no item of it */
    tool_said("nothing");
}

/* The files of `bad` are among those that would be used; the others are the same as without them. */
static void test_decompose_skips(void **state)
{
    char one[256], two[256];
    cJSON *json;
    (void)state;
    snprintf(one, sizeof one, "%s", scratch_path("one.bdnn"));
    snprintf(two, sizeof two, "%s", scratch_path("two.bdnn"));
    tool_run(1, "decompose " ALEXNET " -o %s --bases 1 --bits 2 --calibrate %s " UNIT, two, bad);
    tool_said("class0/35.pgm");
    assert_int_equal(tool_count_files("two.bdnn"), 0);
    tool_run(1, "decompose " ALEXNET " -o %s --bases 1 --bits 2 --calibrate %s " UNIT " --skip-bad 1", two, bad);
    tool_said("class1/75.png", "1 before it");
    tool_run(0, "decompose " ALEXNET " -o %s --bases 1 --bits 2 --calibrate %s " UNIT, one, good);
    tool_run(0, "decompose " ALEXNET " -o %s --bases 1 --bits 2 --calibrate %s " UNIT " --skip-bad 2 --json", two, bad);
    json = tool_json();
    check_skipped(json);
    assert_true(tool_number(json, "calibration_inputs") == COUNT);
    cJSON_Delete(json);
    {
        static uint8_t a[1 << 20], b[1 << 20];
        FILE *first = fopen(one, "rb"), *second = fopen(two, "rb");
        size_t size;
        assert_non_null(first);
        assert_non_null(second);
        while ((size = fread(a, 1, sizeof a, first)) > 0) {
            assert_int_equal(fread(b, 1, sizeof b, second), size);
            assert_memory_equal(a, b, size);
        }
        assert_int_equal(fread(b, 1, 1, second), 0);
        fclose(first);
        fclose(second);
    }
}

static void test_run_skips(void **state)
{
    char bad_image[300];
    cJSON *json;
    (void)state;
    snprintf(bad_image, sizeof bad_image, "%s/class0/35.pgm", bad);
    tool_run(1, "run " ALEXNET " %s/class0/00.pgm %s %s/class0/20.pgm --json", bad, bad_image, bad);
    assert_non_null(strstr(tool.err, "35.pgm"));
    json = tool_json();
    assert_int_equal(cJSON_GetArraySize(json), 2);
    assert_true(tool_number(cJSON_GetArrayItem(json, 1), "images") == 1);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(cJSON_GetArrayItem(json, 1), "partial")));
    cJSON_Delete(json);
    tool_run(0, "run " ALEXNET " %s/class0/00.pgm %s %s/class0/20.pgm --json --skip-bad 1", bad, bad_image, bad);
    json = tool_json();
    assert_int_equal(cJSON_GetArraySize(json), 3);
    assert_non_null(cJSON_GetObjectItem(cJSON_GetArrayItem(json, 1), "skipped"));
    assert_non_null(cJSON_GetObjectItem(cJSON_GetArrayItem(json, 2), "classes"));
    cJSON_Delete(json);
    tool_run(0, "run " ALEXNET " %s/class0/00.pgm %s --skip-bad all", bad, bad_image);
    assert_non_null(strstr(tool.out, "skipped 1 of 2"));
    tool_run(1, "run " ALEXNET " %s %s --skip-bad all", bad_image, bad_image);
    tool_said("none of the 2 images", "35.pgm");
}

/* ---- Signals ---- */

static void wait_ms(long ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Starts the tool, lets it work for a while, and sends it a signal: its exit code. When the program is ready to be
 * ended is not to be seen from here, so callers try longer and longer times until it was in the middle of its work. */
static int end_after(long ms, int number, const char *line)
{
    const int out = open(scratch_path("stdout"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    pid_t child;
    int code;
    assert_true(out >= 0);
    child = tool_start(out, line);
    wait_ms(ms);
    assert_int_equal(kill(child, number), 0); /* also a child that has ended, until it is waited for */
    code = tool_wait(child);
    close(out);
    tool_read("stdout", tool.out, sizeof tool.out);
    tool_read("stderr", tool.err, sizeof tool.err);
    return code;
}

#define LONGEST_MS 20000

/* A set of so many items that it takes long, and the first of them alone. */
static void test_eval_ends_by_a_signal(void **state)
{
    enum { MANY = 60000 };
    char line[1024], labels[256];
    uint8_t *classes = calloc(8 + MANY, 1);
    const char *set;
    cJSON *json = NULL, *same;
    long ms = 100;
    int code = 0;
    (void)state;
    assert_non_null(classes);
    classes[2] = 8, classes[3] = 1, classes[6] = MANY >> 8, classes[7] = MANY & 255;
    snprintf(labels, sizeof labels, "%s", scratch_write("many-labels", classes, 8 + MANY));
    free(classes);
    set = tool_write_idx("many-images", MANY, 28);
    snprintf(line, sizeof line, "eval " VGG " %s --dataset-labels %s " UNIT " --threads 1 --json", set, labels);
    for (; ms < LONGEST_MS; ms *= 2) {
        code = end_after(ms, SIGTERM, line);
        if (tool.out[0] || code == 0) {
            break;
        }
        assert_int_equal(code, 128 + SIGTERM);
    }
    assert_int_equal(code, 128 + SIGTERM);
    assert_string_equal(tool.err, "");
    json = tool_json();
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "partial")));
    assert_string_equal(cJSON_GetObjectItem(json, "ended_by")->valuestring, "SIGTERM");
    assert_true(tool_number(json, "items_asked") == MANY);
    assert_true(tool_number(json, "items") > 0 && tool_number(json, "items") < MANY);
    tool_run(0, "%s --limit %.0f", line, tool_number(json, "items"));
    same = tool_json();
    same_number(first_network(json), first_network(same), "top1_percent");
    same_number(first_network(json), first_network(same), "top5_percent");
    cJSON_Delete(json);
    cJSON_Delete(same);
    *strstr(line, " --json") = '\0';
    code = end_after(ms, SIGINT, line);
    assert_int_equal(code, 128 + SIGINT);
    assert_non_null(strstr(tool.out, "PARTIAL: "));
    assert_non_null(strstr(tool.out, "of 60000 items, ended by SIGINT"));
}

/* One batch that takes very long: the first signal waits for its end, the second does not. */
static void test_the_second_signal_ends_at_once(void **state)
{
    char line[1024];
    bool was_patient = false;
    (void)state;
    snprintf(line, sizeof line, "eval " VGG " %s --dataset-labels %s " UNIT " --threads 1 --batch 4096",
             scratch_path("many-images"), scratch_path("many-labels"));
    for (long ms = 200; ms < LONGEST_MS && !was_patient; ms *= 2) {
        const int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
        const pid_t child = tool_start(out, line);
        const time_t start = time(NULL);
        int status = 0;
        wait_ms(ms);
        assert_int_equal(kill(child, SIGINT), 0);
        wait_ms(100);
        was_patient = waitpid(child, &status, WNOHANG) == 0;
        if (was_patient) {
            assert_int_equal(kill(child, SIGINT), 0);
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
            assert_true(time(NULL) - start < ms / 1000 + 30);
        }
        close(out);
    }
    assert_true(was_patient);
}

static void test_decompose_ends_by_a_signal(void **state)
{
    char line[1024];
    bool said = false; /* of layers, after which a signal came */
    (void)state;
    snprintf(line, sizeof line, "decompose " VGG " -o %s --bases 6 --bits 6 --calibrate %s " UNIT " --threads 1",
             scratch_path("ended.bdnn"), scratch_path("many-images"));
    for (long ms = 100; ms < LONGEST_MS && !said; ms = ms * 3 / 2) {
        assert_int_equal(end_after(ms, SIGINT, line), 128 + SIGINT);
        assert_int_equal(tool_count_files("ended.bdnn"), 0);
        assert_int_equal(tool_count_files(".ended.bdnn"), 0);
        said = tool.out[0]; /* a layer was done */
        assert_true(!said || (strstr(tool.out, "PARTIAL: ") && strstr(tool.out, " layers, ended by SIGINT")));
        assert_true(!said || strstr(tool.err, "ended by SIGINT"));
    }
    assert_true(said);
}

/* Large pictures, which take a while to read. */
static void test_run_ends_by_a_signal(void **state)
{
    char line[4096], picture[256];
    static const char head[] = "P5\n8000 8000\n255\n";
    size_t used;
    cJSON *json = NULL;
    const cJSON *last = NULL;
    (void)state;
    snprintf(picture, sizeof picture, "%s", scratch_write("large.pgm", head, sizeof head - 1));
    assert_int_equal(truncate(picture, (off_t)sizeof head - 1 + 8000 * 8000), 0);
    used = (size_t)snprintf(line, sizeof line, "run " ALEXNET " --json");
    for (int i = 0; i < 55; i++) {
        used += (size_t)snprintf(line + used, sizeof line - used, " %s", picture);
    }
    for (long ms = 100; ms < LONGEST_MS && !last; ms = ms * 3 / 2) {
        assert_int_not_equal(end_after(ms, SIGTERM, line), 0);
        if (!tool.out[0]) {
            continue;
        }
        json = tool_json();
        last = cJSON_GetArrayItem(json, cJSON_GetArraySize(json) - 1);
        if (tool_number(last, "images") == 0) {
            cJSON_Delete(json);
            last = NULL;
        }
    }
    assert_non_null(last);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(last, "partial")));
    assert_string_equal(cJSON_GetObjectItem(last, "ended_by")->valuestring, "SIGTERM");
    assert_true(tool_number(last, "images_asked") == 55);
    assert_int_equal(cJSON_GetArraySize(json), (int)tool_number(last, "images") + 1);
    cJSON_Delete(json);
}

/* Class maps are counted as before: against the images' own labels, in batches of any size. */
static void test_maps_do_not_depend_on_the_batch(void **state)
{
    cJSON *one, *many;
    (void)state;
    tool_run(0, "eval " SEGNET " " SEGTEST " --compare " SEGNET " --limit 7 --batch 1 --json");
    one = tool_json();
    tool_run(0, "eval " SEGNET " " SEGTEST " --compare " SEGNET " --limit 7 --batch 4 --json");
    many = tool_json();
    same_number(first_network(one), first_network(many), "mean_iou");
    same_number(first_network(one), first_network(many), "pixel_accuracy_percent");
    assert_true(tool_number(cJSON_GetArrayItem(cJSON_GetObjectItem(one, "networks"), 1), "agreement_percent") == 100);
    cJSON_Delete(one);
    cJSON_Delete(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eval_skips),
        cmocka_unit_test(test_eval_fails_with_a_report),
        cmocka_unit_test(test_decompose_skips),
        cmocka_unit_test(test_run_skips),
        cmocka_unit_test(test_eval_ends_by_a_signal),
        cmocka_unit_test(test_the_second_signal_ends_at_once),
        cmocka_unit_test(test_decompose_ends_by_a_signal),
        cmocka_unit_test(test_run_ends_by_a_signal),
        cmocka_unit_test(test_maps_do_not_depend_on_the_batch),
    };
    return cmocka_run_group_tests_name("tool: partial", tests, prepare, scratch_remove);
}
