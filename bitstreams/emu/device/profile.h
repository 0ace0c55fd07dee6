/* SPDX-License-Identifier: BSD-2-Clause */
/* What --profile prints of models of hardware. */
#ifndef OPEN_EMU_PROFILE_H
#define OPEN_EMU_PROFILE_H

#include "axi/axi_memory.h"

#include <stdint.h>

/* How fast `cycles` were simulated, by the processor time of the process. */
void emu_profile_speed(uint64_t cycles);

/* `busy` counts cycles from starts to ends, as far as the device process looks: at most some tens more a launch. */
void emu_profile_unit(const char *name, uint64_t launches, uint64_t busy, double clock_mhz);
void emu_profile_port(const struct open_emu_port *port, const struct axi_counters *counters, uint64_t busy);

#endif
