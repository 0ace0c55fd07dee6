/* SPDX-License-Identifier: BSD-2-Clause */
/* A network on the device "xrt" and on "reference": every output of every image equal, bit for bit.
 *
 *   xrt_agreement NETWORK DATASET COUNT BATCH [SECONDS [shared]]
 *
 * SECONDS that a run may take: simulated hardware is slow (30). shared: a second session on the same device as well. */
#include "bdnn_data.h"
#include "bdnn_measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bdnn_error err;

static void check(bdnn_status status)
{
    if (status != BDNN_OK) {
        fprintf(stderr, "xrt_agreement: %s\n", err.message);
        exit(1);
    }
}

static bdnn_session *open_session(const bdnn_model *model, const char *device, size_t batch, uint32_t seconds)
{
    const bdnn_session_options options = {
        .struct_size = sizeof options, .device = device, .batch = batch, .threads = 1, .timeout_ms = 1000 * seconds};
    bdnn_session *session;
    check(bdnn_session_create(model, &options, &session, &err));
    return session;
}

/* Values that differ. */
static size_t compare(bdnn_session *a, bdnn_session *b, size_t *values)
{
    size_t different = 0;
    for (size_t o = 0; o < bdnn_session_output_count(a); o++) {
        bdnn_result x, y;
        size_t count = 1;
        check(bdnn_session_output(a, o, &x, &err));
        check(bdnn_session_output(b, o, &y, &err));
        for (int32_t i = 0; i < x.rank; i++) {
            count *= (size_t)x.shape[i];
        }
        for (size_t i = 0; i < count; i++) {
            different += memcmp(&x.data[i], &y.data[i], sizeof x.data[i]) != 0;
        }
        *values += count;
    }
    return different;
}

/* Layers that run on the array. */
static size_t layers_on_device(const bdnn_model *model, const bdnn_session *session)
{
    size_t layers = 0;
    for (size_t l = 0; l < bdnn_model_layer_count(model); l++) {
        bdnn_layer_cost cost;
        check(bdnn_session_layer(session, l, &cost, &err));
        layers += strncmp(cost.kernel, "bdnn_kernel", 11) == 0;
    }
    return layers;
}

int main(int argc, char **argv)
{
    bdnn_model *model;
    bdnn_dataset *dataset;
    bdnn_session *device, *second = NULL, *reference;
    size_t different = 0, values = 0, layers;
    if (argc < 5 || argc > 7) {
        fprintf(stderr, "usage: xrt_agreement NETWORK DATASET COUNT BATCH [SECONDS [shared]]\n");
        return 2;
    }
    const size_t count = (size_t)atoi(argv[3]), batch = (size_t)atoi(argv[4]);
    const uint32_t seconds = argc > 5 ? (uint32_t)atoi(argv[5]) : 30;
    check(bdnn_model_load(argv[1], NULL, &model, &err));
    check(bdnn_dataset_open(argv[2], NULL, &dataset, &err));
    const bdnn_preprocess p = bdnn_model_preprocess(model);
    const size_t item = (size_t)p.channels * (size_t)p.height * (size_t)p.width;
    float *input = calloc(batch * item, sizeof *input);
    device = open_session(model, "xrt", batch, seconds);
    if (argc > 6) {
        second = open_session(model, "xrt:0", batch, seconds);
    }
    reference = open_session(model, "reference", batch, seconds);
    for (size_t i = 0; input && i < count; i += batch) {
        for (size_t b = 0; b < batch; b++) {
            check(bdnn_dataset_input(dataset, i + b, &p, input + b * item, &err));
        }
        check(bdnn_session_run(device, input, &err));
        check(bdnn_session_run(reference, input, &err));
        different += compare(device, reference, &values);
        if (second) {
            check(bdnn_session_run(second, input, &err));
            different += compare(second, reference, &values);
        }
    }
    layers = layers_on_device(model, device);
    printf("%zu values of %zu differ; %zu layers on the device\n", different, values, layers);
    free(input);
    bdnn_session_free(device);
    bdnn_session_free(second);
    bdnn_session_free(reference);
    bdnn_dataset_free(dataset);
    bdnn_model_free(model);
    return different || !values || !layers;
}
