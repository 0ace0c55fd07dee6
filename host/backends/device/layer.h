/* SPDX-License-Identifier: BSD-2-Clause */
/* One layer resident on an accelerator: how it is cut into items and jobs, its weights in the device's memory, and how
 * its input and output lie there. */
#ifndef BDNN_BACKENDS_DEVICE_LAYER_H
#define BDNN_BACKENDS_DEVICE_LAYER_H

#include "backends/device/accelerator.h"

/* A layer's work is `items` parts, each of `groups` jobs. An item is an image, or several images one below the other of
 * a layer with few output pixels, which alone would leave most columns of the array idle; the last item may have fewer
 * images. Images lie one behind the other in the device's memory. */
typedef struct bdnn_resident_layer {
    bdnn_ip_shape shape;    /* as the network has it, all images */
    bdnn_device_layer plan; /* of an item */
    bdnn_device_layer last; /* of the last item */
    bool gathered;          /* the host gathers each output pixel's inputs: plan.shape is that of bdnn_device_flatten */
    int64_t images;         /* of an item */
    int64_t items;
    bdnn_bus_memory constants;  /* weights and filter records, a part for each group; none of a pooling */
    bdnn_bus_memory *parts;     /* [groups][2]: a group's weights, its filter records */
    bdnn_accelerator_cost cost; /* of the last run */
} bdnn_resident_layer;

/* Plans a layer on the device's array; false when it cannot take it. sink: where the sums will go. direct: not
 * gathered, as the input is on the device already; else the host's gathering is chosen where it saves half of the
 * array's steps. */
bool bdnn_resident_layer_plan(bdnn_resident_layer *layer, const bdnn_device_array *array, const bdnn_ip_shape *shape,
                              const bdnn_sink *sink, bool direct);

/* Plans a layer as a placement says, which has come of the above. */
bool bdnn_resident_layer_plan_as(bdnn_resident_layer *layer, const bdnn_device_array *array, const bdnn_ip_shape *shape,
                                 const bdnn_sink *sink, const bdnn_placement *placement);

/* Plans a max pooling. */
bool bdnn_resident_layer_plan_pool(bdnn_resident_layer *layer, const bdnn_device_array *array,
                                   const bdnn_ip_shape *shape);

/* How its maps lie on the device. */
bdnn_placement bdnn_resident_layer_placement(const bdnn_resident_layer *layer);

/* Copies a planned layer's weights to the device. */
bdnn_status bdnn_resident_layer_load(bdnn_resident_layer *layer, bdnn_accelerator *device,
                                     const bdnn_ip_weights *weights, const bdnn_sink *sink, bdnn_error *err);
void bdnn_resident_layer_unload(bdnn_resident_layer *layer, bdnn_accelerator *device);

/* The job of one group of an item, whose input and output maps begin at these offsets. False where it would lead
 * further than the kernel's offsets do. */
bool bdnn_resident_layer_job(const bdnn_resident_layer *layer, int64_t item, int64_t group, size_t input, size_t output,
                             bdnn_hw_job *job);

/* Bytes of the host's scratch memory. */
size_t bdnn_resident_layer_scratch_bytes(const bdnn_resident_layer *layer);

/* Where an item's input lies from the start of the map on, and its bytes; the same of its output. */
size_t bdnn_resident_layer_input(const bdnn_resident_layer *layer, int64_t item, size_t *bytes);
size_t bdnn_resident_layer_output(const bdnn_resident_layer *layer, int64_t item, size_t *bytes);

/* Item `item` of the whole input x_q, as the kernel reads it. scratch: what bdnn_resident_layer_scratch_bytes says. */
void bdnn_resident_layer_pack(const bdnn_resident_layer *layer, const uint8_t *x_q, int64_t item, void *scratch,
                              uint64_t *activations);

/* An item's results, as the kernel left them, to its place behind the sink. */
void bdnn_resident_layer_unpack(const bdnn_resident_layer *layer, const uint64_t *results, int64_t item,
                                const bdnn_sink *sink, void *scratch);

#endif
