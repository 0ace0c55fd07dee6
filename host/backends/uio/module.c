/* SPDX-License-Identifier: BSD-2-Clause */
/* The bdnn module (driver/bdnn_device.h) as two buses: buffers by ioctl in both; runs by ioctl, or by mapped registers.
 */
#include "backends/uio/uio.h"
#include "bdnn_device.h"
#include "core/clock.h"
#include "core/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define MAX_SPIN_US 1000 /* of the module */

static bdnn_uio_device *device_of(bdnn_accelerator *a)
{
    return (bdnn_uio_device *)a;
}

static int call(const bdnn_uio_device *device, unsigned long request, void *argument)
{
    return bdnn_uio_system_used->ioctl(device->fd, request, argument);
}

/* ---- Opening ---- */

static bdnn_status ask_state(bdnn_uio_device *device, struct bdnn_ioc_state *state, bdnn_error *err)
{
    memset(state, 0, sizeof *state);
    if (call(device, BDNN_IOC_INFO, state) != 0) {
        return errno == ENOTTY ? bdnn_fail(err, BDNN_ERROR_DEVICE,
                                           "%s: this bdnn needs version %d of the module, which "
                                           "this one is not",
                                           device->base.label, BDNN_UAPI_VERSION)
                               : bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: the module says nothing of it: %s",
                                           device->base.label, strerror(errno));
    }
    return state->version == BDNN_UAPI_VERSION
               ? BDNN_OK
               : bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: the module is of version %u, this bdnn of %d",
                           device->base.label, state->version, BDNN_UAPI_VERSION);
}

static void close_node(bdnn_accelerator *a)
{
    bdnn_uio_device *device = device_of(a);
    if (device->registers) {
        bdnn_uio_system_used->munmap((void *)(uintptr_t)device->registers, BDNN_HW_REGISTER_SPAN);
    }
    if (device->fd >= 0) {
        bdnn_uio_system_used->close(device->fd);
    }
    bdnn_free(device);
}

static bdnn_status open_node(const char *name, bool mapped, bdnn_accelerator **accelerator, bdnn_error *err)
{
    bdnn_uio_device *device = bdnn_zalloc(1, sizeof *device);
    struct bdnn_ioc_state state = {0};
    char path[80];
    bdnn_status status;
    if (!device) {
        return bdnn_fail_memory(err, sizeof *device, "a device");
    }
    snprintf(path, sizeof path, "/dev/%s", name);
    snprintf(device->base.label, sizeof device->base.label, "uio:%.64s", name);
    device->base.unit_count = 1;
    device->fd = bdnn_uio_system_used->open(path, O_RDWR);
    status = device->fd < 0 ? bdnn_uio_fail_open(path, errno, err) : ask_state(device, &state, err);
    if (status == BDNN_OK && mapped) {
        device->registers = bdnn_uio_system_used->mmap(device->fd, BDNN_HW_REGISTER_SPAN, 0);
        device->interrupts = true; /* the module turns them on */
        if (!device->registers) {
            status = bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: its registers cannot be mapped: %s", device->base.label,
                               strerror(errno));
        }
    }
    if (status != BDNN_OK) {
        close_node(&device->base);
        return status;
    }
    device->coherent = state.flags & BDNN_STATE_COHERENT;
    device->pool_bytes = state.pool_bytes;
    *accelerator = &device->base;
    return BDNN_OK;
}

static bdnn_status open_mediated(const char *name, const bdnn_backend_options *options, bdnn_accelerator **accelerator,
                                 bdnn_error *err)
{
    (void)options;
    return open_node(name, false, accelerator, err);
}

static bdnn_status open_direct(const char *name, const bdnn_backend_options *options, bdnn_accelerator **accelerator,
                               bdnn_error *err)
{
    (void)options;
    return open_node(name, true, accelerator, err);
}

/* ---- Memory ---- */

static bool hand_over(bdnn_accelerator *a, const bdnn_bus_memory *memory, uint32_t direction, size_t offset,
                      size_t bytes)
{
    struct bdnn_ioc_sync sync = {
        .handle = (uint32_t)memory->handle, .direction = direction, .offset = memory->offset + offset, .bytes = bytes};
    return device_of(a)->coherent || call(device_of(a), BDNN_IOC_SYNC, &sync) == 0;
}

static bool to_device(bdnn_accelerator *a, const bdnn_bus_memory *memory, size_t offset, size_t bytes)
{
    return hand_over(a, memory, BDNN_SYNC_TO_DEVICE, offset, bytes);
}

static bool from_device(bdnn_accelerator *a, const bdnn_bus_memory *memory, size_t offset, size_t bytes)
{
    return hand_over(a, memory, BDNN_SYNC_FROM_DEVICE, offset, bytes);
}

/* What cannot be freed, since the accelerator does not stop, is the module's to keep when the node is closed. */
static void free_memory(bdnn_accelerator *a, bdnn_bus_memory *memory)
{
    uint32_t handle = (uint32_t)memory->handle;
    if (!memory->is_part && memory->host) {
        bdnn_uio_system_used->munmap(memory->host, memory->bytes);
    }
    if (!memory->is_part && handle) {
        call(device_of(a), BDNN_IOC_FREE, &handle);
    }
    memset(memory, 0, sizeof *memory);
}

static bdnn_status fail_allocate(bdnn_uio_device *device, size_t bytes, const char *what, int error, bdnn_error *err)
{
    struct bdnn_ioc_state state;
    bdnn_status status = ask_state(device, &state, err);
    if (status != BDNN_OK) {
        return status;
    }
    if (error == EMFILE) {
        return bdnn_fail(err, BDNN_ERROR_MEMORY,
                         "%s: no buffer for %s: the module allows a process no more (its parameter max_buffers)",
                         device->base.label, what);
    }
    if (state.pool_bytes == 0) {
        return bdnn_fail(err, BDNN_ERROR_MEMORY,
                         "%s: the device has no %zu bytes for %s in the system's CMA area; it uses %llu",
                         device->base.label, bytes, what, (unsigned long long)state.pool_used);
    }
    return bdnn_fail(err, BDNN_ERROR_MEMORY,
                     "%s: the device has no %zu bytes for %s%s: of its pool of %llu, %llu are free", device->base.label,
                     bytes, what, error == ENOMEM ? " in one piece" : "", (unsigned long long)state.pool_bytes,
                     (unsigned long long)(state.pool_bytes - state.pool_used));
}

/* Cached by the processor, since values are packed and unpacked in place. */
static bdnn_status allocate(bdnn_accelerator *a, int pointer, size_t bytes, const char *what, bdnn_bus_memory *memory,
                            bdnn_error *err)
{
    bdnn_uio_device *device = device_of(a);
    struct bdnn_ioc_buffer buffer = {.bytes = bytes, .flags = device->coherent ? 0 : BDNN_BUFFER_CACHED};
    (void)pointer;
    if (call(device, BDNN_IOC_ALLOCATE, &buffer) != 0) {
        return fail_allocate(device, bytes, what, errno, err);
    }
    *memory = (bdnn_bus_memory){.bytes = bytes, .handle = buffer.handle, .address = buffer.address};
    memory->host = bdnn_uio_system_used->mmap(device->fd, bytes, buffer.offset);
    if (!memory->host) {
        const int error = errno;
        free_memory(a, memory);
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: %zu bytes for %s cannot be mapped: %s", a->label, bytes, what,
                         strerror(error));
    }
    return BDNN_OK;
}

/* ---- Runs ---- */

static bdnn_status start(bdnn_accelerator *a, size_t unit, const bdnn_hw_job *job,
                         const bdnn_bus_memory *const pointers[BDNN_HW_POINTERS], bdnn_error *err)
{
    struct bdnn_ioc_launch launch = {.reserved = {0}};
    bdnn_hw_pack_job(job, launch.arguments);
    for (int p = 0; p < BDNN_HW_POINTERS; p++) {
        launch.handle[p] = (uint32_t)pointers[p]->handle;
        launch.offset[p] = pointers[p]->offset;
    }
    return call(device_of(a), BDNN_IOC_LAUNCH, &launch) == 0
               ? BDNN_OK
               : bdnn_accelerator_lose(a, &a->units[unit], err, "the module does not start a job: %s", strerror(errno));
}

/* The module looks for `spin_us` and then sleeps; again, after a signal or when it was asked only to look. */
static bdnn_status await(bdnn_accelerator *a, size_t unit, uint64_t limit, bool *ended, bdnn_error *err)
{
    bdnn_uio_device *device = device_of(a);
    const bool sleeps = a->wait != BDNN_WAIT_POLL;
    uint32_t spin_us = a->wait == BDNN_WAIT_HYBRID ? BDNN_UIO_SPIN_US : sleeps ? 0 : MAX_SPIN_US;
    do {
        struct bdnn_ioc_wait wait = {.timeout_ms = sleeps ? bdnn_uio_milliseconds_until(limit) : 0, .spin_us = spin_us};
        *ended = call(device, BDNN_IOC_WAIT, &wait) == 0;
        if (*ended) {
            device->last.ending = wait.ending;
            memcpy(device->last.counters, wait.counters, sizeof device->last.counters);
        } else if (errno != ETIME && errno != EINTR) {
            return bdnn_accelerator_lose(a, &a->units[unit], err, "its run cannot be waited for: %s", strerror(errno));
        }
        spin_us = sleeps ? 0 : spin_us;
    } while (!*ended && bdnn_clock() < limit);
    return BDNN_OK;
}

/* Identity and sizes as the module reads them; the last run's end and counters as it told them then. */
static bool read_register(bdnn_accelerator *a, size_t unit, uint32_t offset, uint32_t *value)
{
    bdnn_uio_device *device = device_of(a);
    struct bdnn_ioc_state state;
    (void)unit;
    if (offset == BDNN_HW_REG_ENDING) {
        *value = device->last.ending;
        return true;
    }
    if (offset >= BDNN_HW_REG_COUNTERS && offset < BDNN_HW_REG_COUNTERS + 4 * BDNN_HW_COUNTERS) {
        *value = device->last.counters[(offset - BDNN_HW_REG_COUNTERS) / 4];
        return true;
    }
    if (ask_state(device, &state, NULL) != BDNN_OK) {
        return false;
    }
    switch (offset) {
    case BDNN_HW_REG_IDENTITY:
        *value = state.identity;
        return true;
    case BDNN_HW_REG_ARRAY:
        *value = state.array;
        return true;
    case BDNN_HW_REG_WORD:
        *value = state.word;
        return true;
    case BDNN_HW_REG_BUFFERS:
        *value = state.buffers;
        return true;
    default:
        *value = state.features;
        return offset == BDNN_HW_REG_FEATURES;
    }
}

static bool reset(bdnn_accelerator *a, size_t unit)
{
    (void)unit;
    return call(device_of(a), BDNN_IOC_RESET, NULL) == 0;
}

/* The module itself refuses a job of zeros. */
const bdnn_bus bdnn_uio_mediated_bus = {.name = "uio",
                                        .open = open_mediated,
                                        .close = close_node,
                                        .allocate = allocate,
                                        .part = bdnn_uio_part,
                                        .free = free_memory,
                                        .to_device = to_device,
                                        .from_device = from_device,
                                        .start = start,
                                        .await = await,
                                        .read = read_register,
                                        .reset = reset};

const bdnn_bus bdnn_uio_direct_bus = {.name = "uio",
                                      .open = open_direct,
                                      .close = close_node,
                                      .allocate = allocate,
                                      .part = bdnn_uio_part,
                                      .free = free_memory,
                                      .to_device = to_device,
                                      .from_device = from_device,
                                      .start = bdnn_uio_mapped_start,
                                      .await = bdnn_uio_mapped_await,
                                      .read = bdnn_uio_mapped_read,
                                      .reset = reset,
                                      .runs_nothing = true};
