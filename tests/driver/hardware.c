/* SPDX-License-Identifier: BSD-2-Clause */
/* The accelerator of the module's test (hardware.h). */
#define _DEFAULT_SOURCE
#define BDNN_TESTS_DRIVER_DOUBLE
#include "hardware.h"
#include "bdnn_hw.h"
#include "kernel.h"

struct hardware hardware;

#define REGISTER(name) hardware.registers[BDNN_HW_REG_##name / 4]

void hardware_power_up(void)
{
    memset(hardware.registers, 0, sizeof hardware.registers);
    hardware.running = false;
    REGISTER(IDENTITY) = BDNN_HW_IDENTITY;
    REGISTER(ARRAY) = BDNN_HW_PUT_ROWS(8) | BDNN_HW_PUT_COLUMNS(8);
    REGISTER(WORD) = BDNN_HW_PUT_WORD_BITS(128) | BDNN_HW_PUT_MAX_TILES(8);
    REGISTER(BUFFERS) = BDNN_HW_PUT_WEIGHT_DEPTH(512) | BDNN_HW_PUT_ACTIVATION_DEPTH(2048);
}

static void update_line(void)
{
    if (REGISTER(GLOBAL_INTERRUPT) & BDNN_HW_GLOBAL_INTERRUPT_ENABLE &&
        REGISTER(INTERRUPT_ENABLE) & BDNN_HW_INTERRUPT_ENABLE_DONE && REGISTER(INTERRUPT_STATUS)) {
        kernel_interrupt();
    }
}

void hardware_end(void)
{
    if (hardware.running) {
        hardware.running = false;
        REGISTER(CYCLES) = hardware.runs;
        REGISTER(INTERRUPT_STATUS) |= REGISTER(INTERRUPT_ENABLE);
        update_line();
    }
}

static size_t index_of(const void *address)
{
    const size_t i = (size_t)((const uint32_t *)address - hardware.registers);
    if (i >= ARRAY_SIZE(hardware.registers)) {
        kernel_broken("a register that is not there");
    }
    if (!kernel.clock_on) {
        kernel_broken("the register %#zx without a clock: the bus never answers", 4 * i);
    }
    return i;
}

u32 readl(const void *address)
{
    const size_t i = index_of(address);
    return i == BDNN_HW_REG_CONTROL / 4 ? (hardware.running ? 0 : BDNN_HW_CONTROL_IDLE) : hardware.registers[i];
}

static void control(u32 value)
{
    if (value & BDNN_HW_CONTROL_START) {
        if (hardware.running) {
            kernel_broken("a run is started in the middle of another");
        }
        hardware.running = true;
        hardware.runs++;
        REGISTER(ENDING) = 0;
    } else if (value & BDNN_HW_CONTROL_CANCEL) {
        hardware.cancels++;
        if (!hardware.deaf) {
            REGISTER(ENDING) = BDNN_HW_ENDING_CANCELLED;
            hardware_end();
        }
    }
}

void writel(u32 value, void *address)
{
    const size_t i = index_of(address);
    if (i == BDNN_HW_REG_CONTROL / 4) {
        control(value);
    } else if (i == BDNN_HW_REG_INTERRUPT_STATUS / 4) {
        hardware.registers[i] ^= value;
    } else if (i < BDNN_HW_REG_ENDING / 4) {
        if (hardware.running && i >= BDNN_HW_REG_ARGUMENTS / 4) {
            kernel_broken("an argument is changed in the middle of a run");
        }
        hardware.registers[i] = value;
    } else {
        kernel_broken("a store to the register %#zx", 4 * i);
    }
    update_line();
}
