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

/* Debian's pthreadpool tells a task no thread number, so each worker is itself one item of the pool's loop. Tiles are
 * dealt out in shares of neighbours, one a worker (several workers share one where there are many of them); who has
 * done his own goes on with the others'. Shares are the same in every call: from layer to layer a worker finds what it
 * wrote in its own caches. Which worker computes which tile varies, what a tile computes does not. */
#define MOST_SHARES 16
#define CACHE_LINES 128 /* that processors fetch together */

struct share {
    _Alignas(CACHE_LINES) atomic_size_t next;
    size_t end;
};

struct slots {
    bdnn_slot_task *task;
    void *context;
    size_t workers, share_count;
    struct share shares[MOST_SHARES];
};

static void run_slot(void *context, size_t slot)
{
    struct slots *slots = context;
    const size_t own = slot * slots->share_count / slots->workers;
    for (size_t i = 0; i < slots->share_count; i++) {
        struct share *share = &slots->shares[(own + i) % slots->share_count];
        size_t index;
        while (atomic_load_explicit(&share->next, memory_order_relaxed) < share->end &&
               (index = atomic_fetch_add_explicit(&share->next, 1, memory_order_relaxed)) < share->end) {
            slots->task(slots->context, slot, index);
        }
    }
}

void bdnn_parallel_slots(bdnn_threads *threads, bdnn_slot_task *task, void *context, size_t count)
{
    struct slots slots = {.task = task, .context = context, .workers = bdnn_threads_count(threads)};
    size_t begin = 0;
    slots.share_count = slots.workers < MOST_SHARES ? slots.workers : MOST_SHARES;
    for (size_t i = 0; i < slots.share_count; i++) {
        const size_t left = slots.share_count - i;
        struct share *share = &slots.shares[i];
        atomic_init(&share->next, begin);
        share->end = begin += (count - begin + left - 1) / left;
    }
    run(threads, run_slot, &slots, slots.workers);
}
