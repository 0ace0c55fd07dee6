/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel module's promise that no job reaches memory outside of what it has computed (driver/bdnn_job.c), for jobs
 * at random: each that the module lets through runs on the kernel in C in fenced memory. What the planner's jobs need,
 * they get, to the byte.
 *
 *   job_extents [SEED [CASES [SECONDS]]]       `job_extents SEED 1` repeats one case */
#include "device_case.h"
#include "job_promise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double max_cycles = 20000; /* of a job that is run */

static void fail(const char *what, uint64_t seed, const uint32_t *words)
{
    char text[JOB_TEXT];
    job_text(words, text);
    fprintf(stderr, "case %" PRIu64 ": %s; %s\n", seed, what, text);
    exit(1);
}

/* All groups together reach each buffer exactly to its end. */
static void check_planned(uint64_t seed)
{
    const bdnn_device_output output = {.mode = device_sums[seed % DEVICE_SUMS], .bits = 4, .high = 15};
    const bdnn_ip_shape shape = device_shape_random();
    uint32_t words[BDNN_HW_ARGUMENT_WORDS] = {0};
    uint64_t furthest[BDNN_HW_POINTERS] = {0};
    bdnn_device_layer layer;
    if (!bdnn_device_plan(&job_array, &shape, &output, &layer)) {
        return;
    }
    const uint64_t sizes[] = {8 * (uint64_t)layer.weight_words, 8 * (uint64_t)layer.activation_words,
                              8 * (uint64_t)layer.filter_words, 8 * (uint64_t)layer.result_words};
    for (int64_t g = 0; g < shape.groups; g++) {
        const bdnn_hw_job job = bdnn_device_job(&layer, g);
        struct bdnn_extent extents[BDNN_HW_POINTERS];
        bdnn_hw_pack_job(&job, words);
        if (!bdnn_job_extents(words, job_array.rows, job_array.word_bits / BDNN_HW_UNIT, extents)) {
            fail("a planned job is not let through", seed, words);
        }
        for (int i = 0; i < BDNN_HW_POINTERS; i++) {
            const uint64_t end = extents[i].offset + extents[i].bytes;
            furthest[i] = end > furthest[i] ? end : furthest[i];
        }
    }
    if (memcmp(furthest, sizes, sizeof sizes) != 0) {
        fail("the planned jobs of all groups do not reach their buffers' ends", seed, words);
    }
}

static job_outcome check(uint64_t seed, const uint32_t *words)
{
    const char *what = NULL;
    const job_outcome outcome = job_promise(words, max_cycles, seed, &what);
    if (outcome == JOB_BROKEN) {
        fail(what, seed, words);
    }
    return outcome;
}

int main(int argc, char **argv)
{
    const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    const uint64_t cases = argc > 2 ? strtoull(argv[2], NULL, 0) : 20000;
    const time_t end = time(NULL) + (argc > 3 ? atol(argv[3]) : 15);
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    uint64_t i = 0, counted[JOB_BROKEN] = {0};
    fenced_job_explain();
    for (int k = JOBS_KEPT - 1; k >= 0; k--) {
        bdnn_hw_pack_job(&jobs_kept[k].job, words);
        if (check(0, words) != JOB_NOT_ALLOWED) {
            fail(jobs_kept[k].what, 0, words);
        }
    }
    for (; i < cases && time(NULL) < end; i++) {
        random_seed((seed + i) * 0x9E3779B97F4A7C15u);
        job_draw(&job_array, words);
        counted[check(seed + i, words)]++;
        check_planned(seed + i);
    }
    printf("of %" PRIu64 " jobs %" PRIu64 " are not let through, %" PRIu64 " are too large to be run, %" PRIu64
           " are none for this array; %" PRIu64 " stayed within their memory\n",
           i, counted[JOB_NOT_ALLOWED], counted[JOB_TOO_LARGE], counted[JOB_UNSUITED], counted[JOB_RAN]);
    return cases > 100 && counted[JOB_RAN] < i / 20;
}
