/* bdnn: binary-decomposed deep convolutional networks without retraining.
 *
 * The one public header. A trained network is loaded (ONNX, a folder of .npy parameters, or bdnn's own model file), decomposed into
 * binary bases with integer scales, saved, and run on a device.
 *
 * Conventions
 * - Every call that can fail returns bdnn_status and takes a bdnn_error, which may be NULL; the message names the file, the layer and
 *   the number that is wrong. The library never prints, exits or aborts.
 * - Pointers handed in are borrowed for the duration of the call unless the call says otherwise; objects handed out belong to the
 *   caller, who ends them with the matching *_free call (which accepts NULL).
 * - NULL is for what the call says may be NULL. Given elsewhere, calls that return a status return BDNN_ERROR_ARGUMENT, others 0, false,
 *   NULL or an empty result, and change nothing; so does an image without pixels where one is needed.
 * - Tensors cross this interface in row-major order N, C, H, W, as float32.
 * - A model is read-only once it is loaded and may be shared by threads; a session may be used by one thread at a time.
 */
#ifndef BDNN_H
#define BDNN_H

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

/* ---- Version, status, progress ---------------------------------------------------------------------------------------------- */

#define BDNN_VERSION "0.1.0"

/* The version of the library that is running, for comparison with BDNN_VERSION. */
BDNN_API const char *bdnn_version(void);

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

/* A few words for a status; never NULL. */
BDNN_API const char *bdnn_status_name(bdnn_status status);

/* Called now and then during long work with what is being done (`stage`, for example a layer's name) and how far it is. Returning
 * false stops the work, whose call then returns BDNN_ERROR_CANCELLED. May be called from one thread at a time, not always the same. */
typedef bool bdnn_progress(void *user, const char *stage, uint64_t done, uint64_t total);

/* ---- Files that are written -------------------------------------------------------------------------------------------------- */

/* Every call that writes a file or a folder does so beside it, under a temporary name that cannot be foretold (NAME. and 16 hexadecimal
 * digits), writes it to the disk and renames it when it is complete. */

/* Writes a file whole, like that. What is at `path` is replaced if it is a regular file. */
BDNN_API bdnn_status bdnn_write_file(const char *path, const void *data, size_t size, bdnn_error *err);

/* Removes what this process is writing under temporary names, on whatever thread: for the handler of a signal that ends the program.
 * Async-signal-safe. Calls that are writing then fail when they want to rename. */
BDNN_API void bdnn_remove_temporaries(void);

/* ---- Models ----------------------------------------------------------------------------------------------------------------- */

typedef struct bdnn_model bdnn_model;

typedef struct bdnn_load_options {
    const char *architecture; /* for a folder of .npy files: alexnet, vgg16, resnet152 or segnet; else NULL */
    const char *mean_image;   /* .npy of shape C, H, W, subtracted from the pixels; or NULL */
    const char *labels;       /* text file, one class name a line; or NULL */
    bool keep_batch_norm;     /* do not fold batch normalisation into the convolution before it */
    bool copy;                /* read a file into memory instead of mapping it, see below */
    bool ignore_exif;         /* into the model's pre-processing, see bdnn_preprocess */
} bdnn_load_options;

/* Loads an ONNX file, a .bdnn file (mapped, not copied) or a folder of .npy parameters, told apart by what they contain. options
 * may be NULL. Labels and mean image of the options replace those of the file. Weights or other parameters that are not a number or
 * infinite are an error that names layer and index.
 *
 * A mapped file must stay as it is while the model is in use; replacing it by another of the same name (rename, as every call here
 * writes) is no change. A file that was written to in place is noticed by its time of writing and its size: after each run of a session,
 * when the model is saved or decomposed, these calls return BDNN_ERROR_IO. A file that somebody **shortens** ends the program by SIGBUS
 * when what is gone is read. The library installs no signal handlers: a program that cannot trust its files sets `copy`, or handles
 * SIGBUS itself, for which bdnn_model_mapping tells where a model's file lies. */
BDNN_API bdnn_status bdnn_model_load(const char *path, const bdnn_load_options *options, bdnn_model **model, bdnn_error *err);

/* Writes a .bdnn file under a temporary name and renames it over `path` when it is complete. */
BDNN_API bdnn_status bdnn_model_save(const bdnn_model *model, const char *path, bdnn_error *err);

/* Writes the parameters as the method's authors lay them out: DIR/<layer>_W.npy, DIR/<layer>_b.npy and, for decomposed layers,
 * DIR/decomposition/<layer>/basis_<K>/{M,c}.npy. The folder is made under a temporary name and renamed; `directory` must not exist. */
BDNN_API bdnn_status bdnn_model_export_npy(const bdnn_model *model, const char *directory, bdnn_error *err);

/* A loaded model file is mapped, and what has been read of it stays in memory while the system has enough. This gives those pages
 * back; what is read again comes again from the system's cache of files, at some milliseconds for 100 MB. For programs that are about
 * to need much memory for something else. */
BDNN_API void bdnn_model_let_go(const bdnn_model *model);

/* Where the model's file is mapped: *size bytes at *address; NULL and 0 for a model without one. */
BDNN_API void bdnn_model_mapping(const bdnn_model *model, const void **address, size_t *size);

BDNN_API void bdnn_model_free(bdnn_model *model);

/* How an image becomes the network's input: decode, resize, crop, order the channels, then (pixel - mean) * scale per channel,
 * pixels being 0..255. */
typedef enum bdnn_resize {
    BDNN_RESIZE_STRETCH = 0, /* to width x height, the aspect ratio not kept */
    BDNN_RESIZE_CROP = 1,    /* shorter side to `resize_short`, then the central width x height */
} bdnn_resize;

typedef struct bdnn_preprocess {
    int32_t channels; /* 1 (grey) or 3 */
    int32_t height, width;
    bdnn_resize resize;
    int32_t resize_short; /* with BDNN_RESIZE_CROP */
    bool bgr;             /* channel order blue, green, red (Caffe) instead of red, green, blue */
    float mean[3];        /* in the network's channel order */
    float scale[3];
    const float *mean_image; /* C, H, W of the sizes above, replacing `mean`; or NULL. Borrowed from the model. */
    bool ignore_exif;        /* photographs as they are stored, not as EXIF says that the camera was held; not kept in model files */
} bdnn_preprocess;

BDNN_API bdnn_preprocess bdnn_model_preprocess(const bdnn_model *model);

/* Replaces the model's pre-processing, copying the mean image. Errors: sizes that are not those of the model's input. */
BDNN_API bdnn_status bdnn_model_set_preprocess(bdnn_model *model, const bdnn_preprocess *preprocess, bdnn_error *err);

/* Class names, or NULL with *count 0 where the model has none. */
BDNN_API const char *const *bdnn_model_labels(const bdnn_model *model, size_t *count);
BDNN_API bdnn_status bdnn_model_set_labels(bdnn_model *model, const char *const *labels, size_t count, bdnn_error *err);

typedef struct bdnn_layer_info {
    const char *name;     /* valid as long as the model */
    const char *operation; /* "conv", "dense", "max_pool", ... */
    bool has_weights;     /* an inner-product layer: a convolution or a fully connected layer */
    bool decomposed;
    int32_t bases, bits;       /* K and Q of a decomposed layer, else 0 */
    float step;                /* of its quantised input */
    int32_t zero_point;        /* of its quantised input */
    int64_t filters;           /* F */
    int64_t inner;             /* D, the length of one inner product */
    int64_t groups;
    int64_t multiply_adds;     /* per input item */
    uint64_t parameter_bytes;  /* stored: bases, scales and biases, or float weights */
    uint64_t float_bytes;      /* what the same layer takes in float32 */
    int64_t output_shape[6];   /* N (as imported), C, spatial axes */
    int32_t output_rank;
    /* How the first output is kept for the layers after it (docs/reference/numerics.md, "The integer pipeline"): "float", "quantised" (Q bits
     * in uint8) or "wide" (int16); step and bits are 0 where they do not apply. */
    const char *output_format;
    float output_step;
    int32_t output_bits;
} bdnn_layer_info;

/* Layers in execution order. */
BDNN_API size_t bdnn_model_layer_count(const bdnn_model *model);
BDNN_API bdnn_status bdnn_model_layer(const bdnn_model *model, size_t index, bdnn_layer_info *info, bdnn_error *err);

/* Shape of the network's input in N, C, H, W order, N as imported; returns the rank. */
BDNN_API int32_t bdnn_model_input_shape(const bdnn_model *model, int64_t shape[6]);

/* ---- Decomposition ---------------------------------------------------------------------------------------------------------- */

typedef enum bdnn_method {
    BDNN_METHOD_DATA = 0, /* data-aware: bases chosen by their effect on the layer's output over calibration images */
    BDNN_METHOD_PAPER = 1 /* Kamiya et al. 2017: bases chosen by the weights alone */
} bdnn_method;

typedef enum bdnn_range {
    BDNN_RANGE_AUTO = 0,   /* BDNN_RANGE_MSE for the data-aware method, BDNN_RANGE_MINMAX for the paper's */
    BDNN_RANGE_OUTPUT = 1, /* the range whose quantised input changes the layer's output least */
    BDNN_RANGE_MINMAX = 2,
    BDNN_RANGE_PERCENTILE = 3,
    BDNN_RANGE_MSE = 4 /* the range whose quantised input has the least mean squared error */
} bdnn_range;

typedef struct bdnn_layer_setting {
    const char *layer; /* name */
    int32_t bases, bits;
    bool keep_float; /* bases and bits are then ignored */
} bdnn_layer_setting;

typedef struct bdnn_decompose_options {
    bdnn_method method;
    bdnn_range range;
    int32_t bases, bits;             /* K and Q, 1..8 */
    int32_t first_bases, first_bits; /* of the first inner-product layer; 0: as the others */
    int32_t last_bases, last_bits;
    const bdnn_layer_setting *layers; /* settings by name, which win over all others */
    size_t layer_count;
    double percentile;   /* for BDNN_RANGE_PERCENTILE, for example 99.9 */
    double lambda;       /* ridge of the data-aware method, relative to the mean diagonal */
    int32_t restarts;    /* of the paper's method */
    uint64_t seed;       /* same seed, same input: same model, for any number of threads */
    size_t threads;      /* 0: one per processor */
    size_t memory_limit; /* bytes for calibration activations; fewer images are used when they do not fit. 0: 2 GiB */
    bdnn_progress *progress;
    void *user;
} bdnn_decompose_options;

typedef struct bdnn_layer_report {
    char name[128];
    int32_t bases, bits;
    double weight_error;  /* |w - s_f W| / |w| over the layer, on the stored integer scales */
    double output_snr_db; /* of the layer's output against the float network's, over the calibration images */
    uint64_t bytes_before, bytes_after;
} bdnn_layer_report;

/* The options that `bdnn decompose` starts from: data-aware, K = 6, Q = 6. */
BDNN_API bdnn_decompose_options bdnn_decompose_defaults(void);

/* Decomposes every inner-product layer of `model` (which is left unchanged) by `count` calibration inputs, float32 row-major
 * [count][C][H][W] as the network takes them. The result is self-contained. *report, when report is not NULL, becomes an array of
 * *report_count entries for bdnn_report_free; after an error, too, of the layers that were done before it. Errors: a model that holds decomposed layers already, no calibration inputs, K or Q
 * outside 1..8, a setting that names no layer. options may be NULL: bdnn_decompose_defaults. */
BDNN_API bdnn_status bdnn_decompose(const bdnn_model *model, const float *inputs, size_t count,
                                    const bdnn_decompose_options *options, bdnn_model **decomposed, bdnn_layer_report **report,
                                    size_t *report_count, bdnn_error *err);
BDNN_API void bdnn_report_free(bdnn_layer_report *report);

/* ---- Running ---------------------------------------------------------------------------------------------------------------- */

typedef struct bdnn_session bdnn_session;

/* How the end of a run of an accelerator is waited for, where there is a choice (the device "uio"). */
typedef enum bdnn_wait {
    BDNN_WAIT_HYBRID = 0,   /* looking again and again for a short time, then sleeping until the interrupt */
    BDNN_WAIT_POLL = 1,     /* looking again and again: quickest, and a processor does nothing else */
    BDNN_WAIT_INTERRUPT = 2 /* sleeping at once */
} bdnn_wait;

typedef struct bdnn_session_options {
    const char *device; /* "cpu" (also for NULL): the fastest kernels of this processor; "reference": scalar XNOR-popcount, the
                         * definition; "float": decomposed layers simulated in float; "xrt" or "xrt:INDEX": a board behind
                         * Xilinx XRT, or an emulated one where XCL_EMULATION_MODE says so (docs/reference/accelerator.md); "uio" or
                         * "uio:NAME": the accelerator of a Zynq behind the bdnn module or UIO (docs/reference/driver.md) */
    size_t threads;     /* 0: one per processor. Results do not depend on it. */
    size_t batch;       /* inputs of one run; 0: 1 */
    const char *xclbin;  /* of "xrt": the file with the kernel; NULL: the one that the environment variable BDNN_XCLBIN names */
    uint32_t timeout_ms; /* of accelerators: a run of the kernel that takes longer has failed; 0: 60 seconds */
    bdnn_wait wait;      /* of "uio" */
    bool allow_not_finite; /* infinities, and what is not a number, pass in inputs and outputs, as IEEE 754 has them */
} bdnn_session_options;

/* Plans memory for `batch` inputs and prepares the weights for the device. The model must outlive the session. options may be NULL: all
 * zero. */
BDNN_API bdnn_status bdnn_session_create(const bdnn_model *model, const bdnn_session_options *options, bdnn_session **session,
                                         bdnn_error *err);
BDNN_API void bdnn_session_free(bdnn_session *session);

/* Runs the network on float32 row-major [batch][C][H][W], batch as the session was made for. Errors: BDNN_ERROR_ARGUMENT for an input that
 * is infinite or not a number; BDNN_ERROR_UNSUPPORTED, naming the first layer that makes such a value, where an output is one;
 * BDNN_ERROR_IO for a model whose file has changed (bdnn_model_load). BDNN_ERROR_DEVICE: the accelerator failed or
 * was lost, and this session cannot be used any more; others, on "cpu" for example, can. Then end the program by _exit: XRT waits for a
 * run that does not end whenever something is closed, in its own exit handlers too (bdnn itself no longer calls it). */
BDNN_API bdnn_status bdnn_session_run(bdnn_session *session, const float *input, bdnn_error *err);

typedef struct bdnn_result {
    const char *name;
    int32_t rank;
    int64_t shape[6];
    const float *data; /* row-major; for integer outputs (ArgMax, pooling indices) the values as float. Valid until the next run. */
} bdnn_result;

BDNN_API size_t bdnn_session_output_count(const bdnn_session *session);
BDNN_API bdnn_status bdnn_session_output(const bdnn_session *session, size_t index, bdnn_result *result, bdnn_error *err);

/* From now on every run is timed layer by layer, and an accelerator's counters are read; what is not asked for costs nothing. Errors:
 * memory. */
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
    const char *kernel;    /* of an inner product, "panel_6x64__avx512vnni"; "fused" for a layer that one before it does on the way,
                            * whose numbers are all 0; "integers" or "float" for others. Valid as long as the session. */
    uint64_t nanoseconds;  /* of the last run, when it was timed; else 0 */
    uint64_t weight_bytes; /* as the kernel reads them */
    uint64_t input_bytes;  /* of every input, as the layers before left it */
    uint64_t output_bytes; /* of every output */
    bdnn_accelerator_cost accelerator;
} bdnn_layer_cost;

/* Layer `index` of the model, counted as bdnn_model_layer does; its name, operation, sizes and multiply-adds are told there. */
BDNN_API bdnn_status bdnn_session_layer(const bdnn_session *session, size_t index, bdnn_layer_cost *cost, bdnn_error *err);

/* What the machine can do at best by the instruction that a kernel lives by, measured when called, within a tenth of a second. */
typedef struct bdnn_peak {
    const char *instruction; /* "VPDPBUSD zmm" */
    double products;         /* a second, of all threads together, from registers alone */
    bool binary;             /* products of two bits, K Q of which make one multiply-add */
} bdnn_peak;

/* Of the kernel named so in a bdnn_layer_cost, on so many threads (0: one a processor). False, and all of *peak 0, for a name that is
 * no measured kernel of this processor. */
BDNN_API bool bdnn_peak_measure(const char *kernel, size_t threads, bdnn_peak *peak);

/* Bytes a second that so many threads read again and again from memory of so many bytes, four places at a time, keeping nothing; of 0
 * bytes: from twice the last-level cache, at least 256 MiB. Takes a second or less; 0 where that memory cannot be had. */
BDNN_API double bdnn_peak_read(size_t bytes, size_t threads);

/* Bytes of the planned activation memory, scratch included, and what it would be without reuse. */
BDNN_API void bdnn_session_memory(const bdnn_session *session, uint64_t *planned, uint64_t *without_reuse);

/* ---- Devices ---------------------------------------------------------------------------------------------------------------- */

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
    uint32_t identity, units;
    uint32_t rows, columns, word_bits; /* of the array of each unit */
    uint32_t weight_depth, activation_depth, tiles;
    uint32_t ports, port_bits; /* memory ports of each unit */
    bool max_pooling;
} bdnn_device_info;

/* Lists the devices into *devices[*count], for bdnn_devices_free. Accelerators are configured with `xclbin`; NULL: what the environment
 * variable BDNN_XCLBIN names, if it does. A device that cannot be used is listed with its problem. Errors: memory. */
BDNN_API bdnn_status bdnn_devices(const char *xclbin, bdnn_device_info **devices, size_t *count, bdnn_error *err);
BDNN_API void bdnn_devices_free(bdnn_device_info *devices);

/* What handing work to an accelerator costs: runs of the smallest job, from telling the kernel its arguments to having seen how it ended.
 * The least time that a job can take. */
typedef struct bdnn_launch_times {
    double least_us, median_us, p99_us; /* microseconds; p99: 1 of 100 takes longer */
} bdnn_launch_times;

/* Times `count` (1 to 1000000) launches on the device of a session with these options (batch is not used; NULL: all zero, which is the
 * CPU). Errors: as of a session's making and run; BDNN_ERROR_ARGUMENT for a device that is no accelerator. */
BDNN_API bdnn_status bdnn_device_launches(const bdnn_session_options *options, size_t count, bdnn_launch_times *times,
                                          bdnn_error *err);

/* ---- Images ----------------------------------------------------------------------------------------------------------------- */

typedef struct bdnn_image {
    uint8_t *pixels; /* [height][width][channels], red, green, blue or grey; for bdnn_image_free */
    int32_t width, height;
    int32_t channels; /* 1 or 3 */
} bdnn_image;

/* Decodes an image file: JPEG by libjpeg-turbo, PNG by libpng, BMP, TIFF, PNM and WebP by OpenCV, told apart by their signatures. Where a
 * JPEG is larger than width x height (0: any size), it is decoded at the smallest of 1/8 ... 8/8 that still covers them; other formats are
 * decoded whole. Grey stays grey; 16 bits keep the upper byte; an alpha channel is left out. A JPEG in CMYK or YCCK becomes
 * red, green and blue (without its colour profile), and is turned as its EXIF orientation says, before width x height is compared. At most
 * 16384 pixels a side and 64 Mpixel in all, and files of 1 GB. Errors name the file; a truncated or damaged file is an error even where a
 * part could be shown. On an error *image is empty. BDNN_ERROR_UNSUPPORTED for a JPEG of four colours without Adobe's marker, and for
 * every image in a build without image libraries. */
BDNN_API bdnn_status bdnn_image_load(const char *path, int32_t width, int32_t height, bdnn_image *image, bdnn_error *err);

/* The same at the least size that a network's pre-processing needs, turned unless it says ignore_exif. */
BDNN_API bdnn_status bdnn_image_load_for(const char *path, const bdnn_preprocess *preprocess, bdnn_image *image, bdnn_error *err);

/* bdnn_image_load from memory; `name` stands for the file in messages. */
BDNN_API bdnn_status bdnn_image_decode(const char *name, const uint8_t *data, size_t size, int32_t width, int32_t height,
                                       bdnn_image *image, bdnn_error *err);
BDNN_API void bdnn_image_free(bdnn_image *image);

/* Makes a network's input [C][H][W] of an image: resizing (by areas when it shrinks, linear when it grows; exact when the size is
 * right already), crop, channel order, (pixel - mean) * scale. */
BDNN_API bdnn_status bdnn_image_preprocess(const bdnn_image *image, const bdnn_preprocess *preprocess, float *input,
                                           bdnn_error *err);

/* Writes a PNG (grey or colour, 8 bits) under a temporary name and renames it. */
BDNN_API bdnn_status bdnn_image_save(const bdnn_image *image, const char *path, bdnn_error *err);

/* A picture of a segmentation: each pixel of `image` tinted with the colour of its class in map[height][width] (scaled to the image by
 * nearest neighbour), with a legend of the classes that occur beside it; images narrower than 384 pixels are enlarged. Colours: Cityscapes'
 * for 19 classes, CamVid's for 11 or 12 that begin with "sky", otherwise generated ones. Without labels (NULL, 0) there is no legend. Class
 * 0 of networks whose label 0 is "background", and values that are no class, are left untinted. *overlay is the caller's to free. */
BDNN_API bdnn_status bdnn_image_overlay(const bdnn_image *image, const int32_t *map, int32_t height, int32_t width,
                                        const char *const *labels, size_t label_count, bdnn_image *overlay, bdnn_error *err);

/* ---- Datasets and metrics --------------------------------------------------------------------------------------------------- */

typedef struct bdnn_dataset bdnn_dataset;

typedef enum bdnn_label_kind {
    BDNN_LABEL_NONE = 0,  /* images alone: enough for calibration */
    BDNN_LABEL_CLASS = 1, /* one class an image */
    BDNN_LABEL_MAP = 2    /* one class a pixel */
} bdnn_label_kind;

/* Opens a set of images; docs/use/datasets.md shows every layout: IDX files (raw or gzip), .npy pairs, the Cityscapes tree, a folder of one
 * folder a class, a folder of images with a label file as ILSVRC2012 validation has, or a folder of images. `labels` names the label file
 * where it is not found by its name; or NULL. Items are read on demand. */
BDNN_API bdnn_status bdnn_dataset_open(const char *path, const char *labels, bdnn_dataset **dataset, bdnn_error *err);
BDNN_API void bdnn_dataset_free(bdnn_dataset *dataset);

BDNN_API size_t bdnn_dataset_count(const bdnn_dataset *dataset);
BDNN_API bdnn_label_kind bdnn_dataset_label_kind(const bdnn_dataset *dataset);

/* What to call item `index` in a message: its image file, or its file and number. Written into text (at most `size` bytes, always
 * terminated), which is returned. */
BDNN_API char *bdnn_dataset_name(const bdnn_dataset *dataset, size_t index, char *text, size_t size);

/* Item `index` as a network's input [C][H][W]. May be called from several threads at once, as may the two below. */
BDNN_API bdnn_status bdnn_dataset_input(const bdnn_dataset *dataset, size_t index, const bdnn_preprocess *preprocess, float *input,
                                        bdnn_error *err);

/* The class of an item, as stored: whether the network knows it is the caller's to check. */
BDNN_API bdnn_status bdnn_dataset_class(const bdnn_dataset *dataset, size_t index, int32_t *label, bdnn_error *err);

/* The class map of an item, resized to height x width by nearest neighbour; -1 where a pixel is not to be judged (stored as 255,
 * or a Cityscapes label outside the 19 classes of its benchmark). */
BDNN_API bdnn_status bdnn_dataset_map(const bdnn_dataset *dataset, size_t index, int32_t height, int32_t width, int32_t *map,
                                      bdnn_error *err);

/* The rank of class `label` among `count` scores: 0 for the largest; of equal scores the lower class counts as the larger. */
BDNN_API size_t bdnn_rank_of(const float *scores, size_t count, int32_t label);

/* The classes of the highest of `count` scores, first the one of rank 0, into classes[most]; how many there are: fewer than `most`
 * where there are fewer scores that are numbers. Takes time for the scores once, whatever their number. */
BDNN_API size_t bdnn_top_classes(const float *scores, size_t count, size_t most, size_t *classes);

/* Of one class: pixels that have it, that are predicted to have it, and both. */
typedef struct bdnn_class_counts {
    uint64_t truths, predictions, hits;
} bdnn_class_counts;

/* Adds `count` pixels to counts[classes], leaving out truths below 0. Errors, after which nothing was added: a truth or prediction that
 * is not below `classes`. */
BDNN_API bdnn_status bdnn_class_counts_add(bdnn_class_counts *counts, int32_t classes, const int32_t *truth, const int32_t *prediction,
                                           size_t count, bdnn_error *err);

/* Intersection over union of each class (-1 for a class that neither occurs nor is predicted) into iou[classes], and their mean over
 * the others. */
BDNN_API double bdnn_mean_iou(const bdnn_class_counts *counts, int32_t classes, double *iou);

#ifdef __cplusplus
}
#endif

#endif
