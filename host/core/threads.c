/* The thread pool. */
#include "core/threads.h"

#include "core/memory.h"

#include <pthreadpool.h>
#include <stdatomic.h>

struct bdnn_threads {
    pthreadpool_t pool;
    uint32_t flags;
};

bdnn_threads *bdnn_threads_create(size_t count)
{
    bdnn_threads *threads = bdnn_zalloc(1, sizeof *threads);
    if (!threads) {
        return NULL;
    }
    threads->flags = PTHREADPOOL_FLAG_YIELD_WORKERS;
    threads->pool = pthreadpool_create(count);
    if (!threads->pool) {
        bdnn_free(threads);
        return NULL;
    }
    return threads;
}

void bdnn_threads_destroy(bdnn_threads *threads)
{
    if (threads) {
        pthreadpool_destroy(threads->pool);
        bdnn_free(threads);
    }
}

size_t bdnn_threads_count(bdnn_threads *threads)
{
    return threads ? pthreadpool_get_threads_count(threads->pool) : 1;
}

static void run(bdnn_threads *threads, bdnn_task *task, void *context, size_t count)
{
    pthreadpool_parallelize_1d(threads ? threads->pool : NULL, task, context, count, threads ? threads->flags : 0);
}

void bdnn_parallel(bdnn_threads *threads, bdnn_task *task, void *context, size_t count)
{
    run(threads, task, context, count);
}

static void nothing(void *context, size_t index)
{
    (void)context;
    (void)index;
}

void bdnn_threads_hurry(bdnn_threads *threads)
{
    if (threads) {
        threads->flags = 0;
    }
}

void bdnn_threads_rest(bdnn_threads *threads)
{
    if (threads && threads->flags != PTHREADPOOL_FLAG_YIELD_WORKERS) {
        threads->flags = PTHREADPOOL_FLAG_YIELD_WORKERS;
        run(threads, nothing, NULL, bdnn_threads_count(threads));
    }
}

/* Debian's pthreadpool tells a task no thread number, so each worker is itself one item of the pool's loop and draws
 * tiles from a counter; which worker draws which tile varies, what a tile computes does not. */
struct slots {
    bdnn_slot_task *task;
    void *context;
    size_t count;
    atomic_size_t next;
};

static void run_slot(void *context, size_t slot)
{
    struct slots *slots = context;
    size_t index;
    while ((index = atomic_fetch_add_explicit(&slots->next, 1, memory_order_relaxed)) < slots->count) {
        slots->task(slots->context, slot, index);
    }
}

void bdnn_parallel_slots(bdnn_threads *threads, bdnn_slot_task *task, void *context, size_t count)
{
    struct slots slots = {.task = task, .context = context, .count = count};
    run(threads, run_slot, &slots, bdnn_threads_count(threads));
}
