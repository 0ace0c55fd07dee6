/* SPDX-License-Identifier: BSD-2-Clause */
/* Measuring what the machine can do at best. */
#include "kernels/peak.h"

#include "bdnn_measure.h"
#include "core/clock.h"
#include "core/memory.h"

#include <string.h>
#include <unistd.h>

static double seconds_since(uint64_t start)
{
    return 1e-9 * (double)(bdnn_clock() - start);
}

static const bdnn_probe *probe_of(const char *kernel)
{
    const bdnn_probe_entry *const tables[] = {bdnn_probes_native, bdnn_probes_portable};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (const bdnn_probe_entry *e = tables[t]; e->kernel; e++) {
            if (strcmp(e->kernel->name, kernel) == 0) {
                return e->kernel->supported(NULL) ? e->probe : NULL;
            }
        }
    }
    return NULL;
}

/* ---- Products ---- */

#define PEAK_SECONDS 0.06
#define CALLS        64 /* of one task */
#define TASKS        4  /* a thread, between two looks at the clock */

static void call_probe(void *context, size_t task)
{
    const bdnn_probe *probe = context;
    (void)task;
    for (int i = 0; i < CALLS; i++) {
        probe->run();
    }
}

/* Products a second, of the best of many short spells: what another program takes away is left out. */
static double measure(const bdnn_probe *probe, bdnn_threads *threads)
{
    const size_t tasks = TASKS * bdnn_threads_count(threads);
    const uint64_t begin = bdnn_clock();
    double best = 0;
    bdnn_threads_hurry(threads);
    while (seconds_since(begin) < PEAK_SECONDS) {
        const uint64_t start = bdnn_clock();
        double rate;
        bdnn_parallel(threads, call_probe, (void *)probe, tasks);
        rate = (double)(tasks * CALLS) * probe->products / seconds_since(start);
        best = rate > best ? rate : best;
    }
    bdnn_threads_rest(threads);
    return best;
}

bool bdnn_peak_measure(const char *kernel, size_t thread_count, bdnn_peak *peak)
{
    if (!peak) {
        return false;
    }
    const bdnn_probe *probe = kernel ? probe_of(kernel) : NULL;
    bdnn_threads *threads = probe ? bdnn_threads_create(thread_count) : NULL;
    memset(peak, 0, sizeof *peak);
    if (!threads) {
        return false;
    }
    peak->instruction = probe->instruction;
    peak->binary = probe->binary;
    peak->products = measure(probe, threads);
    bdnn_threads_destroy(threads);
    return true;
}

/* ---- Reading ---- */

#define STRIPES      4
#define LINE         64
#define TASK_BYTES   ((size_t)1 << 20)
#define READ_SECONDS 0.1
#define MIN_PASSES   3
#define MIN_READ     ((size_t)8 << 20) /* between two looks at the clock */

/* Twice the last-level cache, as far as the system tells its size, but neither more than a quarter of the memory nor
 * more than takes a few seconds to fill. */
static size_t beyond_caches(void)
{
    size_t bytes = (size_t)256 << 20;
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const size_t quarter = pages > 0 && page > 0 ? (size_t)pages / 4 * (size_t)page : bytes;
#ifdef _SC_LEVEL3_CACHE_SIZE
    const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (cache > 0 && 2 * (size_t)cache > bytes) {
        bytes = 2 * (size_t)cache;
    }
#endif
    bytes = bytes < (size_t)2 << 30 ? bytes : (size_t)2 << 30;
    return bytes < quarter ? bytes : quarter;
}

struct reading {
    const uint8_t *memory;
    size_t stripe, part; /* bytes of a stripe, and of a task's part of it */
    size_t passes;       /* of a task over its part */
    bdnn_reader *read;
};

static void read_part(void *context, size_t task)
{
    const struct reading *job = context;
    const size_t first = task * job->part, left = job->stripe - first;
    for (size_t pass = 0; pass < job->passes; pass++) {
        job->read(job->memory + first, job->stripe, left < job->part ? left : job->part);
    }
}

double bdnn_peak_read(size_t bytes, size_t thread_count)
{
    struct reading job = {.read = bdnn_reader_native()};
    bdnn_threads *threads = bdnn_threads_create(thread_count);
    const size_t count = threads ? bdnn_threads_count(threads) : 1;
    size_t part, most, tasks;
    uint8_t *memory;
    uint64_t begin;
    double best = 0;
    bytes = bytes ? bytes : beyond_caches();
    job.stripe = bdnn_round_up(bytes, STRIPES * LINE) / STRIPES;
    /* What is read several times is read as a whole by each thread. */
    most = (bytes <= MIN_READ ? bytes : TASK_BYTES) / STRIPES;
    part = bytes / STRIPES / count < most ? bytes / STRIPES / count : most;
    job.part = bdnn_round_up(part ? part : 1, LINE);
    tasks = (job.stripe + job.part - 1) / job.part;
    job.passes = 1 + MIN_READ / (STRIPES * job.stripe);
    memory = bdnn_alloc(STRIPES * job.stripe, 1);
    if (memory && threads) {
        memset(memory, 1, STRIPES * job.stripe); /* pages of its own */
        job.memory = memory;
        bdnn_threads_hurry(threads);
        begin = bdnn_clock();
        for (int i = 0; i < MIN_PASSES || seconds_since(begin) < READ_SECONDS; i++) {
            const uint64_t start = bdnn_clock();
            double rate;
            bdnn_parallel(threads, read_part, &job, tasks);
            rate = (double)(job.passes * STRIPES * job.stripe) / seconds_since(start);
            best = rate > best ? rate : best;
        }
        bdnn_threads_rest(threads);
    }
    bdnn_free(memory);
    bdnn_threads_destroy(threads);
    return best;
}
