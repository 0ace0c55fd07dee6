/* SPDX-License-Identifier: BSD-2-Clause */
/* AMX: whether there is a matrix unit that may be used, and its configuration. */
#ifndef BDNN_KERNELS_X86_AMX_H
#define BDNN_KERNELS_X86_AMX_H

#include <stdbool.h>

/* Asks Linux for the tiles' registers, once. */
bool bdnn_amx_available(void);

/* All eight tiles as 16 rows of 64 bytes, for the calling thread; end with _tile_release. */
void bdnn_amx_configure(void);

#endif
