/* SPDX-License-Identifier: BSD-2-Clause */
/* The tool and the files it is given: what changes, shrinks, blocks or is asked for twice; and what signals leave. */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE
#include "system/tool.h"
#include "unit/networks.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

/* A name of the scratch folder that stays valid. */
static const char *keep(const char *path)
{
    static char kept[32][512];
    static int next;
    return strcpy(kept[next++ % 32], path);
}

/* A float network whose weights, `megabytes` of them, are read from the file in each run. */
static const char *save_network(const char *name, int32_t megabytes)
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, 1, 32, 32}});
    const char *path = keep(scratch_path(name));
    const int32_t input = 0;
    bdnn_layer *layer;
    bdnn_error err;
    const int32_t out = add_layer(model, BDNN_OP_DENSE, &input, 1, &layer);
    layer->attr.dense.filters = megabytes * 256;
    layer->weight = random_floats(megabytes * 262144);
    finish(model, out);
    assert_int_equal(bdnn_model_save(model, path, &err), BDNN_OK);
    bdnn_model_free(model);
    return path;
}

static void sleep_ms(int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

static pid_t start(const char *line)
{
    const int out = open(scratch_path("stdout"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    const pid_t child = tool_start(out, line);
    close(out);
    return child;
}

static void finish_tool(pid_t child)
{
    tool.code = tool_wait(child);
    tool_read("stdout", tool.out, sizeof tool.out);
    tool_read("stderr", tool.err, sizeof tool.err);
}

/* Whether a process has mapped a file. */
static bool has_mapped(pid_t child, const char *path)
{
    char name[64], line[1024];
    FILE *maps;
    bool found = false;
    snprintf(name, sizeof name, "/proc/%d/maps", (int)child);
    maps = fopen(name, "r");
    while (maps && !found && fgets(line, sizeof line, maps)) {
        found = strstr(line, path) != NULL;
    }
    if (maps) {
        fclose(maps);
    }
    return found;
}

/* Leaves the exit code for tool_wait. */
static bool is_running(pid_t child)
{
    siginfo_t info = {0};
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    return info.si_pid == 0;
}

/* A run that would take minutes, seen to be at work. */
static pid_t start_bench(const char *path)
{
    char line[600];
    pid_t child;
    snprintf(line, sizeof line, "bench %s --repeat 100000", path);
    child = start(line);
    for (int i = 0; i < 2000 && !has_mapped(child, path) && is_running(child); i++) {
        sleep_ms(5);
    }
    assert_true(has_mapped(child, path));
    sleep_ms(300);
    assert_true(is_running(child));
    return child;
}

static void shortened_models_are_a_message(void **unused)
{
    const char *path = save_network("short.bdnn", 16);
    const pid_t child = start_bench(path);
    (void)unused;
    assert_int_equal(truncate(path, 4096), 0);
    finish_tool(child);
    assert_int_equal(tool.code, 1);
    tool_said(path, "became shorter");
}

static void overwritten_models_are_a_message(void **unused)
{
    const char *path = save_network("written.bdnn", 16);
    const pid_t child = start_bench(path);
    const int fd = open(path, O_WRONLY);
    (void)unused;
    assert_int_equal(pwrite(fd, "0123456789abcdef", 16, 2 << 20), 16);
    close(fd);
    finish_tool(child);
    assert_int_equal(tool.code, 1);
    tool_said(path, "was written to while it was in use");
}

/* The signal comes while the temporary file is there, at least once in these tries. */
static void signals_leave_nothing(void **unused)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGXCPU};
    const char *path = save_network("large.bdnn", 48);
    char line[1200];
    (void)unused;
    for (int s = 0; s < 5; s++) {
        int caught = 0;
        for (int tries = 0; tries < 40 && !caught; tries++) {
            pid_t child;
            snprintf(line, sizeof line, tries % 2 ? "export-npy %s %s" : "convert %s -o %s", path,
                     scratch_path(tries % 2 ? "folder" : "out.bdnn"));
            child = start(line);
            while (!caught && is_running(child)) {
                caught = tool_count_files("out.bdnn.") + tool_count_files("folder.");
                sleep_ms(1);
            }
            kill(child, signals[s]);
            finish_tool(child);
            caught = caught && tool.code == 128 + signals[s];
            assert_int_equal(tool_count_files("out.bdnn."), 0);
            assert_int_equal(tool_count_files("folder."), 0);
            unlink(scratch_path("out.bdnn"));
            if (tool_count_files("folder")) {
                assert_int_equal(rename(scratch_path("folder"), scratch_path("done")), 0);
                nftw(scratch_path("done"), scratch_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
            }
        }
        assert_true(caught);
    }
}

/* ulimit -f: a message and no file, not the end by SIGXFSZ with half a file. */
static void limits_of_files_are_a_message(void **unused)
{
    const char *path = save_network("limited.bdnn", 2);
    struct rlimit before, limit;
    pid_t child;
    char line[1200];
    (void)unused;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){1 << 20, before.rlim_max};
    snprintf(line, sizeof line, "convert %s -o %s", path, scratch_path("limit-out.bdnn"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    child = start(line);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    finish_tool(child);
    assert_int_equal(tool.code, 1);
    tool_said("limit-out.bdnn: cannot write");
    assert_int_equal(tool_count_files("limit-out.bdnn"), 0);
}

/* nohup, and jobs that a script starts in the background. */
static void ignored_signals_stay_ignored(void **unused)
{
    const char *path = save_network("nohup.bdnn", 16);
    pid_t child;
    (void)unused;
    signal(SIGHUP, SIG_IGN);
    child = start_bench(path);
    signal(SIGHUP, SIG_DFL);
    kill(child, SIGHUP);
    sleep_ms(200);
    assert_true(is_running(child));
    kill(child, SIGTERM);
    finish_tool(child);
    assert_int_equal(tool.code, 128 + SIGTERM);
}

static void fifos_are_not_waited_for(void **unused)
{
    const char *fifo_path = keep(scratch_path("fifo")), *net = save_network("net.bdnn", 1);
    const char *picture = keep(tool_write_pgm("a.pgm", 32)), *set = keep(tool_write_idx("data-idx3-ubyte", 4, 32));
    (void)unused;
    assert_int_equal(mkfifo(fifo_path, 0666), 0);
    alarm(60);
    tool_run(1, "info %s", fifo_path);
    tool_said(fifo_path, "a FIFO");
    tool_run(1, "bench %s", fifo_path);
    tool_said(fifo_path, "a FIFO");
    tool_run(1, "run %s %s", net, fifo_path);
    tool_said(fifo_path, "a FIFO");
    tool_run(1, "run %s %s --labels %s", net, picture, fifo_path);
    tool_said(fifo_path, "a FIFO");
    tool_run(1, "run %s %s --mean-image %s", net, picture, fifo_path);
    tool_said(fifo_path, "a FIFO");
    tool_run(1, "eval %s %s --dataset-labels %s", net, set, fifo_path);
    tool_said(fifo_path, "a FIFO");
    tool_run(1, "decompose %s -o %s.out --calibrate %s", net, net, fifo_path);
    tool_said(fifo_path, "a FIFO");
    tool_run(1, "convert %s -o %s", net, fifo_path);
    tool_said(fifo_path, "not a plain file");
    alarm(0);
}

static void one_path_for_two_outputs_is_refused(void **unused)
{
    const char *net = save_network("same.bdnn", 1);
    const char *link_path = keep(scratch_path("hard.bdnn")), *folder = keep(scratch_path("same-folder"));
    const char *data = keep(tool_write_idx("more-idx3-ubyte", 4, 32)), *page = keep(scratch_path("page.html"));
    char other[700];
    struct stat before, after;
    (void)unused;
    assert_int_equal(link(net, link_path), 0);
    assert_int_equal(symlink(scratch_folder, folder), 0);
    snprintf(other, sizeof other, "%s/same.bdnn", folder);
    assert_int_equal(stat(net, &before), 0);
    tool_run(2, "decompose %s -o %s --calibrate %s", net, net, data);
    tool_said("is also an input", net);
    tool_run(2, "decompose %s -o %s --calibrate %s", net, link_path, data);
    tool_said("is also an input", link_path);
    tool_run(2, "decompose %s -o %s --calibrate %s", net, other, data);
    tool_said("is also an input", other);
    tool_run(2, "convert %s -o %s", net, other);
    tool_said("is also an input", other);
    tool_run(2, "compare %s --devices cpu,reference --html %s", net, net);
    tool_said("is also an input", net);
    tool_run(2, "run %s %s --overlay %s/x.png --class-map %s/x.png", net, data, scratch_folder, folder);
    tool_said("the same file for two outputs", "x.png");
    tool_run(2, "run %s %s --overlay %s", net, data, data);
    tool_said("is also an input", data);
    assert_int_equal(stat(net, &after), 0);
    assert_true(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    /* A page is written beside its name, and no link at a name that could be foretold is followed. */
    scratch_write("victim", "kept", 4);
    assert_int_equal(symlink(scratch_path("victim"), scratch_path("page.html.part")), 0);
    tool_run(0, "compare %s --devices cpu,reference --html %s", net, page);
    assert_int_equal(stat(scratch_path("victim"), &after), 0);
    assert_int_equal(after.st_size, 4);
    assert_int_equal(stat(page, &after), 0);
    assert_true(after.st_size > 1000);
    assert_int_equal(tool_count_files("page.html"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shortened_models_are_a_message),
        cmocka_unit_test(overwritten_models_are_a_message),
        cmocka_unit_test(signals_leave_nothing),
        cmocka_unit_test(ignored_signals_stay_ignored),
        cmocka_unit_test(limits_of_files_are_a_message),
        cmocka_unit_test(fifos_are_not_waited_for),
        cmocka_unit_test(one_path_for_two_outputs_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
