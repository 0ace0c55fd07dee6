/* SPDX-License-Identifier: BSD-2-Clause */
/* The module's two nodes as a program uses them (nodes.h). */
#include "nodes.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int open_or_exit(const char *path)
{
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

struct bdnn_ioc_state info_of(int fd)
{
    struct bdnn_ioc_state info = {0};
    if (ioctl(fd, BDNN_IOC_INFO, &info) != 0) {
        perror("BDNN_IOC_INFO");
        exit(1);
    }
    return info;
}

int allocate(int fd, uint64_t bytes, uint32_t flags, struct memory *m)
{
    m->buffer = (struct bdnn_ioc_buffer){.bytes = bytes, .flags = flags};
    if (ioctl(fd, BDNN_IOC_ALLOCATE, &m->buffer) != 0) {
        return -1;
    }
    m->data = mmap(NULL, m->buffer.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)m->buffer.offset);
    return m->data == MAP_FAILED ? -1 : 0;
}

void release(int fd, struct memory *m)
{
    munmap(m->data, m->buffer.bytes);
    if (ioctl(fd, BDNN_IOC_FREE, &m->buffer.handle) != 0) {
        perror("BDNN_IOC_FREE");
    }
}

volatile uint32_t *map_registers(int fd)
{
    volatile uint32_t *registers = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (registers == MAP_FAILED) {
        perror("the registers");
        exit(1);
    }
    return registers;
}

void unmap_registers(volatile uint32_t *registers)
{
    munmap((void *)(uintptr_t)registers, PAGE);
}

bdnn_device_array array_of(int fd)
{
    bdnn_device_array array;
    volatile uint32_t *registers = map_registers(fd);
    if (!bdnn_device_array_read(&array, registers[BDNN_HW_REG_ARRAY / 4], registers[BDNN_HW_REG_WORD / 4],
                                registers[BDNN_HW_REG_BUFFERS / 4])) {
        fprintf(stderr, "the registers of the array hold what no array can be\n");
        exit(1);
    }
    unmap_registers(registers);
    return array;
}

void make_vector(device_case *c, const bdnn_device_array *array, uint64_t seed)
{
    random_seed(seed);
    bdnn_ip_shape shape;
    do {
        shape = device_shape_random();
    } while (
        !device_case_make(c, array, &shape, (enum filling)(seed % FILL_KINDS), device_sums[seed % DEVICE_SUMS], false));
}

/* Buffers are cached by the processor on every other vector. */
void place(int fd, struct placed *p, uint64_t seed)
{
    const fence *parts[] = {&p->vector.weights, &p->vector.activations, &p->vector.filters, &p->vector.results};
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        if (allocate(fd, parts[i]->bytes, seed % 2 ? BDNN_BUFFER_CACHED : 0, &p->part[i]) != 0) {
            perror("a vector's buffers");
            exit(1);
        }
        memcpy(p->part[i].data, parts[i]->data, parts[i]->bytes);
        struct bdnn_ioc_sync sync = {
            .handle = p->part[i].buffer.handle, .direction = BDNN_SYNC_TO_DEVICE, .bytes = p->part[i].buffer.bytes};
        if (ioctl(fd, BDNN_IOC_SYNC, &sync) != 0) {
            perror("BDNN_IOC_SYNC");
        }
    }
}

/* What the end of a process does, and no more. */
void unplace_mappings(struct placed *p)
{
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        munmap(p->part[i].data, p->part[i].buffer.bytes);
    }
    device_case_free(&p->vector);
}

void unplace(int fd, struct placed *p)
{
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        release(fd, &p->part[i]);
    }
    device_case_free(&p->vector);
}

/* Offsets of one job's parts in their buffers. */
static void offsets_of(const struct placed *p, int64_t image, int64_t group, __u64 offset[BDNN_HW_POINTERS])
{
    const bdnn_device_layer *layer = &p->vector.layer;
    offset[BDNN_HW_POINTER_WEIGHTS] = 8 * (uint64_t)group * layer->weight_words;
    offset[BDNN_HW_POINTER_FILTERS] = 8 * (uint64_t)group * layer->filter_words;
    offset[BDNN_HW_POINTER_ACTIVATIONS] = 8 * (uint64_t)image * layer->activation_words;
    offset[BDNN_HW_POINTER_RESULTS] = 8 * (uint64_t)image * layer->result_words;
}

struct bdnn_ioc_launch launch_of(const struct placed *p, int64_t image, int64_t group)
{
    struct bdnn_ioc_launch launch = {.reserved = {0}};
    const bdnn_hw_job job = bdnn_device_job(&p->vector.layer, group);
    bdnn_hw_pack_job(&job, launch.arguments);
    offsets_of(p, image, group, launch.offset);
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        launch.handle[i] = p->part[i].buffer.handle;
    }
    return launch;
}

int run_mediated(int fd, const struct placed *p, int64_t image, int64_t group)
{
    struct bdnn_ioc_launch launch = launch_of(p, image, group);
    struct bdnn_ioc_wait wait = {.timeout_ms = 20000, .spin_us = group % 2 ? 0 : 100};
    if (ioctl(fd, BDNN_IOC_LAUNCH, &launch) != 0 || ioctl(fd, BDNN_IOC_WAIT, &wait) != 0) {
        return -1;
    }
    return (int)wait.ending;
}

/* What a user-space driver does: no system call between the write that starts and the read that sees the end. */
static uint32_t get(volatile uint32_t *registers, uint32_t offset)
{
    return __atomic_load_n(&registers[offset / 4], __ATOMIC_ACQUIRE);
}

bool is_idle(volatile uint32_t *registers)
{
    return get(registers, BDNN_HW_REG_CONTROL) & BDNN_HW_CONTROL_IDLE;
}

void put(volatile uint32_t *registers, uint32_t offset, uint32_t value)
{
    __atomic_store_n(&registers[offset / 4], value, __ATOMIC_RELEASE);
}

int run_direct(int fd, volatile uint32_t *registers, const struct placed *p, int64_t image, int64_t group)
{
    __u64 offset[BDNN_HW_POINTERS];
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    bdnn_hw_job job = bdnn_device_job(&p->vector.layer, group);
    offsets_of(p, image, group, offset);
    job.weights = p->part[BDNN_HW_POINTER_WEIGHTS].buffer.address + offset[BDNN_HW_POINTER_WEIGHTS];
    job.activations = p->part[BDNN_HW_POINTER_ACTIVATIONS].buffer.address + offset[BDNN_HW_POINTER_ACTIVATIONS];
    job.filters = p->part[BDNN_HW_POINTER_FILTERS].buffer.address + offset[BDNN_HW_POINTER_FILTERS];
    job.results = p->part[BDNN_HW_POINTER_RESULTS].buffer.address + offset[BDNN_HW_POINTER_RESULTS];
    bdnn_hw_pack_job(&job, words);
    for (uint32_t i = 0; i < BDNN_HW_ARGUMENT_WORDS; i++) {
        put(registers, BDNN_HW_REG_ARGUMENTS + 4 * i, words[i]);
    }
    put(registers, BDNN_HW_REG_CONTROL, BDNN_HW_CONTROL_START);
    if (image % 2) { /* sleep until the interrupt */
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        uint32_t count;
        if (poll(&waiting, 1, 20000) != 1 || read(fd, &count, sizeof count) != sizeof count) {
            return -1;
        }
    }
    while (!is_idle(registers)) {
    }
    return (int)get(registers, BDNN_HW_REG_ENDING);
}

static bool results_are_right(int fd, struct placed *p)
{
    struct memory *results = &p->part[BDNN_HW_POINTER_RESULTS];
    struct bdnn_ioc_sync sync = {
        .handle = results->buffer.handle, .direction = BDNN_SYNC_FROM_DEVICE, .bytes = results->buffer.bytes};
    if (ioctl(fd, BDNN_IOC_SYNC, &sync) != 0) {
        return false;
    }
    memcpy(p->vector.results.data, results->data, p->vector.results.bytes);
    return device_case_check(&p->vector);
}

void place_vector(int fd, struct placed *p, const bdnn_device_array *array, uint64_t seed)
{
    make_vector(&p->vector, array, seed);
    place(fd, p, seed);
}

bool run_placed(int fd, volatile uint32_t *registers, struct placed *p)
{
    bool good = true;
    for (int64_t n = 0; n < p->vector.layer.shape.batch && good; n++) {
        for (int64_t g = 0; g < p->vector.layer.shape.groups && good; g++) {
            good = (registers ? run_direct(fd, registers, p, n, g) : run_mediated(fd, p, n, g)) == 0;
        }
    }
    return good && results_are_right(fd, p);
}

void place_long(int fd, const bdnn_device_array *array, int64_t filters, int64_t side, struct long_job *job)
{
    const bdnn_ip_shape shape = {.batch = 1,
                                 .channels = 128,
                                 .filters = filters,
                                 .groups = 1,
                                 .bases = 3,
                                 .bits = 6,
                                 .in_size = {1, side, side},
                                 .out_size = {1, side, side},
                                 .kernel = {1, 3, 3},
                                 .stride = {1, 1, 1},
                                 .dilation = {1, 1, 1},
                                 .pad_begin = {0, 1, 1}};
    const bdnn_device_output output = {.mode = BDNN_HW_MODE_INT32};
    bdnn_device_layer layer;
    if (!bdnn_device_plan(array, &shape, &output, &layer)) {
        fprintf(stderr, "the array does not take the long job\n");
        exit(1);
    }
    const size_t words[BDNN_HW_POINTERS] = {layer.weight_words, layer.activation_words, layer.filter_words,
                                            layer.result_words};
    const bdnn_hw_job words_of = bdnn_device_job(&layer, 0);
    *job = (struct long_job){.launch = {.reserved = {0}}};
    bdnn_hw_pack_job(&words_of, job->launch.arguments);
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        if (allocate(fd, 8 * words[i], 0, &job->part[i]) != 0) {
            perror("the long job's buffers");
            exit(1);
        }
        job->launch.handle[i] = job->part[i].buffer.handle;
    }
}

void unplace_long(int fd, struct long_job *job)
{
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        release(fd, &job->part[i]);
    }
}

bool run_vector(int fd, volatile uint32_t *registers, const bdnn_device_array *array, uint64_t seed)
{
    struct placed p;
    place_vector(fd, &p, array, seed);
    const bool good = run_placed(fd, registers, &p);
    unplace(fd, &p);
    return good;
}
