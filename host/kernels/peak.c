/* Measuring what the machine can do at best. */
#include "kernels/peak.h"

#include "bdnn.h"

#include "core/clock.h"
#include "core/memory.h"
#include "core/threads.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
extern const bdnn_peak bdnn_peak_amx, bdnn_peak_avx512vnni, bdnn_peak_avxvnni, bdnn_peak_avx2;
#endif

static const bdnn_peak *const peaks[] = {
#if defined(__x86_64__)
    &bdnn_peak_amx, &bdnn_peak_avx512vnni, &bdnn_peak_avxvnni, &bdnn_peak_avx2,
#endif
    NULL,
};

static const bdnn_peak *peak_of(const char *kernel)
{
    const char *set = strstr(kernel, "__");
    for (const bdnn_peak *const *p = peaks; set && *p; p++) {
        if (strcmp((*p)->kernels, set + 2) == 0) {
            return *p;
        }
    }
    return NULL;
}

static double now(void)
{
    return 1e-9 * (double)bdnn_clock();
}

#define PEAK_SECONDS 0.05
#define CALLS        256 /* between two looks at the clock */

static double measure(const bdnn_peak *peak)
{
    double begin = now(), best = 0;
    if (!peak || !peak->supported()) {
        return 0;
    }
    while (now() - begin < PEAK_SECONDS) {
        const double start = now();
        double rate;
        for (int i = 0; i < CALLS; i++) {
            peak->run();
        }
        rate = CALLS * peak->multiply_adds / (now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

/* Read together: more than the caches near a core, and than one stream's prefetching can follow. */
#define READ_BYTES   ((size_t)256 << 20)
#define READ_STRIPES 4
#define READ_TASK    ((size_t)1 << 20)
#define READ_PASSES  5

struct reading {
    const uint64_t *words;
    uint64_t *sums; /* per task, so that nothing is read in vain */
};

static void read_task(void *context, size_t task)
{
    const struct reading *job = context;
    const size_t stripe = READ_BYTES / READ_STRIPES / sizeof(uint64_t),
                 part = READ_TASK / READ_STRIPES / sizeof(uint64_t);
    const uint64_t *at = job->words + task * part;
    uint64_t sum[READ_STRIPES][8] = {{0}};
    for (size_t i = 0; i < part; i += 8) {
        for (size_t s = 0; s < READ_STRIPES; s++) {
            for (size_t w = 0; w < 8; w++) {
                sum[s][w] += at[s * stripe + i + w];
            }
        }
    }
    job->sums[task] = 0;
    for (size_t s = 0; s < READ_STRIPES; s++) {
        for (size_t w = 0; w < 8; w++) {
            job->sums[task] += sum[s][w];
        }
    }
}

static double read_bandwidth(bdnn_threads *threads)
{
    const size_t tasks = READ_BYTES / READ_TASK;
    struct reading job = {.words = bdnn_zalloc(READ_BYTES, 1), .sums = bdnn_zalloc(tasks, sizeof(uint64_t))};
    double best = 0;
    if (job.words && job.sums) {
        memset((void *)job.words, 1, READ_BYTES); /* pages of its own */
        for (int pass = 0; pass < READ_PASSES; pass++) {
            const double start = now();
            double rate;
            bdnn_parallel(threads, read_task, &job, tasks);
            rate = (double)READ_BYTES / (now() - start);
            best = rate > best ? rate : best;
        }
    }
    bdnn_free((void *)job.words);
    bdnn_free(job.sums);
    return best;
}

double bdnn_peak_multiply_adds(const char *kernel, const char **instruction)
{
    const bdnn_peak *peak = peak_of(kernel);
    *instruction = peak ? peak->instruction : NULL;
    return measure(peak);
}

double bdnn_peak_read_bytes(size_t count)
{
    bdnn_threads *threads = bdnn_threads_create(count);
    const double rate = threads ? read_bandwidth(threads) : 0;
    bdnn_threads_destroy(threads);
    return rate;
}
