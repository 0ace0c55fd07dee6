/* SPDX-License-Identifier: BSD-2-Clause */
/* A memory behind AXI4 masters, cycle by cycle: a bank with the bandwidth that all its ports share, and for each port a
 * responder that answers bursts in order with a latency, holds back at random if told so, and checks what the master
 * does. Used by open_emu and by the tests of the hardware.
 *
 * What is checked, and is a violation: bursts of another type than INCR, narrower than the port or not aligned to it;
 * crossing 4 KiB; places that are not to be accessed; address, data and their attributes that change, or valid that
 * falls, before ready; WLAST at another than the last beat; bytes written behind the end of a buffer. Responses wait
 * for their ready for ever, so that none is lost here; a master that does not take them all is found by
 * axi_memory_quiet(). */
#ifndef OPEN_EMU_AXI_MEMORY_H
#define OPEN_EMU_AXI_MEMORY_H

#include "open_emu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum axi_response { AXI_OKAY = 0, AXI_SLVERR = 2, AXI_DECERR = 3 };

/* Bursts that a port accepts before the first is answered, each way. */
enum { AXI_MAX_OUTSTANDING = 64 };

/* Where device address `address` is. */
struct axi_place {
    uint8_t *bytes; /* null: nothing may be accessed there */
    uint64_t room;  /* bytes from there to the end of the buffer */
    enum axi_response response;
};

/* What is behind a port. violation() is told once and for all: it does not return. */
struct axi_backing {
    void *context;
    struct axi_place (*place)(void *context, uint64_t address, uint64_t size, bool write);
    void (*violation)(void *context, const char *what, uint64_t address);
};

/* Cycles from an accepted address to its first data, and from the last data to the response: a random number of low ..
 * high. Chance in percent that a ready, or a response that is due, is there in a cycle. */
struct axi_timing {
    unsigned latency_low, latency_high;
    unsigned ready_percent, data_percent;
};

/* Bytes that the bank moves in a cycle, for all ports together; 0: no bound. Begin a cycle with axi_bank_cycle(), then
 * drive the ports one after the other, port `transfers % ports` first: so they take turns. */
struct axi_bank {
    double bytes_per_cycle;
    double credit;
    uint64_t transfers;
};

struct axi_counters {
    uint64_t read_beats, write_beats, read_bursts, write_bursts;
    /* cycles in which reads were outstanding without data, data waited for the master, written data waited */
    uint64_t read_waits, read_blocked, write_waits;
    unsigned max_reads, max_writes; /* outstanding */
};

struct axi_burst {
    uint8_t *bytes;
    uint64_t address, room, due;
    unsigned left; /* beats */
    uint32_t id;
    enum axi_response response;
};

struct axi_queue {
    struct axi_burst burst[AXI_MAX_OUTSTANDING];
    unsigned first, count;
};

/* One port. The pins are the caller's. */
struct axi_memory {
    struct open_emu_axi_pins *pins;
    struct axi_backing backing;
    struct axi_bank *bank;
    struct axi_timing timing;
    struct axi_counters counters;
    unsigned beat; /* bytes */
    uint64_t cycle, random;
    struct axi_queue reads, writes, responses;
    bool ar_held, aw_held, w_held, r_held, b_held;
    struct open_emu_axi_pins held; /* the pins while something is held */
};

/* `beat` is 4, 8, .. 64 bytes. Gives the pins that a master may not have the values of full-width INCR bursts. */
void axi_memory_init(struct axi_memory *memory, struct open_emu_axi_pins *pins, unsigned beat,
                     const struct axi_backing *backing, struct axi_bank *bank, uint64_t seed);

void axi_bank_cycle(struct axi_bank *bank);

/* Chooses this cycle's pins to the master. */
void axi_memory_drive(struct axi_memory *memory);

/* Takes what was transferred in this cycle: after the master's pins have settled, before the clock's edge. */
void axi_memory_sample(struct axi_memory *memory);

/* Whether everything was answered and taken. */
bool axi_memory_quiet(const struct axi_memory *memory);

#ifdef __cplusplus
}
#endif
#endif
