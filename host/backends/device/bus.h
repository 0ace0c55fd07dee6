/* SPDX-License-Identifier: BSD-2-Clause */
/* What a way to the hardware (XRT, the kernel module, UIO) must be able to do for the host of the accelerator: memory
 * that both see, starting a job on a compute unit and waiting for its end, status registers. A bus knows jobs and
 * bytes, never layers; accelerator.h is what its users call. */
#ifndef BDNN_BACKENDS_DEVICE_BUS_H
#define BDNN_BACKENDS_DEVICE_BUS_H

#include "backends/backend.h"
#include "backends/device/layout.h"

typedef struct bdnn_accelerator bdnn_accelerator;

/* Memory of the device, and where the host sees it. Parts of one are such memory too. */
typedef struct bdnn_bus_memory {
    void *host;       /* NULL: there is none */
    size_t bytes;     /* whole pages; of a part, what was asked for */
    uintptr_t handle; /* the bus's own; the same of two that are alive only where they are the same place */
    uint64_t offset;  /* from the start of what `handle` names */
    uint64_t address; /* as the accelerator sees it, where the bus tells */
    bool is_part;     /* of other memory */
} bdnn_bus_memory;

#define BDNN_BUS_PAGE ((size_t)4096)

/* Functions are called by one thread at a time for each accelerator, but for open, and close of different ones. `unit`
 * counts compute units from 0; only units that do not run are started. */
typedef struct bdnn_bus {
    const char *name; /* as the backend's */
    /* Opens a device that this process has not open: allocates a struct of the bus's own that begins with a
     * bdnn_accelerator, and fills in of that unit_count, the units' names, and `label`. options: all but threads. */
    bdnn_status (*open)(const char *name, const bdnn_backend_options *options, bdnn_accelerator **accelerator,
                        bdnn_error *err);
    /* Refuses to share an open device with whoever asks for it by other options. NULL: nothing to compare. */
    bdnn_status (*share)(const bdnn_accelerator *accelerator, const bdnn_backend_options *options, bdnn_error *err);
    /* Also of what open left unfinished. Of a lost device, as far as that does not wait for it. */
    void (*close)(bdnn_accelerator *accelerator);

    /* Memory for what argument `pointer` (BDNN_HW_POINTER_WEIGHTS and so on) points to; free accepts an empty one and
     * empties it. Errors: BDNN_ERROR_MEMORY, with what there is left where the bus knows. */
    bdnn_status (*allocate)(bdnn_accelerator *accelerator, int pointer, size_t bytes, const char *what,
                            bdnn_bus_memory *memory, bdnn_error *err);
    /* `bytes` from `offset` on, both whole pages; freed by free, before its whole. */
    bdnn_status (*part)(bdnn_accelerator *accelerator, const bdnn_bus_memory *whole, size_t offset, size_t bytes,
                        bdnn_bus_memory *part, bdnn_error *err);
    void (*free)(bdnn_accelerator *accelerator, bdnn_bus_memory *memory);
    /* Whether what the units read by the pointer to activations and what they write by that to results are memories
     * apart, so that results must be copied to be read. NULL: never. */
    bool (*apart)(const bdnn_accelerator *accelerator);
    /* `bytes` from `offset` on, multiples of 8, before a run that reads them or after one that wrote them. False: they
     * could not be. */
    bool (*to_device)(bdnn_accelerator *accelerator, const bdnn_bus_memory *memory, size_t offset, size_t bytes);
    bool (*from_device)(bdnn_accelerator *accelerator, const bdnn_bus_memory *memory, size_t offset, size_t bytes);

    /* The job's addresses are those of `pointers`. Errors by bdnn_accelerator_lose. */
    bdnn_status (*start)(bdnn_accelerator *accelerator, size_t unit, const bdnn_hw_job *job,
                         const bdnn_bus_memory *const pointers[BDNN_HW_POINTERS], bdnn_error *err);
    /* Waits until the unit's run ends, at most until the clock (bdnn_clock) says `limit`; *ended: whether it has.
     * Errors by bdnn_accelerator_lose. */
    bdnn_status (*await)(bdnn_accelerator *accelerator, size_t unit, uint64_t limit, bool *ended, bdnn_error *err);
    /* A register of status, from BDNN_HW_REG_ENDING on; counters are those of the last run. */
    bool (*read)(bdnn_accelerator *accelerator, size_t unit, uint32_t offset, uint32_t *value);
    /* Ends a run that takes too long, if that can be done; false when it goes on. NULL: it cannot. */
    bool (*reset)(bdnn_accelerator *accelerator, size_t unit);
    /* A job of zeros, which points to nothing, is handed through to the kernel to be refused. */
    bool runs_nothing;
} bdnn_bus;

#endif
