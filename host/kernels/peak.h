/* SPDX-License-Identifier: BSD-2-Clause */
/* What the machine can do at best, to hold kernels against: the products of the instructions that kernels multiply by,
 * from registers alone, and reading memory. */
#ifndef BDNN_KERNELS_PEAK_H
#define BDNN_KERNELS_PEAK_H

#include "kernels/kernel_list.h"

#include <stddef.h>

/* One instruction (with the addition that it cannot do itself) in independent chains, as many as hide its latency. */
typedef struct bdnn_probe {
    const char *instruction; /* "VPDPBUSD zmm" */
    double products;         /* of one call of run, which takes some microseconds */
    bool binary;             /* products of two bits */
    void (*run)(void);
} bdnn_probe;

/* A kernel's main instruction. A kernel that this processor does not run is not probed. */
typedef struct bdnn_probe_entry {
    const bdnn_ip_kernel *kernel;
    const bdnn_probe *probe;
} bdnn_probe_entry;

/* By processor family, each ended by a kernel of NULL: of the portable kernels, and of this processor's. */
extern const bdnn_probe_entry bdnn_probes_portable[], bdnn_probes_native[];

/* Reads `bytes` (a multiple of 64) at each of four places, `stripe` bytes apart, in turns of 64 bytes, and keeps
 * nothing. Aligned to 64 bytes. */
typedef void bdnn_reader(const void *at, size_t stripe, size_t bytes);

/* By the widest registers of this processor. */
bdnn_reader *bdnn_reader_native(void);

#endif
