/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs by registers that are mapped into this process: no system call between starting a run and seeing its end, unless
 * it sleeps until the interrupt. */
#define _POSIX_C_SOURCE 200809L
#include "backends/uio/uio.h"

#include "core/clock.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static uint32_t load(const bdnn_uio_device *device, uint32_t offset)
{
    return bdnn_uio_system_used->load(device->registers + offset / 4);
}

static void store(bdnn_uio_device *device, uint32_t offset, uint32_t value)
{
    bdnn_uio_system_used->store(device->registers + offset / 4, value);
}

/* Looking clears done and ready, which nobody here needs. */
static bool is_idle(const bdnn_uio_device *device)
{
    return load(device, BDNN_HW_REG_CONTROL) & BDNN_HW_CONTROL_IDLE;
}

/* Those that the module takes are on unless nobody sleeps; of UIO's, which must be masked and unmasked by system calls,
 * only those are raised that somebody sleeps for. */
static void want_interrupts(bdnn_uio_device *device, bool wanted)
{
    if (wanted != device->interrupts) {
        store(device, BDNN_HW_REG_GLOBAL_INTERRUPT, wanted ? BDNN_HW_GLOBAL_INTERRUPT_ENABLE : 0);
        device->interrupts = wanted;
    }
}

bdnn_status bdnn_uio_mapped_start(bdnn_accelerator *a, size_t unit, const bdnn_hw_job *job,
                                  const bdnn_bus_memory *const pointers[BDNN_HW_POINTERS], bdnn_error *err)
{
    bdnn_uio_device *device = (bdnn_uio_device *)a;
    bdnn_hw_job placed = *job;
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    if (!is_idle(device)) {
        return bdnn_accelerator_lose(a, &a->units[unit], err, "it is not idle before a run");
    }
    want_interrupts(device, a->wait != BDNN_WAIT_POLL && !device->unattended);
    placed.weights = pointers[BDNN_HW_POINTER_WEIGHTS]->address;
    placed.activations = pointers[BDNN_HW_POINTER_ACTIVATIONS]->address;
    placed.filters = pointers[BDNN_HW_POINTER_FILTERS]->address;
    placed.results = pointers[BDNN_HW_POINTER_RESULTS]->address;
    bdnn_hw_pack_job(&placed, words);
    for (uint32_t i = 0; i < BDNN_HW_ARGUMENT_WORDS; i++) {
        if (!device->told || words[i] != device->words[i]) {
            store(device, BDNN_HW_REG_ARGUMENTS + 4 * i, words[i]);
            device->words[i] = words[i];
        }
    }
    device->told = true;
    store(device, BDNN_HW_REG_CONTROL, BDNN_HW_CONTROL_START);
    return BDNN_OK;
}

/* UIO masks an interrupt when it has come, until it is written to. */
static bool unmask(const bdnn_uio_device *device)
{
    static const uint32_t on = 1;
    return !device->unattended || bdnn_uio_system_used->write(device->fd, &on, sizeof on) == sizeof on;
}

/* Writing a one toggles; the line falls with the last. The module does it by itself. */
static void acknowledge(bdnn_uio_device *device)
{
    const uint32_t status = device->unattended ? load(device, BDNN_HW_REG_INTERRUPT_STATUS) : 0;
    if (status) {
        store(device, BDNN_HW_REG_INTERRUPT_STATUS, status);
    }
}

/* Sleeps until an interrupt comes, or for a time that poll takes; false for an error. */
static bool sleep_once(bdnn_uio_device *device, int milliseconds)
{
    uint32_t count;
    const int ready = bdnn_uio_system_used->poll(device->fd, milliseconds);
    if (ready < 0) {
        return errno == EINTR;
    }
    if (ready == 0) {
        return true;
    }
    device->unread = false;
    return bdnn_uio_system_used->read(device->fd, &count, sizeof count) == sizeof count || errno == EINTR;
}

/* Of earlier runs, whose end was seen without, no interrupt is left; an end from now on has its own. */
static bool prepare_sleep(bdnn_uio_device *device)
{
    bool well = true;
    if (device->unattended) {
        acknowledge(device);
        well = (!device->unread || sleep_once(device, 0)) && unmask(device);
    }
    want_interrupts(device, true);
    device->unread = true;
    return well;
}

/* False for an error. */
static bool sleep_until_idle(bdnn_uio_device *device, uint64_t limit, bool *ended)
{
    bool well = prepare_sleep(device);
    while (well && !(*ended = is_idle(device)) && bdnn_clock() < limit) {
        well = sleep_once(device, (int)bdnn_uio_milliseconds_until(limit));
        acknowledge(device);
        well = well && unmask(device);
    }
    if (device->unattended) {
        want_interrupts(device, false);
        acknowledge(device);
    }
    return well;
}

static bdnn_status await_asleep(bdnn_accelerator *a, size_t unit, uint64_t limit, bool *ended, bdnn_error *err)
{
    if (!sleep_until_idle((bdnn_uio_device *)a, limit, ended)) {
        return bdnn_accelerator_lose(a, &a->units[unit], err,
                                     "its interrupt cannot be waited for (--wait poll does without): %s",
                                     strerror(errno));
    }
    return !*ended || bdnn_clock() < limit
               ? BDNN_OK
               : bdnn_accelerator_lose(a, &a->units[unit], err,
                                       "its run has ended, but no interrupt came within %u ms (--wait poll does "
                                       "without)",
                                       a->timeout_ms);
}

bdnn_status bdnn_uio_mapped_await(bdnn_accelerator *a, size_t unit, uint64_t limit, bool *ended, bdnn_error *err)
{
    const bdnn_uio_device *device = (const bdnn_uio_device *)a;
    uint64_t until = a->wait == BDNN_WAIT_INTERRUPT ? 0 : limit;
    if (a->wait == BDNN_WAIT_HYBRID) {
        const uint64_t briefly = bdnn_clock() + BDNN_UIO_SPIN_US * 1000;
        until = briefly < limit ? briefly : limit;
    }
    do {
        *ended = is_idle(device);
    } while (!*ended && bdnn_clock() < until);
    return *ended || a->wait == BDNN_WAIT_POLL ? BDNN_OK : await_asleep(a, unit, limit, ended, err);
}

bool bdnn_uio_mapped_stop(bdnn_uio_device *device)
{
    static const struct timespec briefly = {.tv_nsec = 1000000};
    if (!is_idle(device)) {
        store(device, BDNN_HW_REG_CONTROL, BDNN_HW_CONTROL_CANCEL);
    }
    for (int tries = 0; tries < 500 && !is_idle(device); tries++) {
        nanosleep(&briefly, NULL);
    }
    return is_idle(device);
}

bool bdnn_uio_mapped_read(bdnn_accelerator *a, size_t unit, uint32_t offset, uint32_t *value)
{
    (void)unit;
    *value = load((const bdnn_uio_device *)a, offset);
    return true;
}
