/* SPDX-License-Identifier: BSD-2-Clause */
/* Time. */
#ifndef BDNN_CORE_CLOCK_H
#define BDNN_CORE_CLOCK_H

#include <stdint.h>

/* Nanoseconds of a clock that never goes back. */
uint64_t bdnn_clock(void);

#endif
