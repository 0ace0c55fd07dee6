/* SPDX-License-Identifier: BSD-2-Clause */
/* Powers of floats with the same bits on every processor; those of the C library are not promised to be. */
#ifndef BDNN_KERNELS_POWER_H
#define BDNN_KERNELS_POWER_H

/* base^exponent for base >= 0: within one unit in the last place of a float, rounded from doubles whose relative error
 * is below 2^-40 as long as |exponent| < 1000. Special values are those of C's pow: 0, infinity, NaN for base < 0. */
float bdnn_power(float base, float exponent);

#endif
