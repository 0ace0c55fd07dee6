/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest job (job.h): one pixel, one unit of channels, one filter of one basis. */
#include "job.h"
#include "backends/device/layout.h"

#include <stdlib.h>

void job_make(uint32_t sizes, uint32_t word, uint32_t buffers, uint32_t *words, size_t *bytes)
{
    const bdnn_ip_shape shape = {.batch = 1,
                                 .channels = BDNN_HW_UNIT,
                                 .filters = 1,
                                 .groups = 1,
                                 .bases = 1,
                                 .bits = 1,
                                 .in_size = {1, 1, 1},
                                 .out_size = {1, 1, 1},
                                 .kernel = {1, 1, 1},
                                 .stride = {1, 1, 1},
                                 .dilation = {1, 1, 1}};
    const bdnn_device_output output = {.mode = BDNN_HW_MODE_INT32};
    bdnn_device_array array;
    bdnn_device_layer layer;
    if (!bdnn_device_array_read(&array, sizes, word, buffers) || !bdnn_device_plan(&array, &shape, &output, &layer)) {
        abort();
    }
    const bdnn_hw_job job = bdnn_device_job(&layer, 0);
    bdnn_hw_pack_job(&job, words);
    bytes[BDNN_HW_POINTER_WEIGHTS] = 8 * layer.weight_words;
    bytes[BDNN_HW_POINTER_ACTIVATIONS] = 8 * layer.activation_words;
    bytes[BDNN_HW_POINTER_FILTERS] = 8 * layer.filter_words;
    bytes[BDNN_HW_POINTER_RESULTS] = 8 * layer.result_words;
}
