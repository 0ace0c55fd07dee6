/* SPDX-License-Identifier: BSD-2-Clause */
/* Test vectors of the accelerator's max pooling: layers at random, packed, with the maxima by direct comparison. The
 * same for every implementation of the kernel, in C or in hardware. */
#ifndef BDNN_COSIM_POOL_CASE_H
#define BDNN_COSIM_POOL_CASE_H

#ifdef __cplusplus
extern "C" {
#endif

#include "../kernels/problem.h"
#include "backends/device/layout.h"

/* One image. The buffers end where an inaccessible page begins. */
typedef struct pool_case {
    bdnn_device_layer layer;
    fence activations, results;   /* results are for the kernel to fill in */
    uint8_t *expected, *unpacked; /* [out height][out width][channels] */
} pool_case;

/* A case of a random shape; false, and nothing to free, when it cannot be planned, which is an error. Random numbers
 * come from problem.h. */
bool pool_case_make(pool_case *c, const bdnn_device_array *array);

/* The job, with the addresses of the case's own buffers. */
bdnn_hw_job pool_case_job(const pool_case *c);

/* Whether `results` hold the maxima, bit for bit, with zeros behind the last channel; says where not. */
bool pool_case_check(pool_case *c);

void pool_case_free(pool_case *c);

#ifdef __cplusplus
}
#endif

#endif
