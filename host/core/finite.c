/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking for floats that are not finite. */
#include "core/finite.h"

#include <stdint.h>
#include <string.h>

#define BLOCK 64

/* All bits of the exponent set: infinite or not a number. In integers, which compilers make vectors of; and not told
 * by isfinite(), which may be assumed true where somebody builds with -ffast-math. */
static uint32_t is_not_finite(const float *x)
{
    uint32_t bits;
    memcpy(&bits, x, sizeof bits);
    return (bits & 0x7f800000u) == 0x7f800000u;
}

size_t bdnn_first_not_finite(const float *x, size_t count)
{
    size_t at = 0;
    for (; count - at >= BLOCK; at += BLOCK) {
        uint32_t found = 0;
        for (int i = 0; i < BLOCK; i++) {
            found |= is_not_finite(x + at + i);
        }
        if (found) {
            break;
        }
    }
    while (at < count && !is_not_finite(x + at)) {
        at++;
    }
    return at;
}
