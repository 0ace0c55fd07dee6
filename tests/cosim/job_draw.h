/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs of the kernel at random, as argument words, for those who check what a job may reach: the planner's, the
 * planner's with some numbers changed, and such as no planner makes. */
#ifndef BDNN_COSIM_JOB_DRAW_H
#define BDNN_COSIM_JOB_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "../kernels/problem.h"
#include "backends/device/layout.h"

/* Jobs that once reached behind their buffers. */
typedef struct job_kept {
    const char *what;
    bdnn_hw_job job;
} job_kept;
enum { JOBS_KEPT = 2 };
extern const job_kept jobs_kept[JOBS_KEPT];

/* A job at random, the addresses 0. Random numbers come from problem.h. */
void job_draw(const bdnn_device_array *array, uint32_t words[BDNN_HW_ARGUMENT_WORDS]);

/* About how many cycles the array and its port need for the job. */
double job_cycles(const bdnn_device_array *array, const uint32_t words[BDNN_HW_ARGUMENT_WORDS]);

/* Whether what only concerns the array's own memories and the alignment of words is as it must be: a kernel may refuse
 * the job otherwise, wherever it leads. */
bool job_suits_array(const bdnn_device_array *array, const uint32_t words[BDNN_HW_ARGUMENT_WORDS]);

/* The words on one line, for messages; `text` has room for JOB_TEXT characters. */
enum { JOB_TEXT = 512 };
void job_text(const uint32_t words[BDNN_HW_ARGUMENT_WORDS], char text[JOB_TEXT]);

#ifdef __cplusplus
}
#endif

#endif
