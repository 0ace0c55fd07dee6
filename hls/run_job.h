/* Calls the HLS kernel with a job whose addresses are pointers: for test benches and programs that run it in their own
 * memory. */
#ifndef BDNN_HLS_RUN_JOB_H
#define BDNN_HLS_RUN_JOB_H

#include "bdnn_hw.h"

/* The kernel's read-only words after a run. */
typedef struct hls_status {
    uint32_t ending, cycles, busy, wait_load, wait_results, read_beats, write_beats;
    uint32_t identity, array, word, buffers, features;
} hls_status;

hls_status hls_run_job(const bdnn_hw_job *job);

/* The same from the words of the job, as they are in the registers. */
hls_status hls_run_words(const uint32_t words[BDNN_HW_ARGUMENT_WORDS]);

#endif
