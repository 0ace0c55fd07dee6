/* SPDX-License-Identifier: BSD-2-Clause */
/* The tool's work on real networks: convert, decompose, info, run, eval, export-npy, and what is left behind when it
 * fails. */
#define _XOPEN_SOURCE 700
#include "system/tool.h"

#include <signal.h>
#include <time.h>

#define ALEXNET BDNN_TEST_DATA "/alexnet.onnx"
#define SEGNET  BDNN_TEST_DATA "/segnet.onnx"
#define LABELS  BDNN_TEST_DATA "/labels.txt"
#define SEGTEST BDNN_TEST_DATA "/segtest-images.idx3-ubyte.gz"
#define UNIT    "--mean 0.2860 --std 0.3530 --unit"
#define IMAGES  "images.idx3-ubyte"

/* The files that all tests share: a set of twelve images with classes, alexnet as float and as decomposed model. */
static char images[256], float_model[256], decomposed[256];

static int prepare(void **state)
{
    if (scratch_make(state) != 0) {
        return -1;
    }
    tool_write_idx_labels("labels.idx1-ubyte", 12);
    snprintf(images, sizeof images, "%s", tool_write_idx(IMAGES, 12, 28));
    snprintf(float_model, sizeof float_model, "%s", scratch_path("float.bdnn"));
    snprintf(decomposed, sizeof decomposed, "%s", scratch_path("decomposed.bdnn"));
    return 0;
}

static void test_convert(void **state)
{
    cJSON *json;
    const cJSON *preprocess;
    (void)state;
    tool_run(0, "convert " ALEXNET " -o %s " UNIT " --labels " LABELS, float_model);
    assert_string_equal(tool.out, "");
    tool_run(0, "info %s --json", float_model);
    json = tool_json();
    preprocess = cJSON_GetObjectItem(json, "preprocess");
    assert_non_null(preprocess);
    assert_float_equal(cJSON_GetArrayItem(cJSON_GetObjectItem(preprocess, "mean"), 0)->valuedouble, 72.93, 1e-5);
    assert_float_equal(cJSON_GetArrayItem(cJSON_GetObjectItem(preprocess, "scale"), 0)->valuedouble, 1 / (0.3530 * 255),
                       1e-8);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "labels")), 10);
    assert_true(tool_number(json, "compression_percent") == 0);
    assert_true(tool_number(json, "float_bytes") == tool_number(json, "parameter_bytes"));
    cJSON_Delete(json);
    tool_run(0, "info %s", float_model);
    assert_non_null(strstr(tool.out, "28 x 28, gray"));
    assert_non_null(strstr(tool.out, "mean       72.93"));
}

static void test_decompose(void **state)
{
    cJSON *json;
    const cJSON *layer;
    int decomposed_layers = 0;
    double before, after;
    (void)state;
    tool_run(0,
             "decompose %s -o %s --bases 2 --bits 6 --first 8:8 --last 4:7 --layer fc6:3:5 --layer fc7:float "
             "--calibrate %s --calibrate-count 4 --json",
             float_model, decomposed, images);
    assert_string_equal(tool.err, ""); /* no progress bar where there is no terminal */
    json = tool_json();
    before = tool_number(json, "bytes_before");
    after = tool_number(json, "bytes_after");
    assert_true(after < before);
    cJSON_Delete(json);
    tool_run(0, "info %s --json", decomposed);
    json = tool_json();
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "labels")), 10);
    assert_true(tool_number(json, "parameter_bytes") < tool_number(json, "float_bytes"));
    cJSON_ArrayForEach(layer, cJSON_GetObjectItem(json, "layers"))
    {
        const char *name = cJSON_GetObjectItem(layer, "name")->valuestring;
        const cJSON *bases = cJSON_GetObjectItem(layer, "bases"), *bits = cJSON_GetObjectItem(layer, "bits");
        decomposed_layers += bases != NULL;
        if (strcmp(name, "fc7") == 0) {
            assert_null(bases);
        } else if (bases) {
            const bool first = strcmp(name, "conv1") == 0, last = strcmp(name, "fc8") == 0,
                       named = strcmp(name, "fc6") == 0;
            assert_int_equal(bases->valueint, first ? 8 : last ? 4 : named ? 3 : 2);
            assert_int_equal(bits->valueint, first ? 8 : last ? 7 : named ? 5 : 6);
        }
    }
    assert_int_equal(decomposed_layers, 7);
    cJSON_Delete(json);
}

/* Same seed, same input: the same file, for any number of threads. */
static void test_decompose_is_deterministic(void **state)
{
    char one[256], three[256], command[1024];
    (void)state;
    snprintf(one, sizeof one, "%s", scratch_path("one.bdnn"));
    snprintf(three, sizeof three, "%s", scratch_path("three.bdnn"));
    for (int paper = 0; paper < 2; paper++) {
        const char *method = paper ? "paper --restarts 1" : "data";
        tool_run(0, "decompose %s -o %s --bases 1 --bits 4 --calibrate %s --calibrate-count 3 --threads 1 --method %s",
                 float_model, one, images, method);
        assert_non_null(strstr(tool.out, "weight error"));
        tool_run(0, "decompose %s -o %s --bases 1 --bits 4 --calibrate %s --calibrate-count 3 --threads 3 --method %s",
                 float_model, three, images, method);
        snprintf(command, sizeof command, "cmp -s '%s' '%s'", one, three);
        assert_int_equal(system(command), 0);
    }
}

static void test_decompose_messages(void **state)
{
    (void)state;
    tool_run(1, "decompose %s -o %s --calibrate %s", decomposed, scratch_path("again.bdnn"), images);
    tool_said("decomposed already", "conv1", "decomposed.bdnn");
    tool_run(1, "decompose %s -o %s --calibrate %s --layer nolayer:2:2", float_model, scratch_path("again.bdnn"),
             images);
    tool_said("nolayer");
    tool_run(1, "decompose %s -o %s --calibrate %s", float_model, scratch_path("again.bdnn"), scratch_path("nothing"));
    tool_said("nothing");
    tool_run(1, "decompose %s -o %s --calibrate %s", float_model, scratch_path("nofolder/again.bdnn"), images);
    tool_said("nofolder/again.bdnn", "No such file");
    tool_run(1, "decompose %s -o %s --calibrate %s", float_model, scratch_folder, images);
    tool_said("not a plain file");
    tool_run(1, "convert %s -o /dev/null", float_model);
    tool_said("/dev/null", "not a plain file");
    assert_int_equal(tool_count_files("again"), 0);
}

/* Class names are a file's content: they reach JSON as UTF-8 or not at all, and the terminal without control
 * characters. */
static void test_strange_names(void **state)
{
    static const char labels[] = "caf\303\251\nbad\377\300\257\n\355\240\200\nd\033[31m\n4\n5\n6\n7\n8\n9\n";
    const char *const *wanted = (const char *const[]){"caf\303\251", "bad???", "???"};
    char model[256];
    cJSON *json;
    (void)state;
    snprintf(model, sizeof model, "%s", scratch_path("strange.bdnn"));
    tool_run(0, "convert %s -o %s --labels %s", float_model, model,
             scratch_write("strange.txt", labels, sizeof labels - 1));
    tool_run(0, "info %s --json", model);
    json = tool_json();
    for (int i = 0; i < 3; i++) {
        assert_string_equal(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "labels"), i)->valuestring, wanted[i]);
    }
    cJSON_Delete(json);
    tool_write_pgm("plain.pgm", 28);
    tool_run(0, "run %s %s --top 10", model, scratch_path("plain.pgm"));
    assert_null(strchr(tool.out, '\033'));
}

/* Killed in the middle: neither a file nor a part of one. */
static void test_killed_decompose_leaves_nothing(void **state)
{
    const struct timespec moment = {0, 100 * 1000 * 1000};
    const int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    char line[1024];
    pid_t child;
    (void)state;
    snprintf(line, sizeof line, "decompose %s -o %s --bases 8 --calibrate %s --method paper --restarts 60", float_model,
             scratch_path("killed.bdnn"), images);
    child = tool_start(out, line);
    nanosleep(&moment, NULL);
    assert_int_equal(kill(child, SIGTERM), 0);
    assert_int_equal(tool_wait(child), 128 + SIGTERM);
    close(out);
    assert_int_equal(tool_count_files("killed"), 0);
}

static void test_run(void **state)
{
    static char cpu[sizeof tool.out];
    const char *const levels[] = {"portable", "sse4", "avx2", "avxvnni", "avx512", "amx", ""};
    char pictures[600];
    cJSON *json, *classes;
    (void)state;
    tool_write_pgm("a.pgm", 28);
    tool_write_pgm("b.pgm", 50);
    snprintf(pictures, sizeof pictures, "%s %s", scratch_path("a.pgm"), scratch_path("b.pgm"));
    tool_run(0, "run %s %s --json --top 10 --threads 1", decomposed, pictures);
    strcpy(cpu, tool.out);
    json = tool_json();
    assert_int_equal(cJSON_GetArraySize(json), 2);
    classes = cJSON_GetObjectItem(cJSON_GetArrayItem(json, 1), "classes");
    assert_int_equal(cJSON_GetArraySize(classes), 10);
    for (int i = 1; i < 10; i++) {
        assert_true(tool_number(cJSON_GetArrayItem(classes, i - 1), "score") >=
                    tool_number(cJSON_GetArrayItem(classes, i), "score"));
    }
    cJSON_Delete(json);
    /* The same scores to the last bit from the definition, and for any number of threads. */
    tool_run(0, "run %s %s --json --top 10 --device reference --threads 3", decomposed, pictures);
    assert_string_equal(tool.out, cpu);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        setenv("BDNN_CPU", levels[i], 1);
        tool_run(0, "run %s %s --json --top 10", decomposed, pictures);
        assert_string_equal(tool.out, cpu);
    }
    setenv("BDNN_CPU", "avx3", 1);
    tool_run(1, "run %s %s", decomposed, pictures);
    tool_said("BDNN_CPU", "'avx3'", "avx2");
    unsetenv("BDNN_CPU");
    tool_run(0, "run %s %s --json --top 10 --device float", decomposed, pictures);
    tool_run(0, "run %s %s --top 3", decomposed, pictures);
    assert_non_null(strstr(tool.out, "  3. "));
    assert_null(strstr(tool.out, "  4. "));
    tool_run(1, "run %s %s --device toaster", decomposed, pictures);
    tool_said("'toaster'");
    tool_run(1, "run %s %s --overlay %s", decomposed, scratch_path("a.pgm"), scratch_path("o.png"));
    tool_said("--overlay", "a.pgm");
    tool_run(1, "run %s %s", decomposed, LABELS);
    tool_said("labels.txt");
}

/* Two pictures under one name, one of the two given or neither; a picture over an image; one folder by two names. */
static void test_pictures_do_not_meet(void **state)
{
    char image[512], other[512];
    (void)state;
    snprintf(image, sizeof image, "%s", tool_write_pgm("one.pgm", 64));
    tool_run(1, "run " SEGNET " %s --overlay %s", image, scratch_path("one-classes.png"));
    tool_said("one-classes.png");
    tool_run(1, "run " SEGNET " %s --class-map %s/./one-overlay.png", image, scratch_folder);
    tool_said("one-overlay.png");
    snprintf(other, sizeof other, "%s", tool_write_pgm("one.ppm", 64));
    tool_run(1, "run " SEGNET " %s %s", image, other);
    tool_said("one-classes.png");
    assert_int_equal(symlink(scratch_folder, scratch_path("here")), 0);
    tool_run(1, "run " SEGNET " %s %s", image, scratch_path("here/one.ppm"));
    tool_said("one-classes.png");
    snprintf(other, sizeof other, "%s", tool_write_pgm("one-overlay.png", 64));
    tool_run(1, "run " SEGNET " %s %s", image, other);
    tool_said("one-overlay.png");
    assert_int_equal(tool_count_files("one-classes.png"), 0);
}

static void test_run_segmentation(void **state)
{
    (void)state;
    tool_write_pgm("street.v2.pgm", 64);
    tool_run(0, "run " SEGNET " %s " UNIT, scratch_path("street.v2.pgm"));
    assert_int_equal(access(scratch_path("street.v2-overlay.png"), R_OK), 0);
    assert_int_equal(access(scratch_path("street.v2-classes.png"), R_OK), 0);
    tool_run(0, "run " SEGNET " %s " UNIT " --overlay %s --class-map %s --json", scratch_path("street.v2.pgm"),
             scratch_path("tint.png"), scratch_path("index.png"));
    cJSON_Delete(tool_json());
    assert_int_equal(access(scratch_path("tint.png"), R_OK), 0);
    assert_int_equal(access(scratch_path("index.png"), R_OK), 0);
    tool_write_pgm("wide.pgm", 100);
    tool_run(0, "run " SEGNET " %s " UNIT " --resize-short 80",
             scratch_path("wide.pgm")); /* the overlay shows the center */
    tool_run(1, "run " SEGNET " %s --overlay %s", scratch_path("street.v2.pgm"), scratch_path("nofolder/tint.png"));
    tool_said("nofolder/tint.png");
}

static void test_eval(void **state)
{
    cJSON *json, *networks;
    double top1;
    (void)state;
    /* One command for a network with and one without pre-processing of its own: they are the same network, so they
     * agree. */
    tool_run(0, "eval " ALEXNET " %s --compare %s --compare %s " UNIT " --json --batch 5", images, float_model,
             decomposed);
    json = tool_json();
    networks = cJSON_GetObjectItem(json, "networks");
    assert_int_equal((int)tool_number(json, "items"), 12);
    assert_int_equal(cJSON_GetArraySize(networks), 3);
    top1 = tool_number(cJSON_GetArrayItem(networks, 0), "top1_percent");
    assert_true(top1 <= tool_number(cJSON_GetArrayItem(networks, 0), "top5_percent"));
    assert_true(top1 == tool_number(cJSON_GetArrayItem(networks, 1), "top1_percent"));
    assert_true(tool_number(cJSON_GetArrayItem(networks, 1), "agreement_percent") == 100);
    assert_true(tool_number(cJSON_GetArrayItem(networks, 2), "compression_percent") > 0);
    cJSON_Delete(json);
    tool_run(0, "eval %s %s --limit 7 --batch 3", decomposed, images);
    assert_non_null(strstr(tool.out, "top-1"));
    assert_string_equal(tool.err, "");
}

/* What is measured does not depend on the batch, the device or the threads. */
static void test_eval_is_the_same_however_it_runs(void **state)
{
    static const char *const ways[] = {"--batch 1 --threads 1", "--batch 12 --threads 3",
                                       "--batch 5 --device reference"};
    double top1[3], top5[3];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        cJSON *json, *row;
        tool_run(0, "eval %s %s --json %s", decomposed, images, ways[i]);
        json = tool_json();
        row = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "networks"), 0);
        top1[i] = tool_number(row, "top1_percent");
        top5[i] = tool_number(row, "top5_percent");
        cJSON_Delete(json);
        assert_true(top1[i] == top1[0] && top5[i] == top5[0]);
    }
}

static void test_eval_segmentation(void **state)
{
    cJSON *json;
    const cJSON *row;
    (void)state;
    tool_run(0, "eval " SEGNET " " SEGTEST " --limit 20 --json " UNIT);
    json = tool_json();
    row = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "networks"), 0);
    assert_true(tool_number(row, "mean_iou") > 0.3); /* a trained network: wrong pre-processing gives 0.1 */
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(row, "iou")), 11);
    cJSON_Delete(json);
    tool_run(0, "eval " SEGNET " " SEGTEST " --limit 3 " UNIT " --labels " BDNN_TEST_DATA "/labels-segnet.txt");
    assert_non_null(strstr(tool.out, "class IoU"));
}

static void test_eval_messages(void **state)
{
    char alone[256], labels[256];
    (void)state;
    snprintf(alone, sizeof alone, "%s", tool_write_idx("alone.idx", 2, 28));
    tool_run(1, "eval %s %s", decomposed, alone);
    tool_said("alone.idx", "--dataset-labels");
    snprintf(labels, sizeof labels, "%s", scratch_write("high.idx", "\0\0\10\1\0\0\0\2\3\310", 10));
    tool_run(1, "eval %s %s --dataset-labels %s", decomposed, alone, labels);
    assert_non_null(strstr(tool.err, "image 1 has class 200; "));
    assert_non_null(strstr(tool.err, "decomposed.bdnn knows 10\n"));
    assert_non_null(strstr(tool.out, "PARTIAL: 1 of 2 items, ended by an error"));
    tool_run(1, "eval %s " SEGTEST, decomposed);
    tool_said("decomposed.bdnn", "does not fit");
}

static void test_export_npy(void **state)
{
    char folder[256];
    (void)state;
    snprintf(folder, sizeof folder, "%s", scratch_path("parameters"));
    tool_run(0, "export-npy %s %s", decomposed, folder);
    assert_int_equal(access(scratch_path("parameters/conv1_b.npy"), R_OK), 0);
    assert_int_equal(access(scratch_path("parameters/decomposition/conv2/basis_2/M.npy"), R_OK), 0);
    assert_int_equal(access(scratch_path("parameters/decomposition/fc6/basis_3/c.npy"), R_OK), 0);
    tool_run(1, "export-npy %s %s", decomposed, folder);
    tool_said("parameters");
}

int main(void)
{
    /* In this order: test_convert and test_decompose write what the others read. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convert),
        cmocka_unit_test(test_decompose),
        cmocka_unit_test(test_decompose_is_deterministic),
        cmocka_unit_test(test_decompose_messages),
        cmocka_unit_test(test_strange_names),
        cmocka_unit_test(test_killed_decompose_leaves_nothing),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_run_segmentation),
        cmocka_unit_test(test_pictures_do_not_meet),
        cmocka_unit_test(test_eval),
        cmocka_unit_test(test_eval_is_the_same_however_it_runs),
        cmocka_unit_test(test_eval_segmentation),
        cmocka_unit_test(test_eval_messages),
        cmocka_unit_test(test_export_npy),
    };
    return cmocka_run_group_tests_name("tool: networks", tests, prepare, scratch_remove);
}
