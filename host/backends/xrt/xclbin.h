/* SPDX-License-Identifier: BSD-2-Clause */
/* What an xclbin says of itself, read before any device does: which kernels it holds, for what it was built. Knows
 * nothing of XRT, so that it can tell what is wrong with a file where XRT would only refuse it. */
#ifndef BDNN_BACKENDS_XRT_XCLBIN_H
#define BDNN_BACKENDS_XRT_XCLBIN_H

#include "core/error.h"

#include <stddef.h>

typedef enum bdnn_xclbin_target { BDNN_XCLBIN_HARDWARE, BDNN_XCLBIN_HW_EMU, BDNN_XCLBIN_SW_EMU } bdnn_xclbin_target;

#define BDNN_XCLBIN_MAX_COMPUTE_UNITS 64

typedef struct bdnn_xclbin {
    bdnn_xclbin_target target;
    uint8_t uuid[16];
    char platform[65];
    uint32_t clock_mhz;        /* of the kernels; 0 when the file does not say */
    uint32_t ports, port_bits; /* memory ports of a unit and the width of the first; likewise */
    size_t unit_count;         /* compute units of the kernel that was asked for */
    char units[BDNN_XCLBIN_MAX_COMPUTE_UNITS][64];
} bdnn_xclbin;

/* Reads the file and lists the compute units of `kernel`. Errors: a file that cannot be read, is no xclbin or
 * contradicts itself; one without a compute unit of that kernel (BDNN_ERROR_UNSUPPORTED). */
bdnn_status bdnn_xclbin_read(const char *path, const char *kernel, bdnn_xclbin *xclbin, bdnn_error *err);

/* "hw", "hw_emu" or "sw_emu". */
const char *bdnn_xclbin_target_name(bdnn_xclbin_target target);

/* Writes "8 digits-4-4-4-12" into text, which is returned. */
char *bdnn_xclbin_uuid_text(const uint8_t uuid[16], char text[37]);

#endif
