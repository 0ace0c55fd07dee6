/* SPDX-License-Identifier: BSD-2-Clause */
/* The clocked part of a device: the models of hardware, one a compute unit, and the memory bank behind their ports.
 *
 * All models that are at work go through a cycle together, so that they contend for the bank as on a board and a run
 * repeats cycle by cycle. Time passes only while the host accesses registers, and during a poll until the unit is done
 * or a bound of cycles: a host that waits polls without a pause. Models without work are not clocked. */
#ifndef OPEN_EMU_SIMULATION_H
#define OPEN_EMU_SIMULATION_H

#include "axi/axi_memory.h"
#include "fault.h"
#include "memory.h"
#include "unit.h"

#include <stdbool.h>
#include <stdint.h>

struct emu_simulation_options {
    struct axi_timing timing;
    double bytes_per_cycle; /* of the bank; 0: no bound */
    uint64_t seed;
    bool profile;           /* print counters at the end */
    const char *trace;      /* file of a waveform, or null */
    const char *trace_unit; /* null: the first that is started */
    uint64_t trace_launch;  /* from this launch of the unit on, counted from 1 */
    uint64_t trace_cycles;  /* for so long; 0: to the end */
};

struct emu_simulation;

/* What a board has: 40 cycles of latency, 64 bytes a cycle for all ports together. */
struct emu_simulation_options emu_simulation_defaults(void);

/* The options, the fault plan and the memory must stay. Null when there is no memory. */
struct emu_simulation *emu_simulation_open(const struct emu_simulation_options *options, struct emu_fault_plan *faults,
                                           struct emu_memory *memory, double clock_mhz);

/* A compute unit whose kernel is a model. Null when there is no memory. Units are closed before the simulation. */
struct emu_unit *emu_rtl_unit_open(const struct open_emu_instance *instance, struct emu_simulation *simulation);

/* Completes the waveform and prints the profile. To be called once, when the process ends. */
void emu_simulation_finish(struct emu_simulation *simulation);
void emu_simulation_close(struct emu_simulation *simulation);

#endif
