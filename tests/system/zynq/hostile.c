/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that no sane program makes, and allocations that fail under sane ones. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* ---- Random calls ---- */

enum { MAPPINGS = 8, MAX_PAGES = 16 };

struct caller {
    pthread_t thread;
    int fd;
    uint64_t noise;
    time_t end;
    struct bdnn_ioc_launch launch; /* of a job that is well */
    struct {
        void *at;
        size_t bytes;
    } mappings[MAPPINGS];
    unsigned long calls, well, seen;
};

static uint32_t draw(struct caller *c, uint32_t below)
{
    c->noise = c->noise * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(c->noise >> 33) % below;
}

/* Mostly a number that may mean something. */
static uint64_t draw_size(struct caller *c)
{
    static const uint64_t odd[] = {0, 1, 4095, 4096, 4097, UINT32_MAX, 1ull << 32, UINT64_MAX - 4095, UINT64_MAX};
    return draw(c, 8) ? draw(c, MAX_PAGES * PAGE) : odd[draw(c, sizeof odd / sizeof *odd)];
}

static int call_map(struct caller *c)
{
    const unsigned i = draw(c, MAPPINGS);
    const size_t bytes = (draw(c, MAX_PAGES) + 1) * PAGE;
    if (c->mappings[i].at) {
        munmap(c->mappings[i].at, c->mappings[i].bytes);
        c->mappings[i].at = NULL;
        return 0;
    }
    const bool writes = draw(c, 4);
    void *at = mmap(NULL, bytes, writes ? PROT_READ | PROT_WRITE : PROT_READ, draw(c, 8) ? MAP_SHARED : MAP_PRIVATE,
                    c->fd, (off_t)draw(c, 40) * PAGE);
    if (at == MAP_FAILED) {
        return -1;
    }
    c->mappings[i].at = at;
    c->mappings[i].bytes = bytes;
    c->seen += *(volatile uint8_t *)at;
    if (writes) {
        memset(at, 0xff, bytes);
    }
    return 0;
}

static int call_launch(struct caller *c)
{
    struct bdnn_ioc_launch launch = c->launch;
    for (int p = 0; p < BDNN_HW_POINTERS; p++) {
        if (draw(c, 8) == 0) {
            launch.handle[p] = draw(c, 40);
        }
        if (draw(c, 8) == 0) {
            launch.offset[p] = draw_size(c);
        }
    }
    launch.reserved[draw(c, 2)] = draw(c, 16) == 0;
    return ioctl(c->fd, BDNN_IOC_LAUNCH, &launch);
}

static int call_any(struct caller *c)
{
    struct bdnn_ioc_buffer buffer = {.bytes = draw_size(c), .flags = draw(c, 9) ? draw(c, 2) : draw(c, UINT32_MAX)};
    struct bdnn_ioc_sync sync = {
        .handle = draw(c, 40), .direction = draw(c, 4), .offset = draw_size(c), .bytes = draw_size(c)};
    struct bdnn_ioc_wait wait = {.timeout_ms = draw(c, 50), .spin_us = draw(c, 2000)};
    struct pollfd waiting = {.fd = c->fd, .events = POLLIN};
    uint32_t word = draw(c, 40);
    uint8_t bytes[256] = {0};
    switch (draw(c, 11)) {
    case 0:
        return ioctl(c->fd, BDNN_IOC_ALLOCATE, &buffer);
    case 1:
        return ioctl(c->fd, BDNN_IOC_FREE, &word);
    case 2:
        return ioctl(c->fd, BDNN_IOC_SYNC, &sync);
    case 3:
        return call_launch(c);
    case 4:
        return ioctl(c->fd, BDNN_IOC_WAIT, &wait);
    case 5:
        return draw(c, 8) ? 0 : ioctl(c->fd, BDNN_IOC_RESET, 0);
    case 6:
        return call_map(c);
    case 7:
        return poll(&waiting, 1, (int)draw(c, 20)) == 1 && waiting.revents & POLLIN
                   ? (int)read(c->fd, bytes, draw(c, 4) ? 4 : draw(c, 9))
                   : 0;
    case 8: /* pointers to nowhere, sizes and numbers of no command */
        return ioctl(c->fd, _IOC(draw(c, 4), BDNN_IOC_MAGIC, 0x5e + draw(c, 12), draw(c, 256)), bytes);
    case 9:
        return ioctl(c->fd, BDNN_IOC_ALLOCATE + (draw(c, 3) << 8), (void *)(uintptr_t)draw(c, 3));
    default:
        return ioctl(c->fd, BDNN_IOC_INFO, bytes);
    }
}

static void *call_until_end(void *argument)
{
    struct caller *c = argument;
    while (time(NULL) < c->end) {
        c->well += call_any(c) >= 0;
        c->calls++;
    }
    for (unsigned i = 0; i < MAPPINGS; i++) {
        if (c->mappings[i].at) {
            munmap(c->mappings[i].at, c->mappings[i].bytes);
        }
    }
    return NULL;
}

void check_random_calls(const bdnn_device_array *array, unsigned seed, unsigned seconds)
{
    struct caller callers[2];
    struct placed p;
    int fd = open(node, O_RDWR | O_CLOEXEC | O_NONBLOCK); /* a read must not wait for what may never come */
    if (fd < 0) {
        check_error(fd, 0, "opened for random calls");
        return;
    }
    place_vector(fd, &p, array, 2);
    for (unsigned i = 0; i < 2; i++) {
        callers[i] = (struct caller){
            .fd = fd, .noise = seed + i, .end = time(NULL) + (time_t)seconds, .launch = launch_of(&p, 0, 0)};
        if (pthread_create(&callers[i].thread, NULL, call_until_end, &callers[i]) != 0) {
            perror("a thread");
            exit(1);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(callers[i].thread, NULL);
    }
    check(callers[0].well > 0 && callers[1].well > 0,
          "random calls of seed %u: %lu and %lu, of which %lu and %lu went well", seed, callers[0].calls,
          callers[1].calls, callers[0].well, callers[1].well);
    close(fd);
    unplace_mappings(&p);
    fd = open_or_exit(node);
    check(info_of(fd).pool_used == 0, "nothing is left of them");
    check(run_vector(fd, NULL, array, 24), "and the next run is right");
    close(fd);
}

/* ---- Allocations that fail ---- */

#define INJECTION "/sys/kernel/debug/failslab/"
#define NTH       "/proc/thread-self/fail-nth"

static bool put_number(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY);
    const bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* Allocations that may sleep fail too, and say nothing of it. */
static bool prepare_injection(void)
{
    static const char *const off[] = {
        INJECTION "ignore-gfp-wait", INJECTION "verbose", "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait",
        "/sys/kernel/debug/fail_page_alloc/min-order", "/sys/kernel/debug/fail_page_alloc/verbose"};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        if (!put_number(off[i], "0")) {
            return false;
        }
    }
    return true;
}

/* What a process does; the number says up to where. */
enum step { OPEN, ALLOCATE_CACHED, ALLOCATE_PLAIN, MAP, SYNC, LAUNCH, WAIT, READ, INFO, FREE, STEPS };

struct client {
    int fd;
    struct bdnn_ioc_buffer buffers[2];
    struct placed p; /* for the launch */
    void *mapping;
};

static int do_step(struct client *c, enum step step)
{
    struct bdnn_ioc_sync sync = {.handle = c->buffers[0].handle, .direction = BDNN_SYNC_FROM_DEVICE, .bytes = PAGE};
    struct bdnn_ioc_wait wait = {.timeout_ms = 20000};
    struct bdnn_ioc_state state;
    uint32_t count;
    switch (step) {
    case OPEN:
        c->fd = open(node, O_RDWR | O_CLOEXEC);
        return c->fd < 0 ? -1 : 0;
    case ALLOCATE_CACHED:
    case ALLOCATE_PLAIN:
        c->buffers[step == ALLOCATE_PLAIN] =
            (struct bdnn_ioc_buffer){.bytes = 3 * PAGE, .flags = step == ALLOCATE_CACHED ? BDNN_BUFFER_CACHED : 0};
        return ioctl(c->fd, BDNN_IOC_ALLOCATE, &c->buffers[step == ALLOCATE_PLAIN]);
    case MAP:
        c->mapping = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, c->fd, (off_t)c->buffers[0].offset);
        return c->mapping == MAP_FAILED ? -1 : munmap(c->mapping, PAGE);
    case SYNC:
        return ioctl(c->fd, BDNN_IOC_SYNC, &sync);
    case LAUNCH: {
        struct bdnn_ioc_launch launch = launch_of(&c->p, 0, 0);
        return ioctl(c->fd, BDNN_IOC_LAUNCH, &launch);
    }
    case WAIT:
        return ioctl(c->fd, BDNN_IOC_WAIT, &wait);
    case READ:
        return read(c->fd, &count, sizeof count) == sizeof count ? 0 : -1;
    case INFO:
        return ioctl(c->fd, BDNN_IOC_INFO, &state);
    default:
        return ioctl(c->fd, BDNN_IOC_FREE, &c->buffers[0].handle);
    }
}

/* One step with its nth allocation failing; whether there was one. */
static bool fail_step(struct client *c, enum step step, unsigned nth, int *result, int *error)
{
    char text[16];
    const int fd = open(NTH, O_RDWR);
    snprintf(text, sizeof text, "%u", nth);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) {
        perror(NTH);
        exit(1);
    }
    *result = do_step(c, step);
    *error = errno;
    const ssize_t bytes = pread(fd, text, sizeof text - 1, 0);
    text[bytes > 0 ? bytes : 0] = 0;
    if (pwrite(fd, "0", 1, 0) < 0) {
        perror(NTH);
    }
    close(fd);
    return atoi(text) == 0;
}

/* How many allocations of a step were made to fail; -1 when a failure was not clean. Steps before it work. */
static int fail_each(const bdnn_device_array *array, enum step step)
{
    for (unsigned nth = 1;; nth++) {
        struct client c = {.fd = -1};
        int result, error;
        for (enum step before = OPEN; before < step; before++) {
            if (do_step(&c, before) != 0) {
                return -1;
            }
            if (before == OPEN) {
                place_vector(c.fd, &c.p, array, 2);
            }
        }
        const bool failed = fail_step(&c, step, nth, &result, &error);
        const bool clean = result == 0 || error == ENOMEM || (step == MAP && error == EAGAIN);
        if (c.fd >= 0) {
            close(c.fd);
        }
        if (step > OPEN) {
            unplace_mappings(&c.p);
        }
        const int fd = open_or_exit(node);
        const bool left = info_of(fd).pool_used != 0;
        close(fd);
        if (!clean || left) {
            return -1;
        }
        if (!failed) {
            return (int)nth - 1;
        }
    }
}

void check_failing_allocations(const bdnn_device_array *array)
{
    static const char *const names[STEPS] = {
        "open", "a cached buffer", "a plain buffer", "mmap", "sync", "launch", "wait", "read", "info", "free"};
    if (access(INJECTION, F_OK) != 0) {
        printf("      this kernel cannot let allocations fail\n");
        return;
    }
    check(prepare_injection(), "fault injection is set up");
    for (enum step step = OPEN; step < STEPS; step++) {
        const int failures = fail_each(array, step);
        check(failures >= 0 && (failures > 0 || step >= SYNC || step == MAP),
              "%s: each of %d allocations fails once, nothing is left", names[step], failures);
    }
}
