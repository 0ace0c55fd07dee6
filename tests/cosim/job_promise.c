/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel module's promise for one job (job_promise.h). */
#include "job_promise.h"

#include "kernel/kernel.h"

#include <string.h>

/* In the place of the kernel's own. */
int reaches_too_far(const bdnn_hw_job *job)
{
    (void)job;
    return 0;
}

const bdnn_device_array job_array = {.rows = BDNN_BOARD_ROWS,
                                     .columns = BDNN_BOARD_COLUMNS,
                                     .word_bits = BDNN_BOARD_WORD_BITS,
                                     .weight_depth = BDNN_BOARD_WEIGHT_DEPTH,
                                     .activation_depth = BDNN_BOARD_ACTIVATION_DEPTH,
                                     .tiles = BDNN_BOARD_TILES};

/* Once with memory that ends with pages and once with memory that begins with them; the results are the same. */
static job_outcome run(const uint32_t *words, const struct bdnn_extent *extents, uint64_t seed, const char **what)
{
    static uint8_t results[FENCED_MAX];
    const size_t bytes = (size_t)extents[BDNN_HW_POINTER_RESULTS].bytes;
    if (fenced_job_run(words, extents, seed, true).ending != 0) {
        *what = "the module lets through what the kernel refuses";
        return job_suits_array(&job_array, words) ? JOB_BROKEN : JOB_UNSUITED;
    }
    memcpy(results, fenced_job_memory(BDNN_HW_POINTER_RESULTS), bytes);
    if (fenced_job_run(words, extents, seed, false).ending != 0 ||
        memcmp(results, fenced_job_memory(BDNN_HW_POINTER_RESULTS), bytes) != 0) {
        *what = "results differ when they are elsewhere";
        return JOB_BROKEN;
    }
    return JOB_RAN;
}

job_outcome job_promise(const uint32_t words[BDNN_HW_ARGUMENT_WORDS], double max_cycles, uint64_t seed,
                        const char **what)
{
    struct bdnn_extent extents[BDNN_HW_POINTERS];
    if (!bdnn_job_extents(words, job_array.rows, job_array.word_bits / BDNN_HW_UNIT, extents)) {
        return JOB_NOT_ALLOWED;
    }
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        if (extents[i].offset > INT64_MAX || extents[i].bytes > INT64_MAX) {
            *what = "an extent of more than 63 bits, or before its pointer";
            return JOB_BROKEN;
        }
    }
    if (!fenced_job_fits(extents) || job_cycles(&job_array, words) > max_cycles) {
        return JOB_TOO_LARGE;
    }
    return run(words, extents, seed, what);
}
