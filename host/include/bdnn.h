/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn: binary-decomposed deep convolutional networks without retraining.
 *
 * This header loads a trained network, decomposes it into binary bases with integer scales, saves it, and runs it on a
 * device. Two more headers stand beside it: bdnn_data.h has images, datasets and metrics, bdnn_measure.h has times and
 * costs. Each needs this one only.
 *
 * Conventions
 * - Errors: a call that can fail returns bdnn_status and takes a bdnn_error, which may be NULL. The message names the
 *   file, the layer and the number that is wrong; it means something only after a call that failed. The library never
 *   prints, exits or aborts.
 * - NULL: a pointer may be NULL only where the call's comment says so. Otherwise a call that returns a status refuses
 *   NULL with BDNN_ERROR_ARGUMENT; other calls return 0, false, NULL or an empty result. No call crashes on NULL.
 * - Ownership: pointers handed in are borrowed until the call returns, unless its comment says more. Objects handed out
 *   belong to the caller, who ends them with the matching *_free call. A call that fails sets the pointer to an object,
 *   which it would have made, to NULL.
 * - Order: arrays of numbers cross this interface in row-major order N, C, H, W as float32, without padding. N counts
 *   the inputs of a batch, C channels, H rows and W columns.
 *   The pixels of a bdnn_image are bytes in order H, W, C.
 * - Threads: calls on different objects may run at the same time. Calls that take a const model or a const dataset may
 *   share it between threads. Everything else, a session above all, belongs to one thread at a time.
 * - Options: an options structure begins with its size. Start from its BDNN_..._INIT, or set `struct_size` to its
 *   sizeof. docs/reference/abi.md has the rules by which structures and calls may change.
 */
#ifndef BDNN_H
#define BDNN_H

#include "bdnn_version.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BDNN_API __attribute__((visibility("default")))
#else
#define BDNN_API
#endif

/* ---- Version, status, progress ---- */

/* The version of the library that is running, as text and as one number, for comparison with BDNN_VERSION and
 * BDNN_VERSION_NUMBER. The text is valid for the life of the process. */
BDNN_API const char *bdnn_version(void);

/* See bdnn_version. */
BDNN_API int32_t bdnn_version_number(void);

typedef enum bdnn_status {
    BDNN_OK = 0,
    BDNN_ERROR_ARGUMENT,    /* the caller's arguments make no sense together */
    BDNN_ERROR_IO,          /* a file cannot be read or written */
    BDNN_ERROR_FORMAT,      /* a file's content is damaged or contradicts itself */
    BDNN_ERROR_UNSUPPORTED, /* well-formed, but beyond what bdnn (or this build of it) does */
    BDNN_ERROR_MEMORY,
    BDNN_ERROR_DEVICE,    /* the accelerator is absent, lost or answers nonsense */
    BDNN_ERROR_CANCELLED, /* a progress callback asked to stop */
} bdnn_status;

typedef struct bdnn_error {
    bdnn_status status;
    char message[512]; /* one line, no newline at its end */
} bdnn_error;

/* A few words for a status, valid for the life of the process. Never NULL, for a number that is no status either. */
BDNN_API const char *bdnn_status_name(bdnn_status status);

/* Called now and then during long work: `stage` says what is being done (for example a layer's name, valid during the
 * call), `done` of `total` how far it is. Returning false stops the work, whose call then returns
 * BDNN_ERROR_CANCELLED. Calls come one at a time, but not always from the same thread. */
typedef bool bdnn_progress(void *user, const char *stage, uint64_t done, uint64_t total);

/* ---- Files that are written ---- */

/* Every call that writes a file or a folder first writes beside it, under a temporary name that cannot be foretold
 * (NAME. and 16 hexadecimal digits). It brings everything to the disk and renames it when it is complete. */

/* Writes `size` bytes as one file, as above. What is at `path` is replaced if it is a regular file. `data` may be NULL
 * if `size` is 0. Errors: BDNN_ERROR_IO. */
BDNN_API bdnn_status bdnn_write_file(const char *path, const void *data, size_t size, bdnn_error *err);

/* Removes what this process is writing under temporary names, on whatever thread: for the handler of a signal that ends
 * the program. Async-signal-safe. Calls that are writing then fail when they want to rename. */
BDNN_API void bdnn_remove_temporaries(void);

/* ---- Models ---- */

typedef struct bdnn_model bdnn_model;

typedef struct bdnn_load_options {
    size_t struct_size;       /* sizeof(bdnn_load_options) */
    const char *architecture; /* for a folder of .npy files: alexnet, vgg16, resnet152 or segnet; else NULL */
    const char *mean_image;   /* .npy of shape C, H, W, subtracted from the pixels; or NULL: the file's own */
    const char *labels;       /* text file, one class name a line; or NULL: the file's own */
    bool keep_batch_norm;     /* do not fold batch normalization into the convolution before it */
    bool copy;                /* read a file into memory instead of mapping it, see bdnn_model_load */
    bool ignore_exif;         /* into the model's pre-processing, see bdnn_preprocess */
    uint8_t reserved[5];      /* 0 */
} bdnn_load_options;

#define BDNN_LOAD_OPTIONS_INIT                                                                                         \
    {                                                                                                                  \
        sizeof(bdnn_load_options), NULL, NULL, NULL, false, false, false,                                              \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }

/* Loads an ONNX file, a .bdnn file (mapped, not copied) or a folder of .npy parameters, told apart by what they
 * contain. `options` may be NULL: BDNN_LOAD_OPTIONS_INIT. Labels and mean image of the options replace those of the
 * file.
 *
 * A mapped file must stay as it is while the model is in use. Replacing it by another of the same name (rename, as
 * every call here writes) is no change. A file that was written to in place is noticed by its time of writing and its
 * size: each run of a session, bdnn_model_save and bdnn_decompose then return BDNN_ERROR_IO. A file that somebody
 * **shortens** ends the program by SIGBUS when what is gone is read. The library installs no signal handlers. A program
 * that cannot trust its files sets `copy`, or handles SIGBUS itself: bdnn_model_mapping tells where a model's file
 * lies.
 *
 * Errors: BDNN_ERROR_IO for what cannot be read. BDNN_ERROR_FORMAT for a damaged file, and for a parameter that is
 * infinite or not a number: the message names its layer and index. BDNN_ERROR_UNSUPPORTED for an operator or attribute
 * that bdnn does not have, and for ONNX in a build without it. BDNN_ERROR_ARGUMENT for an unknown architecture, a mean
 * image of another size, or a `struct_size` that is not set. BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_model_load(const char *path, const bdnn_load_options *options, bdnn_model **model,
                                     bdnn_error *err);

/* Writes a .bdnn file, as "Files that are written" says. May run while other threads use the model. Errors:
 * BDNN_ERROR_IO, also for a mapped file that has changed since the model was loaded; BDNN_ERROR_UNSUPPORTED for names
 * or labels that are more than a file holds; BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_model_save(const bdnn_model *model, const char *path, bdnn_error *err);

/* Writes the parameters as the method's authors lay them out: DIRECTORY/<layer>_W.npy and _b.npy, and for decomposed
 * layers DIRECTORY/decomposition/<layer>/basis_<K>/{M,c}.npy. `directory` must not exist. Errors: as of
 * bdnn_model_save; BDNN_ERROR_ARGUMENT for a directory that exists. */
BDNN_API bdnn_status bdnn_model_export_npy(const bdnn_model *model, const char *directory, bdnn_error *err);

/* Gives back the memory of what has been read of a mapped model file. What is read again comes again from the system's
 * cache of files, which takes some milliseconds for 100 MB. For programs that are about to need much memory. NULL, or a
 * model without a mapped file: nothing happens. May be called while sessions of the model run. */
BDNN_API void bdnn_model_release_pages(const bdnn_model *model);

/* Where the model's file is mapped: *size bytes at *address, valid as long as the model. NULL and 0 for a model without
 * a mapped file, and for NULL. `address` and `size` may be NULL where they are not wanted. */
BDNN_API void bdnn_model_mapping(const bdnn_model *model, const void **address, size_t *size);

/* Ends a model. No session of it and no pointer into it may be used afterwards. NULL: nothing happens. */
BDNN_API void bdnn_model_free(bdnn_model *model);

/* How an image becomes the network's input: decode, resize, crop, order the channels, then (pixel - mean) * scale per
 * channel, pixels being 0..255. */
typedef enum bdnn_resize {
    BDNN_RESIZE_STRETCH = 0, /* to width x height, the aspect ratio not kept */
    BDNN_RESIZE_CROP = 1,    /* shorter side to `resize_short`, then the central width x height */
} bdnn_resize;

typedef struct bdnn_preprocess {
    int32_t channels;      /* 1 (gray) or 3 */
    int32_t height, width; /* pixels */
    bdnn_resize resize;
    int32_t resize_short; /* pixels, with BDNN_RESIZE_CROP */
    bool bgr;             /* channel order blue, green, red (Caffe) instead of red, green, blue */
    float mean[3];        /* in the network's channel order */
    float scale[3];
    const float *mean_image; /* C, H, W of the sizes above, replacing `mean`; or NULL. Borrowed from the model. */
    bool ignore_exif;        /* photographs as stored, not as EXIF says that the camera was held; not kept in files */
} bdnn_preprocess;

/* The model's pre-processing. A model whose file has none stretches images to its input and keeps pixels as they are.
 * `channels` is 0 for a network that takes no images, and for NULL. `mean_image` is valid until the next
 * bdnn_model_set_preprocess and no longer than the model. */
BDNN_API bdnn_preprocess bdnn_model_preprocess(const bdnn_model *model);

/* Replaces the model's pre-processing, copying the mean image. No other thread may use the model meanwhile. Errors:
 * BDNN_ERROR_ARGUMENT for sizes that are not those of the network's input, numbers that are not finite, and a crop
 * larger than the resized image; BDNN_ERROR_MEMORY. The model then keeps what it has. */
BDNN_API bdnn_status bdnn_model_set_preprocess(bdnn_model *model, const bdnn_preprocess *preprocess, bdnn_error *err);

/* Class names, [*count], valid until the next bdnn_model_set_labels and no longer than the model. NULL and 0 where the
 * model has none, and for NULL. `count` may be NULL. */
BDNN_API const char *const *bdnn_model_labels(const bdnn_model *model, size_t *count);

/* Replaces the class names by copies of labels[count], none of which may be NULL. `labels` may be NULL if `count` is 0:
 * the model then has none. No other thread may use the model meanwhile. Errors: BDNN_ERROR_MEMORY; the model then keeps
 * what it has. */
BDNN_API bdnn_status bdnn_model_set_labels(bdnn_model *model, const char *const *labels, size_t count, bdnn_error *err);

typedef struct bdnn_layer_info {
    const char *name;      /* valid as long as the model */
    const char *operation; /* "conv", "dense", "max_pool", ... */
    bool has_weights;      /* an inner-product layer: a convolution or a fully connected layer */
    bool decomposed;
    int32_t bases, bits; /* K and Q of a decomposed layer, else 0 */
    float step;          /* of its quantized input */
    int32_t zero_point;  /* of its quantized input */
    int64_t filters;     /* F */
    int64_t inner;       /* D, the length of one inner product */
    int64_t groups;
    int64_t multiply_adds;    /* per input item */
    uint64_t parameter_bytes; /* stored: bases, scales and biases, or float weights */
    uint64_t float_bytes;     /* what the same layer takes in float32 */
    int64_t output_shape[6];  /* N (as imported), C, spatial axes */
    int32_t output_rank;
    /* How the first output is kept for the layers after it (docs/reference/numerics.md, "The integer pipeline"):
     * "float", "quantized" (Q bits in uint8) or "wide" (int16); step and bits are 0 where they do not apply. */
    const char *output_format;
    float output_step;
    int32_t output_bits;
} bdnn_layer_info;

/* How many layers the model has; 0 for NULL. */
BDNN_API size_t bdnn_model_layer_count(const bdnn_model *model);

/* Describes layer `index`, counted from 0 in the order in which layers run. Errors: BDNN_ERROR_ARGUMENT for an index
 * that is not below bdnn_model_layer_count. */
BDNN_API bdnn_status bdnn_model_layer(const bdnn_model *model, size_t index, bdnn_layer_info *info, bdnn_error *err);

/* Writes the shape of the network's input in order N, C, H, W, N as imported, and returns its rank, at most 6. Elements
 * of `shape` beyond the rank keep their values. 0 for NULL, and for a network without an input. */
BDNN_API int32_t bdnn_model_input_shape(const bdnn_model *model, int64_t shape[6]);

/* ---- Decomposition ---- */

typedef enum bdnn_method {
    BDNN_METHOD_DATA = 0, /* data-aware: bases chosen by their effect on the layer's output over calibration images */
    BDNN_METHOD_PAPER = 1 /* Kamiya et al. 2017: bases chosen by the weights alone */
} bdnn_method;

typedef enum bdnn_range {
    BDNN_RANGE_AUTO = 0,   /* BDNN_RANGE_MSE for the data-aware method, BDNN_RANGE_MINMAX for the paper's */
    BDNN_RANGE_OUTPUT = 1, /* the range whose quantized input changes the layer's output least */
    BDNN_RANGE_MINMAX = 2,
    BDNN_RANGE_PERCENTILE = 3,
    BDNN_RANGE_MSE = 4 /* the range whose quantized input has the least mean squared error */
} bdnn_range;

typedef struct bdnn_layer_setting {
    const char *layer; /* name; not NULL */
    int32_t bases, bits;
    bool keep_float; /* bases and bits are then ignored */
} bdnn_layer_setting;

typedef struct bdnn_decompose_options {
    size_t struct_size; /* sizeof(bdnn_decompose_options) */
    bdnn_method method;
    bdnn_range range;
    int32_t bases, bits;             /* K and Q, 1..8 */
    int32_t first_bases, first_bits; /* of the first inner-product layer; 0: as the others */
    int32_t last_bases, last_bits;
    const bdnn_layer_setting
        *layers; /* [layer_count] settings by name, which win over all others; NULL if there are none */
    size_t layer_count;
    double percentile;   /* for BDNN_RANGE_PERCENTILE: above 50, at most 100 */
    double lambda;       /* above 0: ridge of the data-aware method, relative to the mean diagonal */
    int32_t restarts;    /* of the paper's method, 0 or more */
    uint64_t seed;       /* same seed, same input: same model, for any number of threads */
    size_t threads;      /* 0: one per processor */
    size_t memory_limit; /* bytes for calibration activations; fewer images are used when they do not fit. 0: 2 GiB */
    bdnn_progress *progress; /* or NULL */
    void *user;              /* handed to `progress`; may be NULL */
} bdnn_decompose_options;

/* What `bdnn decompose` starts from: data-aware, K = 6, Q = 6. */
#define BDNN_DECOMPOSE_OPTIONS_INIT                                                                                    \
    {                                                                                                                  \
        sizeof(bdnn_decompose_options), BDNN_METHOD_DATA, BDNN_RANGE_AUTO, 6, 6, 0, 0, 0, 0, NULL, 0, 99.9, 0.1, 4, 0, \
            0, 0, NULL, NULL                                                                                           \
    }

typedef struct bdnn_layer_report {
    char name[128];
    int32_t bases, bits;
    double weight_error;  /* |w - s_f W| / |w| over the layer, on the stored integer scales */
    double output_snr_db; /* dB of the layer's output against the float network's, over the calibration images */
    uint64_t bytes_before, bytes_after;
} bdnn_layer_report;

/* Decomposes every inner-product layer of `model`, which is left unchanged, into a new model that needs the old one no
 * more. `inputs` are `count` calibration inputs, float32 row-major [count][C][H][W] as the network takes them.
 * `options` may be NULL: BDNN_DECOMPOSE_OPTIONS_INIT. `report` may be NULL, `report_count` then too. Otherwise *report
 * becomes an array of *report_count entries, one for each decomposed layer in the order of the layers, for
 * bdnn_report_free. May run while other threads use the model.
 *
 * After an error the report has the layers that were done before it: NULL and 0 if there are none. Errors:
 * BDNN_ERROR_ARGUMENT for a model with decomposed layers, for
 * no calibration inputs, and for one that is not finite. BDNN_ERROR_ARGUMENT also for K or Q outside 1..8, a setting
 * that names no layer with weights, or a `struct_size` that is not set. BDNN_ERROR_CANCELLED when `progress` returned
 * false. BDNN_ERROR_IO when the model's mapped file changed meanwhile. BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_decompose(const bdnn_model *model, const float *inputs, size_t count,
                                    const bdnn_decompose_options *options, bdnn_model **decomposed,
                                    bdnn_layer_report **report, size_t *report_count, bdnn_error *err);

/* Ends a report of bdnn_decompose. NULL: nothing happens. */
BDNN_API void bdnn_report_free(bdnn_layer_report *report);

/* ---- Sessions ---- */

typedef struct bdnn_session bdnn_session;

/* How the end of a run of an accelerator is waited for, where there is a choice (the device "uio"). */
typedef enum bdnn_wait {
    BDNN_WAIT_HYBRID = 0,   /* looking again and again for a short time, then sleeping until the interrupt */
    BDNN_WAIT_POLL = 1,     /* looking again and again: quickest, and a processor does nothing else */
    BDNN_WAIT_INTERRUPT = 2 /* sleeping at once */
} bdnn_wait;

typedef struct bdnn_session_options {
    size_t struct_size; /* sizeof(bdnn_session_options) */
    /* "cpu" (also for NULL): the fastest kernels of this processor. "reference": scalar XNOR-popcount, the definition.
     * "float": decomposed layers simulated in float. "xrt" or "xrt:INDEX": a board behind Xilinx XRT, or an emulated
     * one where XCL_EMULATION_MODE says so (docs/reference/accelerator.md). "uio" or "uio:NAME": the accelerator of a
     * Zynq behind the bdnn module or UIO (docs/reference/driver.md). */
    const char *device;
    size_t threads; /* 0: one per processor. Results do not depend on it. */
    size_t batch;   /* inputs of one run; 0: 1 */
    const char
        *xclbin; /* of "xrt": the file with the kernel; NULL: the one that BDNN_XCLBIN in the environment names */
    uint32_t timeout_ms;   /* of accelerators: a run of the kernel that takes longer has failed; 0: 60 seconds */
    bdnn_wait wait;        /* of "uio" */
    bool allow_not_finite; /* infinities and what is not a number pass in inputs and outputs, as IEEE 754 has them */
    uint8_t reserved[7];   /* 0 */
} bdnn_session_options;

#define BDNN_SESSION_OPTIONS_INIT                                                                                      \
    {                                                                                                                  \
        sizeof(bdnn_session_options), NULL, 0, 0, NULL, 0, BDNN_WAIT_HYBRID, false,                                    \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }

/* Opens the device, plans memory for `batch` inputs and prepares the weights. The model must outlive the session;
 * several sessions, each in its own thread, may share it. `options` may be NULL: BDNN_SESSION_OPTIONS_INIT; its texts
 * are not needed after the call.
 *
 * Errors: BDNN_ERROR_ARGUMENT for an unknown device, a batch that is too large, or a `struct_size` that is not set.
 * BDNN_ERROR_UNSUPPORTED for a network with several inputs, a device that this build does not have, a kernel that does
 * not fit this library, and fields that this library is too old to know. BDNN_ERROR_DEVICE for an accelerator that is
 * absent, occupied or does not answer; programs then often go on with "cpu". BDNN_ERROR_IO and BDNN_ERROR_FORMAT for
 * the xclbin. BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_session_create(const bdnn_model *model, const bdnn_session_options *options,
                                         bdnn_session **session, bdnn_error *err);

/* Ends a session; results of it are no longer valid. NULL: nothing happens. */
BDNN_API void bdnn_session_free(bdnn_session *session);

/* Runs the network on float32 row-major [batch][C][H][W], `batch` as the session was made for.
 *
 * Errors: BDNN_ERROR_ARGUMENT for an input that is infinite or not a number. BDNN_ERROR_UNSUPPORTED where an output is
 * one, naming the first layer that makes such a value. BDNN_ERROR_IO for a model whose file has changed
 * (bdnn_model_load). BDNN_ERROR_DEVICE when the accelerator failed or was lost. This session cannot be used any more
 * then; others, on "cpu" for example, can. End such a program by _exit: XRT waits for a run that does not end whenever
 * something is closed, in its own exit handlers too (bdnn itself no longer calls it). */
BDNN_API bdnn_status bdnn_session_run(bdnn_session *session, const float *input, bdnn_error *err);

/* The same on channels-last float32 input[batch][H][W][C] (any spatial axes, then C), which needs no reordering.
 * Errors: as of bdnn_session_run. */
BDNN_API bdnn_status bdnn_session_run_nhwc(bdnn_session *session, const float *input, bdnn_error *err);

/* The same on uint8 pixels[batch][H][W][C] of the size and channel order of the model's pre-processing, whose mean and
 * scale make the network's input of them. It equals bdnn_session_run on what bdnn_image_preprocess makes. Errors: as of
 * bdnn_session_run; BDNN_ERROR_UNSUPPORTED for a network that takes no images. */
BDNN_API bdnn_status bdnn_session_run_pixels(bdnn_session *session, const uint8_t *pixels, bdnn_error *err);

typedef struct bdnn_result {
    const char *name; /* valid as long as the model */
    int32_t rank;
    int64_t shape[6];  /* [rank]: N (the batch), C, spatial axes */
    const float *data; /* row-major; for integer outputs (ArgMax, pooling indices) the values as float */
} bdnn_result;

/* How many outputs the network has; 0 for NULL. */
BDNN_API size_t bdnn_session_output_count(const bdnn_session *session);

/* Tells output `index` of the last run. Its data are valid until the next run and no longer than the session; they mean
 * nothing before the first run and after one that failed. Errors: BDNN_ERROR_ARGUMENT for an index that is not below
 * bdnn_session_output_count. */
BDNN_API bdnn_status bdnn_session_output(const bdnn_session *session, size_t index, bdnn_result *result,
                                         bdnn_error *err);

/* ---- Devices ---- */

/* One device that sessions can run on. Texts are empty and numbers 0 where they do not apply or are not known. */
typedef struct bdnn_device_info {
    char name[32];         /* what a session's `device` is: "cpu", "xrt:0", "uio:bdnn0" */
    char description[128]; /* of accelerators the board's name, as its driver tells it */
    char problem[512];     /* why it cannot be used now; the rest is then what was learned before */
    /* Accelerators */
    bool accelerator, emulated;
    char target[8]; /* "hw", "hw_emu" or "sw_emu"; "uio" for all behind that */
    uint64_t memory_bytes;
    uint32_t clock_mhz;
    /* The kernel in it, behind XRT where an xclbin was named */
    char uuid[37]; /* the xclbin's */
    uint32_t identity, compute_units;
    uint32_t rows, columns, word_bits; /* of the array of each unit */
    uint32_t weight_depth, activation_depth, tiles;
    uint32_t ports, port_bits; /* memory ports of each unit */
    bool max_pooling;
} bdnn_device_info;

/* Lists the devices into *devices[*count], for bdnn_devices_free. Accelerators are configured with `xclbin`; NULL: what
 * BDNN_XCLBIN in the environment names, if it does. A device that cannot be used is listed with its problem. Errors,
 * after which *count is 0: BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_devices(const char *xclbin, bdnn_device_info **devices, size_t *count, bdnn_error *err);

/* Ends a list of bdnn_devices. NULL: nothing happens. */
BDNN_API void bdnn_devices_free(bdnn_device_info *devices);

/* Describes the one device that a session's `device` names (NULL: "cpu"). Other accelerators are left alone; `xclbin`
 * as for bdnn_devices. A device that is not there has a problem. Errors: BDNN_ERROR_ARGUMENT for what no device is
 * called, BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_device_describe(const char *device, const char *xclbin, bdnn_device_info *info,
                                          bdnn_error *err);

#ifdef __cplusplus
}
#endif

#endif
