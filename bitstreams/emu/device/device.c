/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading a device library. */
#include "device.h"
#include "report.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool sound_model(const struct open_emu_model *model)
{
    if (model->port_count > OPEN_EMU_MAX_PORTS || (model->port_count && !model->ports))
        return false;
    for (uint32_t i = 0; i < model->port_count; i++) {
        const uint32_t bits = model->ports[i].bits;
        if (!model->ports[i].name || bits < 32 || bits > 8 * OPEN_EMU_BEAT_BYTES || (bits & (bits - 1)))
            return false;
    }
    return model->create && model->settle && model->edge && model->trace_open && model->trace_close && model->destroy;
}

static bool sound_kernel(const struct open_emu_kernel *kernel)
{
    if (!kernel || !kernel->name || kernel->span < 16 || kernel->span > OPEN_EMU_MAX_SPAN || kernel->span % 4)
        return false;
    for (uint32_t i = 0; i < kernel->output_count; i++)
        if (kernel->outputs[i].offset > kernel->span ||
            kernel->outputs[i].bytes > kernel->span - kernel->outputs[i].offset)
            return false;
    return kernel->model ? !kernel->call && sound_model(kernel->model) : kernel->call != NULL;
}

/* What the process relies on; a library can be of another version or written by hand. */
static const char *fault_of_table(const struct open_emu_device *table)
{
    if (table->abi != OPEN_EMU_ABI)
        return "has another ABI than this open_emu: pack the xclbin again";
    if (!table->memory_size || table->memory_base + table->memory_size < table->memory_base)
        return "has no sound memory range";
    for (uint32_t i = 0; i < table->instance_count; i++) {
        const struct open_emu_instance *instance = &table->instances[i];
        if (!instance->name || !sound_kernel(instance->kernel))
            return "has a kernel that is not sound";
        for (uint32_t k = 0; k < i; k++) {
            const struct open_emu_instance *other = &table->instances[k];
            if (instance->base < other->base + other->kernel->span &&
                other->base < instance->base + instance->kernel->span)
                return "has compute units whose registers overlap";
        }
    }
    return NULL;
}

static bool open_units(struct emu_device *device)
{
    const struct open_emu_device *table = device->table;
    device->units.unit = calloc(table->instance_count ? table->instance_count : 1, sizeof device->units.unit[0]);
    device->simulation =
        emu_simulation_open(device->options, device->faults, &device->memory, device->table->clock_mhz);
    if (!device->units.unit || !device->simulation)
        return false;
    for (uint32_t i = 0; i < table->instance_count; i++) {
        const struct open_emu_instance *instance = &table->instances[i];
        struct emu_unit *unit = instance->kernel->model ? emu_rtl_unit_open(instance, device->simulation)
                                                        : emu_c_unit_open(instance, &device->memory);
        if (!unit)
            return false;
        device->units.unit[device->units.count++] = unit;
        emu_detail("compute unit %s of kernel %s, %s, at 0x%llx", instance->name, instance->kernel->name,
                   instance->kernel->model ? "a model of hardware" : "a C function",
                   (unsigned long long)instance->base);
    }
    return true;
}

bool emu_device_load(struct emu_device *device, const char *path)
{
    emu_device_close(device);
    device->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!device->library) {
        emu_say("cannot load the device library: %s", dlerror());
        return false;
    }
    device->table = dlsym(device->library, OPEN_EMU_DEVICE_SYMBOL);
    const char *fault = device->table ? fault_of_table(device->table) : "does not export " OPEN_EMU_DEVICE_SYMBOL;
    if (fault) {
        emu_say("device library %s %s", path, fault);
    } else if (!emu_memory_open(&device->memory, device->table->memory_base, device->table->memory_size)) {
        emu_say("cannot reserve %llu bytes for the device's memory: %s", (unsigned long long)device->table->memory_size,
                strerror(errno));
    } else if (!open_units(device)) {
        emu_say("cannot set up the compute units of %s", path);
    } else {
        return true;
    }
    emu_device_close(device);
    return false;
}

void emu_device_close(struct emu_device *device)
{
    emu_simulation_finish(device->simulation);
    emu_units_close(&device->units);
    emu_simulation_close(device->simulation);
    emu_memory_close(&device->memory);
    if (device->library)
        dlclose(device->library);
    *device = (struct emu_device){.options = device->options, .faults = device->faults};
}
