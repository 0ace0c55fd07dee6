/* SPDX-License-Identifier: BSD-2-Clause */
/* The tool's command line: help, messages, exit codes, output that cannot be written. */
#define _XOPEN_SOURCE 700
#include "system/tool.h"

static void test_help_and_version(void **state)
{
    static const char *const commands[] = {"convert", "decompose", "info",       "run",    "eval",
                                           "bench",   "compare",   "export-npy", "devices"};
    (void)state;
    tool_run(0, "--version");
    assert_int_equal(strncmp(tool.out, "bdnn 0.", 7), 0);
    tool_run(0, "help");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char usage[64];
        tool_run(0, "help");
        assert_non_null(strstr(tool.out, commands[i]));
        tool_run(0, "help %s", commands[i]);
        snprintf(usage, sizeof usage, "bdnn %s", commands[i]);
        assert_ptr_equal(strstr(tool.out, usage), tool.out);
        tool_run(0, "%s --help", commands[i]);
        assert_ptr_equal(strstr(tool.out, usage), tool.out);
        assert_string_equal(tool.err, "");
    }
    tool_run(0, "devices");
    tool_run(0, "devices --launches 3");
    tool_run(0, "devices --launches 3 --json");
    assert_non_null(strstr(tool.out, "cpu"));
    assert_non_null(strstr(tool.out, "reference"));
    tool_run(2, "%s", "");
    assert_string_equal(tool.out, "");
    assert_non_null(strstr(tool.err, "usage: bdnn"));
}

/* Every option of `text` is in `other`, not merely as the beginning of a longer one. */
static void demand_options(const char *text, const char *other, const char *where)
{
    for (const char *at = text; (at = strstr(at, "--")) != NULL;) {
        char option[64];
        const size_t length = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");
        const char *found = other;
        snprintf(option, sizeof option, "%.*s", (int)length, at);
        at += length;
        if (length < 4 || option[2] == '-') {
            continue; /* a rule of a table */
        }
        while ((found = strstr(found, option)) != NULL &&
               (found[length] == '-' || (found[length] >= 'a' && found[length] <= 'z'))) {
            found += length;
        }
        if (!found) {
            fail_msg("%s lacks %s", where, option);
        }
    }
}

/* docs/use/cli.md and the tool's own help know the same options. */
static void test_manual_and_help_agree(void **state)
{
    static const char *const commands[] = {"convert", "decompose", "info",       "run",    "eval",
                                           "bench",   "compare",   "export-npy", "devices"};
    static char manual[1 << 16], help[1 << 15];
    FILE *file = fopen(BDNN_TEST_DATA "/../../docs/use/cli.md", "rb");
    size_t used = 0;
    (void)state;
    assert_non_null(file);
    manual[fread(manual, 1, sizeof manual - 1, file)] = '\0';
    fclose(file);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        tool_run(0, "help %s", commands[i]);
        demand_options(tool.out, manual, "docs/use/cli.md");
        used += (size_t)snprintf(help + used, sizeof help - used, "%s --version", tool.out);
        assert_true(used < sizeof help);
    }
    demand_options(manual, help, "the help");
}

static void test_bad_command_lines(void **state)
{
    static const struct {
        const char *line, *said;
    } cases[] = {
        {"nonsense", "'nonsense'"},
        {"help nonsense", "'nonsense'"},
        {"info", "one network"},
        {"info a b", "one network"},
        {"info --nonsense a", "'--nonsense'"},
        {"info -x a", "'-x'"},
        {"info --json=yes a", "'--json=yes'"},
        {"info a --mean", "'--mean' needs a value"},
        {"info --mean x a", "--mean x"},
        {"info --mean 1,2 a", "--mean 1,2"},
        {"info --mean 1,2,3,4 a", "--mean 1,2,3,4"},
        {"info --mean nan a", "--mean nan"},
        {"info --mean 1,,2 a", "--mean"},
        {"info --std 0 a", "--std 0"},
        {"info --std -1 a", "--std -1"},
        {"info --order grb a", "--order grb"},
        {"info --resize-short 0 a", "--resize-short 0"},
        {"info --resize-short 99999999999999999999 a", "99999999999999999999"},
        {"convert a", "-o OUT.bdnn"},
        {"convert -o", "'-o' needs a value"},
        {"convert -o b", "one network"},
        {"export-npy a", "a folder"},
        {"devices cpu", "'cpu'"},
        {"decompose a -o b", "--calibrate DATA"},
        {"decompose a --calibrate c", "-o OUT.bdnn"},
        {"decompose --bases 0 a", "--bases 0: a whole number from 1 to 8"},
        {"decompose --bases 9 a", "--bases 9"},
        {"decompose --bases 2.5 a", "--bases 2.5"},
        {"decompose --bits -1 a", "--bits -1"},
        {"decompose --first 8 a", "--first 8: K:Q is needed"},
        {"decompose --first 8:9 a", "--first 8:9"},
        {"decompose --last 0:8 a", "--last 0:8"},
        {"decompose --last 8:8: a", "--last 8:8:"},
        {"decompose --layer conv1 a", "NAME:K:Q"},
        {"decompose --layer conv1:8 a", "NAME:K:Q"},
        {"decompose --layer :8:8 a", "NAME:K:Q"},
        {"decompose --layer conv1:99:8 a", "--layer 99:8"},
        {"decompose --method best a", "--method best"},
        {"decompose --range all a", "--range all"},
        {"decompose --percentile 101 a", "--percentile 101"},
        {"decompose --lambda 0 a", "--lambda 0"},
        {"decompose --seed -1 a", "--seed -1"},
        {"decompose --threads 0 a", "--threads 0"},
        {"decompose --memory-limit 0 a", "--memory-limit 0"},
        {"decompose --calibrate-count 0 a", "--calibrate-count 0"},
        {"run a", "images are needed"},
        {"decompose --skip-bad -1 a", "--skip-bad -1"},
        {"run --top 0 a b", "--top 0"},
        {"run --skip-bad some a b", "--skip-bad some"},
        {"run --overlay o.png a b c", "one image with --overlay"},
        {"run --threads many a b", "--threads many"},
        {"bench", "one network"},
        {"bench a b", "one network"},
        {"bench --threads 0 a", "--threads 0"},
        {"bench --batch 4097 a", "--batch 4097"},
        {"bench --repeat 0 a", "--repeat 0"},
        {"bench --repeat 1.5 a", "--repeat 1.5"},
        {"eval a", "a dataset"},
        {"eval --limit 0 a b", "--limit 0"},
        {"eval --skip-bad 1.5 a b", "--skip-bad 1.5"},
        {"eval --batch 0 a b", "--batch 0"},
        {"eval --batch 4097 a b", "--batch 4097"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tool_run(2, "%s", cases[i].line);
        tool_said(cases[i].said);
    }
}

static void test_missing_and_damaged_files(void **state)
{
    char broken[256];
    (void)state;
    snprintf(broken, sizeof broken, "%s", scratch_write("broken.onnx", "this is no network", 18));
    tool_run(1, "info %s", scratch_path("absent.onnx"));
    tool_said("absent.onnx");
    tool_run(1, "info %s", broken);
    tool_said("broken.onnx");
    tool_run(1, "info %s", scratch_write("broken.bdnn", "", 0));
    tool_said("broken.bdnn");
    tool_run(1, "run %s %s", broken, broken);
    tool_said("broken.onnx");
    tool_run(1, "eval %s %s", broken, scratch_path("absent"));
    tool_said("absent");
}

static void test_output_that_cannot_be_written(void **state)
{
    const int full = open("/dev/full", O_WRONLY);
    (void)state;
    assert_true(full >= 0);
    tool.code = tool_wait(tool_start(full, "help"));
    close(full);
    tool_read("stderr", tool.err, sizeof tool.err);
    assert_int_equal(tool.code, 1);
    assert_non_null(strstr(tool.err, "cannot write the output: No space left on device"));
}

/* A reader that went away is a message and exit code 1, not death by a signal. */
static void test_closed_pipe(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    tool.code = tool_wait(tool_start(ends[1], "help"));
    close(ends[1]);
    tool_read("stderr", tool.err, sizeof tool.err);
    assert_int_equal(tool.code, 1);
    assert_string_equal(tool.err, "bdnn: cannot write the output: Broken pipe\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_manual_and_help_agree),
        cmocka_unit_test(test_bad_command_lines),
        cmocka_unit_test(test_missing_and_damaged_files),
        cmocka_unit_test(test_output_that_cannot_be_written),
        cmocka_unit_test(test_closed_pipe),
    };
    return cmocka_run_group_tests_name("tool: usage", tests, scratch_make, scratch_remove);
}
