/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of inner-product kernels and the choice from it. */
#include "kernels/inner_product.h"
#include "kernels/decode.h"
#include "kernels/kernel_list.h"

#include <string.h>

void bdnn_ip_decode(const uint64_t *planes, const int8_t *scales, int32_t bases, int64_t inner, int8_t *w)
{
    const size_t words = (size_t)bdnn_words_of(inner), full = (size_t)inner / 64;
    bdnn_decode_choose()->decode(planes, words, full, scales, bases, w);
    if (full < words) {
        int8_t last[64];
        bdnn_decode_choose()->decode(planes + full, words, 1, scales, bases, last);
        memcpy(w + full * 64, last, (size_t)inner % 64);
    }
}

size_t bdnn_ip_stored_bytes(const bdnn_ip_shape *shape)
{
    (void)shape;
    return 0;
}

void bdnn_ip_as_stored(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, void *packed, bdnn_threads *threads)
{
    (void)shape;
    (void)weights;
    (void)packed;
    (void)threads;
}

#define ENTRY(name) &bdnn_ip_##name,
const bdnn_ip_kernel *const bdnn_ip_kernels[] = {BDNN_IP_KERNELS(ENTRY) NULL};

const bdnn_ip_kernel *bdnn_ip_choose(const bdnn_ip_shape *shape)
{
    size_t i = 0;
    while (!bdnn_ip_kernels[i]->supported(shape)) {
        i++;
    }
    return bdnn_ip_kernels[i];
}
