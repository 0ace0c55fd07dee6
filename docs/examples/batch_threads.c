/* SPDX-License-Identifier: BSD-2-Clause */
/* Classifies a labeled set of images in batches, by several threads that share one model, and prints how many are
 * right.
 *
 * A model may be shared, and so may a dataset; a session belongs to one thread. Here each session computes on the one
 * thread that runs it, which suits many small inputs. One session with `threads` of its own is quicker for a single
 * one.
 *
 *     cc batch_threads.c $(pkg-config --cflags --libs bdnn) -pthread -o batch_threads
 *     ./batch_threads alexnet.bdnn t10k-images-idx3-ubyte.gz 1000 4 */
#include <bdnn.h>
#include <bdnn_data.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH       16
#define MAX_THREADS 64

/* What all threads share. Each takes the next batch that none has taken. */
struct work {
    const bdnn_model *model;
    const bdnn_dataset *dataset;
    bdnn_preprocess preprocess;
    size_t count; /* items */
    atomic_size_t next;
    atomic_size_t right;
};

struct worker {
    struct work *work;
    pthread_t thread;
    bdnn_status status;
    bdnn_error err;
};

static bdnn_status run_batch(struct work *work, bdnn_session *session, float *inputs, size_t first, bdnn_error *err)
{
    const bdnn_preprocess *p = &work->preprocess;
    const size_t item = (size_t)p->channels * (size_t)p->height * (size_t)p->width;
    const size_t count = work->count - first < BATCH ? work->count - first : BATCH;
    bdnn_result scores; /* [BATCH][classes]; of the last batch, inputs beyond `count` are those of the one before */
    bdnn_status status = BDNN_OK;
    for (size_t i = 0; i < count && status == BDNN_OK; i++) {
        status = bdnn_dataset_input(work->dataset, first + i, p, inputs + i * item, err);
    }
    if (status != BDNN_OK || (status = bdnn_session_run(session, inputs, err)) != BDNN_OK ||
        (status = bdnn_session_output(session, 0, &scores, err)) != BDNN_OK) {
        return status;
    }
    for (size_t i = 0; i < count && status == BDNN_OK; i++) {
        const size_t classes = (size_t)scores.shape[1];
        int32_t label;
        status = bdnn_dataset_class(work->dataset, first + i, &label, err);
        if (status == BDNN_OK && bdnn_rank_of(scores.data + i * classes, classes, label) == 0) {
            atomic_fetch_add(&work->right, 1);
        }
    }
    return status;
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    struct work *work = worker->work;
    const bdnn_preprocess *p = &work->preprocess;
    const bdnn_session_options options = {.struct_size = sizeof options, .threads = 1, .batch = BATCH};
    float *inputs = calloc((size_t)BATCH * (size_t)p->channels * (size_t)p->height * (size_t)p->width, sizeof *inputs);
    bdnn_session *session = NULL;
    size_t first;
    if (!inputs) {
        snprintf(worker->err.message, sizeof worker->err.message, "no memory for a batch");
        worker->status = BDNN_ERROR_MEMORY;
    } else {
        worker->status = bdnn_session_create(work->model, &options, &session, &worker->err);
    }
    while (worker->status == BDNN_OK && (first = atomic_fetch_add(&work->next, BATCH)) < work->count) {
        worker->status = run_batch(work, session, inputs, first, &worker->err);
    }
    bdnn_session_free(session);
    free(inputs);
    return NULL;
}

/* Runs everything; the status, and with it *err, is that of the first thread that failed. */
static bdnn_status run_all(struct work *work, size_t threads, bdnn_error *err)
{
    static struct worker workers[MAX_THREADS];
    bdnn_status status = BDNN_OK;
    size_t started = 0;
    while (started < threads) {
        workers[started].work = work;
        if (pthread_create(&workers[started].thread, NULL, run_worker, &workers[started]) != 0) {
            snprintf(err->message, sizeof err->message, "thread %zu cannot be started", started);
            status = BDNN_ERROR_MEMORY;
            break;
        }
        started++;
    }
    for (size_t i = 0; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        if (status == BDNN_OK && workers[i].status != BDNN_OK) {
            status = workers[i].status;
            *err = workers[i].err;
        }
    }
    return status;
}

int main(int argc, char **argv)
{
    struct work work = {.count = argc == 5 ? strtoul(argv[3], NULL, 10) : 0};
    const size_t threads = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    bdnn_model *model = NULL;
    bdnn_dataset *dataset = NULL;
    bdnn_error err;
    bdnn_status status;
    if (work.count < 1 || threads < 1 || threads > MAX_THREADS) {
        fprintf(stderr, "usage: batch_threads MODEL DATASET COUNT THREADS\n");
        return 2;
    }
    if ((status = bdnn_model_load(argv[1], NULL, &model, &err)) == BDNN_OK &&
        (status = bdnn_dataset_open(argv[2], NULL, &dataset, &err)) == BDNN_OK) {
        work.model = model;
        work.dataset = dataset;
        work.preprocess = bdnn_model_preprocess(model);
        work.count = bdnn_dataset_count(dataset) < work.count ? bdnn_dataset_count(dataset) : work.count;
        status = run_all(&work, threads, &err);
    }
    if (status == BDNN_OK) {
        printf("%zu of %zu right\n", (size_t)atomic_load(&work.right), work.count);
    } else {
        fprintf(stderr, "batch_threads: %s\n", err.message);
    }
    bdnn_dataset_free(dataset);
    bdnn_model_free(model);
    return status == BDNN_OK ? 0 : 1;
}
