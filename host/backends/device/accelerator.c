/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening, checking and sharing accelerators. */
#include "backends/device/accelerator.h"

#include "core/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bdnn_status bdnn_accelerator_lose(bdnn_accelerator *a, const bdnn_accelerator_unit *unit, bdnn_error *err,
                                  const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    a->lost = true;
    return unit && unit->name ? bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: compute unit %s: %s", a->label, unit->name, text)
                              : bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: %s", a->label, text);
}

bdnn_status bdnn_accelerator_check(bdnn_accelerator *a, bdnn_error *err)
{
    uint32_t identity;
    return a->bus->read(a, 0, BDNN_HW_REG_IDENTITY, &identity) && identity == a->identity
               ? BDNN_OK
               : bdnn_accelerator_lose(a, NULL, err, "the device is lost");
}

static bdnn_status read_register(bdnn_accelerator *a, size_t unit, uint32_t offset, uint32_t *value, bdnn_error *err)
{
    return a->bus->read(a, unit, offset, value) ? BDNN_OK
                                                : bdnn_accelerator_lose(a, NULL, err, "a register cannot be read");
}

/* A job of zeros, which every kernel refuses without an access to memory: a kernel in C has its status registers from a
 * run alone, and of the others it shows that runs end. */
static bdnn_status run_nothing(bdnn_accelerator *a, size_t unit, bdnn_error *err)
{
    static const bdnn_hw_job nothing;
    const bdnn_bus_memory *const pages[BDNN_HW_POINTERS] = {&a->page, &a->page, &a->page, &a->page};
    uint32_t ending = 0;
    bdnn_status status = bdnn_accelerator_start(a, unit, &nothing, pages, err);
    if (status == BDNN_OK) {
        status = bdnn_accelerator_await(a, unit, err);
    }
    if (status == BDNN_OK) {
        status = read_register(a, unit, BDNN_HW_REG_ENDING, &ending, err);
    }
    return status == BDNN_OK && !(ending & BDNN_HW_ENDING_REFUSED)
               ? bdnn_accelerator_lose(a, &a->units[unit], err, "a job of zeros is not refused (ending 0x%x)", ending)
               : status;
}

enum { IDENTITY, ARRAY, WORD, BUFFERS, FEATURES, REGISTERS };

static bdnn_status read_registers(bdnn_accelerator *a, size_t unit, uint32_t found[REGISTERS], bdnn_error *err)
{
    static const uint32_t offsets[] = {BDNN_HW_REG_IDENTITY, BDNN_HW_REG_ARRAY, BDNN_HW_REG_WORD, BDNN_HW_REG_BUFFERS,
                                       BDNN_HW_REG_FEATURES};
    bdnn_status status = read_register(a, unit, BDNN_HW_REG_IDENTITY, &found[IDENTITY], err);
    if (status == BDNN_OK && a->bus->runs_nothing && (found[IDENTITY] == 0 || found[IDENTITY] == BDNN_HW_IDENTITY)) {
        status = run_nothing(a, unit, err);
    }
    for (int i = 0; i < REGISTERS && status == BDNN_OK; i++) {
        status = read_register(a, unit, offsets[i], &found[i], err);
    }
    return status;
}

/* The kernel's identity and sizes, the same on all units. */
static bdnn_status identify(bdnn_accelerator *a, size_t unit, bdnn_error *err)
{
    uint32_t found[REGISTERS] = {0};
    bdnn_device_array array;
    bdnn_status status = read_registers(a, unit, found, err);
    if (status != BDNN_OK) {
        return status;
    }
    if (found[IDENTITY] == UINT32_MAX) {
        return bdnn_accelerator_lose(a, NULL, err, "the device is lost: its registers read ones");
    }
    if (found[IDENTITY] != BDNN_HW_IDENTITY) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: the kernel's identity is 0x%08x, not 0x%08x", a->label,
                         found[IDENTITY], BDNN_HW_IDENTITY);
    }
    if (!bdnn_device_array_read(&array, found[ARRAY], found[WORD], found[BUFFERS])) {
        a->identity = found[IDENTITY];
        status = bdnn_accelerator_check(a, err); /* it may have gone since */
        return status != BDNN_OK
                   ? status
                   : bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: the registers 0x%08x 0x%08x 0x%08x describe no array",
                               a->label, found[ARRAY], found[WORD], found[BUFFERS]);
    }
    if (unit > 0 && memcmp(&array, &a->array, sizeof array) != 0) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: the compute units %s and %s have arrays of different sizes",
                         a->label, a->units[0].name, a->units[unit].name);
    }
    a->array = array;
    a->identity = found[IDENTITY];
    a->features = unit > 0 ? a->features & found[FEATURES] : found[FEATURES];
    return BDNN_OK;
}

static void close_device(bdnn_accelerator *a)
{
    bdnn_accelerator_free(a, &a->page);
    pthread_mutex_destroy(&a->turn);
    a->bus->close(a);
}

static bdnn_status open_device(const bdnn_bus *bus, const char *name, const bdnn_backend_options *options,
                               bdnn_accelerator **accelerator, bdnn_error *err)
{
    bdnn_accelerator *a;
    bdnn_status status = bus->open(name, options, &a, err);
    if (status != BDNN_OK) {
        return status;
    }
    a->bus = bus;
    a->timeout_ms = options->timeout_ms ? options->timeout_ms : BDNN_ACCELERATOR_TIMEOUT_MS;
    a->wait = options->wait;
    snprintf(a->name, sizeof a->name, "%s", name);
    pthread_mutex_init(&a->turn, NULL);
    if (bus->runs_nothing) {
        status = bdnn_accelerator_allocate(a, BDNN_HW_POINTER_RESULTS, BDNN_BUS_PAGE, "a page", &a->page, err);
    }
    for (size_t u = 0; u < a->unit_count && status == BDNN_OK; u++) {
        status = identify(a, u, err);
    }
    if (status != BDNN_OK) {
        close_device(a);
        return status;
    }
    *accelerator = a;
    return BDNN_OK;
}

/* The devices that this process has open: each is opened once. */
static bdnn_accelerator *open_devices;
static pthread_mutex_t open_devices_lock = PTHREAD_MUTEX_INITIALIZER;

static bdnn_status open_or_share(const bdnn_bus *bus, const char *name, const bdnn_backend_options *options,
                                 bdnn_accelerator **accelerator, bdnn_error *err)
{
    bdnn_accelerator *a = open_devices;
    bdnn_status status = BDNN_OK;
    while (a && (a->bus != bus || strcmp(a->name, name) != 0)) {
        a = a->next;
    }
    if (a) {
        status = bus->share ? bus->share(a, options, err) : BDNN_OK;
    } else {
        status = open_device(bus, name, options, &a, err);
        if (status == BDNN_OK) {
            a->next = open_devices;
            open_devices = a;
        }
    }
    if (status == BDNN_OK) {
        a->users++;
        *accelerator = a;
    }
    return status;
}

bdnn_status bdnn_accelerator_open(const bdnn_bus *bus, const char *name, const bdnn_backend_options *options,
                                  bdnn_accelerator **accelerator, bdnn_error *err)
{
    bdnn_status status;
    pthread_mutex_lock(&open_devices_lock);
    status = open_or_share(bus, name, options, accelerator, err);
    pthread_mutex_unlock(&open_devices_lock);
    return status;
}

void bdnn_accelerator_close(bdnn_accelerator *a)
{
    pthread_mutex_lock(&open_devices_lock);
    if (--a->users == 0) {
        bdnn_accelerator **link = &open_devices;
        while (*link != a) {
            link = &(*link)->next;
        }
        *link = a->next;
        close_device(a);
    }
    pthread_mutex_unlock(&open_devices_lock);
}

void bdnn_accelerator_take_turn(bdnn_accelerator *a, uint32_t timeout_ms, bdnn_wait wait)
{
    pthread_mutex_lock(&a->turn);
    a->timeout_ms = timeout_ms ? timeout_ms : BDNN_ACCELERATOR_TIMEOUT_MS;
    a->wait = wait;
}

void bdnn_accelerator_end_turn(bdnn_accelerator *a)
{
    pthread_mutex_unlock(&a->turn);
}

void bdnn_accelerator_describe(const bdnn_accelerator *a, bdnn_device_info *info)
{
    info->identity = a->identity;
    info->compute_units = (uint32_t)a->unit_count;
    info->rows = a->array.rows;
    info->columns = a->array.columns;
    info->word_bits = a->array.word_bits;
    info->weight_depth = a->array.weight_depth;
    info->activation_depth = a->array.activation_depth;
    info->tiles = a->array.tiles;
    info->max_pooling = (a->features & BDNN_HW_FEATURES_MAX_POOLING) != 0;
}

static bdnn_status is_lost(const bdnn_accelerator *a, bdnn_error *err)
{
    return bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: the device is lost", a->label);
}

bdnn_status bdnn_accelerator_allocate(bdnn_accelerator *a, int pointer, size_t bytes, const char *what,
                                      bdnn_bus_memory *memory, bdnn_error *err)
{
    bdnn_status status;
    memset(memory, 0, sizeof *memory);
    if (a->lost) {
        return is_lost(a, err);
    }
    status = a->bus->allocate(a, pointer, bdnn_round_up(bytes, BDNN_BUS_PAGE), what, memory, err);
    /* A device that is gone has no memory either. */
    return status == BDNN_ERROR_MEMORY && a->identity && bdnn_accelerator_check(a, err) != BDNN_OK ? BDNN_ERROR_DEVICE
                                                                                                   : status;
}

void bdnn_accelerator_free(bdnn_accelerator *a, bdnn_bus_memory *memory)
{
    a->bus->free(a, memory);
}

bdnn_status bdnn_accelerator_to_device(bdnn_accelerator *a, const bdnn_bus_memory *memory, size_t offset, size_t bytes,
                                       bdnn_error *err)
{
    if (a->lost) {
        return is_lost(a, err);
    }
    return a->bus->to_device(a, memory, offset, bytes)
               ? BDNN_OK
               : bdnn_accelerator_lose(a, NULL, err, "%zu bytes cannot be copied to the device", bytes);
}

bdnn_status bdnn_accelerator_from_device(bdnn_accelerator *a, const bdnn_bus_memory *memory, size_t offset,
                                         size_t bytes, bdnn_error *err)
{
    if (a->lost) {
        return is_lost(a, err);
    }
    return a->bus->from_device(a, memory, offset, bytes)
               ? BDNN_OK
               : bdnn_accelerator_lose(a, NULL, err, "%zu bytes cannot be copied from the device", bytes);
}
