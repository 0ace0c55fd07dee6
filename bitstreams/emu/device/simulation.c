/* SPDX-License-Identifier: BSD-2-Clause */
/* Compute units that are models of hardware, and their clock. */
#include "simulation.h"
#include "axi/axi_lite.h"
#include "profile.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RESET_CYCLES = 16,
    STATUS_CYCLES = 32, /* between looks at the control register of a unit at work */
    /* That a poll waits for the end of a run: few after a start, so that the host can start other units meanwhile, then
     * twice as many each time up to the most; or the time. */
    POLL_CYCLES = 256,
    MAX_POLL_CYCLES = 8192,
    POLL_MILLISECONDS = 200,
    ANSWER_CYCLES = 10000, /* that a slave may take for a register */
    WHOLE_WORD = 15,
};

struct rtl_port {
    struct rtl_unit *unit;
    const struct open_emu_port *description;
    struct axi_memory memory;
};

struct rtl_unit {
    struct emu_unit unit;
    struct emu_simulation *simulation;
    const struct open_emu_model *functions;
    void *model;
    struct open_emu_pins pins;
    struct axi_lite_host host;
    struct rtl_port *ports;
    bool busy;             /* from its start until the control register was seen to say idle */
    bool access, answered; /* of a register, in this cycle */
    bool tracing;
    uint32_t kept; /* done and ready, cleared by the look that saw them, for the host's next read */
    uint64_t launches, busy_cycles;
    uint64_t trace_left; /* cycles, if bounded */
};

struct emu_simulation {
    const struct emu_simulation_options *options;
    struct emu_fault_plan *faults;
    struct emu_memory *memory;
    struct axi_bank bank;
    double clock_mhz;
    uint64_t cycle, poll_cycles;
    struct rtl_unit **units;
    struct rtl_port **ports; /* of all units */
    uint32_t unit_count, port_count;
};

struct emu_simulation_options emu_simulation_defaults(void)
{
    return (struct emu_simulation_options){
        .timing = {40, 40, 100, 100}, .bytes_per_cycle = OPEN_EMU_BEAT_BYTES, .seed = 1, .trace_launch = 1};
}

/* ---- The clock ---- */

static bool clocked(const struct rtl_unit *unit)
{
    return unit->busy || unit->access;
}

static void drive_ports(struct emu_simulation *simulation)
{
    const uint32_t count = simulation->port_count;
    uint32_t at = count ? (uint32_t)(simulation->bank.transfers % count) : 0;
    axi_bank_cycle(&simulation->bank);
    for (uint32_t i = 0; i < count; i++) {
        struct rtl_port *port = simulation->ports[at];
        if (clocked(port->unit))
            axi_memory_drive(&port->memory);
        at = at + 1 < count ? at + 1 : 0;
    }
}

static void clock_unit(struct rtl_unit *unit)
{
    axi_lite_drive(&unit->host);
    unit->functions->settle(unit->model, &unit->pins);
    unit->answered = axi_lite_sample(&unit->host);
    for (uint32_t i = 0; i < unit->functions->port_count; i++)
        axi_memory_sample(&unit->ports[i].memory);
    unit->functions->edge(unit->model);
    unit->busy_cycles += unit->busy;
    if (unit->trace_left && --unit->trace_left == 0)
        unit->functions->trace_close(unit->model);
}

static void run_cycle(struct emu_simulation *simulation)
{
    drive_ports(simulation);
    for (uint32_t i = 0; i < simulation->unit_count; i++)
        if (clocked(simulation->units[i]))
            clock_unit(simulation->units[i]);
    simulation->cycle++;
}

/* The access that was begun; other units at work go on meanwhile. */
static void finish_access(struct rtl_unit *unit, uint32_t offset)
{
    unit->access = true;
    do {
        run_cycle(unit->simulation);
        if (unit->host.cycles > ANSWER_CYCLES)
            emu_fault("compute unit %s does not answer an access to register 0x%x within %d cycles",
                      unit->unit.instance->name, (unsigned)offset, ANSWER_CYCLES);
    } while (!unit->answered);
    unit->access = false;
    if (unit->pins.control.bresp || unit->pins.control.rresp)
        emu_detail("compute unit %s answers an access to register 0x%x with an error", unit->unit.instance->name,
                   (unsigned)offset);
}

static uint32_t read_register(struct rtl_unit *unit, uint32_t offset)
{
    axi_lite_read(&unit->host, offset);
    finish_access(unit, offset);
    return unit->pins.control.rdata;
}

/* ---- What is behind the ports ---- */

static struct axi_place place(void *context, uint64_t address, uint64_t size, bool write)
{
    const struct rtl_port *port = context;
    struct emu_simulation *simulation = port->unit->simulation;
    struct axi_place found = {.response = AXI_OKAY};
    (void)size;
    found.bytes = emu_memory_room(simulation->memory, address, &found.room);
    const unsigned response = emu_fault_burst(simulation->faults);
    if (response) {
        found.response = (enum axi_response)response;
        emu_say("compute unit %s, port %s: the %s at device address 0x%llx is answered with an error on purpose",
                port->unit->unit.instance->name, port->description->name, write ? "write" : "read",
                (unsigned long long)address);
    }
    return found;
}

static void violation(void *context, const char *what, uint64_t address)
{
    const struct rtl_port *port = context;
    emu_fault("compute unit %s, port %s: %s, device address 0x%llx, in cycle %llu", port->unit->unit.instance->name,
              port->description->name, what, (unsigned long long)address,
              (unsigned long long)port->unit->simulation->cycle);
}

static void model_stopped(const char *name, const char *what)
{
    emu_fault("compute unit %s: %s", name, what);
}

/* ---- Runs ---- */

/* A kernel that says it is done has the responses to all that it asked for: its results lie in the memory then. */
static void check_quiet(const struct rtl_unit *unit)
{
    for (uint32_t i = 0; i < unit->functions->port_count; i++) {
        const struct axi_memory *memory = &unit->ports[i].memory;
        if (!axi_memory_quiet(memory))
            emu_fault("compute unit %s says that it is done while port %s has %u reads and %u writes under way",
                      unit->unit.instance->name, unit->ports[i].description->name, memory->reads.count,
                      memory->writes.count + memory->responses.count);
    }
}

static void observe(struct rtl_unit *unit)
{
    const uint32_t control = read_register(unit, AP_CONTROL);
    unit->kept |= control & (AP_DONE | AP_READY);
    if (!(control & (AP_DONE | AP_IDLE)))
        return;
    check_quiet(unit);
    unit->busy = false;
}

static long milliseconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)(now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

/* Until `unit` is done or the poll's bound is reached. */
static void run_until_done(struct rtl_unit *unit)
{
    struct emu_simulation *simulation = unit->simulation;
    const uint64_t end = simulation->cycle + simulation->poll_cycles;
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (unit->busy && simulation->cycle < end && milliseconds_since(&start) < POLL_MILLISECONDS) {
        for (int i = 0; i < STATUS_CYCLES; i++)
            run_cycle(simulation);
        for (uint32_t i = 0; i < simulation->unit_count; i++)
            if (simulation->units[i]->busy)
                observe(simulation->units[i]);
    }
    if (simulation->poll_cycles < MAX_POLL_CYCLES)
        simulation->poll_cycles *= 2;
}

static void begin_trace(struct rtl_unit *unit)
{
    const struct emu_simulation_options *options = unit->simulation->options;
    const char *name = unit->unit.instance->name;
    if (!options->trace || unit->launches != options->trace_launch ||
        (options->trace_unit && strcmp(options->trace_unit, name) != 0))
        return;
    for (uint32_t i = 0; i < unit->simulation->unit_count; i++)
        if (unit->simulation->units[i]->tracing)
            return;
    unit->tracing = unit->functions->trace_open(unit->model, options->trace);
    if (!unit->tracing)
        emu_fault("no waveform of compute unit %s in %s: the xclbin was packed without --trace, or the file cannot be "
                  "written",
                  name, options->trace);
    unit->trace_left = options->trace_cycles;
    emu_say("waveform of compute unit %s from its launch %llu on: %s", name, (unsigned long long)unit->launches,
            options->trace);
}

static void rtl_write(struct emu_unit *base, uint32_t offset, uint32_t value)
{
    struct rtl_unit *unit = (struct rtl_unit *)base;
    const bool start = offset == AP_CONTROL && (value & AP_START) && !unit->busy;
    if (start) {
        unit->launches++;
        unit->kept = 0;
        unit->simulation->poll_cycles = POLL_CYCLES;
        begin_trace(unit);
    }
    axi_lite_write(&unit->host, offset, value, WHOLE_WORD);
    finish_access(unit, offset);
    unit->busy |= start;
}

static uint32_t rtl_read(struct emu_unit *base, uint32_t offset)
{
    return read_register((struct rtl_unit *)base, offset);
}

static uint32_t rtl_poll(struct emu_unit *base)
{
    struct rtl_unit *unit = (struct rtl_unit *)base;
    run_until_done(unit);
    const uint32_t control = read_register(unit, AP_CONTROL) | unit->kept;
    if (unit->busy && (control & (AP_DONE | AP_IDLE))) {
        check_quiet(unit);
        unit->busy = false;
    }
    unit->kept = 0;
    return control;
}

/* ---- Opening and closing ---- */

/* The simulation has lost its units before it is closed. */
static void rtl_close(struct emu_unit *base)
{
    struct rtl_unit *unit = (struct rtl_unit *)base;
    if (unit->model)
        unit->functions->destroy(unit->model);
    free(unit->ports);
    free(unit);
}

static const struct emu_unit_type rtl_unit_type = {rtl_write, rtl_read, rtl_poll, rtl_close};

static bool enlist(struct rtl_unit *unit)
{
    struct emu_simulation *simulation = unit->simulation;
    const uint32_t count = unit->functions->port_count;
    struct rtl_unit **units = realloc(simulation->units, (simulation->unit_count + 1) * sizeof units[0]);
    if (units)
        simulation->units = units;
    struct rtl_port **ports = realloc(simulation->ports, (simulation->port_count + count + 1) * sizeof ports[0]);
    if (ports)
        simulation->ports = ports;
    if (!units || !ports)
        return false;
    units[simulation->unit_count++] = unit;
    for (uint32_t i = 0; i < count; i++)
        ports[simulation->port_count++] = &unit->ports[i];
    return true;
}

static void init_pins(struct rtl_unit *unit)
{
    struct emu_simulation *simulation = unit->simulation;
    struct axi_timing timing = simulation->options->timing;
    emu_fault_timing(simulation->faults, &timing);
    axi_lite_init(&unit->host, &unit->pins.control, 100, simulation->options->seed);
    for (uint32_t i = 0; i < unit->functions->port_count; i++) {
        struct rtl_port *port = &unit->ports[i];
        *port = (struct rtl_port){.unit = unit, .description = &unit->functions->ports[i]};
        const struct axi_backing backing = {port, place, violation};
        axi_memory_init(&port->memory, &unit->pins.port[i], port->description->bits / 8, &backing, &simulation->bank,
                        simulation->options->seed + simulation->port_count + i);
        port->memory.timing = timing;
    }
}

static void reset(struct rtl_unit *unit)
{
    for (int i = 0; i < RESET_CYCLES; i++) {
        unit->pins.reset_n = i == RESET_CYCLES - 1;
        unit->functions->settle(unit->model, &unit->pins);
        unit->functions->edge(unit->model);
    }
}

struct emu_unit *emu_rtl_unit_open(const struct open_emu_instance *instance, struct emu_simulation *simulation)
{
    const struct open_emu_model *functions = instance->kernel->model;
    struct rtl_unit *unit = calloc(1, sizeof *unit);
    if (!unit)
        return NULL;
    unit->unit = (struct emu_unit){&rtl_unit_type, instance};
    unit->simulation = simulation;
    unit->functions = functions;
    unit->ports = calloc(functions->port_count + 1, sizeof unit->ports[0]);
    unit->model = unit->ports ? functions->create(instance->name, model_stopped) : NULL;
    if (!unit->model) {
        rtl_close(&unit->unit);
        return NULL;
    }
    init_pins(unit);
    reset(unit);
    if (!enlist(unit)) {
        rtl_close(&unit->unit);
        return NULL;
    }
    return &unit->unit;
}

struct emu_simulation *emu_simulation_open(const struct emu_simulation_options *options, struct emu_fault_plan *faults,
                                           struct emu_memory *memory, double clock_mhz)
{
    struct emu_simulation *simulation = calloc(1, sizeof *simulation);
    if (!simulation)
        return NULL;
    simulation->options = options;
    simulation->faults = faults;
    simulation->memory = memory;
    simulation->clock_mhz = clock_mhz;
    simulation->poll_cycles = POLL_CYCLES;
    simulation->bank.bytes_per_cycle = options->bytes_per_cycle;
    return simulation;
}

static void print_profile(const struct rtl_unit *unit, double clock_mhz)
{
    const char *name = unit->unit.instance->name;
    emu_profile_unit(name, unit->launches, unit->busy_cycles, clock_mhz);
    for (uint32_t i = 0; i < unit->functions->port_count; i++)
        emu_profile_port(unit->ports[i].description, &unit->ports[i].memory.counters, unit->busy_cycles);
}

void emu_simulation_finish(struct emu_simulation *simulation)
{
    if (!simulation)
        return;
    if (simulation->options->profile && simulation->unit_count)
        emu_profile_speed(simulation->cycle);
    for (uint32_t i = 0; i < simulation->unit_count; i++) {
        struct rtl_unit *unit = simulation->units[i];
        if (unit->tracing)
            unit->functions->trace_close(unit->model);
        unit->tracing = false;
        if (simulation->options->profile)
            print_profile(unit, simulation->clock_mhz);
    }
}

void emu_simulation_close(struct emu_simulation *simulation)
{
    if (!simulation)
        return;
    free(simulation->units);
    free(simulation->ports);
    free(simulation);
}
