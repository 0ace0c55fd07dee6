/* A device behind XRT that holds the accelerator's kernel: opened and checked, its compute units, its buffers, and one
 * run at a time on each unit. Knows jobs, not layers. */
#ifndef BDNN_BACKENDS_XRT_DEVICE_H
#define BDNN_BACKENDS_XRT_DEVICE_H

#include "backends/device/layout.h"
#include "backends/xrt/library.h"
#include "backends/xrt/xclbin.h"
#include "runtime/backend.h"

#include <pthread.h>

/* The addresses that a job has, in the order of the kernel's arguments. */
enum {
    BDNN_XRT_WEIGHTS,
    BDNN_XRT_ACTIVATIONS,
    BDNN_XRT_FILTERS,
    BDNN_XRT_RESULTS,
    BDNN_XRT_POINTERS,
};

/* What the kernel counted, summed over runs; all 0 but `runs` where it does not count. */
typedef struct bdnn_xrt_counters {
    uint64_t runs, cycles, busy, wait_load, wait_results, words_read, words_written;
} bdnn_xrt_counters;

/* One compute unit. What its run was told last is kept, so that only what changes is told again. */
typedef struct bdnn_xrt_unit {
    const char *name;
    xrtKernelHandle kernel;
    xrtRunHandle run;
    bool running, told;
    uint64_t started; /* bdnn_clock */
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    xrtBufferHandle pointers[BDNN_XRT_POINTERS];
} bdnn_xrt_unit;

/* Memory of the device, and where the host sees it. */
typedef struct bdnn_xrt_buffer {
    xrtBufferHandle handle;
    void *host;
    size_t bytes;
} bdnn_xrt_buffer;

typedef struct bdnn_xrt_device {
    const bdnn_xrt_library *xrt;
    bdnn_xclbin xclbin;
    bdnn_device_array array;
    uint32_t identity, features;
    xrtDeviceHandle handle;
    size_t unit_count;
    bdnn_xrt_unit units[BDNN_XCLBIN_MOST_UNITS];
    int groups[BDNN_XRT_POINTERS]; /* memory of each pointer's buffers */
    bdnn_xrt_buffer page;          /* the first buffer; what jobs point to that access nothing */
    uint32_t timeout_ms;
    bool lost; /* nothing is asked of it any more */
    /* Sessions of this process share a device */
    unsigned index;
    size_t users;
    pthread_mutex_t turn; /* held by the session whose jobs run */
    struct bdnn_xrt_device *next;
} bdnn_xrt_device;

/* Opens device `index`, or shares the one that this process has open with the same xclbin; configures it with the
 * xclbin, and checks that what is in it is the kernel that this bdnn knows: identity, sizes, and that a run ends.
 * options: index, bitstream (NULL: BDNN_XCLBIN), timeout_ms. Errors: BDNN_ERROR_IO, _FORMAT, _UNSUPPORTED for what the
 * xclbin is; BDNN_ERROR_DEVICE, also where none is named. */
bdnn_status bdnn_xrt_open(bdnn_xrt_device **device, const bdnn_backend_options *options, bdnn_error *err);

/* Sessions that share the device take turns, from preparing a layer or starting its first job to its last result. */
#define BDNN_XRT_TIMEOUT_MS 60000 /* for 0 */
void bdnn_xrt_take_turn(bdnn_xrt_device *device, uint32_t timeout_ms);
void bdnn_xrt_end_turn(bdnn_xrt_device *device);

/* Describes the devices, for bdnn_backend_type.list. */
size_t bdnn_xrt_list(const char *bitstream, bdnn_device_info *devices, size_t room);

/* The kind of device that XCL_EMULATION_MODE asks for; false for a name that XRT does not know. */
bool bdnn_xrt_target(bdnn_xclbin_target *target);

/* Refuses what XRT would end the process for: an XILINX_XRT without what drives such devices. */
bdnn_status bdnn_xrt_check_driver(bdnn_xclbin_target target, bdnn_error *err);

/* XRT waits for runs that have not ended whenever anything is closed: of a lost device everything stays open. */
void bdnn_xrt_close(bdnn_xrt_device *device);

/* A buffer for what argument `pointer` points to, freed by bdnn_xrt_free (which accepts an empty one). Errors:
 * BDNN_ERROR_MEMORY, naming `what`. */
bdnn_status bdnn_xrt_allocate(bdnn_xrt_device *device, int pointer, size_t bytes, const char *what,
                              bdnn_xrt_buffer *buffer, bdnn_error *err);
void bdnn_xrt_free(bdnn_xrt_device *device, bdnn_xrt_buffer *buffer);

/* Asks the device who it is: one that is gone answers too, with ones or zeros. Errors: BDNN_ERROR_DEVICE; the device is
 * then lost. */
bdnn_status bdnn_xrt_check(bdnn_xrt_device *device, bdnn_error *err);

/* Copies the first `bytes` to or from the device. */
bdnn_status bdnn_xrt_to_device(bdnn_xrt_device *device, const bdnn_xrt_buffer *buffer, size_t bytes, bdnn_error *err);
bdnn_status bdnn_xrt_from_device(bdnn_xrt_device *device, const bdnn_xrt_buffer *buffer, size_t bytes, bdnn_error *err);

/* Starts a job on a unit that is not running. The job's addresses are those of the buffers. */
bdnn_status bdnn_xrt_start(bdnn_xrt_device *device, size_t unit, const bdnn_hw_job *job,
                           const xrtBufferHandle pointers[BDNN_XRT_POINTERS], bdnn_error *err);

/* Waits for the end of a unit's run, however it ends. */
bdnn_status bdnn_xrt_await(bdnn_xrt_device *device, size_t unit, bdnn_error *err);

/* Waits for the unit's run, if one is under way, and looks how it ended. counters, if not NULL, are added to.
 * Errors: BDNN_ERROR_DEVICE: it took longer than the time-out, failed, or the device answers nonsense; the device is
 * then lost.
 */
bdnn_status bdnn_xrt_finish(bdnn_xrt_device *device, size_t unit, bdnn_xrt_counters *counters, bdnn_error *err);

#endif
