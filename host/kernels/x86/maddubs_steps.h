/* SPDX-License-Identifier: BSD-2-Clause */
/* How many PMADDUBSW results 16 bits hold: 8, 2 or 1, or 0 where a single one may saturate. */
#include <stdint.h>

static inline int steps_within(int32_t largest, int32_t bits)
{
    const int32_t pair = 2 * largest * ((1 << bits) - 1);
    return 8 * pair <= INT16_MAX ? 8 : 2 * pair <= INT16_MAX ? 2 : pair <= INT16_MAX ? 1 : 0;
}
