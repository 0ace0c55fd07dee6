/* The thread pool: an object that a session owns, without process-wide state. A call costs a microsecond or two while
 * the workers are awake, and never waits for a worker that has not begun: where other programs want the processors, the
 * caller does all the work itself. Work is cut in tiles whose sizes never depend on the number of threads: that, and
 * not luck, makes results equal for any number of threads. */
#ifndef BDNN_CORE_THREADS_H
#define BDNN_CORE_THREADS_H

#include <stddef.h>

typedef struct bdnn_threads bdnn_threads;

/* A pool of `count` threads, the caller's included; 0 means one per online processor. NULL when it cannot be made; a
 * pool of NULL is accepted below and means "the calling thread alone". */
bdnn_threads *bdnn_threads_create(size_t count);
void bdnn_threads_destroy(bdnn_threads *threads);
size_t bdnn_threads_count(bdnn_threads *threads);

/* Calls task(context, i) for each i in 0..count-1, in any order, on any thread of the pool, and returns when all are
 * done. Each thread begins with its own run of neighbouring indices, the same in all calls of one count. Several
 * threads may call, one is served after the other; a task may not. */
typedef void bdnn_task(void *context, size_t index);
void bdnn_parallel(bdnn_threads *threads, bdnn_task *task, void *context, size_t count);

/* The same, and the task also learns a slot (0..bdnn_threads_count-1) that no other running task of this call holds, to
 * pick its own scratch memory. */
typedef void bdnn_slot_task(void *context, size_t slot, size_t index);
void bdnn_parallel_slots(bdnn_threads *threads, bdnn_slot_task *task, void *context, size_t count);

/* Between the calls above idle workers sleep, and waking them costs tens of microseconds. From bdnn_threads_hurry on
 * they watch for the next call instead, giving way to whoever else wants the processor, for tens of milliseconds if
 * need be, until bdnn_threads_rest: for work of many short calls, like the layers of a network. */
void bdnn_threads_hurry(bdnn_threads *threads);
void bdnn_threads_rest(bdnn_threads *threads);

#endif
