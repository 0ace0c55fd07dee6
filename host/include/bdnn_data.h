/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn: images, datasets and metrics. bdnn.h states the conventions for errors, NULL, ownership, order and threads. */
#ifndef BDNN_DATA_H
#define BDNN_DATA_H

#include "bdnn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Images ---- */

typedef struct bdnn_image {
    uint8_t *pixels; /* [height][width][channels], red, green, blue or gray, 0..255; for bdnn_image_free */
    int32_t width, height;
    int32_t channels; /* 1 or 3 */
} bdnn_image;

/* An image without pixels (`pixels` NULL) is refused like NULL where pixels are needed. On any error, a call that would
 * have made an image leaves it empty: all 0. Calls on different images may run at the same time. */

/* Decodes an image file, told apart by its signature: JPEG by libjpeg-turbo, PNG by libpng, and BMP, TIFF, PNM and WebP
 * by OpenCV. A JPEG larger than width x height (0: any size) is decoded at the smallest of 1/8 ... 8/8 that still
 * covers them. Other formats are decoded whole. Gray stays gray; 16 bits keep the upper byte; an alpha channel is left
 * out. A JPEG in CMYK or YCCK becomes red, green and blue (without its color profile). A JPEG is turned as its EXIF
 * orientation says, before width x height is compared.
 *
 * Errors, which name the file: BDNN_ERROR_IO for what cannot be read. BDNN_ERROR_FORMAT for what is no image of these
 * formats, and for a truncated or damaged file, even where a part could be shown. BDNN_ERROR_FORMAT also for more than
 * 16384 pixels a side or 64 Mpixel in all. BDNN_ERROR_UNSUPPORTED for a file of more than 1 GB, a JPEG of four colors
 * without Adobe's marker, and every image in a build without image libraries.
 * BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_image_load(const char *path, int32_t width, int32_t height, bdnn_image *image,
                                     bdnn_error *err);

/* bdnn_image_load at the least size that this pre-processing needs, turned unless it says ignore_exif. */
BDNN_API bdnn_status bdnn_image_load_for(const char *path, const bdnn_preprocess *preprocess, bdnn_image *image,
                                         bdnn_error *err);

/* bdnn_image_load from memory; `name` stands for the file in messages. `data` may be NULL if `size` is 0, which is a
 * truncated file. */
BDNN_API bdnn_status bdnn_image_decode(const char *name, const uint8_t *data, size_t size, int32_t width,
                                       int32_t height, bdnn_image *image, bdnn_error *err);

/* Frees the pixels and makes *image empty; the structure itself is the caller's. NULL, or an empty image: nothing
 * happens. */
BDNN_API void bdnn_image_free(bdnn_image *image);

/* Makes a network's input of an image: float32 input[C][H][W] of the sizes that `preprocess` says. It resizes, crops,
 * orders the channels, and takes (pixel - mean) * scale. Resizing is by areas when the image shrinks, linear when it
 * grows, and left out when the size is right. Errors: BDNN_ERROR_UNSUPPORTED for other than 1 or 3 channels, a resized
 * image of more than 64 Mpixel, and resizing in a build without image libraries. BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_image_preprocess(const bdnn_image *image, const bdnn_preprocess *preprocess, float *input,
                                           bdnn_error *err);

/* Makes a network's pixels of an image, for bdnn_session_run_pixels: uint8 pixels[H][W][C], resized, cropped and with
 * channels in the network's order as bdnn_image_preprocess does. Errors: as of that. */
BDNN_API bdnn_status bdnn_image_pixels(const bdnn_image *image, const bdnn_preprocess *preprocess, uint8_t *pixels,
                                       bdnn_error *err);

/* Writes a PNG (gray or color, 8 bits), as bdnn_write_file does. Errors: BDNN_ERROR_IO; BDNN_ERROR_MEMORY;
 * BDNN_ERROR_UNSUPPORTED in a build without image libraries. */
BDNN_API bdnn_status bdnn_image_save(const bdnn_image *image, const char *path, bdnn_error *err);

/* Draws a segmentation: each pixel of `image` tinted with the color of its class in class_map[height][width], which is
 * scaled to the image by nearest neighbor. Beside it stands a legend of the classes that occur. Images narrower than
 * 384 pixels are enlarged. Colors are Cityscapes' for 19 classes, CamVid's for 11 or 12 that begin with "sky",
 * otherwise generated. `labels` may be NULL if `label_count` is 0: there is no legend then. No label may be NULL. Class
 * 0 of networks whose label 0 is "background", and values that are no class, are left untinted. *overlay is for
 * bdnn_image_free. Errors: BDNN_ERROR_UNSUPPORTED where the legend cannot be drawn (a build without image libraries);
 * BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_image_overlay(const bdnn_image *image, const int32_t *class_map, int32_t height,
                                        int32_t width, const char *const *labels, size_t label_count,
                                        bdnn_image *overlay, bdnn_error *err);

/* ---- Datasets ---- */

typedef struct bdnn_dataset bdnn_dataset;

typedef enum bdnn_label_kind {
    BDNN_LABEL_NONE = 0,     /* images alone: enough for calibration */
    BDNN_LABEL_CLASS = 1,    /* one class an image */
    BDNN_LABEL_CLASS_MAP = 2 /* one class a pixel */
} bdnn_label_kind;

/* Opens a set of images; docs/use/datasets.md shows every layout. There are IDX files (raw or gzip), .npy pairs, the
 * Cityscapes tree, and three kinds of folders: one folder a class, images with a label file (as ILSVRC2012 validation
 * has), and images alone. `labels` names the label file where it is not found by its name; it may be NULL. Items are
 * read on demand. Errors: BDNN_ERROR_IO; BDNN_ERROR_FORMAT, also where images and labels differ in number;
 * BDNN_ERROR_UNSUPPORTED for arrays of other types or axes; BDNN_ERROR_ARGUMENT for `labels` where the set has its own;
 * BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_dataset_open(const char *path, const char *labels, bdnn_dataset **dataset, bdnn_error *err);

/* Ends a dataset. NULL: nothing happens. */
BDNN_API void bdnn_dataset_free(bdnn_dataset *dataset);

/* How many items the dataset has; 0 for NULL. */
BDNN_API size_t bdnn_dataset_count(const bdnn_dataset *dataset);

/* Which labels the dataset has; BDNN_LABEL_NONE for NULL. */
BDNN_API bdnn_label_kind bdnn_dataset_label_kind(const bdnn_dataset *dataset);

/* What to call item `index` in a message: its image file, or its file and number. Written into `text` (at most `size`
 * bytes, always terminated), which is returned. Empty for NULL and for an index that is no item; `text` may be NULL,
 * and NULL is then returned. */
BDNN_API char *bdnn_dataset_name(const bdnn_dataset *dataset, size_t index, char *text, size_t size);

/* Reads item `index` as a network's input: float32 input[C][H][W] of the sizes that `preprocess` says. Several threads
 * may read one dataset at the same time, here and in the two calls below. Errors: BDNN_ERROR_ARGUMENT for an index that
 * is no item, and for stored floats of another shape than the network's input; as of bdnn_image_load and
 * bdnn_image_preprocess for the item. */
BDNN_API bdnn_status bdnn_dataset_input(const bdnn_dataset *dataset, size_t index, const bdnn_preprocess *preprocess,
                                        float *input, bdnn_error *err);

/* The class of an item, as stored: whether the network knows it is the caller's to check. Errors: BDNN_ERROR_ARGUMENT
 * for an index that is no item, and for a dataset without BDNN_LABEL_CLASS; BDNN_ERROR_IO; BDNN_ERROR_FORMAT. */
BDNN_API bdnn_status bdnn_dataset_class(const bdnn_dataset *dataset, size_t index, int32_t *label, bdnn_error *err);

/* The class map of an item, resized to class_map[height][width] by nearest neighbor. -1 stands where a pixel is not to
 * be judged: stored as 255, or a Cityscapes label outside the 19 classes of its benchmark. Errors: as of
 * bdnn_dataset_class, for BDNN_LABEL_CLASS_MAP; BDNN_ERROR_MEMORY. */
BDNN_API bdnn_status bdnn_dataset_class_map(const bdnn_dataset *dataset, size_t index, int32_t height, int32_t width,
                                            int32_t *class_map, bdnn_error *err);

/* ---- Metrics ---- */

/* The rank of class `label` among scores[count]: 0 for the largest. Of equal scores the lower class counts as the
 * larger. `count` for a class that is none, a score that is not a number, and NULL. */
BDNN_API size_t bdnn_rank_of(const float *scores, size_t count, int32_t label);

/* Writes the classes of the highest of scores[count] into classes[most], first the one of rank 0. Returns how many
 * there are: fewer than `most` where fewer scores are numbers, 0 for NULL. Takes time for the scores once, whatever
 * `most`. */
BDNN_API size_t bdnn_top_classes(const float *scores, size_t count, size_t most, size_t *classes);

/* Of one class: pixels that have it, that are predicted to have it, and both. */
typedef struct bdnn_class_counts {
    uint64_t truths, predictions, hits;
} bdnn_class_counts;

/* Adds truth[count] and prediction[count] to counts[classes], leaving out truths below 0. One thread at a time for one
 * array of counts. Errors, after which nothing was added: BDNN_ERROR_FORMAT for a class that is not below `classes`. */
BDNN_API bdnn_status bdnn_class_counts_add(bdnn_class_counts *counts, int32_t classes, const int32_t *truth,
                                           const int32_t *prediction, size_t count, bdnn_error *err);

/* Intersection over union, 0 to 1, of each class into iou[classes]: -1 for a class that neither occurs nor is
 * predicted. Returns the mean over the others; 0 where there are none, and for NULL. */
BDNN_API double bdnn_mean_iou(const bdnn_class_counts *counts, int32_t classes, double *iou);

#ifdef __cplusplus
}
#endif

#endif
