/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel for fully connected layers, arm64 with SDOT, which takes inputs of up to 7 bits. */
#include "kernels/arm/features.h"

#define DENSE_KERNEL    bdnn_ip_dense_dotprod
#define DENSE_NAME      "dense_1x8__dotprod"
#define DENSE_AVAILABLE bdnn_arm_has_dotprod()
#define DENSE_MAX_BITS  7

#define product_add(sum, x, w) of_sums(vdotq_s32(sums_of(sum), vreinterpretq_s8_u8(x), vreinterpretq_s8_u8(w)))

#include "kernels/arm/dense_dot.h"
