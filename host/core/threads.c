/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread pool. */
#define _GNU_SOURCE /* affinity of threads */
#include "core/threads.h"

#include "core/clock.h"
#include "core/memory.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

/* Waiting: so many looks with a pause between, a microsecond or a few; then giving way to whoever else wants the
 * processor, which costs little when nobody does; then, after so long without work, asleep. */
#define LOOKS             100
#define HURRY_NANOSECONDS UINT64_C(20000000)
#define REST_NANOSECONDS  UINT64_C(1000000)

/* Indices that lie together, claimed from the front: first by the thread whose share it is, then by any. `left` also
 * holds the number of the call, above 32 bits of a count: a claim by a thread that comes late, when another call has
 * begun, fails. A call does not end before what is claimed of it is done, so who has claimed may read the rest. */
struct share {
    _Alignas(BDNN_ALIGNMENT) _Atomic uint64_t left;
    size_t end;
};

struct bdnn_threads {
    /* One call at a time. */
    pthread_mutex_t calls;
    bdnn_slot_task *task;
    void *context;
    struct share *shares; /* one a thread */
    _Alignas(BDNN_ALIGNMENT) atomic_size_t unfinished;
    _Alignas(BDNN_ALIGNMENT) _Atomic uint32_t call; /* its number */
    atomic_bool hurry, stop;
    /* Of sleeping workers. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_size_t sleepers;
    size_t count, started; /* threads, the caller's included; workers */
    struct worker *workers;
};

struct worker {
    bdnn_threads *threads;
    size_t slot;
    pthread_t handle;
    /* Under `lock`: */
    bool asleep, steered;
    cpu_set_t allowed; /* processors, when `steered` */
};

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#endif
}

/* Some of what is left of a share: many small pieces at once, so that claiming costs little, but ever fewer, so that
 * all threads end together. The first is the result, their number *count; 0 when nothing is left. */
static size_t claim(struct share *share, size_t *count)
{
    uint64_t left = atomic_load_explicit(&share->left, memory_order_relaxed);
    while ((uint32_t)left > 0) {
        const uint32_t some = (uint32_t)left / 32 + 1;
        if (atomic_compare_exchange_weak_explicit(&share->left, &left, left - some, memory_order_acquire,
                                                  memory_order_relaxed)) {
            *count = some;
            return share->end - (uint32_t)left;
        }
    }
    *count = 0;
    return 0;
}

/* Does what it can claim, its own share first. */
static void help(bdnn_threads *t, size_t slot)
{
    size_t done = 0, count;
    for (size_t i = 0; i < t->count; i++) {
        struct share *share = &t->shares[(slot + i) % t->count];
        for (size_t first = claim(share, &count); count > 0; first = claim(share, &count)) {
            for (size_t index = first; index < first + count; index++) {
                t->task(t->context, slot, index);
            }
            done += count;
        }
    }
    if (done > 0) {
        atomic_fetch_sub_explicit(&t->unfinished, done, memory_order_release);
    }
}

static bool has_news(bdnn_threads *t, uint32_t seen)
{
    return atomic_load(&t->call) != seen || atomic_load_explicit(&t->stop, memory_order_relaxed);
}

/* Lets a steered worker, which is awake now, run wherever it may. Under `lock`. */
static void restore_affinity(struct worker *self)
{
    if (self->steered) {
        pthread_setaffinity_np(pthread_self(), sizeof self->allowed, &self->allowed);
        self->steered = false;
    }
}

static void sleep_until_news(bdnn_threads *t, struct worker *self, uint32_t seen)
{
    pthread_mutex_lock(&t->lock);
    atomic_fetch_add(&t->sleepers, 1);
    self->asleep = true;
    while (!has_news(t, seen)) {
        pthread_cond_wait(&t->wake, &t->lock);
    }
    self->asleep = false;
    atomic_fetch_sub(&t->sleepers, 1);
    restore_affinity(self);
    pthread_mutex_unlock(&t->lock);
}

/* Until there is another call than the one that was seen, or an end. */
static void await_call(bdnn_threads *t, struct worker *self, uint32_t seen)
{
    const uint64_t begin = bdnn_clock();
    for (size_t look = 0; !has_news(t, seen); look++) {
        const bool hurry = atomic_load_explicit(&t->hurry, memory_order_relaxed);
        if (look < LOOKS) {
            pause_briefly();
        } else if (bdnn_clock() - begin < (hurry ? HURRY_NANOSECONDS : REST_NANOSECONDS)) {
            sched_yield();
        } else {
            sleep_until_news(t, self, seen);
        }
    }
}

static void *work(void *context)
{
    struct worker *worker = context;
    bdnn_threads *t = worker->threads;
    uint32_t seen = 0;
    pthread_mutex_lock(&t->lock);
    restore_affinity(worker);
    pthread_mutex_unlock(&t->lock);
    while (!atomic_load_explicit(&t->stop, memory_order_relaxed)) {
        await_call(t, worker, seen);
        seen = atomic_load(&t->call);
        help(t, worker->slot);
    }
    return NULL;
}

/* The processors that a worker may run on, but the caller's: false when that leaves none. Linux, when it wakes or
 * starts a thread, does not take an idle processor of a virtual machine for one that is free (the hypervisor runs
 * something else on it meanwhile): worker and caller would take turns on one, for whole runs of a network, beside one
 * that is idle. */
static bool others_than(int caller, const cpu_set_t *allowed, cpu_set_t *others)
{
    if (caller < 0 || !CPU_ISSET(caller, allowed)) {
        return false;
    }
    *others = *allowed;
    CPU_CLR(caller, others);
    return CPU_COUNT(others) > 0;
}

/* Keeps a sleeping worker off the caller's processor until it is awake. */
static void steer(struct worker *worker, int caller)
{
    cpu_set_t others;
    if (worker->asleep && !worker->steered &&
        pthread_getaffinity_np(worker->handle, sizeof worker->allowed, &worker->allowed) == 0) {
        worker->steered = others_than(caller, &worker->allowed, &others) &&
                          pthread_setaffinity_np(worker->handle, sizeof others, &others) == 0;
    }
}

/* Starts a worker, likewise off the caller's processor at first. */
static int start(struct worker *worker)
{
    pthread_attr_t attributes;
    cpu_set_t others;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return error;
    }
    worker->steered = pthread_getaffinity_np(pthread_self(), sizeof worker->allowed, &worker->allowed) == 0 &&
                      others_than(sched_getcpu(), &worker->allowed, &others) &&
                      pthread_attr_setaffinity_np(&attributes, sizeof others, &others) == 0;
    error = pthread_create(&worker->handle, &attributes, work, worker);
    pthread_attr_destroy(&attributes);
    return error;
}

static void wake_sleepers(bdnn_threads *t)
{
    if (atomic_load(&t->sleepers) > 0) {
        const int caller = sched_getcpu();
        pthread_mutex_lock(&t->lock);
        for (size_t i = 0; i < t->started; i++) {
            steer(&t->workers[i], caller);
        }
        pthread_cond_broadcast(&t->wake);
        pthread_mutex_unlock(&t->lock);
    }
}

bdnn_threads *bdnn_threads_create(size_t count)
{
    const long online = count ? (long)count : sysconf(_SC_NPROCESSORS_ONLN);
    bdnn_threads *t = bdnn_zalloc(1, sizeof *t);
    if (!t) {
        return NULL;
    }
    t->count = online > 0 ? (size_t)online : 1;
    t->shares = bdnn_zalloc(t->count, sizeof *t->shares);
    t->workers = bdnn_zalloc(t->count, sizeof *t->workers);
    pthread_mutex_init(&t->calls, NULL);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, NULL);
    while (t->shares && t->workers && t->started + 1 < t->count) {
        struct worker *worker = &t->workers[t->started];
        *worker = (struct worker){.threads = t, .slot = t->started + 1};
        if (start(worker) != 0) {
            break;
        }
        t->started++;
    }
    if (!t->shares || !t->workers || t->started + 1 < t->count) {
        bdnn_threads_destroy(t);
        return NULL;
    }
    return t;
}

void bdnn_threads_destroy(bdnn_threads *t)
{
    if (!t) {
        return;
    }
    pthread_mutex_lock(&t->lock);
    atomic_store(&t->stop, true);
    pthread_cond_broadcast(&t->wake);
    pthread_mutex_unlock(&t->lock);
    for (size_t i = 0; i < t->started; i++) {
        pthread_join(t->workers[i].handle, NULL);
    }
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    pthread_mutex_destroy(&t->calls);
    bdnn_free(t->shares);
    bdnn_free(t->workers);
    bdnn_free(t);
}

size_t bdnn_threads_count(bdnn_threads *threads)
{
    return threads ? threads->count : 1;
}

/* Deals indices base..base+count-1 out in shares of neighbors, the same in every call: from layer to layer a thread
 * finds what it wrote in its own caches. */
static void deal(bdnn_threads *t, size_t base, size_t count)
{
    const uint32_t call = atomic_load_explicit(&t->call, memory_order_relaxed) + 1;
    atomic_store_explicit(&t->unfinished, count, memory_order_relaxed);
    for (size_t i = 0; i < t->count; i++) {
        const size_t some = (count + t->count - i - 1) / (t->count - i);
        t->shares[i].end = base += some;
        count -= some;
        atomic_store_explicit(&t->shares[i].left, (uint64_t)call << 32 | some, memory_order_release);
    }
    atomic_store(&t->call, call);
    wake_sleepers(t);
}

static void await_end(bdnn_threads *t)
{
    for (size_t look = 0; atomic_load_explicit(&t->unfinished, memory_order_acquire) > 0; look++) {
        if (look < LOOKS) {
            pause_briefly();
        } else {
            sched_yield();
        }
    }
}

void bdnn_parallel_slots(bdnn_threads *t, bdnn_slot_task *task, void *context, size_t count)
{
    if (!t || t->count == 1 || count <= 1) {
        for (size_t i = 0; i < count; i++) {
            task(context, 0, i);
        }
        return;
    }
    pthread_mutex_lock(&t->calls);
    t->task = task;
    t->context = context;
    for (size_t base = 0, some; base < count; base += some) {
        some = count - base < UINT32_MAX ? count - base : UINT32_MAX;
        deal(t, base, some);
        help(t, 0);
        await_end(t);
    }
    pthread_mutex_unlock(&t->calls);
}

struct plain {
    bdnn_task *task;
    void *context;
};

static void run_plain(void *context, size_t slot, size_t index)
{
    const struct plain *plain = context;
    (void)slot;
    plain->task(plain->context, index);
}

void bdnn_parallel(bdnn_threads *threads, bdnn_task *task, void *context, size_t count)
{
    struct plain plain = {task, context};
    bdnn_parallel_slots(threads, run_plain, &plain, count);
}

void bdnn_threads_hurry(bdnn_threads *threads)
{
    if (threads) {
        atomic_store(&threads->hurry, true);
    }
}

void bdnn_threads_rest(bdnn_threads *threads)
{
    if (threads) {
        atomic_store(&threads->hurry, false);
    }
}
