/* SPDX-License-Identifier: BSD-2-Clause */
/* What a launch costs: the smallest job there is, from telling the kernel its arguments to having seen how it ended. */
#include "backends/device/backend.h"
#include "backends/device/layer.h"

#include "core/clock.h"

#include <string.h>

/* One pixel, one unit of channels, one filter of one basis. */
static bool plan_smallest(const bdnn_device_array *array, bdnn_device_layer *layer)
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
    return bdnn_device_plan(array, &shape, &output, layer);
}

static bdnn_status time_runs(bdnn_accelerator *a, const bdnn_hw_job *job, const bdnn_bus_memory *memory, size_t count,
                             uint64_t *nanoseconds, bdnn_error *err)
{
    const bdnn_bus_memory *const pointers[BDNN_HW_POINTERS] = {&memory[0], &memory[1], &memory[2], &memory[3]};
    bdnn_status status = BDNN_OK;
    for (size_t i = 0; i < count && status == BDNN_OK; i++) {
        const uint64_t start = bdnn_clock();
        status = bdnn_accelerator_start(a, 0, job, pointers, err);
        if (status == BDNN_OK) {
            status = bdnn_accelerator_finish(a, 0, NULL, err);
        }
        nanoseconds[i] = bdnn_clock() - start;
    }
    return status;
}

bdnn_status bdnn_accelerator_time_launches(bdnn_accelerator *a, size_t count, uint64_t *nanoseconds, bdnn_error *err)
{
    bdnn_device_layer layer;
    bdnn_bus_memory memory[BDNN_HW_POINTERS] = {{.host = NULL}};
    bdnn_status status = BDNN_OK;
    if (!plan_smallest(&a->array, &layer)) {
        return bdnn_fail(err, BDNN_ERROR_UNSUPPORTED, "%s: its array does not take the smallest job", a->label);
    }
    const size_t words[BDNN_HW_POINTERS] = {layer.weight_words, layer.activation_words, layer.filter_words,
                                            layer.result_words};
    const bdnn_hw_job job = bdnn_device_job(&layer, 0);
    for (int p = 0; p < BDNN_HW_POINTERS && status == BDNN_OK; p++) {
        status = bdnn_accelerator_allocate(a, p, words[p] * sizeof(uint64_t), "the smallest job", &memory[p], err);
        if (status == BDNN_OK) {
            memset(memory[p].host, 0, memory[p].bytes);
            status = bdnn_accelerator_to_device(a, &memory[p], 0, memory[p].bytes, err);
        }
    }
    status = status == BDNN_OK ? time_runs(a, &job, memory, count, nanoseconds, err) : status;
    for (int p = 0; p < BDNN_HW_POINTERS; p++) {
        bdnn_accelerator_free(a, &memory[p]);
    }
    return status;
}
