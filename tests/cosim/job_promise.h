/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel module's promise (docs/reference/driver.md) for one job: what bdnn_job_extents lets through stays within
 * what it has computed. */
#ifndef BDNN_COSIM_JOB_PROMISE_H
#define BDNN_COSIM_JOB_PROMISE_H

#include "fenced_job.h"
#include "job_draw.h"

/* The array that the kernel in C has. */
extern const bdnn_device_array job_array;

typedef enum job_outcome {
    JOB_NOT_ALLOWED, /* by the module */
    JOB_TOO_LARGE,   /* to be run */
    JOB_UNSUITED,    /* to the array's own memories: the kernel refuses it */
    JOB_RAN,         /* and stayed within its memory */
    JOB_BROKEN,      /* *what says what is wrong */
} job_outcome;

/* Asks the module, and runs what it lets through twice in fenced memory, when that is a matter of so many cycles. A
 * program with this in it has a kernel in C that trusts its job: what the hardware itself refuses must not hide what
 * the module lets through. */
job_outcome job_promise(const uint32_t words[BDNN_HW_ARGUMENT_WORDS], double max_cycles, uint64_t seed,
                        const char **what);

#endif
