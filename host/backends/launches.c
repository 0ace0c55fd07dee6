/* SPDX-License-Identifier: BSD-2-Clause */
/* What launches cost on a device, for the public interface. */
#include "backends/backend.h"
#include "core/memory.h"
#include "core/options.h"

#include <stdlib.h>

#define MAX_LAUNCHES 1000000

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bdnn_status measure(bdnn_backend *backend, size_t count, bdnn_launch_times *times, bdnn_error *err)
{
    uint64_t *nanoseconds = bdnn_alloc(count, sizeof *nanoseconds);
    bdnn_status status = nanoseconds ? backend->type->device->time_launches(backend, count, nanoseconds, err)
                                     : bdnn_fail_memory(err, count * sizeof *nanoseconds, "times");
    if (status == BDNN_OK) {
        qsort(nanoseconds, count, sizeof *nanoseconds, by_value);
        *times = (bdnn_launch_times){.min_us = 1e-3 * (double)nanoseconds[0],
                                     .median_us = 1e-3 * (double)nanoseconds[count / 2],
                                     .p99_us = 1e-3 * (double)nanoseconds[count * 99 / 100]};
    }
    bdnn_free(nanoseconds);
    return status;
}

bdnn_status bdnn_device_launches(const bdnn_session_options *options, size_t count, bdnn_launch_times *times,
                                 bdnn_error *err)
{
    if (!times) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_session_options o;
    bdnn_backend *backend;
    bdnn_status status = bdnn_take_session_options(&o, options, __func__, err);
    if (status != BDNN_OK) {
        return status;
    }
    if (count < 1 || count > MAX_LAUNCHES) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "%zu launches; from 1 to %d can be timed", count, MAX_LAUNCHES);
    }
    status = bdnn_backend_open(&o, NULL, &backend, err);
    if (status != BDNN_OK) {
        return status;
    }
    status = backend && backend->type->device
                 ? measure(backend, count, times, err)
                 : bdnn_fail(err, BDNN_ERROR_ARGUMENT, "device '%.40s' is no accelerator", o.device ? o.device : "cpu");
    if (backend) {
        backend->type->close(backend);
    }
    return status;
}
