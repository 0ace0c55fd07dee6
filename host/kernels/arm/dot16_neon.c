/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiply-add kernel with NEON's SMLAL of 16 bits, any Q. */
#include "kernels/arm/features.h"

#define DOT16_KERNEL    bdnn_ip_dot16_neon
#define DOT16_NAME      "dot16_1x4__neon"
#define DOT16_AVAILABLE bdnn_arm_has_neon()
#include "kernels/dot16.h"
