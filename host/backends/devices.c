/* The list of devices, for the public interface. */
#include "core/memory.h"
#include "backends/backend.h"

#include <stdio.h>

#define MOST_DEVICES 32

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
    bdnn_device_info *list = bdnn_zalloc(MOST_DEVICES, sizeof *list);
    *devices = list;
    if (!list) {
        return bdnn_fail_memory(err, MOST_DEVICES * sizeof *list, "a list of devices");
    }
    for (size_t i = 0; bdnn_backends[i]; i++) {
        *count += bdnn_backends[i]->list(xclbin, list + *count, MOST_DEVICES - 1 - *count);
    }
    /* The one device that is no backend: there is nothing for it to compute in integers. */
    snprintf(list[*count].name, sizeof list->name, "float");
    snprintf(list[*count].description, sizeof list->description,
             "decomposed layers simulated in float, for comparison");
    *count += 1;
    return BDNN_OK;
}

void bdnn_devices_free(bdnn_device_info *devices)
{
    bdnn_free(devices);
}
