/* SPDX-License-Identifier: BSD-2-Clause */
/* The compute units of the device by address. */
#include "unit.h"

#include <stdlib.h>

struct emu_unit *emu_unit_at(const struct emu_units *units, uint64_t address, uint32_t *offset)
{
    for (uint32_t i = 0; i < units->count; i++) {
        const struct open_emu_instance *instance = units->unit[i]->instance;
        if (address >= instance->base && address - instance->base < instance->kernel->span) {
            *offset = (uint32_t)(address - instance->base);
            return units->unit[i];
        }
    }
    return NULL;
}

/* The unit that has the words [address, address + size), else null. */
static struct emu_unit *unit_of_words(const struct emu_units *units, uint64_t address, size_t size, uint32_t *offset)
{
    struct emu_unit *unit = emu_unit_at(units, address, offset);
    if (!unit || *offset % 4 || size % 4 || size > unit->instance->kernel->span - *offset)
        return NULL;
    return unit;
}

static uint32_t load(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void store(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

bool emu_units_write(const struct emu_units *units, uint64_t address, const uint8_t *bytes, size_t size)
{
    uint32_t offset;
    struct emu_unit *unit = unit_of_words(units, address, size, &offset);
    if (!unit)
        return false;
    for (size_t i = 0; i < size; i += 4)
        if (offset + i != AP_CONTROL)
            unit->type->write(unit, offset + (uint32_t)i, load(bytes + i));
    if (offset == AP_CONTROL && size)
        unit->type->write(unit, AP_CONTROL, load(bytes));
    return true;
}

bool emu_units_read(const struct emu_units *units, uint64_t address, uint8_t *bytes, size_t size)
{
    uint32_t offset;
    struct emu_unit *unit = unit_of_words(units, address, size, &offset);
    if (!unit)
        return false;
    for (size_t i = 0; i < size; i += 4) {
        uint32_t at = offset + (uint32_t)i;
        store(bytes + i, at == AP_CONTROL ? unit->type->poll(unit) : unit->type->read(unit, at));
    }
    return true;
}

void emu_units_close(struct emu_units *units)
{
    for (uint32_t i = 0; i < units->count; i++)
        if (units->unit[i])
            units->unit[i]->type->close(units->unit[i]);
    free(units->unit);
    *units = (struct emu_units){0};
}
