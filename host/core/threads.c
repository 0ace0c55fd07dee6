/* The thread pool. */
#include "core/threads.h"

#include <pthreadpool.h>
#include <stdatomic.h>

bdnn_threads *bdnn_threads_create(size_t count)
{
    return pthreadpool_create(count);
}

void bdnn_threads_destroy(bdnn_threads *threads)
{
    pthreadpool_destroy(threads);
}

size_t bdnn_threads_count(bdnn_threads *threads)
{
    return pthreadpool_get_threads_count(threads);
}

/* Idle workers sleep instead of spinning: pthreadpool's spin of tens of milliseconds would take a processor from every other pool and
 * program; waking costs some microseconds a call. */
#define FLAGS PTHREADPOOL_FLAG_YIELD_WORKERS

void bdnn_parallel(bdnn_threads *threads, bdnn_task *task, void *context, size_t count)
{
    pthreadpool_parallelize_1d(threads, task, context, count, FLAGS);
}

/* Debian's pthreadpool tells a task no thread number, so each worker is itself one item of the pool's loop and draws tiles from
 * a counter; which worker draws which tile varies, what a tile computes does not. */
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
    pthreadpool_parallelize_1d(threads, run_slot, &slots, bdnn_threads_count(threads), FLAGS);
}
