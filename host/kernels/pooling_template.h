/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of max pooling and unpooling; included by vectors_template.h. */
#include "kernels/pooling.h"

#define MAX(name, type)                                                                                                \
    static void name(const type *restrict x, size_t n, type *restrict y)                                               \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            y[i] = x[i] > y[i] ? x[i] : y[i];                                                                          \
        }                                                                                                              \
    }
MAX(max, float)
MAX(max_u8, uint8_t)
MAX(max_i16, int16_t)

#define MAX_TAP(name, type)                                                                                            \
    static void name(const type *restrict x, size_t n, uint8_t number, type *restrict y, uint8_t *restrict tap)        \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            tap[i] = x[i] > y[i] ? number : tap[i];                                                                    \
            y[i] = x[i] > y[i] ? x[i] : y[i];                                                                          \
        }                                                                                                              \
    }
MAX_TAP(max_tap_u8, uint8_t)
MAX_TAP(max_tap_i16, int16_t)

#define SELECT(name, type)                                                                                             \
    static void name(const type *restrict x, const uint8_t *restrict tap, size_t n, uint8_t number, type otherwise,    \
                     type *restrict y)                                                                                 \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            y[i] = tap[i] == number ? x[i] : otherwise;                                                                \
        }                                                                                                              \
    }
SELECT(select_u8, uint8_t)
SELECT(select_i16, int16_t)

extern const bdnn_pooling_kernel VECTORS(pooling);
const bdnn_pooling_kernel VECTORS(pooling) = {
    .name = "pooling__" VECTORS_ISA,
    .supported = supported,
    .max = max,
    .max_u8 = max_u8,
    .max_i16 = max_i16,
    .max_tap_u8 = max_tap_u8,
    .max_tap_i16 = max_tap_i16,
    .select_u8 = select_u8,
    .select_i16 = select_i16,
};
