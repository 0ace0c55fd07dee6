/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulated device: a device library, its memory and its compute units. */
#ifndef OPEN_EMU_DEVICE_H
#define OPEN_EMU_DEVICE_H

#include "memory.h"
#include "simulation.h"
#include "unit.h"

#include <stdbool.h>

struct emu_device {
    /* set before loading; they stay */
    const struct emu_simulation_options *options;
    struct emu_fault_plan *faults;
    void *library; /* of dlopen */
    const struct open_emu_device *table;
    struct emu_memory memory;
    struct emu_units units;
    struct emu_simulation *simulation; /* of the units that are models */
};

/* Loads the device library at `path` in the place of what was loaded. False when it cannot be, said on the standard
 * error stream; then no device is loaded. */
bool emu_device_load(struct emu_device *device, const char *path);
void emu_device_close(struct emu_device *device);

#endif
