/* SPDX-License-Identifier: BSD-2-Clause */
/* The double of a Zynq (zynq.h). Whatever the backend does that no system would bear ends the process with a message.
 */
#define _DEFAULT_SOURCE
#include "zynq.h"

#include "bdnn_job.h"
#include "run_job.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct zynq_settings zynq;
struct zynq_counts zynq_counted;

__attribute__((format(printf, 1, 2), noreturn)) static void broken(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "zynq: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    abort();
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* ---- Memory ---- */

enum { BUFFERS = 512, REGISTER_WORDS = 1024 };

/* The module's buffers by handle; the last two are UIO's regions. */
struct buffer {
    uint8_t *host, *device; /* the same where it is coherent */
    size_t bytes;
    uint64_t address;
    bool cached;
};
enum { MAP1 = BUFFERS, UDMABUF, ALL_BUFFERS };
static struct buffer buffers[ALL_BUFFERS];
static uint64_t next_address = 0x10000000;

static void make(struct buffer *b, size_t bytes, uint64_t address, bool cached)
{
    *b = (struct buffer){
        .host = aligned_alloc(4096, bytes), .device = NULL, .bytes = bytes, .address = address, .cached = cached};
    b->device = cached ? aligned_alloc(4096, bytes) : b->host;
    /* What nobody has written is told from zeros. */
    memset(b->host, 0xa5, bytes);
    memset(b->device, 0x5a, bytes);
}

static void destroy(struct buffer *b)
{
    if (b->device != b->host) {
        free(b->device);
    }
    free(b->host);
    memset(b, 0, sizeof *b);
}

/* Where the accelerator finds what is at an address; all of an extent must be there. */
static void *at_address(uint64_t address, const struct bdnn_extent *extent)
{
    for (int i = 0; i < ALL_BUFFERS && extent->bytes; i++) {
        const struct buffer *b = &buffers[i];
        if (b->host && address >= b->address && address - b->address < b->bytes) {
            if (extent->offset + extent->bytes > b->bytes - (address - b->address)) {
                broken("a job leaves its memory");
            }
            return b->device + (address - b->address);
        }
    }
    if (extent->bytes) {
        broken("a job names the address 0x%llx, where there is nothing", (unsigned long long)address);
    }
    return NULL;
}

/* ---- The accelerator ---- */

enum { LOOKS = 5 }; /* at the control register, until a run ends */

static uint32_t registers[REGISTER_WORDS];
static struct {
    bool running, computed, gone, spurious;
    unsigned looks;
    uint32_t events; /* interrupts that a reader may learn of */
    bool unread;     /* some of them it has not */
    bool masked;     /* by UIO, until it is written to */
} device;

#define REGISTER(name) registers[BDNN_HW_REG_##name / 4]

static bool faulty(enum zynq_fault fault)
{
    return zynq.fault == fault && zynq_counted.runs == zynq.fault_run;
}

static void put_address(uint32_t *words, const void *memory)
{
    words[0] = (uint32_t)(uintptr_t)memory;
    words[1] = (uint32_t)((uint64_t)(uintptr_t)memory >> 32);
}

static void compute(void)
{
    struct bdnn_extent extents[BDNN_HW_POINTERS];
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    memcpy(words, &REGISTER(WEIGHTS), sizeof words);
    const bool valid = bdnn_job_extents(words, BDNN_HW_ROWS(REGISTER(ARRAY)),
                                        BDNN_HW_WORD_BITS(REGISTER(WORD)) / BDNN_HW_UNIT, extents);
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        const uint64_t address = words[2 * i] | (uint64_t)words[2 * i + 1] << 32;
        put_address(words + 2 * i, valid ? at_address(address, &extents[i]) : NULL);
    }
    const bdnn_hw_status s = hls_run_words(words);
    REGISTER(ENDING) = s.ending;
    REGISTER(BUSY) = s.busy;
    device.computed = true;
}

static void interrupt(void)
{
    if (!device.masked) {
        zynq_counted.interrupts++;
        device.events++;
        device.unread = true;
    }
}

static bool by_module; /* the module takes the interrupts, not UIO */
static bool direct;    /* its node that tells addresses is open */

/* The line follows what is enabled and not acknowledged; the module acknowledges at once, UIO masks. */
static void update_line(void)
{
    if (!(REGISTER(GLOBAL_INTERRUPT) & 1) || !(REGISTER(INTERRUPT_ENABLE) & 1) || !REGISTER(INTERRUPT_STATUS) ||
        zynq.fault == ZYNQ_SILENT) {
        return;
    }
    if (by_module) {
        REGISTER(INTERRUPT_STATUS) = 0;
        interrupt();
    } else if (!device.masked) {
        interrupt();
        device.masked = true;
    }
}

static void end_run(void)
{
    if (!device.computed) {
        compute();
    }
    if (faulty(ZYNQ_BUS_ERROR)) {
        REGISTER(ENDING) = BDNN_HW_ENDING_READ_ERROR;
    }
    device.running = false;
    device.gone = faulty(ZYNQ_GONE);
    REGISTER(INTERRUPT_STATUS) |= REGISTER(INTERRUPT_ENABLE);
    update_line();
}

/* Something looks at the run, or time passes. */
static void pass(bool long_time)
{
    if (!device.running || faulty(ZYNQ_STUCK) || faulty(ZYNQ_DEAF)) {
        return;
    }
    if (long_time || ++device.looks >= LOOKS) {
        end_run();
    }
}

static void begin_run(void)
{
    if (device.running) {
        broken("a run is started in the middle of another");
    }
    zynq_counted.runs++;
    device.running = true;
    device.computed = false;
    device.looks = 0;
    if (zynq.early && !faulty(ZYNQ_STUCK) && !faulty(ZYNQ_DEAF)) {
        compute();
    }
    device.spurious = faulty(ZYNQ_SPURIOUS);
}

static void cancel(void)
{
    zynq_counted.cancels++;
    if (device.running && !faulty(ZYNQ_DEAF)) {
        device.running = false;
        REGISTER(ENDING) = BDNN_HW_ENDING_CANCELLED;
    }
}

static uint32_t load(const volatile uint32_t *at)
{
    const size_t i = (size_t)(at - registers);
    if (i >= REGISTER_WORDS) {
        broken("a register beyond the kernel's");
    }
    if (device.gone) {
        return UINT32_MAX;
    }
    if (i == BDNN_HW_REG_CONTROL / 4) {
        const uint32_t control = device.running ? 0 : BDNN_HW_CONTROL_IDLE;
        pass(false);
        return control;
    }
    return registers[i];
}

static void store(volatile uint32_t *at, uint32_t value)
{
    const size_t i = (size_t)(at - registers);
    zynq_counted.writes_to_strangers += REGISTER(IDENTITY) != BDNN_HW_IDENTITY;
    if (i == BDNN_HW_REG_CONTROL / 4) {
        if (value & BDNN_HW_CONTROL_START) {
            begin_run();
        } else if (value & BDNN_HW_CONTROL_CANCEL) {
            cancel();
        }
    } else if (i == BDNN_HW_REG_INTERRUPT_STATUS / 4) {
        registers[i] ^= value;
    } else if (i < BDNN_HW_REG_ENDING / 4) {
        if (device.running && i >= BDNN_HW_REG_ARGUMENTS / 4) {
            broken("an argument is changed in the middle of a run");
        }
        registers[i] = value;
    } else {
        broken("a store to the register %#zx", 4 * i);
    }
    update_line();
}

static void power_up(void)
{
    static const bdnn_hw_job nothing;
    const bdnn_hw_status s = hls_run_job(&nothing);
    memset(registers, 0, sizeof registers);
    memset(&device, 0, sizeof device);
    REGISTER(IDENTITY) = zynq.identity ? zynq.identity : s.identity;
    REGISTER(ARRAY) = s.array;
    REGISTER(WORD) = s.word;
    REGISTER(BUFFERS) = s.buffers;
    REGISTER(FEATURES) = s.features;
}

/* ---- The module ---- */

static void hand_over(struct buffer *b, uint64_t offset, uint64_t bytes, bool to_device)
{
    if (offset > b->bytes || bytes > b->bytes - offset) {
        broken("%llu bytes at %llu of a buffer of %zu are handed over", (unsigned long long)bytes,
               (unsigned long long)offset, b->bytes);
    }
    if (to_device) {
        zynq_counted.to_device++;
        zynq_counted.to_while_running += device.running;
        memcpy(b->device + offset, b->host + offset, b->device != b->host ? bytes : 0);
    } else {
        zynq_counted.from_device++;
        zynq_counted.from_while_running += device.running;
        memcpy(b->host + offset, b->device + offset, b->device != b->host ? bytes : 0);
    }
}

static int module_allocate(struct bdnn_ioc_buffer *request)
{
    uint32_t handle = 1;
    const size_t bytes = (size_t)(request->bytes + 4095) / 4096 * 4096;
    while (handle < BUFFERS && buffers[handle].host) {
        handle++;
    }
    if (handle == BUFFERS || (zynq.max_buffers && zynq_counted.buffers == zynq.max_buffers)) {
        return fail(EMFILE);
    }
    if (bytes > zynq.pool_bytes - zynq_counted.pool_used) {
        return fail(ENOSPC);
    }
    make(&buffers[handle], bytes, next_address, request->flags & BDNN_BUFFER_CACHED);
    next_address += bytes + 4096;
    zynq_counted.pool_used += bytes;
    zynq_counted.buffers++;
    request->bytes = bytes;
    request->handle = handle;
    request->address = direct ? buffers[handle].address : 0;
    request->offset = (uint64_t)handle << 12;
    return 0;
}

static struct buffer *buffer_of(uint32_t handle)
{
    return handle && handle < BUFFERS && buffers[handle].host ? &buffers[handle] : NULL;
}

static int module_free(uint32_t handle)
{
    struct buffer *b = buffer_of(handle);
    if (!b) {
        return fail(ENOENT);
    }
    if (device.running) {
        return fail(EBUSY);
    }
    zynq_counted.pool_used -= b->bytes;
    zynq_counted.buffers--;
    destroy(b);
    return 0;
}

static int module_sync(const struct bdnn_ioc_sync *sync)
{
    struct buffer *b = buffer_of(sync->handle);
    if (!b) {
        return fail(ENOENT);
    }
    hand_over(b, sync->offset, sync->bytes, sync->direction == BDNN_SYNC_TO_DEVICE);
    return 0;
}

/* As the module does, with its own arithmetic. */
static int module_launch(struct bdnn_ioc_launch *launch)
{
    struct bdnn_extent extents[BDNN_HW_POINTERS];
    if (device.running) {
        return fail(EBUSY);
    }
    if (!bdnn_job_extents(launch->arguments, BDNN_HW_ROWS(REGISTER(ARRAY)),
                          BDNN_HW_WORD_BITS(REGISTER(WORD)) / BDNN_HW_UNIT, extents)) {
        return fail(EINVAL);
    }
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        const struct buffer *b = buffer_of(launch->handle[i]);
        uint64_t address = 0;
        if (extents[i].bytes) {
            if (!b) {
                return fail(ENOENT);
            }
            if (launch->offset[i] > b->bytes || extents[i].offset + extents[i].bytes > b->bytes - launch->offset[i]) {
                return fail(EFAULT);
            }
            address = b->address + launch->offset[i];
        }
        launch->arguments[2 * i] = (uint32_t)address;
        launch->arguments[2 * i + 1] = (uint32_t)(address >> 32);
    }
    memcpy(&REGISTER(WEIGHTS), launch->arguments, sizeof launch->arguments);
    begin_run();
    return 0;
}

static void sleep_for(int milliseconds)
{
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    zynq_counted.sleeps++;
    nanosleep(&time, NULL);
}

static int module_wait(struct bdnn_ioc_wait *wait)
{
    if (faulty(ZYNQ_INTERRUPTED) && device.running && device.looks == 0) {
        device.looks++;
        return fail(EINTR);
    }
    pass(wait->timeout_ms > 0);
    if (device.running) {
        sleep_for((int)wait->timeout_ms);
        return fail(ETIME);
    }
    wait->ending = REGISTER(ENDING);
    memcpy(wait->counters, &REGISTER(COUNTERS), sizeof wait->counters);
    return 0;
}

static int module_ioctl(unsigned long request, void *argument)
{
    switch (request) {
    case BDNN_IOC_INFO:
        *(struct bdnn_ioc_state *)argument =
            (struct bdnn_ioc_state){.version = zynq.module_version ? zynq.module_version : BDNN_UAPI_VERSION,
                                    .flags = zynq.coherent ? BDNN_STATE_COHERENT : 0,
                                    .identity = device.gone ? UINT32_MAX : REGISTER(IDENTITY),
                                    .array = REGISTER(ARRAY),
                                    .word = REGISTER(WORD),
                                    .buffers = REGISTER(BUFFERS),
                                    .features = REGISTER(FEATURES),
                                    .register_bytes = 4096,
                                    .pool_bytes = zynq.pool_bytes,
                                    .pool_used = zynq_counted.pool_used};
        return 0;
    case BDNN_IOC_ALLOCATE:
        return module_allocate(argument);
    case BDNN_IOC_FREE:
        return module_free(*(const uint32_t *)argument);
    case BDNN_IOC_SYNC:
        return module_sync(argument);
    case BDNN_IOC_LAUNCH:
        return module_launch(argument);
    case BDNN_IOC_WAIT:
        return module_wait(argument);
    case BDNN_IOC_RESET:
        cancel();
        return device.running ? fail(EIO) : 0;
    default:
        return fail(ENOTTY);
    }
}

/* ---- The system ---- */

/* What is open, in the place of descriptors. */
enum node {
    NODE_FIRST = 1000,
    MEDIATED = NODE_FIRST,
    DIRECT,
    UIO,
    UDMABUF_NODE,
    SYNC_OFFSET,
    SYNC_SIZE,
    SYNC_DIRECTION,
    SYNC_FOR_DEVICE,
    SYNC_FOR_CPU,
    NODE_END
};
static bool is_open[NODE_END - NODE_FIRST];
static uint64_t sync_value[NODE_END - NODE_FIRST];

static int open_node(enum node node)
{
    if (is_open[node - NODE_FIRST] || (node == MEDIATED && is_open[DIRECT - NODE_FIRST])) {
        return fail(EBUSY);
    }
    is_open[node - NODE_FIRST] = true;
    zynq_counted.open_files++;
    if (node == UDMABUF_NODE) {
        make(&buffers[UDMABUF], ZYNQ_UDMABUF_BYTES, ZYNQ_UDMABUF_ADDRESS, !zynq.coherent);
    } else if (node <= UIO) {
        power_up();
        by_module = node != UIO;
        direct = node == DIRECT;
        if (by_module) {
            REGISTER(GLOBAL_INTERRUPT) = REGISTER(INTERRUPT_ENABLE) = 1;
        } else {
            make(&buffers[MAP1], ZYNQ_MAP1_BYTES, ZYNQ_MAP1_ADDRESS, false);
        }
    }
    return node;
}

static int call_open(const char *path, int flags)
{
    static const struct {
        const char *end;
        enum node node;
    } nodes[] = {{"/dev/bdnn0", MEDIATED},
                 {"/dev/bdnn0-direct", DIRECT},
                 {"/dev/uio0", UIO},
                 {"/dev/udmabuf0", UDMABUF_NODE},
                 {"/class/u-dma-buf/udmabuf0/sync_offset", SYNC_OFFSET},
                 {"/class/u-dma-buf/udmabuf0/sync_size", SYNC_SIZE},
                 {"/class/u-dma-buf/udmabuf0/sync_direction", SYNC_DIRECTION},
                 {"/class/u-dma-buf/udmabuf0/sync_for_device", SYNC_FOR_DEVICE},
                 {"/class/u-dma-buf/udmabuf0/sync_for_cpu", SYNC_FOR_CPU}};
    (void)flags;
    if (zynq.open_error) {
        return fail(zynq.open_error);
    }
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        const size_t length = strlen(path), end = strlen(nodes[i].end);
        if (length >= end && strcmp(path + length - end, nodes[i].end) == 0) {
            return zynq.leased && nodes[i].node <= DIRECT ? fail(EBUSY) : open_node(nodes[i].node);
        }
    }
    return fail(ENOENT);
}

/* The module stops a run, and frees what a process has left. */
static int call_close(int fd)
{
    if (fd < NODE_FIRST || fd >= NODE_END || !is_open[fd - NODE_FIRST]) {
        broken("%d is closed, which is not open", fd);
    }
    is_open[fd - NODE_FIRST] = false;
    zynq_counted.open_files--;
    for (uint32_t handle = 1; handle < BUFFERS && fd <= DIRECT; handle++) {
        device.running = false;
        if (buffers[handle].host) {
            module_free(handle);
        }
    }
    if (fd == UIO && buffers[MAP1].host) {
        destroy(&buffers[MAP1]);
    } else if (fd == UDMABUF_NODE) {
        destroy(&buffers[UDMABUF]);
    }
    return 0;
}

static int call_ioctl(int fd, unsigned long request, void *argument)
{
    return fd == MEDIATED || fd == DIRECT ? module_ioctl(request, argument) : fail(ENOTTY);
}

static void *mapping_of(int fd, size_t bytes, uint64_t offset)
{
    const struct buffer *b = fd == UDMABUF_NODE             ? &buffers[UDMABUF]
                             : fd == UIO && offset          ? &buffers[MAP1]
                             : fd <= DIRECT && offset >> 12 ? buffer_of((uint32_t)(offset >> 12))
                                                            : NULL;
    if (offset == 0 && (fd == DIRECT || fd == UIO)) {
        return bytes <= sizeof registers ? registers : NULL;
    }
    return b && bytes <= b->bytes ? b->host : NULL;
}

static void *call_mmap(int fd, size_t bytes, uint64_t offset)
{
    void *memory = mapping_of(fd, bytes, offset);
    zynq_counted.mappings += memory != NULL;
    errno = EINVAL;
    return memory;
}

static int call_munmap(void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
    zynq_counted.mappings--;
    return 0;
}

static int call_flock(int fd)
{
    (void)fd;
    return zynq.leased ? fail(EWOULDBLOCK) : 0;
}

static int call_poll(int fd, int milliseconds)
{
    (void)fd;
    if (device.spurious) {
        device.spurious = false;
        interrupt();
        device.masked = !by_module;
    }
    if (!device.unread) {
        pass(true);
    }
    if (!device.unread) {
        sleep_for(milliseconds);
    }
    return device.unread;
}

static ssize_t call_read(int fd, void *to, size_t bytes)
{
    (void)fd;
    if (!device.unread || bytes != sizeof device.events) {
        broken("a read that would wait for ever, or of %zu bytes", bytes);
    }
    device.unread = false;
    memcpy(to, &device.events, bytes);
    return (ssize_t)bytes;
}

static ssize_t call_write(int fd, const void *from, size_t bytes)
{
    char text[32] = "";
    if (fd == UIO) {
        device.masked = false;
        update_line();
        return (ssize_t)bytes;
    }
    memcpy(text, from, bytes < sizeof text ? bytes : sizeof text - 1);
    sync_value[fd - NODE_FIRST] = strtoull(text, NULL, 0);
    if (fd == SYNC_FOR_DEVICE || fd == SYNC_FOR_CPU) {
        const bool to_device = fd == SYNC_FOR_DEVICE;
        if (sync_value[SYNC_DIRECTION - NODE_FIRST] != (to_device ? 1 : 2)) {
            broken("a hand-over in the wrong direction");
        }
        hand_over(&buffers[UDMABUF], sync_value[SYNC_OFFSET - NODE_FIRST], sync_value[SYNC_SIZE - NODE_FIRST],
                  to_device);
    }
    return (ssize_t)bytes;
}

bdnn_uio_system zynq_system = {.open = call_open,
                               .close = call_close,
                               .ioctl = call_ioctl,
                               .mmap = call_mmap,
                               .munmap = call_munmap,
                               .flock = call_flock,
                               .poll = call_poll,
                               .read = call_read,
                               .write = call_write,
                               .load = load,
                               .store = store};
