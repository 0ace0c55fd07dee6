/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that are none, and infinities: looked for wherever floats come from outside, and where a float network's
 * results leave it. */
#ifndef BDNN_CORE_FINITE_H
#define BDNN_CORE_FINITE_H

#include <stddef.h>

/* The index of the first element that is infinite or not a number; `count` when there is none. Reads at the speed of
 * memory. */
size_t bdnn_first_not_finite(const float *x, size_t count);

#endif
