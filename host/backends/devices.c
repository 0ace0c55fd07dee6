/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of devices, for the public interface. */
#include "backends/backend.h"
#include "core/memory.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEVICES 32

/* The one device that is no backend: there is nothing for it to compute in integers. */
static void describe_float(bdnn_device_info *info)
{
    snprintf(info->name, sizeof info->name, "float");
    snprintf(info->description, sizeof info->description, "decomposed layers simulated in float, for comparison");
}

bdnn_status bdnn_devices(const char *xclbin, bdnn_device_info **devices, size_t *count, bdnn_error *err)
{
    if (devices) {
        *devices = NULL;
    }
    if (count) {
        *count = 0;
    }
    if (!devices || !count) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_device_info *list = bdnn_zalloc(MAX_DEVICES, sizeof *list);
    *devices = list;
    if (!list) {
        return bdnn_fail_memory(err, MAX_DEVICES * sizeof *list, "a list of devices");
    }
    for (size_t i = 0; bdnn_backends[i]; i++) {
        *count += bdnn_backends[i]->list(xclbin, list + *count, MAX_DEVICES - 1 - *count);
    }
    describe_float(&list[*count]);
    *count += 1;
    return BDNN_OK;
}

/* Whether a listed device is what `device` names: without a number or name the first of its kind. */
static bool is_called(const char *listed, const char *device)
{
    return strcmp(listed, device) == 0 || !strchr(device, ':');
}

bdnn_status bdnn_device_describe(const char *device, const char *xclbin, bdnn_device_info *info, bdnn_error *err)
{
    const char *name = device ? device : "cpu";
    bdnn_backend_options options;
    if (!info) {
        return bdnn_fail_null(err, __func__);
    }
    *info = (bdnn_device_info){.name = ""};
    if (strcmp(name, "float") == 0) {
        describe_float(info);
        return BDNN_OK;
    }
    const bdnn_backend_type *type = bdnn_backend_find(name, &options);
    if (!type) {
        return bdnn_backend_unknown(name, err);
    }
    bdnn_device_info *list = bdnn_zalloc(MAX_DEVICES, sizeof *list);
    if (!list) {
        return bdnn_fail_memory(err, MAX_DEVICES * sizeof *list, "a list of devices");
    }
    const size_t count = type->list(xclbin, list, MAX_DEVICES);
    size_t i = 0;
    while (i < count && !is_called(list[i].name, name)) {
        i++;
    }
    if (i < count) {
        *info = list[i];
    } else {
        snprintf(info->name, sizeof info->name, "%.31s", name);
        snprintf(info->problem, sizeof info->problem, "%.40s: there is no such device", name);
    }
    bdnn_free(list);
    return BDNN_OK;
}

void bdnn_devices_free(bdnn_device_info *devices)
{
    bdnn_free(devices);
}
