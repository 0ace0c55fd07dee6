/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread pool: an object that a session owns, without process-wide state. A call costs a microsecond or two while
 * the workers are awake, and never waits for a worker that has not begun: where other programs want the processors, the
 * caller does all the work itself. Work is cut in tiles whose sizes never depend on the number of threads: that, and
 * not luck, makes results equal for any number of threads. */
#ifndef BDNN_CORE_THREADS_H
#define BDNN_CORE_THREADS_H

#include "core/memory.h"

#include <stddef.h>

typedef struct bdnn_threads bdnn_threads;

/* A pool of `count` threads, the caller's included; 0 means one per online processor. NULL when it cannot be made; a
 * pool of NULL is accepted below and means "the calling thread alone". */
bdnn_threads *bdnn_threads_create(size_t count);
void bdnn_threads_destroy(bdnn_threads *threads);
size_t bdnn_threads_count(bdnn_threads *threads);

/* Calls task(context, i) for each i in 0..count-1, in any order, on any thread of the pool, and returns when all are
 * done. Each thread begins with its own run of neighboring indices, the same in all calls of one count. Several
 * threads may call, one is served after the other; a task may not. */
typedef void bdnn_task(void *context, size_t index);
void bdnn_parallel(bdnn_threads *threads, bdnn_task *task, void *context, size_t count);

/* The same, and the task also learns a slot (0..bdnn_threads_count-1) that no other running task of this call holds, to
 * pick its own scratch memory. */
typedef void bdnn_slot_task(void *context, size_t slot, size_t index);
void bdnn_parallel_slots(bdnn_threads *threads, bdnn_slot_task *task, void *context, size_t count);

/* Scratch memory for such a call: a slot of `bytes` for each thread, aligned, and a page apart from each other and from
 * what lies before. The processor fetches ahead of whoever reads a row, up to the page's end: would another thread's
 * slot begin there, each would take the other's lines away all the time. */
#define BDNN_APART 4096
static inline size_t bdnn_slots_bytes(size_t threads, size_t bytes)
{
    return bdnn_product(threads, bdnn_sum(bdnn_round_up(bytes, BDNN_ALIGNMENT), BDNN_APART));
}

static inline void *bdnn_slot(void *slots, size_t bytes, size_t slot)
{
    return (uint8_t *)slots + bdnn_slots_bytes(slot, bytes) + BDNN_APART;
}

/* Workers without work sleep after a millisecond, and waking them costs some tens of microseconds. Between
 * bdnn_threads_hurry and bdnn_threads_rest they watch for the next call longer, for tens of milliseconds if need be:
 * for work of many short calls, like the layers of a network. Whoever else wants the processor gets it meanwhile. */
void bdnn_threads_hurry(bdnn_threads *threads);
void bdnn_threads_rest(bdnn_threads *threads);

#endif
