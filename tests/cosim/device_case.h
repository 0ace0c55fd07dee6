/* SPDX-License-Identifier: BSD-2-Clause */
/* Test vectors of the accelerator: layers at random and by hand, packed for an array of given sizes, with what the
 * definition makes of them. The same for every implementation of the kernel, in C or in hardware. */
#ifndef BDNN_COSIM_DEVICE_CASE_H
#define BDNN_COSIM_DEVICE_CASE_H

#ifdef __cplusplus
extern "C" {
#endif

#include "../kernels/problem.h"
#include "backends/device/layout.h"

/* The modes of inner products, which a case can have. */
enum { DEVICE_SUMS = 3 };
extern const bdnn_hw_mode device_sums[DEVICE_SUMS];

/* All groups and images of one layer. The buffers end where an inaccessible page begins. */
typedef struct device_case {
    problem problem;
    bdnn_device_layer layer;
    bool flattened;            /* run as a 1x1 convolution over gathered rows */
    fence weights, filters;    /* [groups][weight_words], [groups][filter_words] */
    fence activations;         /* [batch][activation_words] */
    fence results;             /* [batch][result_words], for the kernel to fill in */
    void *expected, *unpacked; /* [batch][out height][out width][F] in the mode's type */
    int64_t *multiplier, *offset;
} device_case;

/* Makes a case of a shape; false, and nothing to free, when the array cannot take it. Random numbers come from
 * problem.h. */
bool device_case_make(device_case *c, const bdnn_device_array *array, const bdnn_ip_shape *shape, enum filling filling,
                      bdnn_hw_mode mode, bool flatten);

/* The job of one group of one image, with the addresses of the case's own buffers. */
bdnn_hw_job device_case_job(const device_case *c, int64_t image, int64_t group);

/* Whether `results` hold the expected values, bit for bit, with zeros behind the last filter; says where not. */
bool device_case_check(device_case *c);

void device_case_free(device_case *c);

/* A random shape in two dimensions, small enough to be simulated. */
bdnn_ip_shape device_shape_random(void);

#ifdef __cplusplus
}
#endif

#endif
