/* SPDX-License-Identifier: BSD-2-Clause */
/* One model, many threads: each opens sessions of its own, at the same moment and before anything else has run in the
 * process, and gets what one thread alone gets. scripts/test threads runs this under the thread sanitizer. */
#define _GNU_SOURCE /* barriers, mkstemp */
#include "networks.h"

#include "layers/formats.h"

#include <pthread.h>
#include <unistd.h>

enum { CALLERS = 4, ROUNDS = 3, CHANNELS = 3, SIDE = 9, CLASSES = 11, ITEM = CHANNELS * SIDE * SIDE, BATCH = 2 };

static const char *const devices[] = {"cpu", "reference", "float"};
enum { DEVICES = sizeof devices / sizeof *devices };

static bdnn_model *network(void)
{
    bdnn_model *model = model_with_input(&(bdnn_shape){4, {1, CHANNELS, SIDE, SIDE}});
    bdnn_layer *layer;
    bdnn_error err;
    const int32_t first = add_relu(model, add_conv(model, 0, CHANNELS, 1, 24, 3));
    const int32_t pair[2] = {first, add_conv(model, first, 24, 3, 24, 3)};
    const int32_t sum = add_relu(model, add_layer(model, BDNN_OP_ADD, pair, 2, &layer));
    const int32_t scores = add_layer(model, BDNN_OP_DENSE, &sum, 1, &layer);
    layer->attr.dense.filters = CLASSES;
    layer->decomposed = random_decomposed(CLASSES, SIDE * SIDE * 24);
    finish(model, scores);
    assert_int_equal(bdnn_formats_choose(&model->graph, &err), BDNN_OK);
    return model;
}

/* A thread may not use cmocka's assertions: what goes wrong is told by `error`. */
struct caller {
    const bdnn_model *model;
    const char *path; /* the same model, which each also loads for itself */
    pthread_barrier_t *start;
    pthread_t thread;
    size_t index;
    float input[BATCH * ITEM];
    float scores[DEVICES][ROUNDS][BATCH * CLASSES];
    bdnn_error error;
    bdnn_status status;
};

static bdnn_status run_session(const bdnn_model *model, const bdnn_session_options *options, const float *input,
                               float *scores, bdnn_error *error)
{
    bdnn_session *session;
    bdnn_result result;
    bdnn_status status = bdnn_session_create(model, options, &session, error);
    for (int run = 0; run < 2 && status == BDNN_OK; run++) {
        status = bdnn_session_run(session, input, error);
    }
    if (status == BDNN_OK) {
        status = bdnn_session_output(session, 0, &result, error);
    }
    if (status == BDNN_OK) {
        memcpy(scores, result.data, BATCH * CLASSES * sizeof *scores);
    }
    bdnn_session_free(session);
    return status;
}

/* Each caller goes through devices and numbers of threads in an order of its own. */
static bdnn_status call(struct caller *caller)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < DEVICES; i++) {
            const size_t d = (i + caller->index) % DEVICES;
            const bdnn_session_options options = {.struct_size = sizeof options,
                                                  .device = devices[d],
                                                  .threads = 1 + (caller->index + round) % 3,
                                                  .batch = BATCH};
            bdnn_model *own = NULL;
            bdnn_status status = BDNN_OK;
            if (round == 1) {
                status = bdnn_model_load(caller->path, NULL, &own, &caller->error);
            }
            if (status == BDNN_OK) {
                status = run_session(own ? own : caller->model, &options, caller->input, caller->scores[d][round],
                                     &caller->error);
            }
            bdnn_model_free(own);
            if (status != BDNN_OK) {
                return status;
            }
        }
    }
    return BDNN_OK;
}

static void *work(void *argument)
{
    struct caller *caller = argument;
    pthread_barrier_wait(caller->start);
    caller->status = call(caller);
    return NULL;
}

static void sessions_share_a_model(void **unused)
{
    static struct caller callers[CALLERS];
    pthread_barrier_t start;
    bdnn_model *written = network(), *model;
    char path[] = "/tmp/bdnn-test-XXXXXX";
    const int file = mkstemp(path);
    bdnn_error err;
    (void)unused;
    assert_true(file >= 0);
    close(file);
    assert_int_equal(bdnn_model_save(written, path, &err), BDNN_OK);
    assert_int_equal(bdnn_model_load(path, NULL, &model, &err), BDNN_OK);
    assert_int_equal(pthread_barrier_init(&start, NULL, CALLERS), 0);
    for (size_t c = 0; c < CALLERS; c++) {
        callers[c] = (struct caller){.model = model, .path = path, .start = &start, .index = c};
        for (size_t i = 0; i < BATCH * ITEM; i++) {
            callers[c].input[i] = random_float();
        }
    }
    for (size_t c = 0; c < CALLERS; c++) {
        assert_int_equal(pthread_create(&callers[c].thread, NULL, work, &callers[c]), 0);
    }
    for (size_t c = 0; c < CALLERS; c++) {
        pthread_join(callers[c].thread, NULL);
    }
    pthread_barrier_destroy(&start);
    for (size_t c = 0; c < CALLERS; c++) {
        if (callers[c].status != BDNN_OK) {
            fail_msg("caller %zu: %s", c, callers[c].error.message);
        }
        for (size_t d = 0; d < DEVICES; d++) {
            const bdnn_session_options alone = {
                .struct_size = sizeof alone, .device = devices[d], .threads = 1, .batch = BATCH};
            float expected[BATCH * CLASSES];
            assert_int_equal(run_session(written, &alone, callers[c].input, expected, &err), BDNN_OK);
            for (size_t round = 0; round < ROUNDS; round++) {
                assert_memory_equal(callers[c].scores[d][round], expected, sizeof expected);
            }
        }
    }
    bdnn_model_free(model);
    bdnn_model_free(written);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sessions_share_a_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
