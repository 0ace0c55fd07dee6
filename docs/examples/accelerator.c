/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a network on an accelerator, and goes on with the CPU when there is none or when it fails: results are the same
 * bits. Prints the scores of one input of zeros.
 *
 *     cc accelerator.c $(pkg-config --cflags --libs bdnn) -o accelerator && ./accelerator alexnet.bdnn xrt bdnn.xclbin
 *     ./accelerator alexnet.bdnn uio */
#define _POSIX_C_SOURCE 200809L
#include <bdnn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A session, and what may still replace it. */
struct runner {
    const bdnn_model *model;
    bdnn_session_options options;
    bdnn_session *session;
    bool lost; /* an accelerator failed: see bdnn_session_run */
};

static bool is_cpu(const struct runner *r)
{
    return !r->options.device;
}

static bdnn_status fall_back(struct runner *r, bdnn_error *err)
{
    fprintf(stderr, "accelerator: %s; going on with the CPU\n", err->message);
    bdnn_session_free(r->session);
    r->options.device = NULL;
    return bdnn_session_create(r->model, &r->options, &r->session, err);
}

static bdnn_status open_session(struct runner *r, bdnn_error *err)
{
    const bdnn_status status = bdnn_session_create(r->model, &r->options, &r->session, err);
    r->lost = status == BDNN_ERROR_DEVICE;
    /* A wrong argument is the program's mistake, on the CPU too. */
    return status == BDNN_OK || status == BDNN_ERROR_ARGUMENT || is_cpu(r) ? status : fall_back(r, err);
}

static bdnn_status run(struct runner *r, const float *input, bdnn_error *err)
{
    bdnn_status status = bdnn_session_run(r->session, input, err);
    if (status == BDNN_ERROR_DEVICE && !is_cpu(r)) {
        r->lost = true;
        status = fall_back(r, err);
        if (status == BDNN_OK) {
            status = bdnn_session_run(r->session, input, err);
        }
    }
    return status;
}

static bdnn_status run_zeros(struct runner *r, bdnn_error *err)
{
    int64_t shape[6], elements = 1;
    const int32_t rank = bdnn_model_input_shape(r->model, shape);
    bdnn_result scores;
    float *input;
    bdnn_status status;
    for (int32_t axis = 1; axis < rank; axis++) {
        elements *= shape[axis];
    }
    input = calloc((size_t)elements, sizeof *input);
    if (!input) {
        snprintf(err->message, sizeof err->message, "no memory for an input");
        return BDNN_ERROR_MEMORY;
    }
    if ((status = open_session(r, err)) == BDNN_OK && (status = run(r, input, err)) == BDNN_OK &&
        (status = bdnn_session_output(r->session, 0, &scores, err)) == BDNN_OK) {
        for (int64_t c = 0; c < scores.shape[1]; c++) {
            printf("%a\n", (double)scores.data[c]);
        }
    }
    free(input);
    return status;
}

int main(int argc, char **argv)
{
    struct runner r = {.options = BDNN_SESSION_OPTIONS_INIT};
    bdnn_model *model;
    bdnn_error err;
    bdnn_status status;
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: accelerator MODEL DEVICE [XCLBIN]\n");
        return 2;
    }
    status = bdnn_model_load(argv[1], NULL, &model, &err);
    r.model = model;
    r.options.device = argv[2];
    r.options.xclbin = argc == 4 ? argv[3] : NULL;
    r.options.timeout_ms = 5000;
    if (status == BDNN_OK) {
        status = run_zeros(&r, &err);
    }
    if (status != BDNN_OK) {
        fprintf(stderr, "accelerator: %s\n", err.message);
    }
    bdnn_session_free(r.session);
    bdnn_model_free(model);
    if (r.lost) { /* XRT would wait for the device when the program ends */
        fflush(stdout);
        _exit(status == BDNN_OK ? 0 : 1);
    }
    return status == BDNN_OK ? 0 : 1;
}
