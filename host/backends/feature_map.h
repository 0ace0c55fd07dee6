/* SPDX-License-Identifier: BSD-2-Clause */
/* Feature maps: the values between layers as the backends see them. Each has a place, the host's memory or the
 * device's, and a layout there. Whoever plans a network decides both; a backend computes on what it is given. */
#ifndef BDNN_BACKENDS_FEATURE_MAP_H
#define BDNN_BACKENDS_FEATURE_MAP_H

#include "core/tensor.h"

typedef enum bdnn_place { BDNN_PLACE_HOST, BDNN_PLACE_DEVICE } bdnn_place;

typedef enum bdnn_layout {
    BDNN_LAYOUT_NHWC,   /* host: elements of `type`, in the memory order of core/tensor.h */
    BDNN_LAYOUT_PLANES, /* device: quantized, blocks of channels of a pixel as bit planes, uint64 each */
    BDNN_LAYOUT_BLOCKS, /* device: wide or sums, blocks of channels of a pixel as int16 or int32 */
} bdnn_layout;

/* What a place and a layout hold of one value, and where. */
typedef struct bdnn_feature_map {
    bdnn_shape shape; /* logical: N, C, spatial */
    bdnn_type type;   /* of the elements on the host */
    /* What they stand for; of sums on a device FLOAT: the float output is made of them on the host. */
    bdnn_format format;
    bdnn_place place;
    bdnn_layout layout;
    int32_t groups; /* PLANES, BLOCKS: groups of channels, each of which begins with a block of its own */
    size_t bytes;
    size_t offset; /* in the memory of its place */
    void *data;    /* host: the elements */
} bdnn_feature_map;

/* A host map of a value of this shape, type and format. */
bdnn_feature_map bdnn_feature_map_host(const bdnn_shape *shape, bdnn_type type, const bdnn_format *format);

/* Whether channels of `groups` groups lie as those of `other` groups do, in blocks of `block` channels: not where a
 * group ends within a block. */
bool bdnn_feature_map_same_blocks(int64_t channels, int32_t groups, int32_t other, int64_t block);

/* The map as a tensor of the layers; only of host maps. */
bdnn_tensor bdnn_feature_map_tensor(const bdnn_feature_map *map);

#endif
