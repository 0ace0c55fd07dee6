/* SPDX-License-Identifier: BSD-2-Clause */
/* What the accelerator reads and writes (docs/reference/accelerator.md): plans the jobs of a layer for an array of
 * given sizes, packs weights, constants and activations, and unpacks results. Shared by everything that drives the
 * kernel, on whichever bus; knows no device. */
#ifndef BDNN_BACKENDS_DEVICE_LAYOUT_H
#define BDNN_BACKENDS_DEVICE_LAYOUT_H

#include "kernels/inner_product.h"

#include "bdnn_hw.h"

/* The array of a kernel, as its read-only registers tell it. */
typedef struct bdnn_device_array {
    uint32_t rows, columns, word_bits, weight_depth, activation_depth, tiles;
} bdnn_device_array;

/* From the registers BDNN_HW_REG_ARRAY, _WORD and _BUFFERS; false when they describe no possible array. */
bool bdnn_device_array_read(bdnn_device_array *array, uint32_t sizes, uint32_t word, uint32_t buffers);

/* What a layer writes: planes are quantized values as the next layer reads them, int16 wide values, int32 accumulators,
 * and a maximum is that of planes. */
typedef struct bdnn_device_output {
    bdnn_hw_mode mode;
    int32_t bits;      /* of a quantized value; planes only */
    int32_t low, high; /* clamp; planes and int16 only */
} bdnn_device_output;

/* One layer on one array. Sizes are of one image (activations, results) and of one group (weights, filters), in 64-bit
 * words. */
typedef struct bdnn_device_layer {
    bdnn_ip_shape shape;
    bdnn_device_output output;
    uint32_t rows;        /* of the array */
    int64_t pixel_words;  /* of the activations of one pixel, all groups */
    int64_t unit_words;   /* of a unit's results of one pixel */
    int64_t result_units; /* of one pixel and group */
    size_t weight_words, filter_words, activation_words, result_words;
    bdnn_hw_job job; /* of group 0; the four addresses are 0 */
} bdnn_device_layer;

/* Plans a layer; false when the array cannot take it (three dimensions, or one of the sizes is beyond its buffers or
 * registers). For a maximum the shape's groups are 1, its filters its channels, its bases and zero point of no
 * meaning. */
bool bdnn_device_plan(const bdnn_device_array *array, const bdnn_ip_shape *shape, const bdnn_device_output *output,
                      bdnn_device_layer *layer);

/* The job of one group; the caller fills in the addresses. All groups of an image read the same activations and write
 * the same results, each its own units. */
bdnn_hw_job bdnn_device_job(const bdnn_device_layer *layer, int64_t group);

/* Lets a job read and write further behind the memory that it is given, by bytes that are multiples of 8. False where
 * it would lead further than the kernel's offsets do; the job is then of no use. */
bool bdnn_device_job_move(bdnn_hw_job *job, size_t activations, size_t results);

/* The shape of the same layer as a 1x1 convolution over gathered rows (bdnn_ip_gather: [position][group][D]): it has
 * the same weights, and wastes nothing where a pixel has few channels. */
bdnn_ip_shape bdnn_device_flatten(const bdnn_ip_shape *shape);

/* to[weight_words] and to[filter_words] of one group. requantizer: NULL for accumulators. */
void bdnn_device_pack_weights(const bdnn_device_layer *layer, const bdnn_ip_weights *weights, int64_t group,
                              uint64_t *to);
void bdnn_device_pack_filters(const bdnn_device_layer *layer, const bdnn_ip_weights *weights,
                              const bdnn_requantizer *requantizer, int64_t group, uint64_t *to);

/* to[activation_words] of one image x_q[height][width][C], values below 2^Q. */
void bdnn_device_pack_activations(const bdnn_device_layer *layer, const uint8_t *x_q, uint64_t *to);

/* y[out height][out width][F], uint8, int16 or int32 by the layer's mode, of one image's results. */
void bdnn_device_unpack_results(const bdnn_device_layer *layer, const uint64_t *results, void *y);

#endif
