/* SPDX-License-Identifier: BSD-2-Clause */
/* An accelerator without XRT, as the files of this folder share it: an open node, its registers where they are mapped,
 * and memory that it reaches. */
#ifndef BDNN_BACKENDS_UIO_UIO_H
#define BDNN_BACKENDS_UIO_UIO_H

#include "backends/device/accelerator.h"
#include "backends/uio/system.h"

/* How long BDNN_WAIT_HYBRID looks before it sleeps: about what sleeping and being woken takes. */
#define BDNN_UIO_SPIN_US 100

/* The buses: of the module's node for everybody, of its node with mapped registers, of UIO as Linux has it. Devices are
 * called by the names of their nodes, "bdnn0", "bdnn0-direct", "uio0". */
extern const bdnn_bus bdnn_uio_mediated_bus, bdnn_uio_direct_bus, bdnn_uio_stock_bus;

/* The last run, as the module tells it. */
typedef struct bdnn_uio_run {
    uint32_t ending, counters[BDNN_HW_COUNTERS];
} bdnn_uio_run;

enum { BDNN_UIO_SYNC_FILES = 5 };

/* One piece of memory that the accelerator reaches, which this process shares out by itself (region.c). */
typedef struct bdnn_uio_region {
    char name[64];    /* of what it belongs to, for messages */
    uint64_t address; /* as the accelerator sees it */
    size_t bytes, used;
    uint8_t *map;
    bool staged; /* not to be worked in: copied to and from, word by word */
    struct bdnn_uio_block *blocks;
    bool is_buffer; /* a u-dma-buf, with a node of its own */
    bool is_handed; /* parts must be handed over, by these files */
    int fd, files[BDNN_UIO_SYNC_FILES];
} bdnn_uio_region;

typedef struct bdnn_uio_device {
    bdnn_accelerator base;
    int fd;
    bool coherent;       /* the processor's caches see what the accelerator does */
    uint64_t pool_bytes; /* of memory for buffers; 0: not known */
    /* Mediated */
    bdnn_uio_run last;
    /* Mapped */
    volatile uint32_t *registers;
    bool told; /* a run; only what changes is told again, as an access takes as long as hundreds of instructions */
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    bool interrupts; /* of the kernel are on */
    bool unread;     /* one may have come that was not read */
    /* UIO */
    bool unattended; /* nobody but this process acknowledges interrupts */
    bool known;      /* the registers are those of the kernel, and may be written */
    bdnn_uio_region region;
} bdnn_uio_device;

/* Registers that are mapped (mapped.c): the bus's functions for runs, but for reset, and how many interrupts there are
 * to wait for. */
bdnn_status bdnn_uio_mapped_start(bdnn_accelerator *accelerator, size_t unit, const bdnn_hw_job *job,
                                  const bdnn_bus_memory *const pointers[BDNN_HW_POINTERS], bdnn_error *err);
bdnn_status bdnn_uio_mapped_await(bdnn_accelerator *accelerator, size_t unit, uint64_t limit, bool *ended,
                                  bdnn_error *err);
bool bdnn_uio_mapped_read(bdnn_accelerator *accelerator, size_t unit, uint32_t offset, uint32_t *value);

/* Ends a run; false when the kernel does not become idle within half a second. */
bool bdnn_uio_mapped_stop(bdnn_uio_device *device);

/* Finds and maps the memory of a UIO device: its map1, or the u-dma-buf of that name (NULL: the only one). The region
 * is all zero before; close accepts that, and what a failed open has left. */
bdnn_status bdnn_uio_region_open(bdnn_uio_region *region, int uio_fd, const char *uio, const char *buffer,
                                 bdnn_error *err);
void bdnn_uio_region_close(bdnn_uio_region *region);

/* The bus's functions for memory, in the device's region. */
bdnn_status bdnn_uio_region_allocate(bdnn_accelerator *accelerator, int pointer, size_t bytes, const char *what,
                                     bdnn_bus_memory *memory, bdnn_error *err);
void bdnn_uio_region_free(bdnn_accelerator *accelerator, bdnn_bus_memory *memory);
bool bdnn_uio_region_to_device(bdnn_accelerator *accelerator, const bdnn_bus_memory *memory, size_t offset,
                               size_t bytes);
bool bdnn_uio_region_from_device(bdnn_accelerator *accelerator, const bdnn_bus_memory *memory, size_t offset,
                                 size_t bytes);

/* bdnn_bus.part, of all three buses. */
bdnn_status bdnn_uio_part(bdnn_accelerator *accelerator, const bdnn_bus_memory *whole, size_t offset, size_t bytes,
                          bdnn_bus_memory *part, bdnn_error *err);

/* Files of sysfs, by their paths below it: the first line without its end (false: there is none), a number in any C
 * notation, and whether there is such a file or folder. */
bool bdnn_uio_read_text(const char *path, char *text, size_t bytes);
bool bdnn_uio_read_number(const char *path, uint64_t *number);
bool bdnn_uio_exists(const char *path);

/* The numbers of a class's entries that are called PREFIX and a number, at most `room`, in ascending order. */
size_t bdnn_uio_find_numbers(const char *class, const char *prefix, long *numbers, size_t room);

/* Fails with why a node could not be opened, from errno. */
bdnn_status bdnn_uio_fail_open(const char *path, int error, bdnn_error *err);

/* Milliseconds until the clock says `limit`, at least 1, at most a minute. */
uint32_t bdnn_uio_milliseconds_until(uint64_t limit);

#endif
