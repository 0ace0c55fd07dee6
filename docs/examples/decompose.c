/* SPDX-License-Identifier: BSD-2-Clause */
/* Decomposes a trained network by calibration images, keeps its first layer finer than the others, and saves it.
 *
 *     cc decompose.c $(pkg-config --cflags --libs bdnn) -o decompose
 *     ./decompose alexnet.onnx images/ 256 alexnet-3-6.bdnn */
#include <bdnn.h>
#include <bdnn_data.h>
#include <stdio.h>
#include <stdlib.h>

/* Shows on one line how far it is. Returning false would stop the work. */
static bool show_progress(void *user, const char *stage, uint64_t done, uint64_t total)
{
    bool *shown = user;
    *shown = true;
    fprintf(stderr, "\r%3.0f %% %-40.40s", total ? 100.0 * (double)done / (double)total : 0.0, stage);
    return true;
}

/* Reads `count` items, evenly spread over the set, as inputs[count][C][H][W], for free(). */
static float *read_inputs(const bdnn_model *model, const bdnn_dataset *dataset, size_t count, bdnn_error *err)
{
    const bdnn_preprocess p = bdnn_model_preprocess(model);
    const size_t item = (size_t)p.channels * (size_t)p.height * (size_t)p.width;
    float *inputs = item ? calloc(count, item * sizeof *inputs) : NULL;
    if (!inputs) {
        snprintf(err->message, sizeof err->message, "no images are taken, or there is no memory for %zu", count);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t index = (size_t)((double)i * (double)bdnn_dataset_count(dataset) / (double)count);
        if (bdnn_dataset_input(dataset, index, &p, inputs + i * item, err) != BDNN_OK) {
            free(inputs);
            return NULL;
        }
    }
    return inputs;
}

static void print_report(const bdnn_layer_report *report, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("%-20s K %d, Q %d: %8llu -> %7llu bytes, output %.1f dB\n", report[i].name, report[i].bases,
               report[i].bits, (unsigned long long)report[i].bytes_before, (unsigned long long)report[i].bytes_after,
               report[i].output_snr_db);
    }
}

static bdnn_status decompose(const bdnn_model *model, const float *inputs, size_t count, const char *path,
                             bdnn_error *err)
{
    bdnn_decompose_options options = BDNN_DECOMPOSE_OPTIONS_INIT;
    bdnn_model *decomposed;
    bdnn_layer_report *report;
    size_t layers;
    bool shown = false;
    bdnn_status status;
    options.bases = 3;
    options.bits = 6;
    options.first_bases = 4;
    options.first_bits = 8;
    options.progress = show_progress;
    options.user = &shown;
    status = bdnn_decompose(model, inputs, count, &options, &decomposed, &report, &layers, err);
    if (shown) {
        fprintf(stderr, "\n");
    }
    if (status == BDNN_OK) {
        print_report(report, layers);
        status = bdnn_model_save(decomposed, path, err);
    }
    bdnn_report_free(report);
    bdnn_model_free(decomposed);
    return status;
}

int main(int argc, char **argv)
{
    size_t count = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
    bdnn_model *model = NULL;
    bdnn_dataset *dataset = NULL;
    float *inputs = NULL;
    bdnn_error err;
    bdnn_status status;
    if (count < 1) {
        fprintf(stderr, "usage: decompose NETWORK CALIBRATION COUNT OUT.bdnn\n");
        return 2;
    }
    if ((status = bdnn_model_load(argv[1], NULL, &model, &err)) == BDNN_OK &&
        (status = bdnn_dataset_open(argv[2], NULL, &dataset, &err)) == BDNN_OK) {
        count = bdnn_dataset_count(dataset) < count ? bdnn_dataset_count(dataset) : count;
        inputs = read_inputs(model, dataset, count, &err);
        status = inputs ? decompose(model, inputs, count, argv[4], &err) : BDNN_ERROR_ARGUMENT;
    }
    if (status != BDNN_OK) {
        fprintf(stderr, "decompose: %s\n", err.message);
    }
    free(inputs);
    bdnn_dataset_free(dataset);
    bdnn_model_free(model);
    return status == BDNN_OK ? 0 : 1;
}
