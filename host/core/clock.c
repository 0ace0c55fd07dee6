/* SPDX-License-Identifier: BSD-2-Clause */
/* Time. */
#define _POSIX_C_SOURCE 199309L /* clock_gettime */

#include "core/clock.h"

#include <time.h>

uint64_t bdnn_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
