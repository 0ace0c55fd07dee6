/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on purpose, so that host programs can be tested for what a lost, silent or mad device does to them, and models
 * of hardware for what a slow or failing bus does. */
#ifndef OPEN_EMU_FAULT_H
#define OPEN_EMU_FAULT_H

#include "axi/axi_memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum emu_fault_kind {
    EMU_FAULT_NONE,
    EMU_FAULT_KILL,    /* the process kills itself at a request */
    EMU_FAULT_SILENCE, /* from a request on it answers nothing */
    EMU_FAULT_GARBAGE, /* from a request on its answers are random bytes */
    EMU_FAULT_STUCK,   /* a compute unit that was started never says that it is done */
};

struct emu_fault_plan {
    enum emu_fault_kind kind;
    uint64_t at;     /* the request, counted from 1 */
    uint64_t served; /* requests so far */
    uint64_t random;
    bool started; /* a compute unit */
    /* of the bus */
    enum axi_response response; /* to the burst `burst_at`, counted from 1 over all ports; OKAY: none */
    uint64_t burst_at, bursts;
    bool late, hold_back;
};

/* Adds "kill@N", "silence@N", "garbage@N", "stuck", "slverr@N", "decerr@N", "latency" or "backpressure" to the plan, of
 * the first four the last one. False when the text is none of them. */
bool emu_fault_parse(const char *text, struct emu_fault_plan *plan);

/* To be called for each request; carries out kill. Returns what else is to be done with it: silence, garbage or none.
 */
enum emu_fault_kind emu_fault_request(struct emu_fault_plan *plan);
void emu_fault_garbage(struct emu_fault_plan *plan, uint8_t *bytes, size_t size);

/* To be called for each burst: how it is to be answered on purpose, or OKAY. */
enum axi_response emu_fault_burst(struct emu_fault_plan *plan);

/* Makes the bus slow and irregular, as the plan says. */
void emu_fault_timing(const struct emu_fault_plan *plan, struct axi_timing *timing);

/* Changes what a read of registers, the control register first, gives. */
void emu_fault_registers(const struct emu_fault_plan *plan, uint8_t *bytes, size_t size);

#endif
