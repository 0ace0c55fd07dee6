/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn bench: how long each layer takes, and what the machine could do at best. */
#define _POSIX_C_SOURCE 200809L
#include "cli/bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND "bench"
#define WARM_UP 2

enum { THREADS = CLI_COMMAND_OPTION, BATCH, REPEAT, ALL, JSON };

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    CLI_DEVICE_OPTIONS,
    {"threads", required_argument, NULL, THREADS},
    {"batch", required_argument, NULL, BATCH},
    {"repeat", required_argument, NULL, REPEAT},
    {"all", no_argument, NULL, ALL},
    {"json", no_argument, NULL, JSON},
    {NULL, 0, NULL, 0},
};

float *bench_noise(const bdnn_model *model, long long batch)
{
    const bdnn_preprocess p = bdnn_model_preprocess(model);
    int64_t shape[6], item = 1, plane;
    const int32_t rank = bdnn_model_input_shape(model, shape);
    uint32_t noise = 12345;
    float *input;
    for (int32_t a = 1; a < rank; a++) {
        item *= shape[a];
    }
    plane = p.channels ? item / p.channels : item;
    input = calloc((size_t)batch, (size_t)item * sizeof *input);
    for (int64_t i = 0; input && i < batch * item; i++) {
        const int64_t c = i % item / plane;
        noise = noise * 1664525u + 1013904223u;
        input[i] = p.channels ? ((float)(noise >> 24) - p.mean[c]) * p.scale[c] : (float)(noise >> 8) * 0x1p-23f - 1;
    }
    return input;
}

/* Runs once; repetition `r` counts from 0, those below only warm up. */
static bdnn_status run_once(bench_results *b, const float *input, long long r, bdnn_error *err)
{
    const double start = cli_seconds();
    bdnn_status status = cli_session_run(&b->session, input, err);
    if (r == -WARM_UP) {
        b->first_ms = 1e3 * (cli_seconds() - start);
    } else if (r >= 0) {
        b->total_ms[r] = 1e3 * (cli_seconds() - start);
    }
    for (size_t l = 0; l < b->layers && r >= 0 && status == BDNN_OK; l++) {
        bdnn_layer_cost cost;
        status = bdnn_session_layer(b->session.session, l, &cost, err);
        b->layer_ms[l * (size_t)b->repeat + (size_t)r] = 1e-6 * (double)cost.nanoseconds;
    }
    return status;
}

/* Milliseconds that reading a file once takes; 0 for what is no file. */
static double time_file(const char *path)
{
    const double start = cli_seconds();
    static char buffer[1 << 18];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is not waited for, cli_load refuses it */
    struct stat info;
    FILE *file = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? fdopen(fd, "rb") : NULL;
    size_t bytes = 0;
    while (file && !ferror(file) && !feof(file)) {
        bytes += fread(buffer, 1, sizeof buffer, file);
    }
    if (file) {
        fclose(file);
    } else if (fd >= 0) {
        close(fd);
    }
    return bytes > 0 ? 1e3 * (cli_seconds() - start) : 0;
}

static bdnn_status load(const char *path, const cli_model_options *options, bench_results *b, bdnn_error *err)
{
    double start;
    bdnn_status status;
    time_file(path); /* into the system's cache */
    b->file_ms = time_file(path);
    start = cli_seconds();
    status = cli_load(path, options, &b->model, err);
    b->load_ms = 1e3 * (cli_seconds() - start);
    return status;
}

static bdnn_status run_all(bench_results *b, const float *input, cli_progress *progress, bdnn_error *err)
{
    bdnn_status status = bdnn_session_profile(b->session.session, err);
    for (long long r = -WARM_UP; r < b->repeat && status == BDNN_OK; r++) {
        cli_progress_step(progress, "running", (uint64_t)(r + WARM_UP), (uint64_t)(b->repeat + WARM_UP));
        status = run_once(b, input, r, err);
    }
    return status;
}

bdnn_status bench_measure_peaks(bench_results *b, cli_progress *progress, bdnn_error *err)
{
    for (size_t l = 0; l < b->layers; l++) {
        bdnn_layer_cost cost;
        bdnn_status status = bdnn_session_layer(b->session.session, l, &cost, err);
        size_t known = 0;
        if (status != BDNN_OK) {
            return status;
        }
        b->read_bytes += cost.weight_bytes + cost.input_bytes;
        /* There are peaks where their count is not 0. NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
        while (known < b->peak_count && strcmp(b->peaks[known].kernel, cost.kernel) != 0) {
            known++;
        }
        if (known == b->peak_count) {
            cli_progress_step(progress, "measuring the machine", l, b->layers);
            b->peaks[known].kernel = cost.kernel;
            bdnn_peak_measure(cost.kernel, (size_t)b->threads, &b->peaks[known].peak);
            b->peak_count++;
        }
    }
    b->read_rate = bdnn_peak_read((size_t)b->read_bytes, (size_t)b->threads);
    b->memory_rate = bdnn_peak_read(0, (size_t)b->threads);
    return BDNN_OK;
}

bdnn_status bench_run(bench_results *b, const float *input, cli_progress *progress, bdnn_error *err)
{
    const double start = cli_seconds();
    bdnn_status status = cli_session_open(&b->session, b->model, &b->device, (size_t)b->threads, (size_t)b->batch, err);
    b->ready_ms = 1e3 * (cli_seconds() - start);
    if (status != BDNN_OK) {
        return status;
    }
    b->layers = bdnn_model_layer_count(b->model);
    b->layer_ms = calloc(b->layers * (size_t)b->repeat + 1, sizeof *b->layer_ms);
    b->total_ms = calloc((size_t)b->repeat, sizeof *b->total_ms);
    b->peaks = calloc(b->layers + 1, sizeof *b->peaks);
    if (!b->layer_ms || !b->total_ms || !b->peaks) {
        return cli_error(err, BDNN_ERROR_MEMORY, "no memory for the times of so many repetitions");
    }
    return run_all(b, input, progress, err);
}

void bench_release(bench_results *b)
{
    free(b->layer_ms);
    free(b->total_ms);
    free(b->peaks);
    cli_session_close(&b->session);
}

static bdnn_status measure(bench_results *b, bdnn_error *err)
{
    cli_progress progress = cli_progress_start();
    float *input = bench_noise(b->model, b->batch);
    bdnn_status status =
        input ? bench_run(b, input, &progress, err) : cli_error(err, BDNN_ERROR_MEMORY, "no memory for the input");
    if (status == BDNN_OK) {
        status = bench_measure_peaks(b, &progress, err);
    }
    cli_progress_end(&progress);
    free(input);
    return status;
}

static bool take_option(int option, bench_results *b, bench_form *form, cli_model_options *model_options)
{
    if (cli_is_device_option(option)) {
        return cli_take_device_option(COMMAND, option, optarg, &b->device);
    }
    switch (option) {
    case THREADS:
        return cli_integer(COMMAND, "threads", optarg, 1, 1024, &b->threads);
    case BATCH:
        return cli_integer(COMMAND, "batch", optarg, 1, 4096, &b->batch);
    case REPEAT:
        return cli_integer(COMMAND, "repeat", optarg, 1, 100000, &b->repeat);
    case ALL:
        return form->all = true;
    case JSON:
        return form->json = true;
    default:
        return cli_take_model_option(COMMAND, option, optarg, model_options);
    }
}

int cli_bench(int argc, char **argv)
{
    bench_results b = {.device = {.name = "cpu"}, .threads = 1, .batch = 1, .repeat = 20};
    cli_model_options model_options = {0};
    bench_form form = {0};
    bdnn_error err;
    int option, code;
    while ((option = cli_option(COMMAND, argc, argv, ":", long_options)) != -1) {
        if (!take_option(option, &b, &form, &model_options)) {
            return CLI_USAGE;
        }
    }
    if (argc - optind != 1) {
        return cli_usage(COMMAND, "one network is needed");
    }
    if (load(argv[optind], &model_options, &b, &err) != BDNN_OK) {
        return cli_fail(&err);
    }
    code = measure(&b, &err) == BDNN_OK ? bench_report(&b, &form) : cli_fail(&err);
    bench_release(&b);
    bdnn_model_free(b.model);
    return code;
}
