/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn as a peer: ours NETWORK INPUT THREADS DEVICE */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#include <bdnn.h>

static struct {
    const char *network, *input_path;
    bdnn_session_options options;
    bdnn_session *session;
    float *input;
    bdnn_error err;
} peer;

static void check(bdnn_status status)
{
    if (status != BDNN_OK) {
        fail(peer.err.message);
    }
}

static void load(void)
{
    bdnn_model *model;
    int64_t shape[6];
    int32_t rank;
    size_t count = 1;
    check(bdnn_model_load(peer.network, NULL, &model, &peer.err));
    rank = bdnn_model_input_shape(model, shape);
    for (int32_t a = 1; a < rank; a++) {
        count *= (size_t)shape[a];
    }
    peer.input = read_floats(peer.input_path, count);
    check(bdnn_session_create(model, &peer.options, &peer.session, &peer.err));
}

static void run(void)
{
    check(bdnn_session_run(peer.session, peer.input, &peer.err));
}

static void output(const char *path)
{
    bdnn_result result;
    size_t count = 1;
    check(bdnn_session_output(peer.session, 0, &result, &peer.err));
    for (int32_t a = 0; a < result.rank; a++) {
        count *= (size_t)result.shape[a];
    }
    write_floats(path, result.data, count);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fail("usage: ours NETWORK INPUT THREADS DEVICE");
    }
    peer.network = argv[1];
    peer.input_path = argv[2];
    peer.options = (bdnn_session_options)BDNN_SESSION_OPTIONS_INIT;
    peer.options.threads = (size_t)atoi(argv[3]);
    peer.options.device = argv[4];
    serve(load, run, output);
    return 0;
}
