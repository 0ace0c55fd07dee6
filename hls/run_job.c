/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls the HLS kernel with a job (run_job.h). */
#include "run_job.h"

#include "bdnn_kernel_prototype.h"

bdnn_hw_status hls_run_words(const uint32_t words[BDNN_HW_ARGUMENT_WORDS])
{
    bdnn_hw_status status;
    bdnn_kernel(BDNN_KERNEL_ARGUMENTS(words, &status));
    return status;
}

bdnn_hw_status hls_run_job(const bdnn_hw_job *job)
{
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    bdnn_hw_pack_job(job, words);
    return hls_run_words(words);
}
