/* SPDX-License-Identifier: BSD-2-Clause */
/* A compute unit as the rest of the device process sees it: registers at an address, and work that goes on when it is
 * polled. c_unit.c implements it for C functions, which run in threads; simulation.c for models of hardware. */
#ifndef OPEN_EMU_UNIT_H
#define OPEN_EMU_UNIT_H

#include "open_emu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ap_ctrl_hs: the control register */
enum { AP_CONTROL = 0x00, AP_START = 1, AP_DONE = 2, AP_IDLE = 4, AP_READY = 8 };

struct emu_memory;
struct emu_unit;

struct emu_unit_type {
    void (*write)(struct emu_unit *unit, uint32_t offset, uint32_t value);
    uint32_t (*read)(struct emu_unit *unit, uint32_t offset);
    /* Reads the control register as a host that polls it does, but answers late when the unit is busy: after it is
     * done, or after a bound that keeps the connection responsive. */
    uint32_t (*poll)(struct emu_unit *unit);
    void (*close)(struct emu_unit *unit);
};

struct emu_unit {
    const struct emu_unit_type *type;
    const struct open_emu_instance *instance;
};

/* All compute units of the loaded device. */
struct emu_units {
    struct emu_unit **unit;
    uint32_t count;
};

/* A compute unit whose kernel is a C function. Null when there is no memory. */
struct emu_unit *emu_c_unit_open(const struct open_emu_instance *instance, struct emu_memory *memory);

/* The unit whose register range holds `address`, with the offset in it; null when there is none. */
struct emu_unit *emu_unit_at(const struct emu_units *units, uint64_t address, uint32_t *offset);

/* Writes `size` bytes, whole words; the control register last, as its start bit uses the others. False when no unit has
 * all of these registers. */
bool emu_units_write(const struct emu_units *units, uint64_t address, const uint8_t *bytes, size_t size);
bool emu_units_read(const struct emu_units *units, uint64_t address, uint8_t *bytes, size_t size);
void emu_units_close(struct emu_units *units);

#endif
