/* SPDX-License-Identifier: BSD-2-Clause */
/* Feature maps. */
#include "backends/feature_map.h"

#include "core/memory.h"

bdnn_feature_map bdnn_feature_map_host(const bdnn_shape *shape, bdnn_type type, const bdnn_format *format)
{
    const size_t elements = (size_t)bdnn_shape_elements(shape);
    return (bdnn_feature_map){.shape = *shape,
                              .type = type,
                              .format = *format,
                              .groups = 1,
                              .bytes = bdnn_product(elements, bdnn_type_size(type))};
}

bool bdnn_feature_map_same_blocks(int64_t channels, int32_t groups, int32_t other, int64_t block)
{
    return groups == other || (channels / groups % block == 0 && channels / other % block == 0);
}

bdnn_tensor bdnn_feature_map_tensor(const bdnn_feature_map *map)
{
    return (bdnn_tensor){.type = map->type, .shape = map->shape, .format = map->format, .data = map->data};
}
