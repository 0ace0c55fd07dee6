/* SPDX-License-Identifier: BSD-2-Clause */
/* xclbin files: sections, compute units, clocks and the metadata's XML. A file without a name stands for one on disk.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "backends/xrt/xclbin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Texts end within their fields, and what is listed is within bounds. */
static void check(const bdnn_xclbin *xclbin)
{
    char text[37];
    if (xclbin->unit_count > BDNN_XCLBIN_MAX_COMPUTE_UNITS || !memchr(xclbin->platform, 0, sizeof xclbin->platform) ||
        strlen(bdnn_xclbin_uuid_text(xclbin->uuid, text)) != 36) {
        abort();
    }
    for (size_t i = 0; i < xclbin->unit_count; i++) {
        if (!memchr(xclbin->units[i], 0, sizeof xclbin->units[i])) {
            abort();
        }
    }
    bdnn_xclbin_target_name(xclbin->target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bdnn_xclbin xclbin;
    bdnn_error err;
    char path[32];
    const int file = memfd_create("input", MFD_CLOEXEC);
    if (file < 0 || write(file, data, size) != (ssize_t)size) {
        abort();
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (bdnn_xclbin_read(path, "bdnn_kernel", &xclbin, &err) == BDNN_OK) {
        check(&xclbin);
    }
    close(file);
    return 0;
}
