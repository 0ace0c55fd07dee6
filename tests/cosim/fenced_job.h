/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel in C on a job in fenced memory: what the job may reach from each of its pointers is there, exactly, and
 * for gigabytes around it there is nothing. */
#ifndef BDNN_COSIM_FENCED_JOB_H
#define BDNN_COSIM_FENCED_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "bdnn_job.h"
#include "run_job.h"

/* Bytes of an extent at most, and of the way there. */
enum { FENCED_MAX = 1 << 18 };

/* Whether the extents are small enough to be run. */
bool fenced_job_fits(const struct bdnn_extent extents[BDNN_HW_POINTERS]);

/* Runs the job; the addresses among the words count for nothing. What it reads are numbers at random from `seed`, what
 * it writes was 0xa5 before. Memory is there in whole pages: with `at_end` the extents end with theirs, otherwise they
 * begin with theirs. An access elsewhere ends the program by a signal, or as fenced_job_explain says. */
bdnn_hw_status fenced_job_run(const uint32_t words[BDNN_HW_ARGUMENT_WORDS],
                              const struct bdnn_extent extents[BDNN_HW_POINTERS], uint64_t seed, bool at_end);

/* The memory of the last run: what was given for extent `pointer`, as long as that is. */
uint8_t *fenced_job_memory(int pointer);

/* From now on a stray access ends the program with a message that names the job of the run, and with exit code 1; so
 * does a job of which the kernel makes no end for a minute. */
void fenced_job_explain(void);

/* Runs the job where there is no memory at all. True if the kernel refused it, false if it went for memory. Needs
 * fenced_job_explain. */
bool fenced_job_refused(const uint32_t words[BDNN_HW_ARGUMENT_WORDS]);

#ifdef __cplusplus
}
#endif

#endif
