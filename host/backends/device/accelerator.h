/* SPDX-License-Identifier: BSD-2-Clause */
/* An open accelerator, on whichever bus: checked, shared by the sessions of this process, with one run at a time on
 * each of its compute units. Knows jobs, not layers. */
#ifndef BDNN_BACKENDS_DEVICE_ACCELERATOR_H
#define BDNN_BACKENDS_DEVICE_ACCELERATOR_H

#include "backends/device/bus.h"

#include <pthread.h>

#define BDNN_ACCELERATOR_MAX_COMPUTE_UNITS 64
#define BDNN_ACCELERATOR_TIMEOUT_MS        60000 /* for 0 */

typedef struct bdnn_accelerator_unit {
    const char *name; /* for messages; NULL where there is but one */
    bool running;
    uint64_t started; /* bdnn_clock */
} bdnn_accelerator_unit;

/* What the kernel counted, summed over runs; all 0 but `runs` where it does not count. */
typedef struct bdnn_accelerator_counters {
    uint64_t runs, cycles, busy, wait_load, wait_results, words_read, words_written;
} bdnn_accelerator_counters;

/* Each bus's struct begins with this. */
struct bdnn_accelerator {
    const bdnn_bus *bus;
    char name[64];  /* of the device, on its bus */
    char label[72]; /* what messages begin with */
    bdnn_device_array array;
    uint32_t identity, features;
    size_t unit_count;
    bdnn_accelerator_unit units[BDNN_ACCELERATOR_MAX_COMPUTE_UNITS];
    bdnn_bus_memory page; /* the first memory; what jobs point to that access nothing */
    uint32_t timeout_ms;
    bdnn_wait wait;
    bool lost; /* nothing is asked of it any more */
    /* Sessions of this process share it */
    size_t users;
    pthread_mutex_t turn; /* held by the session whose jobs run */
    bdnn_accelerator *next;
};

/* Opens the device of that name, or shares the one that this process has open. Checks that it is the kernel that this
 * bdnn knows: identity, sizes, and that a run ends. Errors: those of the bus's open; BDNN_ERROR_UNSUPPORTED for another
 * kernel, BDNN_ERROR_DEVICE for one that does not work. */
bdnn_status bdnn_accelerator_open(const bdnn_bus *bus, const char *name, const bdnn_backend_options *options,
                                  bdnn_accelerator **accelerator, bdnn_error *err);
void bdnn_accelerator_close(bdnn_accelerator *accelerator);

/* Sessions that share a device take turns, from preparing a layer or starting its first job to its last result, and
 * while they free memory, which no bus does in the middle of a run. */
void bdnn_accelerator_take_turn(bdnn_accelerator *accelerator, uint32_t timeout_ms, bdnn_wait wait);
void bdnn_accelerator_end_turn(bdnn_accelerator *accelerator);

/* The device is lost from now on: BDNN_ERROR_DEVICE, the message beginning with the device and, unless it is NULL, the
 * compute unit. */
bdnn_status bdnn_accelerator_lose(bdnn_accelerator *accelerator, const bdnn_accelerator_unit *unit, bdnn_error *err,
                                  const char *format, ...) BDNN_PRINTF(4, 5);

/* Asks the device who it is: one that is gone answers too, with ones or zeros. Errors: BDNN_ERROR_DEVICE; the device is
 * then lost. */
bdnn_status bdnn_accelerator_check(bdnn_accelerator *accelerator, bdnn_error *err);

/* What its registers tell of it: identity, units, array, features. */
void bdnn_accelerator_describe(const bdnn_accelerator *accelerator, bdnn_device_info *info);

/* As the bus's functions of these names; all but free fail at once for a lost device. */
bdnn_status bdnn_accelerator_allocate(bdnn_accelerator *accelerator, int pointer, size_t bytes, const char *what,
                                      bdnn_bus_memory *memory, bdnn_error *err);
void bdnn_accelerator_free(bdnn_accelerator *accelerator, bdnn_bus_memory *memory);
bdnn_status bdnn_accelerator_to_device(bdnn_accelerator *accelerator, const bdnn_bus_memory *memory, size_t offset,
                                       size_t bytes, bdnn_error *err);
bdnn_status bdnn_accelerator_from_device(bdnn_accelerator *accelerator, const bdnn_bus_memory *memory, size_t offset,
                                         size_t bytes, bdnn_error *err);
bdnn_status bdnn_accelerator_start(bdnn_accelerator *accelerator, size_t unit, const bdnn_hw_job *job,
                                   const bdnn_bus_memory *const pointers[BDNN_HW_POINTERS], bdnn_error *err);

/* Waits for the end of a unit's run, however it ends. Errors: BDNN_ERROR_DEVICE, also after the time-out: the run is
 * then ended by force, where the bus can. */
bdnn_status bdnn_accelerator_await(bdnn_accelerator *accelerator, size_t unit, bdnn_error *err);

/* Waits for the unit's run, if one is under way, and looks how it ended. counters, if not NULL, are added to. Errors:
 * BDNN_ERROR_DEVICE: it took longer than the time-out, failed, or the device answers nonsense; the device is then lost.
 */
bdnn_status bdnn_accelerator_finish(bdnn_accelerator *accelerator, size_t unit, bdnn_accelerator_counters *counters,
                                    bdnn_error *err);

/* Runs the smallest job `count` times and tells how long each took, from its start to having seen how it ended. */
bdnn_status bdnn_accelerator_time_launches(bdnn_accelerator *accelerator, size_t count, uint64_t *nanoseconds,
                                           bdnn_error *err);

#endif
