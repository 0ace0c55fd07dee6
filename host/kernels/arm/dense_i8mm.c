/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel for fully connected layers, arm64 with USDOT: signed weights by unsigned inputs, whatever their bits. */
#include "kernels/arm/features.h"

#define DENSE_KERNEL    bdnn_ip_dense_i8mm
#define DENSE_NAME      "dense_1x8__i8mm"
#define DENSE_AVAILABLE bdnn_arm_has_i8mm()

#define product_add(sum, x, w) of_sums(vusdotq_s32(sums_of(sum), x, vreinterpretq_s8_u8(w)))

#include "kernels/arm/dense_dot.h"
