/* One layer resident on an accelerator: how it is cut into items and jobs, its weights in the device's memory. */
#ifndef BDNN_BACKENDS_DEVICE_LAYER_H
#define BDNN_BACKENDS_DEVICE_LAYER_H

#include "backends/device/accelerator.h"

/* A layer's work is `items` equal parts, each with activations and results of its own, each of `groups` jobs. An item
 * is an image, or several images of a layer with few output pixels, which would leave most columns of the array idle.
 */
typedef struct bdnn_resident_layer {
    bdnn_ip_shape shape; /* as the network has it */
    bdnn_device_layer plan;
    bool gathered;  /* the host gathers each output pixel's inputs: plan.shape is that of bdnn_device_flatten */
    int64_t images; /* of an item */
    int64_t items;
    bdnn_bus_memory constants;  /* weights and filter records, a part for each group */
    bdnn_bus_memory *parts;     /* [groups][2]: a group's weights, its filter records */
    bdnn_accelerator_cost cost; /* of the last run */
} bdnn_resident_layer;

/* Plans a layer on the device's array; false when it cannot take it. sink: where the sums will go. */
bool bdnn_resident_layer_plan(bdnn_resident_layer *layer, const bdnn_device_array *array, const bdnn_ip_shape *shape,
                              const bdnn_sink *sink);

/* Copies a planned layer's weights to the device. */
bdnn_status bdnn_resident_layer_load(bdnn_resident_layer *layer, bdnn_accelerator *device,
                                     const bdnn_ip_weights *weights, const bdnn_sink *sink, bdnn_error *err);
void bdnn_resident_layer_unload(bdnn_resident_layer *layer, bdnn_accelerator *device);

/* Bytes of one item's activations and results on the device, and of the host's scratch memory. */
size_t bdnn_resident_layer_activation_bytes(const bdnn_resident_layer *layer);
size_t bdnn_resident_layer_result_bytes(const bdnn_resident_layer *layer);
size_t bdnn_resident_layer_scratch_bytes(const bdnn_resident_layer *layer);

/* Item `item` of the whole input x_q, as the kernel reads it. scratch: what bdnn_resident_layer_scratch_bytes says. */
void bdnn_resident_layer_pack(const bdnn_resident_layer *layer, const uint8_t *x_q, int64_t item, void *scratch,
                              uint64_t *activations);

/* An item's results, as the kernel left them, to its place behind the sink. */
void bdnn_resident_layer_unpack(const bdnn_resident_layer *layer, const uint64_t *results, int64_t item,
                                const bdnn_sink *sink, void *scratch);

#endif
