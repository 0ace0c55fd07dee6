/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and a processor's cache as two things, behind the kernel's DMA functions (kernel.h): what is in a line of the
 * cache is not in memory until it is written back, and not seen again once the line is dropped. Lines are written back
 * and filled by themselves as `weather` says, since hardware may do so at any time. */
#ifndef BDNN_TESTS_DRIVER_MEMORY_H
#define BDNN_TESTS_DRIVER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_BYTES (64u * 4096)
#define MEMORY_LINE  64u

enum memory_weather {
    MEMORY_CALM,   /* lines stay as they are until the kernel does something */
    MEMORY_STORMY, /* all dirty lines are written back, all lines filled, whenever something happens */
    MEMORY_CHANGING,
    MEMORY_WEATHERS
};

extern struct memory_settings {
    enum memory_weather weather;
    bool no_map; /* nothing of the pool can be cached */
    bool clears; /* allocations for a cached mapping are cleared in the cache, as Linux 6.1 does without a promise */
} memory_settings;

/* What happened, and what is allocated now. */
extern struct memory_counts {
    unsigned to_device, from_device;
    size_t allocations, bytes;
} memory_counted;

/* A process, by a byte of a mapping or of the kernel's address; the device. Each ends the process where nothing is. */
uint8_t memory_load(const uint8_t *at);
void memory_store(uint8_t *at, uint8_t value);
uint8_t memory_device_load(uint64_t address);
void memory_device_store(uint64_t address, uint8_t value);

/* All of it as nobody left it; nothing may be allocated. */
void memory_reset(uint8_t value);

#endif
