/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel in C in fenced memory (fenced_job.h): four reservations of address space, far larger than any offset, of
 * which a job opens the pages that it may reach. */
#define _GNU_SOURCE
#include "fenced_job.h"

#include "job_draw.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Each way from a window; where pointers have 32 bits there is less of everything. */
static const uint64_t around = sizeof(void *) > 4 ? (uint64_t)17 << 30 : (uint64_t)96 << 20;

struct arena {
    uint8_t *window; /* FENCED_MAX bytes in whole pages */
    uint8_t *open;   /* of them, those that may be accessed */
    size_t open_bytes;
    uint8_t *memory; /* the extent */
};

/* For extents that end with a page, and for those that begin with one: most jobs find open what they need. */
static struct arena at_ends[BDNN_HW_POINTERS], at_beginnings[BDNN_HW_POINTERS];
static struct arena *arenas = at_ends; /* those of the last run */
static size_t page;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void reserve(struct arena *all)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        uint8_t *space = mmap(NULL, (size_t)(2 * around) + FENCED_MAX, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (space == MAP_FAILED) {
            die("mmap");
        }
        all[i].window = all[i].open = all[i].memory = space + around;
    }
}

bool fenced_job_fits(const struct bdnn_extent extents[BDNN_HW_POINTERS])
{
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        if (extents[i].bytes > FENCED_MAX || extents[i].offset + extents[i].bytes > around) {
            return false;
        }
    }
    return true;
}

static void protect(uint8_t *from, size_t bytes, int protection)
{
    if (bytes > 0 && mprotect(from, bytes, protection) != 0) {
        die("mprotect");
    }
}

static void open_pages(struct arena *a, uint8_t *from, size_t bytes)
{
    if (from != a->open || bytes != a->open_bytes) {
        protect(a->open, a->open_bytes, PROT_NONE);
        protect(from, bytes, PROT_READ | PROT_WRITE);
        a->open = from;
        a->open_bytes = bytes;
    }
}

/* xorshift64* */
static uint64_t next_number(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1Du;
}

/* Opens what an extent needs and fills it. */
static void open_arena(struct arena *a, size_t bytes, bool at_end, bool written, uint64_t *state)
{
    const size_t whole = (bytes + 7) / 8 * 8; /* what is no multiple of 8 the kernel refuses */
    const size_t pages = (whole + page - 1) / page * page;
    a->memory = at_end ? a->window + FENCED_MAX - whole : a->window;
    open_pages(a, at_end ? a->window + FENCED_MAX - pages : a->window, pages);
    if (written) {
        memset(a->open, 0xa5, a->open_bytes);
        return;
    }
    for (size_t i = 0; i < whole / 8; i++) {
        ((uint64_t *)(void *)a->memory)[i] = next_number(state);
    }
}

/* ---- Messages ---- */

static char text[JOB_TEXT];
static struct bdnn_extent told[BDNN_HW_POINTERS];
static sigjmp_buf ahead;
static volatile sig_atomic_t expected; /* a stray access */
static bool explained;

static void say(const char *what)
{
    if (write(2, what, strlen(what)) < 0) {
        _exit(1);
    }
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    char line[160];
    (void)context;
    if (expected && number != SIGALRM) {
        siglongjmp(ahead, 1);
    }
    if (number == SIGALRM) {
        say("the kernel in C makes no end; ");
    }
    for (int i = 0; i < BDNN_HW_POINTERS && number != SIGALRM; i++) {
        const int64_t at = (int64_t)((uintptr_t)info->si_addr - (uintptr_t)arenas[i].memory);
        if (at > -(int64_t)around && at < (int64_t)around) {
            snprintf(line, sizeof line, "the kernel in C reached byte %lld of the %llu that pointer %d has; ",
                     (long long)at, (unsigned long long)told[i].bytes, i);
            say(line);
        }
    }
    say(text);
    say("\n");
    _exit(1);
}

void fenced_job_explain(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (sigaction(SIGSEGV, &action, NULL) != 0 || sigaction(SIGBUS, &action, NULL) != 0 ||
        sigaction(SIGALRM, &action, NULL) != 0) {
        die("sigaction");
    }
    explained = true;
}

/* ---- Runs ---- */

static void set_pointer(uint32_t *words, int pointer, uint64_t offset)
{
    const uint64_t address = (uint64_t)(uintptr_t)arenas[pointer].memory - offset;
    words[2 * pointer] = (uint32_t)address;
    words[2 * pointer + 1] = (uint32_t)(address >> 32);
}

static bdnn_hw_status run(const uint32_t *words, const struct bdnn_extent *extents)
{
    uint32_t placed[BDNN_HW_ARGUMENT_WORDS];
    memcpy(placed, words, sizeof placed);
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        told[i] = extents[i];
        set_pointer(placed, i, extents[i].offset);
    }
    if (explained) {
        job_text(words, text);
        alarm(60);
    }
    const bdnn_hw_status status = hls_run_words(placed);
    alarm(0);
    return status;
}

bdnn_hw_status fenced_job_run(const uint32_t words[BDNN_HW_ARGUMENT_WORDS],
                              const struct bdnn_extent extents[BDNN_HW_POINTERS], uint64_t seed, bool at_end)
{
    uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
    arenas = at_end ? at_ends : at_beginnings;
    if (!arenas->window) {
        reserve(arenas);
    }
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        open_arena(&arenas[i], (size_t)extents[i].bytes, at_end, i == BDNN_HW_POINTER_RESULTS, &state);
    }
    return run(words, extents);
}

uint8_t *fenced_job_memory(int pointer)
{
    return arenas[pointer].memory;
}

bool fenced_job_refused(const uint32_t words[BDNN_HW_ARGUMENT_WORDS])
{
    static const struct bdnn_extent nothing[BDNN_HW_POINTERS];
    arenas = at_ends;
    if (!arenas->window) {
        reserve(arenas);
    }
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        open_pages(&arenas[i], arenas[i].window, 0);
        arenas[i].memory = arenas[i].window;
    }
    bool refused = false;
    expected = 1;
    if (sigsetjmp(ahead, 1) == 0) {
        refused = run(words, nothing).ending & BDNN_HW_ENDING_REFUSED;
    }
    expected = 0;
    alarm(0);
    return refused;
}
