/* SPDX-License-Identifier: BSD-2-Clause */
/* The module's two nodes as a program uses them: buffers, test vectors placed in them, and runs through either node.
 * What cannot fail in a working system ends the program with a message. */
#ifndef BDNN_TESTS_SYSTEM_ZYNQ_NODES_H
#define BDNN_TESTS_SYSTEM_ZYNQ_NODES_H

#include "../../cosim/device_case.h"
#include "bdnn_device.h"

#define PAGE 4096u

int open_or_exit(const char *path);
struct bdnn_ioc_state info_of(int fd);

/* The registers, of a direct node. */
volatile uint32_t *map_registers(int fd);
void unmap_registers(volatile uint32_t *registers);
void put(volatile uint32_t *registers, uint32_t offset, uint32_t value);
bool is_idle(volatile uint32_t *registers);
bdnn_device_array array_of(int fd);

/* A mapped buffer. allocate: -1 with errno. */
struct memory {
    struct bdnn_ioc_buffer buffer;
    uint8_t *data;
};

int allocate(int fd, uint64_t bytes, uint32_t flags, struct memory *m);
void release(int fd, struct memory *m);

/* A test vector in the accelerator's memory. */
struct placed {
    device_case vector;
    struct memory part[BDNN_HW_POINTERS]; /* weights, activations, filters, results */
};

void make_vector(device_case *c, const bdnn_device_array *array, uint64_t seed);
/* Buffers are cached by the processor for odd seeds. */
void place(int fd, struct placed *p, uint64_t seed);
void unplace(int fd, struct placed *p);
/* What the end of a process does, and no more. */
void unplace_mappings(struct placed *p);

/* One job of a placed vector. run: how it ended (0: well), or -1 with errno; direct runs of odd images sleep until the
 * interrupt, others poll. */
struct bdnn_ioc_launch launch_of(const struct placed *p, int64_t image, int64_t group);
int run_mediated(int fd, const struct placed *p, int64_t image, int64_t group);
int run_direct(int fd, volatile uint32_t *registers, const struct placed *p, int64_t image, int64_t group);

/* A run of any length, on zeros: so many filters of a 3x3 convolution with 128 channels, K = 3 and Q = 6, on `side` by
 * `side` pixels; at least 162 cycles for 8 filters and 8 pixels on the array of boards/emu.txt. */
struct long_job {
    struct memory part[BDNN_HW_POINTERS];
    struct bdnn_ioc_launch launch;
};

void place_long(int fd, const bdnn_device_array *array, int64_t filters, int64_t side, struct long_job *job);
void unplace_long(int fd, struct long_job *job);

/* make_vector and place at once; the jobs of a placed vector, and whether the results are those of the definition. */
void place_vector(int fd, struct placed *p, const bdnn_device_array *array, uint64_t seed);
bool run_placed(int fd, volatile uint32_t *registers, struct placed *p);

/* A whole vector, through registers unless they are NULL; whether the results are those of the definition. */
bool run_vector(int fd, volatile uint32_t *registers, const bdnn_device_array *array, uint64_t seed);

#endif
