/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads of one process that wait at once: for a run, for an interrupt. */
#include "guest.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { THREADS = 2, LIMIT_MS = 60000 };

enum way { BY_WAIT, BY_READ, BY_POLL };

struct waiter {
    pthread_t thread;
    int fd;
    enum way way;
    bool good;
    uint32_t count;
    struct bdnn_ioc_wait wait;
};

static void *wait_for_end(void *argument)
{
    struct waiter *w = argument;
    struct pollfd waiting = {.fd = w->fd, .events = POLLIN};
    switch (w->way) {
    case BY_WAIT:
        w->wait = (struct bdnn_ioc_wait){.timeout_ms = LIMIT_MS};
        w->good = ioctl(w->fd, BDNN_IOC_WAIT, &w->wait) == 0;
        break;
    case BY_READ:
        w->good = read(w->fd, &w->count, sizeof w->count) == sizeof w->count;
        break;
    case BY_POLL:
        w->good = poll(&waiting, 1, LIMIT_MS) == 1 && waiting.revents == POLLIN;
        break;
    }
    return NULL;
}

/* The run takes so long that both are asleep before it ends. */
static void check_way(const bdnn_device_array *array, enum way way, const char *name)
{
    struct waiter waiters[THREADS];
    struct long_job job;
    uint32_t count;
    const int fd = open_or_exit(node);
    place_long(fd, array, 64, 32, &job);
    const uint32_t before = info_of(fd).interrupts;
    struct bdnn_ioc_launch launch = job.launch;
    check_error(ioctl(fd, BDNN_IOC_LAUNCH, &launch), 0, "a run of a second is launched");
    alarm(LIMIT_MS / 1000); /* whoever sleeps on is an end of the program */
    for (int i = 0; i < THREADS; i++) {
        waiters[i] = (struct waiter){.fd = fd, .way = way};
        if (pthread_create(&waiters[i].thread, NULL, wait_for_end, &waiters[i]) != 0) {
            perror("a thread");
            exit(1);
        }
    }
    bool good = true;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(waiters[i].thread, NULL);
        good = good && waiters[i].good;
    }
    alarm(0);
    if (way == BY_WAIT) {
        good = good && waiters[0].wait.ending == 0 && waiters[0].wait.counters[0] > 0 &&
               memcmp(&waiters[0].wait.counters, &waiters[1].wait.counters, sizeof waiters[0].wait.counters) == 0;
    } else if (way == BY_READ) {
        good = good && waiters[0].count == before + 1 && waiters[1].count == before + 1;
    } else {
        good = good && read(fd, &count, sizeof count) == sizeof count && count == before + 1;
    }
    check(good && info_of(fd).interrupts == before + 1, "two threads that wait %s wake, and see the same end", name);
    unplace_long(fd, &job);
    close(fd);
}

void check_waiters(const bdnn_device_array *array)
{
    check_way(array, BY_WAIT, "by ioctl");
    check_way(array, BY_READ, "by read");
    check_way(array, BY_POLL, "by poll");
}
