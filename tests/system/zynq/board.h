/* SPDX-License-Identifier: BSD-2-Clause */
/* What passes between QEMU's plugin and the process that is the accelerator: one register access at a time. Both map
 * the guest's memory too; the register page in it always holds what the next read shall give, and after a write what
 * was written. */
#ifndef BDNN_TESTS_SYSTEM_ZYNQ_BOARD_H
#define BDNN_TESTS_SYSTEM_ZYNQ_BOARD_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A register that only this board has: what is to go wrong. BOARD_FAULT(kind, run): run counted from the next on, which
 * is 1. */
#define BOARD_FAULT_REGISTER 0xff0
enum board_fault {
    BOARD_NO_FAULT,
    BOARD_STUCK,    /* the clock stops for BOARD_STUCK_MS in the middle of the run, and no register but reading works */
    BOARD_DIES,     /* the process ends in the middle of the run */
    BOARD_ERROR,    /* the first burst of the run is answered with SLVERR */
    BOARD_SPURIOUS, /* an interrupt without a cause before the run */
    BOARD_IDENTITY, /* at once: so many reads of the identity give 0, as where there is no such kernel */
};
#define BOARD_FAULT(kind, run) ((uint32_t)(kind) | (uint32_t)(run) << 8)
#define BOARD_STUCK_MS         4000

/* Another one: how many runs there were, whoever started them. */
#define BOARD_RUNS_REGISTER 0xff4

struct board_mailbox {
    _Atomic uint32_t request; /* counts accesses: the plugin raises it */
    _Atomic uint32_t reply;   /* follows: the access has had its effect */
    uint32_t offset;          /* of the register */
    uint32_t store;
};

/* Waits until *word is no longer `value`, or about `milliseconds`. */
static inline void board_wait(_Atomic uint32_t *word, uint32_t value, long milliseconds)
{
    const struct timespec bound = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    if (atomic_load(word) == value) {
        syscall(SYS_futex, word, FUTEX_WAIT, value, &bound, NULL, 0);
    }
}

static inline void board_post(_Atomic uint32_t *word, uint32_t value)
{
    atomic_store(word, value);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

#endif
