/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that runs out, files that fail, signals: at each point of each scenario, one run of it a point, in SQLite's
 * and curl's way.
 *
 *     faults library|tool memory|calls|signals [--all] [SCENARIO]
 *
 * Whatever fails, the work ends without crash or hang and either succeeds, with what it makes and computes when nothing
 * fails, or says why not: the library by a status and a message of one line, the tool by exit code 1 and one line. An
 * output that was there is afterwards the old one or the new one, whole. Nothing else is left: no temporary file,
 * block, open file or map. The library prints nothing.
 *
 * Points are counted first, in a run where nothing fails. Where there are very many, those in the middle are taken in
 * equal steps;
 * --all takes each. */
#define _GNU_SOURCE
#include "fault.h"
#include "outputs.h"
#include "scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_OF_A_RUN 30
#define NEVER            (UINT64_MAX / 2) /* the point of a run where nothing fails */
#define MAX_PROBLEMS     12               /* of a scenario that are told */
#define POINTS_IF_SLOW   6
#ifdef BDNN_INSTRUMENTED
#define POINTS_OF_LIBRARY 150
#define POINTS_OF_TOOL    24
#else
#define POINTS_OF_LIBRARY 900
#define POINTS_OF_TOOL    120
#endif

int bdnn_tool_main(int argc, char **argv);

/* What is left behind is counted here, block by block, and not at the end of each of a thousand processes. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:allocator_may_return_null=1";
}

/* ---- Kinds of failure ---- */

static const struct kind {
    const char *set, *name;
    fault_kind kind;
    bool lasting;
    int signal;
} kinds[] = {
    {"memory", "one allocation fails", FAULT_MEMORY, false, 0},
    {"memory", "all allocations fail from here on", FAULT_MEMORY, true, 0},
    {"calls", "one call ends with EIO", FAULT_EIO, false, 0},
    {"calls", "all calls end with EIO from here on", FAULT_EIO, true, 0},
    {"calls", "one call ends with ENOSPC", FAULT_ENOSPC, false, 0},
    {"calls", "all calls end with ENOSPC from here on", FAULT_ENOSPC, true, 0},
    {"calls", "one call ends with EINTR", FAULT_EINTR, false, 0},
    {"calls", "one call is short", FAULT_SHORT, false, 0},
    {"calls", "all calls are short from here on", FAULT_SHORT, true, 0},
    {"signals", "SIGKILL before a call", FAULT_SIGNAL, false, SIGKILL},
    {"signals", "SIGTERM before a call", FAULT_SIGNAL, false, SIGTERM},
    {"signals", "SIGINT before a call", FAULT_SIGNAL, false, SIGINT},
};

#define KINDS (sizeof kinds / sizeof *kinds)

/* ---- One scenario ---- */

/* How a run ended. */
struct ending {
    bool finished; /* it came to an end by itself */
    int code;      /* status of the library, exit code of the tool; or the signal that ended it */
    char message[4096];
    uint64_t digest;   /* of what was computed, or printed */
    char remains[512]; /* blocks, files, maps: what the library did not give back */
};

/* Shared by the process that runs scenarios and the one that watches it. */
struct shared {
    fault_state state;
    struct ending ending;
    struct listing files;
    uint64_t next; /* the library: the point to go on with when the process is lost */
};

struct watch {
    const scenario *scenario;
    const struct kind *kind;
    struct shared *shared;
    struct ending right;          /* of the run where nothing fails, */
    struct listing before, after; /* and the outputs before and after it */
    uint64_t points;              /* and its points of this kind */
    int problems;
    uint64_t told[MAX_PROBLEMS]; /* hashes of what was told: one message for each place and fault */
    int told_count;
    bool all;
};

static bool is_news(struct watch *w, const char *place, const char *what)
{
    uint64_t hash = 0;
    digest_add(&hash, place, strlen(place));
    digest_add(&hash, what, strlen(what));
    for (int i = 0; i < w->told_count; i++) {
        if (w->told[i] == hash) {
            return false;
        }
    }
    if (w->told_count == MAX_PROBLEMS) {
        return false;
    }
    w->told[w->told_count++] = hash;
    return true;
}

static void tell(struct watch *w, uint64_t point, const char *what, const char *more)
{
    const fault_state *state = &w->shared->state;
    char place[256] = "";
    w->problems++;
    if (state->kind == FAULT_MEMORY) {
        fault_name_place(state->where, place, sizeof place);
    } else if (state->kind != FAULT_NONE) {
        snprintf(place, sizeof place, "call number %ld", state->call);
    }
    if (is_news(w, place, what)) {
        printf("%s: %s: point %llu of %llu (%s): %s%s%s\n", w->scenario->name, w->kind->name, (unsigned long long)point,
               (unsigned long long)w->points, place, what, more ? ": " : "", more ? more : "");
        fflush(stdout);
    }
}

static void prepare_outputs(const struct watch *w)
{
    empty_folder(out(""));
    for (int i = 0; i < MAX_OUTPUTS && w->scenario->outputs[i]; i++) {
        write_old(out(w->scenario->outputs[i]));
    }
}

/* One line that can be shown. */
static bool is_line(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < ' ') {
            return false;
        }
    }
    return length > 0;
}

/* ---- Judging ---- */

static void judge_files(struct watch *w, uint64_t point, bool good)
{
    const struct listing *now = &w->shared->files;
    const bool parts_allowed = w->kind->signal == SIGKILL; /* nobody is left to remove them */
    char what[512];
    for (int i = 0; i < now->count; i++) {
        const char *name = now->entry[i].name;
        const struct output *before = find_output(&w->before, name), *after = find_output(&w->after, name);
        const bool is_new = after && after->hash == now->entry[i].hash,
                   is_old = before && before->hash == now->entry[i].hash;
        if (!is_new && (good || !is_old) && !(parts_allowed && !before && !after)) {
            snprintf(what, sizeof what, "'%s' %s", name, before || after ? "is damaged" : "is left over");
            tell(w, point, what, NULL);
        }
    }
    for (int i = 0; i < w->before.count; i++) {
        if (!find_output(now, w->before.entry[i].name)) {
            tell(w, point, "an output that was there is lost", w->before.entry[i].name);
        }
    }
    for (int i = 0; good && i < w->after.count; i++) {
        if (!find_output(now, w->after.entry[i].name)) {
            tell(w, point, "success, but without an output", w->after.entry[i].name);
        }
    }
}

/* A file is not damaged because memory is short or a disk fails. What libc could not get memory for is told by its
 * errno. */
static bool is_right_status(fault_kind kind, const struct ending *e)
{
    return e->code == (kind == FAULT_MEMORY ? BDNN_ERROR_MEMORY : BDNN_ERROR_IO) ||
           (kind == FAULT_MEMORY && e->code == BDNN_ERROR_IO && strstr(e->message, strerror(ENOMEM)));
}

static void judge_failure(struct watch *w, uint64_t point)
{
    const struct ending *e = &w->shared->ending;
    const size_t length = strlen(e->message);
    char what[64];
    if (w->kind->kind == FAULT_SHORT) {
        tell(w, point, "what is read or written in two parts failed", e->message);
    } else if (w->scenario->run && !is_right_status(w->kind->kind, e)) {
        snprintf(what, sizeof what, "called '%s'", bdnn_status_name((bdnn_status)e->code));
        tell(w, point, what, e->message);
    } else if (w->scenario->run && !is_line(e->message, length)) {
        tell(w, point, "a message that is not one line", e->message);
    } else if (w->scenario->command && (e->code != 1 || length < 2 || e->message[length - 1] != '\n' ||
                                        !is_line(e->message, length - 1) || strncmp(e->message, "bdnn", 4) != 0)) {
        snprintf(what, sizeof what, "exit code %d, not 1 and one line", e->code);
        tell(w, point, what, e->message);
    }
}

static void judge(struct watch *w, uint64_t point)
{
    const struct ending *e = &w->shared->ending;
    const bool good = e->finished && e->code == 0;
    if (!e->finished && e->code != w->kind->signal) {
        tell(w, point, e->code == SIGALRM ? "does not end" : strsignal(e->code), e->message);
    } else if (!good && e->finished && !w->kind->signal) { /* a signal may also end work early, by any code but 0 */
        judge_failure(w, point);
    } else if (good && e->digest != w->right.digest) {
        tell(w, point, "success, but another result", e->message[0] ? e->message : NULL);
    }
    if (e->remains[0]) {
        tell(w, point, e->remains, NULL);
    }
    judge_files(w, point, good);
}

/* ---- Points ---- */

/* The point after this one: all near the beginning and the end, and in the middle so many that all are about `most`. */
static uint64_t next_point(const struct watch *w, uint64_t point)
{
    const uint64_t most = w->scenario->slow ? POINTS_IF_SLOW : w->scenario->run ? POINTS_OF_LIBRARY : POINTS_OF_TOOL;
    const uint64_t points = w->points;
    const uint64_t head = most / 3, tail = most / 6;
    if (w->all || points <= most || point <= head || point + tail >= points) {
        return point + 1;
    }
    return point + 1 + (points - head - tail) / (most / 2);
}

static void set_point(struct watch *w, fault_kind kind, uint64_t point)
{
    w->shared->state =
        (fault_state){.kind = kind, .lasting = w->kind->lasting, .signal = w->kind->signal, .wanted = point};
    memset(&w->shared->ending, 0, sizeof w->shared->ending);
}

/* ---- Runs of the library: many in one process, which is replaced when one ends it ---- */

static int open_files(void)
{
    int count = 0;
    for (int fd = 3; fd < 128; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void run_library(struct watch *w, int errors)
{
    struct ending *e = &w->shared->ending;
    const int files = open_files();
    const void *where = NULL;
    bdnn_error err = {BDNN_OK, ""};
    char place[256];
    size_t left;
    e->digest = UINT64_C(0xcbf29ce484222325);
    alarm(SECONDS_OF_A_RUN);
    fault_watch_blocks(true);
    fault_arm(&w->shared->state);
    e->code = (int)w->scenario->run(&e->digest, &err);
    fault_arm(NULL);
    fault_watch_blocks(false);
    alarm(0);
    e->finished = true;
    snprintf(e->message, sizeof e->message, "%s", err.message);
    left = fault_blocks_left(&where);
    if (left > 0) {
        snprintf(e->remains, sizeof e->remains, "%zu blocks of memory are left, one of %s", left,
                 fault_name_place(where, place, sizeof place));
    } else if (open_files() != files) {
        snprintf(e->remains, sizeof e->remains, "%d more open files", open_files() - files);
    } else if (is_mapped(in(""))) {
        snprintf(e->remains, sizeof e->remains, "an input is mapped still");
    } else if (lseek(errors, 0, SEEK_END) > 0) {
        snprintf(e->remains, sizeof e->remains, "the library printed something");
        if (ftruncate(errors, 0) != 0) {
            exit(2);
        }
    } else if (e->code != 0 && e->code != (int)err.status) {
        snprintf(e->remains, sizeof e->remains, "a status of '%s' with an error of '%s'",
                 bdnn_status_name((bdnn_status)e->code), bdnn_status_name(err.status));
    }
    list_outputs(out(""), w->scenario->timed, &w->shared->files);
}

/* The child: its first run makes what is made once in a process. */
static void library_process(struct watch *w, uint64_t from, uint64_t last)
{
    const int errors = open(out("../errors"), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    const bool calls = w->kind->kind != FAULT_MEMORY;
    if (errors < 0 || dup2(errors, STDERR_FILENO) < 0 || (calls && !fault_install_calls())) {
        exit(2);
    }
    for (int i = 0; i < 2; i++) {
        set_point(w, FAULT_NONE, 0);
        prepare_outputs(w);
        run_library(w, errors);
    }
    for (uint64_t point = from; point <= last; point = next_point(w, point)) {
        set_point(w, w->kind->kind, point);
        prepare_outputs(w);
        run_library(w, errors);
        if (point != NEVER) {
            judge(w, point);
        }
        w->shared->next = next_point(w, point);
    }
    fflush(stdout);
    _exit(w->problems > 255 ? 255 : w->problems);
}

/* Points from..last in child processes; false where there is no filter for calls. */
static void run_points_of_library(struct watch *w, uint64_t from, uint64_t last)
{
    w->shared->next = from;
    while (w->shared->next <= last && w->told_count < MAX_PROBLEMS) {
        const uint64_t begin = w->shared->next;
        int status;
        pid_t child = fork();
        if (child == 0) {
            library_process(w, begin, last);
        }
        waitpid(child, &status, 0);
        if (WIFEXITED(status) && w->shared->next > last) {
            w->problems = WEXITSTATUS(status);
            return;
        }
        if (WIFEXITED(status)) {
            snprintf(w->shared->ending.message, sizeof w->shared->ending.message, "exit code %d", WEXITSTATUS(status));
        }
        w->shared->ending.finished = false;
        w->shared->ending.code = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        tell(w, w->shared->next, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "ends the process",
             w->shared->ending.message);
        w->shared->next = next_point(w, w->shared->next);
    }
}

/* ---- Runs of the tool: each in a process of its own ---- */

/* Words of the command line, IN/ and OUT/ replaced. */
static int split_command(const char *command, char *argv[], int most)
{
    static char words[64][512];
    int count = 0;
    argv[count++] = (char *)(uintptr_t) "bdnn";
    while (*command && count < most - 1) {
        const size_t length = strcspn(command, " ");
        char word[256];
        snprintf(word, sizeof word, "%.*s", (int)length, command);
        snprintf(words[count], sizeof words[count], "%s",
                 strncmp(word, "IN/", 3) == 0    ? in(word + 3)
                 : strncmp(word, "OUT/", 4) == 0 ? out(word + 4)
                                                 : word);
        argv[count] = words[count];
        count++;
        command += length + (command[length] == ' ');
    }
    argv[count] = NULL;
    return count;
}

static void redirect(int fd, const char *path, int flags)
{
    const int file = open(path, flags, 0666);
    if (file < 0 || dup2(file, fd) < 0 || close(file) != 0) {
        exit(2);
    }
}

static void tool_process(struct watch *w)
{
    char *argv[64], out_path[512], err_path[512];
    const int argc = split_command(w->scenario->command, argv, 64);
    snprintf(out_path, sizeof out_path, "%s", out("../stdout"));
    snprintf(err_path, sizeof err_path, "%s", out("../stderr"));
    redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
    redirect(STDOUT_FILENO, out_path, O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDERR_FILENO, err_path, O_WRONLY | O_CREAT | O_TRUNC);
    if (w->kind->kind != FAULT_MEMORY && !fault_install_calls()) {
        exit(2);
    }
    alarm(SECONDS_OF_A_RUN);
    fault_arm(&w->shared->state);
    {
        const int code = bdnn_tool_main(argc, argv);
        fflush(NULL);
        _exit(code); /* what the libraries do at exit takes ten times as long as all else */
    }
}

static void run_tool(struct watch *w)
{
    struct ending *e = &w->shared->ending;
    int status;
    pid_t child;
    FILE *file;
    prepare_outputs(w);
    child = fork();
    if (child == 0) {
        tool_process(w);
    }
    waitpid(child, &status, 0);
    e->finished = WIFEXITED(status);
    e->code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    e->digest = hash_file(out("../stdout"), w->scenario->timed);
    file = fopen(out("../stderr"), "rb");
    if (file) {
        e->message[fread(e->message, 1, sizeof e->message - 1, file)] = '\0';
        fclose(file);
    }
    list_outputs(out(""), w->scenario->timed, &w->shared->files);
}

static void run_points_of_tool(struct watch *w, uint64_t from, uint64_t last)
{
    for (uint64_t point = from; point <= last && w->told_count < MAX_PROBLEMS; point = next_point(w, point)) {
        set_point(w, w->kind->kind, point);
        run_tool(w);
        if (point != NEVER) {
            judge(w, point);
        }
    }
}

/* ---- All of it ---- */

static void run_points(struct watch *w, uint64_t from, uint64_t last)
{
    if (w->scenario->run) {
        run_points_of_library(w, from, last);
    } else {
        run_points_of_tool(w, from, last);
    }
}

/* One kind: what is right first, then every point. */
static int run_kind(struct watch *w)
{
    const struct timespec none = {0};
    struct timespec begin = none, end = none;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    w->problems = w->told_count = 0;
    prepare_outputs(w);
    list_outputs(out(""), w->scenario->timed, &w->before);
    run_points(w, NEVER, NEVER);
    w->points = w->shared->state.seen;
    w->right = w->shared->ending;
    w->after = w->shared->files;
    if (!w->right.finished || w->right.code != 0 || w->right.remains[0]) {
        printf("%s: does not even succeed when nothing fails: %d %s %s\n", w->scenario->name, w->right.code,
               w->right.message, w->right.remains);
        return 1;
    }
    if (w->points > 0) {
        run_points(w, 1, w->points);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%-16s %-40s %6llu points %6.1f s  %s\n", w->scenario->name, w->kind->name, (unsigned long long)w->points,
           (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec),
           w->problems ? "FAILED" : "ok");
    fflush(stdout);
    return w->problems;
}

static int run_scenario(const scenario *s, const char *set, bool all)
{
    struct watch w = {.scenario = s, .all = all};
    int problems = 0;
    w.shared = mmap(NULL, sizeof *w.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w.shared == MAP_FAILED || !choose_out_folder(s->name)) {
        return 1;
    }
    for (size_t i = 0; i < KINDS; i++) {
        const bool costly = kinds[i].lasting || kinds[i].kind == FAULT_ENOSPC || kinds[i].kind == FAULT_EINTR;
        if (strcmp(kinds[i].set, set) == 0 && (all || !s->slow || !costly)) {
            w.kind = &kinds[i];
            problems += run_kind(&w);
        }
    }
    return problems;
}

/* Every scenario in a process of its own, as many at once as there are processors. */
static int run_all(const scenario *scenarios, const char *set, const char *only, bool all)
{
    long running = 0, processors = sysconf(_SC_NPROCESSORS_ONLN);
    int failed = 0, status, found = 0;
    for (const scenario *s = scenarios; s->name || running > 0;) {
        if (s->name && only && strcmp(s->name, only) != 0) {
            s++;
            continue;
        }
        if (s->name && running < processors) {
            pid_t child = fork();
            if (child == 0) {
                exit(run_scenario(s, set, all) != 0);
            }
            running++;
            found++;
            s++;
            continue;
        }
        if (wait(&status) > 0) {
            running--;
            failed += status != 0;
        }
    }
    printf("%d scenarios, %d failed\n", found, failed);
    return found == 0 || failed > 0;
}

/* Whether this system lets processes filter their calls at all. */
static bool can_filter(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(!fault_install_calls());
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

int main(int argc, char **argv)
{
    const scenario *scenarios = argc > 2 && strcmp(argv[1], "library") == 0 ? library_scenarios : tool_scenarios;
    char folder[] = "/tmp/bdnn-faults-XXXXXX";
    const char *only = NULL;
    bool all = false;
    int result;
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--all") == 0) {
            all = true;
        } else {
            only = argv[i];
        }
    }
    if (argc < 3 || !mkdtemp(folder)) {
        fprintf(stderr, "usage: faults library|tool memory|calls|signals [--all] [SCENARIO]\n");
        return 2;
    }
    if (strcmp(argv[2], "memory") != 0 && !can_filter()) {
        printf("skipped: this system does not let a process filter its calls (seccomp)\n");
        return 77;
    }
    fault_classify_libraries();
    make_inputs(folder);
    result = run_all(scenarios, argv[2], only, all);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return result;
}
