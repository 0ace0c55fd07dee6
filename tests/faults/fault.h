/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on demand, in the process that asks for them: the n-th allocation fails, or the n-th call of the system that
 * deals with files fails, does less than it was asked, or brings a signal. Both are counted where they happen:
 * allocations by standing in front of malloc (memory.c), calls by a seccomp filter that hands them to a signal handler
 * (calls.c), so that what libc and the libraries below do for the code under test counts too. */
#ifndef BDNN_TESTS_FAULT_H
#define BDNN_TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum fault_kind {
    FAULT_NONE,
    FAULT_MEMORY, /* allocations by the tool, the library and the libraries in C below it */
    FAULT_EIO,    /* every call that deals with files */
    FAULT_ENOSPC, /* calls that make, fill or finish a file */
    FAULT_EINTR,  /* opening, reading and writing */
    FAULT_SHORT,  /* reads and writes of more than one byte: done by half */
    FAULT_SIGNAL  /* as FAULT_EIO, but a signal comes before the call */
} fault_kind;

/* What a process is to suffer, and what came of it. In memory that is shared with whoever watches the process. */
typedef struct fault_state {
    fault_kind kind;
    bool lasting; /* not the n-th alone but all from it on */
    int signal;
    uint64_t wanted;             /* n, from 1 */
    _Atomic uint64_t seen;       /* points of this kind so far; wanted > seen afterwards: nothing failed */
    _Atomic(const void *) where; /* who asked for the memory that failed first */
    _Atomic long call;           /* number of the call that failed first */
} fault_state;

/* False where the kernel does not let a process filter its own calls. For the rest of the process's life. */
bool fault_install_calls(void);

/* From now on the process counts and suffers; NULL: no more. */
void fault_arm(fault_state *state);

/* ---- memory.c ---- */

/* Finds out which libraries are loaded and which of them see memory run out. Before the first fault_arm. */
void fault_classify_libraries(void);

/* Counts blocks that the same callers get from now on. */
void fault_watch_blocks(bool on);

/* How many of them were not given back, and for messages who got one of them. */
size_t fault_blocks_left(const void **where);

/* Whether an allocation fails, by who asked. */
bool fault_memory_now(const void *where);

/* "library+offset", or a symbol's name; into text[size]. */
const char *fault_name_place(const void *where, char *text, size_t size);

/* ---- Shared by both ---- */

/* The state armed, or NULL. */
fault_state *fault_current(void);

/* Counts a point of the armed kind; true when it is to fail. */
bool fault_count(fault_state *state);

#endif
