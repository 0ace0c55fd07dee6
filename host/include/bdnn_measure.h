/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn: what a session and its layers cost, and what the machine can do at best. bdnn.h states the conventions for
 * errors, NULL, ownership, order and threads. */
#ifndef BDNN_MEASURE_H
#define BDNN_MEASURE_H

#include "bdnn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Sessions ---- */

/* From now on every run of the session is timed layer by layer, and an accelerator's counters are read. What is not
 * asked for costs nothing. Errors: BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_session_profile(bdnn_session *session, bdnn_error *err);

/* What an accelerator did for a layer in the last run, for the whole batch. */
typedef struct bdnn_accelerator_cost {
    uint64_t jobs; /* runs of its kernel; 0 for a layer that is not on an accelerator */
    uint64_t bytes_to_device, bytes_from_device;
    /* Counted by the kernel when runs are timed, all jobs together; 0 where the kernel does not count. */
    uint64_t cycles;
    uint64_t longest_cycles; /* of the compute unit with most work: they work side by side */
    uint64_t busy_cycles;    /* the array at work */
    uint64_t wait_load_cycles, wait_results_cycles;
    uint64_t bytes_read, bytes_written; /* of the device's memory */
} bdnn_accelerator_cost;

/* One layer of a session: what computes it and what that costs, for the whole batch. */
typedef struct bdnn_layer_cost {
    /* Of an inner product its kernel, "panel_6x64__avx512vnni"; "fused" for a layer that is computed
     * within another, whose numbers are all 0; "integers" or "float" for others. Valid as long as the session. */
    const char *kernel;
    uint64_t nanoseconds;  /* of the last run, when it was timed; else 0 */
    uint64_t weight_bytes; /* as the kernel reads them */
    uint64_t input_bytes;  /* of every input, as the layers before left it */
    uint64_t output_bytes; /* of every output */
    bdnn_accelerator_cost accelerator;
} bdnn_layer_cost;

/* Tells what layer `index` of the model costs. Layers are counted as bdnn_model_layer does, which tells name,
 * operation, sizes and multiply-adds. Errors: BDNN_ERROR_ARGUMENT for an index that is no layer. */
BDNN_API bdnn_status bdnn_session_layer(const bdnn_session *session, size_t index, bdnn_layer_cost *cost,
                                        bdnn_error *err);

/* A feature map that every run of a session transfers between the host and an accelerator. */
typedef struct bdnn_transfer {
    const char *value; /* the value's name in the network; valid as long as the model */
    const char
        *layer; /* the layer that reads it on the accelerator, or has made it there; valid as long as the model */
    bool to_device;
    uint64_t bytes; /* as it lies on the accelerator, for the whole batch */
} bdnn_transfer;

/* How many transfers a run makes; 0 without an accelerator and for NULL. */
BDNN_API size_t bdnn_session_transfer_count(const bdnn_session *session);

/* Tells transfer `index`, in the order of a run. Errors: BDNN_ERROR_ARGUMENT for an index that is not below
 * bdnn_session_transfer_count. */
BDNN_API bdnn_status bdnn_session_transfer(const bdnn_session *session, size_t index, bdnn_transfer *transfer,
                                           bdnn_error *err);

/* Bytes of the planned activation memory, scratch included, and what it would be without reuse. Either pointer may be
 * NULL; both numbers are 0 for a session that is NULL. */
BDNN_API void bdnn_session_memory(const bdnn_session *session, uint64_t *planned, uint64_t *without_reuse);

/* ---- The machine ---- */

/* What the machine can do at best by the instruction on which a kernel depends. */
typedef struct bdnn_peak {
    const char *instruction; /* "VPDPBUSD zmm"; valid for the life of the process */
    double products;         /* a second, of all threads together, from registers alone */
    bool binary;             /* products of two bits, K Q of which make one multiply-add */
} bdnn_peak;

/* Measures that of the kernel which a bdnn_layer_cost names, on so many threads (0: one a processor), within a tenth of
 * a second. Other work of the machine lowers the result. False, and all of *peak 0, for a name that is no measured
 * kernel of this processor and for NULL. */
BDNN_API bool bdnn_peak_measure(const char *kernel, size_t threads, bdnn_peak *peak);

/* Measures how many bytes a second so many threads (0: one a processor) read from memory of so many bytes. They read it
 * again and again, four places at a time, keeping nothing. 0 bytes: twice the last-level cache, at least 256 MiB. Takes
 * a second or less. 0 where that memory cannot be had. */
BDNN_API double bdnn_peak_read(size_t bytes, size_t threads);

/* ---- Accelerators ---- */

/* What handing work to an accelerator costs: runs of the smallest job, from telling the kernel its arguments to having
 * seen how it ended. The least time that a job can take. */
typedef struct bdnn_launch_times {
    double min_us, median_us, p99_us; /* microseconds; p99: 1 of 100 takes longer */
} bdnn_launch_times;

/* Times `count` (1 to 1000000) launches on the device of a session with these options, of which batch is not used.
 * `options` may be NULL: BDNN_SESSION_OPTIONS_INIT, whose device is the CPU and therefore refused. Errors:
 * BDNN_ERROR_ARGUMENT for a device that is no accelerator, or a `count` outside its range; as of bdnn_session_create
 * and bdnn_session_run. */
BDNN_API bdnn_status bdnn_device_launches(const bdnn_session_options *options, size_t count, bdnn_launch_times *times,
                                          bdnn_error *err);

#ifdef __cplusplus
}
#endif

#endif
