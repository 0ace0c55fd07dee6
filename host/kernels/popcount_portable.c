/* SPDX-License-Identifier: BSD-2-Clause */
/* Popcount kernel for fully connected layers, any processor. */
#define POPCOUNT_KERNEL    bdnn_ip_popcount_portable
#define POPCOUNT_NAME      "popcount_1xd__portable"
#define POPCOUNT_AVAILABLE true
#include "kernels/popcount.h"
