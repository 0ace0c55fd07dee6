/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the tool as a user does and keeps what it says. For cmocka tests; each has a scratch folder (unit/scratch.h). */
#ifndef BDNN_TESTS_SYSTEM_TOOL_H
#define BDNN_TESTS_SYSTEM_TOOL_H

#include "unit/scratch.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

/* What the last run left: valid until the next. */
static struct {
    int code; /* exit code, or 128 + signal */
    char out[1 << 16], err[1 << 14];
} tool;

static void tool_read(const char *name, char *text, size_t size)
{
    FILE *file = fopen(scratch_path(name), "rb");
    size_t length = file ? fread(text, 1, size - 1, file) : 0;
    assert_true(length < size - 1);
    text[length] = '\0';
    if (file) {
        fclose(file);
    }
}

/* Starts the tool with the words of `line`, which are separated by single spaces; stdout goes to the open file `out`.
 */
static pid_t tool_start(int out, const char *line)
{
    static char words[4096];
    char *argv[64] = {(char *)(uintptr_t)BDNN_TOOL};
    posix_spawn_file_actions_t actions;
    size_t count = 1;
    pid_t child;
    assert_true(strlen(line) < sizeof words);
    strcpy(words, line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
        assert_true(count < 63);
        argv[count++] = word;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_addopen(&actions, 2, scratch_path("stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_int_equal(posix_spawn(&child, BDNN_TOOL, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

static int tool_wait(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Runs a command line (printf format), demands its exit code, and shows what was said where the code differs. */
static void tool_run(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tool_run(int code, const char *format, ...)
{
    char line[4096];
    int out = open(scratch_path("stdout"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    va_list args;
    assert_true(out >= 0);
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    tool.code = tool_wait(tool_start(out, line));
    close(out);
    tool_read("stdout", tool.out, sizeof tool.out);
    tool_read("stderr", tool.err, sizeof tool.err);
    if (tool.code != code) {
        fail_msg("bdnn %s\nexit code %d, not %d\n%s%s", line, tool.code, code, tool.out, tool.err);
    }
}

/* The last run's only message is one line that holds all of these words; nothing is on stdout. */
#define tool_said(...) tool_said_words((const char *const[]){__VA_ARGS__, NULL})
static inline void tool_said_words(const char *const *words)
{
    const char *newline = strchr(tool.err, '\n');
    if (!newline || newline[1] || tool.out[0] || strncmp(tool.err, "bdnn", 4) != 0) {
        fail_msg("one message and no output is wanted, not:\n%s%s", tool.out, tool.err);
    }
    for (; *words; words++) {
        if (!strstr(tool.err, *words)) {
            fail_msg("the message lacks '%s': %s", *words, tool.err);
        }
    }
}

/* The last run's stdout as JSON, the whole of it; for cJSON_Delete. */
static inline cJSON *tool_json(void)
{
    const char *end;
    cJSON *json = cJSON_ParseWithOpts(tool.out, &end, 1);
    if (!json) {
        fail_msg("no JSON:\n%s", tool.out);
    }
    return json;
}

/* A number of an object; fails where it is missing. */
static inline double tool_number(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    if (!cJSON_IsNumber(item)) {
        fail_msg("no number '%s'", key);
    }
    return item->valuedouble;
}

/* Files of the scratch folder whose names begin with `start`: a half-written file would be one. */
static inline int tool_count_files(const char *start)
{
    DIR *folder = opendir(scratch_folder);
    const struct dirent *entry;
    int count = 0;
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        count += strncmp(entry->d_name, start, strlen(start)) == 0;
    }
    closedir(folder);
    return count;
}

/* `count` gray images of size x size as raw IDX, of seeded noise around one level an image. */
static inline const char *tool_write_idx(const char *name, uint32_t count, uint32_t size)
{
    const uint32_t head[4] = {0x803, count, size, size};
    const size_t bytes = 16 + (size_t)count * size * size;
    uint8_t *data = malloc(bytes);
    uint32_t noise = 12345;
    const char *path;
    assert_non_null(data);
    for (size_t i = 0; i < 16; i++) {
        data[i] = (uint8_t)(head[i / 4] >> (24 - 8 * (i % 4)));
    }
    for (size_t i = 16; i < bytes; i++) {
        noise = noise * 1664525 + 1013904223;
        data[i] = (uint8_t)((i / (size * size) * 37 + (noise >> 26)) & 255);
    }
    path = scratch_write(name, data, bytes);
    free(data);
    return path;
}

/* Classes of `count` items as raw IDX: 0, 1, ... 9, 0, ... */
static inline const char *tool_write_idx_labels(const char *name, uint32_t count)
{
    uint8_t data[8 + 256] = {0, 0, 8, 1, 0, 0, 0, (uint8_t)count};
    assert_true(count < 256);
    for (uint32_t i = 0; i < count; i++) {
        data[8 + i] = (uint8_t)(i % 10);
    }
    return scratch_write(name, data, 8 + count);
}

/* A gray PGM of size x size with a slope. */
static inline const char *tool_write_pgm(const char *name, int size)
{
    char data[64 + 128 * 128];
    const int head = snprintf(data, sizeof data, "P5\n%d %d\n255\n", size, size);
    assert_true(size <= 128);
    for (int i = 0; i < size * size; i++) {
        data[head + i] = (char)((i % size * 5 + i / size * 3) & 255);
    }
    return scratch_write(name, data, (size_t)(head + size * size));
}

#endif
