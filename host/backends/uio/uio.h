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
extern const bdnn_bus bdnn_uio_mediated_bus, bdnn_uio_direct_bus;

/* The last run, as the module tells it. */
typedef struct bdnn_uio_run {
    uint32_t ending, counters[6];
} bdnn_uio_run;

typedef struct bdnn_uio_device {
    bdnn_accelerator base;
    int fd;
    bool coherent;       /* the processor's caches see what the accelerator does */
    uint64_t pool_bytes; /* of memory for buffers; 0: not known */
    /* Mediated */
    bdnn_uio_run last;
    /* Mapped */
    volatile uint32_t *registers;
    bool interrupts; /* of the kernel are on */
} bdnn_uio_device;

/* Registers that are mapped (mapped.c): the bus's functions for runs, but for reset, and how many interrupts there are
 * to wait for. */
bdnn_status bdnn_uio_mapped_start(bdnn_accelerator *accelerator, size_t unit, const bdnn_hw_job *job,
                                  const bdnn_bus_memory *const pointers[BDNN_POINTERS], bdnn_error *err);
bdnn_status bdnn_uio_mapped_await(bdnn_accelerator *accelerator, size_t unit, uint64_t limit, bool *ended,
                                  bdnn_error *err);
bool bdnn_uio_mapped_read(bdnn_accelerator *accelerator, size_t unit, uint32_t offset, uint32_t *value);

/* Fails with why a node could not be opened, from errno. */
bdnn_status bdnn_uio_fail_open(const char *path, int error, bdnn_error *err);

/* Milliseconds until the clock says `limit`, at least 1, at most a minute. */
uint32_t bdnn_uio_milliseconds_until(uint64_t limit);

#endif
