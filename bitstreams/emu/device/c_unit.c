/* SPDX-License-Identifier: BSD-2-Clause */
/* A compute unit whose kernel is a C function: registers kept here, the function called in a thread of the unit, so
 * that the connection to the host is served while it runs and several units run at once. */
#include "memory.h"
#include "report.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long a poll waits for the end of a run, and the stack of a run: what a kernel keeps in block RAM are local arrays
 * here. */
enum { POLL_MICROSECONDS = 500, STACK_BYTES = 64 << 20 };

struct c_unit {
    struct emu_unit unit;
    struct emu_memory *memory;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool running, done, closing;
    /* The second block is what a run works on: it latches its arguments at the start. */
    uint8_t *registers, *latched;
};

/* For the report when a kernel leaves its buffers. */
static _Thread_local const char *running_unit;
static struct emu_memory *guarded_memory;

static void report_bad_access(int number, siginfo_t *information, void *context)
{
    (void)context;
    uint64_t address;
    if (running_unit && guarded_memory && emu_memory_contains(guarded_memory, information->si_addr, &address))
        emu_fault("compute unit %s accesses device address 0x%llx, which lies in no buffer", running_unit,
                  (unsigned long long)address);
    if (running_unit)
        emu_fault("compute unit %s ends with signal %d", running_unit, number);
    emu_fault("ends with signal %d", number);
}

static void catch_bad_accesses(struct emu_memory *memory)
{
    struct sigaction action = {.sa_sigaction = report_bad_access, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    guarded_memory = memory;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
}

static void run_kernel(struct c_unit *unit)
{
    const struct open_emu_kernel *kernel = unit->unit.instance->kernel;
    struct open_emu_call call = {.registers = unit->latched,
                                 .memory = unit->memory->bytes,
                                 .memory_base = unit->memory->base,
                                 .memory_size = unit->memory->size};
    kernel->call(&call);
    pthread_mutex_lock(&unit->mutex);
    for (uint32_t i = 0; i < kernel->output_count; i++) {
        struct open_emu_output output = kernel->outputs[i];
        memcpy(unit->registers + output.offset, unit->latched + output.offset, output.bytes);
    }
    unit->running = false;
    unit->done = true;
    pthread_cond_broadcast(&unit->changed);
    pthread_mutex_unlock(&unit->mutex);
}

static void *serve_runs(void *argument)
{
    struct c_unit *unit = argument;
    running_unit = unit->unit.instance->name;
    for (;;) {
        pthread_mutex_lock(&unit->mutex);
        while (!unit->running && !unit->closing)
            pthread_cond_wait(&unit->changed, &unit->mutex);
        bool closing = unit->closing;
        pthread_mutex_unlock(&unit->mutex);
        if (closing)
            return NULL;
        run_kernel(unit);
    }
}

static void c_write(struct emu_unit *base, uint32_t offset, uint32_t value)
{
    struct c_unit *unit = (struct c_unit *)base;
    pthread_mutex_lock(&unit->mutex);
    if (offset != AP_CONTROL)
        memcpy(unit->registers + offset, &value, sizeof value);
    else if ((value & AP_START) && !unit->running) {
        memcpy(unit->latched, unit->registers, base->instance->kernel->span);
        unit->running = true;
        unit->done = false;
        pthread_cond_broadcast(&unit->changed);
    }
    pthread_mutex_unlock(&unit->mutex);
}

static uint32_t c_read(struct emu_unit *base, uint32_t offset)
{
    struct c_unit *unit = (struct c_unit *)base;
    uint32_t value;
    pthread_mutex_lock(&unit->mutex);
    memcpy(&value, unit->registers + offset, sizeof value);
    pthread_mutex_unlock(&unit->mutex);
    return value;
}

static struct timespec after(long microseconds)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += microseconds * 1000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static uint32_t c_poll(struct emu_unit *base)
{
    struct c_unit *unit = (struct c_unit *)base;
    struct timespec end = after(POLL_MICROSECONDS);
    pthread_mutex_lock(&unit->mutex);
    while (unit->running && pthread_cond_timedwait(&unit->changed, &unit->mutex, &end) != ETIMEDOUT)
        ;
    uint32_t value = unit->running ? AP_START : unit->done ? AP_DONE | AP_IDLE | AP_READY : AP_IDLE;
    if (!unit->running)
        unit->done = false;
    pthread_mutex_unlock(&unit->mutex);
    return value;
}

/* A run that is under way is not waited for: the process is about to end, or loads another device, whose memory is new.
 */
static void c_close(struct emu_unit *base)
{
    struct c_unit *unit = (struct c_unit *)base;
    pthread_mutex_lock(&unit->mutex);
    bool running = unit->running;
    unit->closing = true;
    pthread_cond_broadcast(&unit->changed);
    pthread_mutex_unlock(&unit->mutex);
    if (running)
        emu_fault("compute unit %s still runs when the device is closed", base->instance->name);
    pthread_join(unit->thread, NULL);
    free(unit->registers);
    free(unit->latched);
    free(unit);
}

static const struct emu_unit_type c_unit_type = {c_write, c_read, c_poll, c_close};

static bool start_thread(struct c_unit *unit)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    bool started = pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
                   pthread_create(&unit->thread, &attributes, serve_runs, unit) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

struct emu_unit *emu_c_unit_open(const struct open_emu_instance *instance, struct emu_memory *memory)
{
    struct c_unit *unit = calloc(1, sizeof *unit);
    if (!unit)
        return NULL;
    unit->unit = (struct emu_unit){&c_unit_type, instance};
    unit->memory = memory;
    unit->registers = calloc(1, instance->kernel->span);
    unit->latched = calloc(1, instance->kernel->span);
    pthread_mutex_init(&unit->mutex, NULL);
    pthread_cond_init(&unit->changed, NULL);
    if (!unit->registers || !unit->latched || !start_thread(unit)) {
        free(unit->registers);
        free(unit->latched);
        free(unit);
        return NULL;
    }
    catch_bad_accesses(memory);
    return &unit->unit;
}
