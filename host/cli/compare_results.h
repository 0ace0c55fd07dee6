/* SPDX-License-Identifier: BSD-2-Clause */
/* What `bdnn compare` measured and the figures that follow, between measuring (compare.c) and showing
 * (compare_report.c, compare_html.c). */
#ifndef BDNN_CLI_COMPARE_RESULTS_H
#define BDNN_CLI_COMPARE_RESULTS_H

#include "cli/bench.h"

#define COMPARE_MAX_DEVICES 6

/* One layer on one device, or the sum over them; times are medians. */
typedef struct compare_cell {
    bdnn_layer_cost cost;
    double ms;
} compare_cell;

typedef struct compare_device {
    bench_results bench;
    bdnn_device_info info; /* of an accelerator */
    bench_spread run_ms;
    compare_cell *cells; /* [layer] */
    compare_cell total;  /* without a kernel's name */
    uint64_t different;  /* output values unlike the first device's */
} compare_device;

typedef struct compare_results {
    const char *network; /* its file */
    const char *inputs;  /* the dataset whose first images were the input; NULL for noise */
    bdnn_model *model;
    size_t layers, count;
    compare_device devices[COMPARE_MAX_DEVICES];
    bdnn_layer_info *info; /* [layer] */
    long long batch, repeat, threads;
    uint64_t values;  /* output values that were compared */
    double clock_mhz; /* for predictions; 0: each device's own */
} compare_results;

/* Products of two bits that a layer needs for the whole batch: K Q a multiply-add. */
double compare_products(const compare_results *c, size_t layer);

/* Of all layers that run on the accelerator. */
double compare_products_of(const compare_results *c, const compare_device *device);

/* Products that the arrays of a device do in a cycle of each unit. */
double compare_array(const compare_device *device);

/* What the kernel's cycles would let pass in a second, at compare_clock; 0 where it does not count them. */
double compare_predicted(const compare_results *c, const compare_device *device);
double compare_clock(const compare_results *c, const compare_device *device);

static inline bool compare_counts(const compare_device *device)
{
    return device->total.cost.accelerator.cycles > 0;
}

/* 100 part / whole; 0 of nothing. */
static inline double compare_percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

#endif
