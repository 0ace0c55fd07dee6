/* SPDX-License-Identifier: BSD-2-Clause */
/* What the subcommands share. The tool is written on the library's public header alone. */
#ifndef BDNN_CLI_CLI_H
#define BDNN_CLI_CLI_H

#include "bdnn.h"

#include <getopt.h>
#include <stdio.h>

/* Exit codes: 0, 1 for work that failed, 2 for a command line that makes no sense; 128 + the signal that ended it. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* One subcommand: argv[0] is its name. */
typedef int cli_command(int argc, char **argv);
cli_command cli_bench, cli_compare, cli_convert, cli_decompose, cli_devices, cli_eval, cli_export_npy, cli_info,
    cli_run;

/* ---- Messages (messages.c) ---- */

/* "bdnn: <message>" on stderr; returns CLI_FAILED. */
int cli_fail(const bdnn_error *err);

/* Fills in *err and returns `status`: for what the tool finds itself. */
bdnn_status cli_error(bdnn_error *err, bdnn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#if defined(__clang_analyzer__)
/* As bdnn_fail in core/error.h: no analyzer is to go on behind a failure. */
#define cli_error(err, status, ...) (cli_error(err, status, __VA_ARGS__), status)
#endif

/* "bdnn <command>: <text>" and a pointer to the command's help; returns CLI_USAGE. */
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- Options (options.c) ---- */

/* Whole text as a number within bounds; false after a message. */
bool cli_integer(const char *command, const char *option, const char *text, long long low, long long high,
                 long long *value);
bool cli_number(const char *command, const char *option, const char *text, double low, double high, double *value);

/* getopt_long with this tool's messages; `letters` begins with a colon. Returns '?' or ':' after a message, -1 at the
 * end. */
int cli_option(const char *command, int argc, char **argv, const char *letters, const struct option *options);

/* Options that every command that loads a network takes. Their numbers in `val` begin at CLI_MODEL_OPTION. */
enum {
    CLI_MODEL_OPTION = 1000,
    CLI_ARCH = CLI_MODEL_OPTION,
    CLI_MEAN_IMAGE,
    CLI_LABELS,
    CLI_KEEP_BN,
    CLI_MEAN,
    CLI_STD,
    CLI_UNIT,
    CLI_ORDER,
    CLI_RESIZE_SHORT,
    CLI_NO_EXIF,
    CLI_DEVICE, /* below */
    CLI_XCLBIN,
    CLI_TIMEOUT,
    CLI_WAIT,
    CLI_FALLBACK,
    CLI_COMMAND_OPTION /* the first number for a command's own */
};

#define CLI_MODEL_OPTIONS                                                                                              \
    {"arch", required_argument, NULL, CLI_ARCH}, {"mean-image", required_argument, NULL, CLI_MEAN_IMAGE},              \
        {"labels", required_argument, NULL, CLI_LABELS}, {"keep-bn", no_argument, NULL, CLI_KEEP_BN},                  \
        {"mean", required_argument, NULL, CLI_MEAN}, {"std", required_argument, NULL, CLI_STD},                        \
        {"unit", no_argument, NULL, CLI_UNIT}, {"order", required_argument, NULL, CLI_ORDER},                          \
        {"no-exif", no_argument, NULL, CLI_NO_EXIF},                                                                   \
    {                                                                                                                  \
        "resize-short", required_argument, NULL, CLI_RESIZE_SHORT                                                      \
    }

typedef struct cli_model_options {
    bdnn_load_options load; /* without its size, which cli_load sets */
    float mean[3], std[3];
    bool has_mean, has_std, unit, has_order, bgr;
    int32_t resize_short;
} cli_model_options;

/* Takes one option; false after a message. */
bool cli_take_model_option(const char *command, int option, const char *text, cli_model_options *options);

/* Loads a network and applies the options to its pre-processing. */
bdnn_status cli_load(const char *path, const cli_model_options *options, bdnn_model **model, bdnn_error *err);

/* ---- Devices (device.c) ---- */

#define CLI_DEVICE_OPTIONS                                                                                             \
    {"device", required_argument, NULL, CLI_DEVICE}, {"xclbin", required_argument, NULL, CLI_XCLBIN},                  \
        {"timeout", required_argument, NULL, CLI_TIMEOUT},                                                             \
    {                                                                                                                  \
        "wait", required_argument, NULL, CLI_WAIT                                                                      \
    }
#define CLI_FALLBACK_OPTION                                                                                            \
    {                                                                                                                  \
        "fallback", required_argument, NULL, CLI_FALLBACK                                                              \
    }

typedef struct cli_device {
    const char *name, *xclbin; /* NULL where not given */
    uint32_t timeout_ms;       /* 0 likewise */
    bdnn_wait wait;
    bool fallback;
} cli_device;

static inline bool cli_is_device_option(int option)
{
    return option >= CLI_DEVICE && option <= CLI_FALLBACK;
}

/* Takes one option; false after a message. */
bool cli_take_device_option(const char *command, int option, const char *text, cli_device *device);

/* A session on the device. With --fallback, a device that fails is replaced by the CPU, after one line on stderr; what
 * was to be run is then run there. */
typedef struct cli_session {
    const bdnn_model *model;
    bdnn_session_options options;
    bool fallback;
    bdnn_session *session; /* may change with each run */
} cli_session;

bdnn_status cli_session_open(cli_session *s, const bdnn_model *model, const cli_device *device, size_t threads,
                             size_t batch, bdnn_error *err);
bdnn_status cli_session_run(cli_session *s, const float *input, bdnn_error *err);
bdnn_status cli_session_run_pixels(cli_session *s, const uint8_t *pixels, bdnn_error *err);
void cli_session_close(cli_session *s);

/* Around calls that open devices: XRT's emulation writes to standard output then, which belongs to results, so that
 * goes to standard error. */
int cli_before_devices(void);
void cli_after_devices(int saved);

/* For a device that was lost outside of a cli_session. */
void cli_lose_device(void);

/* The last call of main: returns code, or ends the program at once where XRT would wait for a lost device. */
int cli_leave(int code);

/* ---- Signals (signals.c) ---- */

/* Called first in main: signals that end the tool remove temporary files; the loss of a mapped file is a message. */
void cli_handle_signals(void);

/* What that message names: the network that is being loaded (NULL: none any more), one that has been loaded. */
void cli_loading(const char *path);
void cli_loaded(const char *path, const bdnn_model *model);

/* ---- Stopping (stop.c) ---- */

/* From now on the first SIGINT or SIGTERM only asks for an end, which the command comes to when it next looks; a second
 * signal does what it would have done before this call. */
void cli_stop_gently(void);

/* The name of the signal that asked, or NULL. */
const char *cli_stopped(void);

/* 128 + the number of the signal that asked; `code` when none did. */
int cli_stop_code(int code);

/* ---- Skipping (skip.c) ---- */

struct cJSON;

typedef struct cli_skipped {
    size_t index; /* in the dataset, from 0 */
    char *name, *reason;
} cli_skipped;

/* Items that could not be read. */
typedef struct cli_skips {
    long long most; /* that may be skipped */
    cli_skipped *items;
    size_t count, room;
} cli_skips;

/* --skip-bad N or all; false after a message. */
bool cli_take_skip_bad(const char *command, const char *text, cli_skips *skips);

/* For an item whose reading ended with `status`, described in *err: notes it and returns BDNN_OK when it may be
 * skipped. Else, and for failures that are not the item's own, the status, with a message. */
bdnn_status cli_skip(cli_skips *skips, bdnn_status status, size_t index, const char *name, bdnn_error *err);

/* The list on stdout, `of` being how many items were looked at; nothing where nothing was skipped. */
void cli_skips_print(const cli_skips *skips, size_t of);

/* "skipped" into an object: an array of index, item, reason. */
void cli_skips_json(const cli_skips *skips, struct cJSON *object);
void cli_skips_free(cli_skips *skips);

/* ---- Progress (progress.c) ---- */

/* A bar on the terminal with the time that is left; nothing at all where stderr is no terminal. */
typedef struct cli_progress {
    bool shown;
    double start, last;
} cli_progress;

cli_progress cli_progress_start(void);
/* A bdnn_progress; `user` is a cli_progress. Draws at most ten times a second. False when a signal asked for the end.
 */
bool cli_progress_step(void *user, const char *stage, uint64_t done, uint64_t total);
void cli_progress_end(cli_progress *progress);

double cli_seconds(void);

/* ---- Output (output.c, paths.c) ---- */

/* A table whose columns are as wide as their widest cell; the first column is flush left, others right. */
typedef struct cli_table {
    char *cells;
    size_t rows, columns, room;
} cli_table;

/* Replaces control characters by '?': names come from files, and may not steer a terminal. Returns text. */
char *cli_printable(char *text);

#define CLI_CELL    96 /* bytes of a cell, its end included */
#define CLI_COLUMNS 24

/* Adds a row of printf-formatted cells, separated by '|'. */
void cli_table_row(cli_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_table_print(const cli_table *table, FILE *stream);
void cli_table_free(cli_table *table);

/* Whether `path` can be written when the work is done, asked before it begins: a folder that exists, nothing but a
 * plain file in the way. CLI_FAILED after a message. */
int cli_check_output(const char *path);

/* The same for all of a command's outputs, and that no two of them, and none of its inputs, are one file, whatever
 * their paths. NULL stands for what is not asked for. CLI_USAGE or CLI_FAILED after a message. */
int cli_check_outputs(const char *command, const char *const *outputs, size_t output_count, const char *const *inputs,
                      size_t input_count);

/* Whether two paths name one file, or would if it existed. */
bool cli_same_file(const char *a, const char *b);

/* Where a file is, or would be: its folder without links, and its name in it. For free(); NULL without memory. */
char *cli_plain_path(const char *path);

/* Flushes stdout; a full disk or closed pipe becomes CLI_FAILED with a message, and so does a table or JSON that lacks
 * something for want of memory. */
int cli_finish(int code);

/* Makes cJSON remember when memory was short, for what follows: its calls go on without what they could not have. */
void cli_watch_memory(void);

/* Whether JSON or a table lacks something; whether there was no JSON for that reason, of which nothing has been said.
 */
bool cli_lacks_memory(void);
bool cli_lacks_json(void);

/* Prints JSON (a cJSON object, which is deleted) on stdout. CLI_FAILED without memory, which cli_finish tells. */
int cli_print_json(struct cJSON *json);

/* Adds a string to an object, and to an array. Names come from files: bytes that are not UTF-8 become '?', so that it
 * stays JSON. */
void cli_json_text(struct cJSON *object, const char *key, const char *text);
void cli_json_add_text(struct cJSON *array, const char *text);

#endif
