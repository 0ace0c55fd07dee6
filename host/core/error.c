/* SPDX-License-Identifier: BSD-2-Clause */
/* Status and messages. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef bdnn_fail /* macros where an analyzer reads */
#undef bdnn_fail_memory

bdnn_status bdnn_fail(bdnn_error *err, bdnn_status status, const char *format, ...)
{
    if (err) {
        va_list args;
        err->status = status;
        va_start(args, format);
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return status;
}

bdnn_status bdnn_prefix(bdnn_error *err, bdnn_status status, const char *format, ...)
{
    if (err) {
        char old[sizeof err->message];
        va_list args;
        int used;
        memcpy(old, err->message, sizeof old);
        va_start(args, format);
        used = vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        if (used >= 0 && (size_t)used + 3 < sizeof err->message) {
            snprintf(err->message + used, sizeof err->message - (size_t)used, ": %.*s",
                     (int)(sizeof err->message - (size_t)used - 3), old);
        }
        err->status = status;
    }
    return status;
}

bdnn_status bdnn_fail_null(bdnn_error *err, const char *call)
{
    return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "%s: NULL, or an empty image, where it may not be", call);
}

bdnn_status bdnn_fail_memory(bdnn_error *err, size_t bytes, const char *what)
{
    return bdnn_fail(err, BDNN_ERROR_MEMORY, "cannot allocate %zu bytes for %s", bytes, what);
}

const char *bdnn_status_name(bdnn_status status)
{
    switch (status) {
    case BDNN_OK:
        return "ok";
    case BDNN_ERROR_ARGUMENT:
        return "invalid argument";
    case BDNN_ERROR_IO:
        return "input/output error";
    case BDNN_ERROR_FORMAT:
        return "malformed data";
    case BDNN_ERROR_UNSUPPORTED:
        return "not supported";
    case BDNN_ERROR_MEMORY:
        return "out of memory";
    case BDNN_ERROR_DEVICE:
        return "device error";
    case BDNN_ERROR_CANCELLED:
        return "cancelled";
    }
    return "unknown status";
}
