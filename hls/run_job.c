/* Calls the HLS kernel with a job (run_job.h). */
#include "run_job.h"

#include "bdnn_kernel_prototype.h"

static uint64_t *pointer(const uint32_t *words)
{
    return (uint64_t *)(uintptr_t)(words[0] | (uint64_t)words[1] << 32);
}

hls_status hls_run_words(const uint32_t w[BDNN_HW_ARGUMENT_WORDS])
{
    hls_status s;
    bdnn_kernel(pointer(w), pointer(w + 2), pointer(w + 4), pointer(w + 6), w[8], w[9], w[10], w[11], w[12], w[13],
                w[14], w[15], w[16], w[17], w[18], w[19], w[20], w[21], w[22], w[23], w[24], w[25], w[26], w[27], w[28],
                w[29], w[30], w[31], w[32], w[33], &s.ending, &s.cycles, &s.busy, &s.wait_load, &s.wait_results,
                &s.read_beats, &s.write_beats, &s.identity, &s.array, &s.word, &s.buffers, &s.features);
    return s;
}

hls_status hls_run_job(const bdnn_hw_job *job)
{
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    bdnn_hw_pack_job(job, words);
    return hls_run_words(words);
}
