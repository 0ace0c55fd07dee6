/* SPDX-License-Identifier: BSD-2-Clause */
/* The backends of this build. */
#include "backends/backend.h"

#include <string.h>

/* Decimal digits and nothing else. */
static bool parse_index(const char *text, unsigned *index)
{
    const size_t digits = strspn(text, "0123456789");
    *index = 0;
    for (size_t i = 0; i < digits && digits <= 4; i++) {
        *index = 10 * *index + (unsigned)(text[i] - '0');
    }
    return digits >= 1 && digits <= 4 && text[digits] == '\0';
}

const bdnn_backend_type *const bdnn_backends[] = {&bdnn_backend_cpu, &bdnn_backend_reference, &bdnn_backend_xrt,
                                                  &bdnn_backend_uio, NULL};

/* What follows the colon. */
static bool take_instance(const bdnn_backend_type *type, const char *text, bdnn_backend_options *options)
{
    if (type->numbered) {
        return parse_index(text, &options->index);
    }
    options->name = text;
    return type->named && *text != '\0';
}

const bdnn_backend_type *bdnn_backend_find(const char *device, bdnn_backend_options *options)
{
    const bdnn_backend_type *const *types = bdnn_backends;
    const size_t length = strcspn(device, ":");
    options->index = 0;
    options->name = NULL;
    for (size_t i = 0; types[i]; i++) {
        if (strlen(types[i]->name) == length && strncmp(types[i]->name, device, length) == 0) {
            const bool valid = device[length] ? take_instance(types[i], device + length + 1, options) : true;
            return valid ? types[i] : NULL;
        }
    }
    return NULL;
}

bdnn_status bdnn_backend_unknown(const char *device, bdnn_error *err)
{
    return bdnn_fail(err, BDNN_ERROR_ARGUMENT,
                     "device '%.40s': there are cpu, reference, float, xrt, xrt:INDEX, uio and uio:NAME", device);
}

bdnn_status bdnn_backend_open(const bdnn_session_options *o, bdnn_threads *threads, bdnn_backend **backend,
                              bdnn_error *err)
{
    bdnn_backend_options options = {
        .threads = threads, .bitstream = o->xclbin, .timeout_ms = o->timeout_ms, .wait = o->wait};
    const char *device = o->device ? o->device : "cpu";
    const bdnn_backend_type *type;
    *backend = NULL;
    if (strcmp(device, "float") == 0) {
        return BDNN_OK;
    }
    type = bdnn_backend_find(device, &options);
    if (!type) {
        return bdnn_backend_unknown(device, err);
    }
    return type->open(&options, backend, err);
}
