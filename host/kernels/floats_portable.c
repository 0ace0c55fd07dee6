/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of floats with the instructions that the compiler takes for granted. 32-bit ARM has vectors that flush small
 * numbers to zero: it goes without. */
#define FLOATS           bdnn_floats_portable
#define FLOATS_NAME      "floats__portable"
#define FLOATS_AVAILABLE true
#if defined(__x86_64__)
#define VECTOR_BYTES 16
#define TILE_ROWS    4
#elif defined(__aarch64__)
#define VECTOR_BYTES 16
#define TILE_ROWS    8
#else
#define VECTOR_BYTES 0
#define TILE_ROWS    2
#endif
#include "kernels/floats_template.h"
