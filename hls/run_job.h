/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls the HLS kernel with a job whose addresses are pointers: for test benches and programs that run it in their own
 * memory. */
#ifndef BDNN_HLS_RUN_JOB_H
#define BDNN_HLS_RUN_JOB_H

#include "bdnn_hw.h"

/* Runs it; the status words of that run. */
bdnn_hw_status hls_run_job(const bdnn_hw_job *job);

/* The same from the words of the job, as they are in the registers. */
bdnn_hw_status hls_run_words(const uint32_t words[BDNN_HW_ARGUMENT_WORDS]);

#endif
