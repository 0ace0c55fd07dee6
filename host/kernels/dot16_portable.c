/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiply-add kernel, any processor. */
#define DOT16_KERNEL    bdnn_ip_dot16_portable
#define DOT16_NAME      "dot16_1x4__portable"
#define DOT16_AVAILABLE true
#include "kernels/dot16.h"
