/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel for fully connected layers, any processor. */
#include "kernels/decode.h"
#include "kernels/kernel_list.h"

#define DENSE_KERNEL    bdnn_ip_dense_portable
#define DENSE_NAME      "dense16_1x1__portable"
#define DENSE_AVAILABLE true

static void decode(const uint64_t *planes, int64_t words, const int8_t *scales, int32_t bases, int64_t count,
                   int16_t *w)
{
    for (int64_t i = 0; i < count; i++) {
        int8_t bytes[64];
        bdnn_decode_choose()->decode(planes + i, (size_t)words, 1, scales, bases, bytes);
        for (int j = 0; j < 64; j++) {
            w[i * 64 + j] = bytes[j];
        }
    }
}

#include "kernels/dense16.h"
