/* SPDX-License-Identifier: BSD-2-Clause */
/* What `bdnn bench` measured, between measuring (bench.c) and showing (bench_report.c). */
#ifndef BDNN_CLI_BENCH_H
#define BDNN_CLI_BENCH_H

#include "bdnn_measure.h"
#include "cli/cli.h"

typedef struct bench_peak {
    const char *kernel;
    bdnn_peak peak; /* all 0 where none is known */
} bench_peak;

typedef struct bench_results {
    bdnn_model *model;
    cli_session session;
    cli_device device;
    long long threads, batch, repeat;
    size_t layers;
    double *layer_ms; /* [layer][repetition] */
    double *total_ms; /* [repetition] */
    double file_ms, load_ms, ready_ms,
        first_ms;      /* reading the file alone; loading it; making a session; its first run */
    bench_peak *peaks; /* of each kernel that occurs, at most one a layer */
    size_t peak_count;
    uint64_t read_bytes; /* of one run: weights and feature maps */
    double read_rate; /* bytes a second that the machine reads from so much memory, and from far more than its caches */
    double memory_rate;
} bench_results;

typedef struct bench_form {
    bool json;
    bool all; /* also rows of layers that take no time of their own */
} bench_form;

/* Milliseconds: min, quartiles, max. */
typedef struct bench_spread {
    double min, lower, median, upper, max;
} bench_spread;

/* Sorts them. */
bench_spread bench_spread_of(double *ms, long long count);

/* An image of noise as the network takes images, or numbers of -1 to 1, for the whole batch: the same ones in every
 * run. For free(). */
float *bench_noise(const bdnn_model *model, long long batch);

/* Opens a session on b->device and runs it on `input`; b->model, device, threads, batch and repeat are set. */
bdnn_status bench_run(bench_results *b, const float *input, cli_progress *progress, bdnn_error *err);

/* The peaks of the kernels that occur, and the rates of reading. */
bdnn_status bench_measure_peaks(bench_results *b, cli_progress *progress, bdnn_error *err);

/* Frees all but the model. */
void bench_release(bench_results *b);

/* Shows them on stdout; an exit code. */
int bench_report(bench_results *results, const bench_form *form);

#endif
