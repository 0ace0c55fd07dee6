/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops over contiguous elements with the instructions that the compiler takes for granted. */
#define VECTORS(family)   bdnn_##family##_portable
#define VECTORS_ISA       "portable"
#define VECTORS_AVAILABLE true
#include "kernels/vectors_template.h"
