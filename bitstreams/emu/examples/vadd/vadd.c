/* SPDX-License-Identifier: BSD-2-Clause */
/* sum[i] = a[i] + b[i] modulo 2^32, as a kernel for high-level synthesis; a compiler ignores the directives. */
#include <stdint.h>

/* The directives have a syntax of their own. */
/* clang-format off */
void vadd(const int32_t *a, const int32_t *b, int32_t *sum, uint32_t count)
{
#pragma HLS INTERFACE m_axi port=a bundle=gmem0
#pragma HLS INTERFACE m_axi port=b bundle=gmem1
#pragma HLS INTERFACE m_axi port=sum bundle=gmem2
    for (uint32_t i = 0; i < count; i++) {
#pragma HLS PIPELINE II=1
        sum[i] = (int32_t)((uint32_t)a[i] + (uint32_t)b[i]);
    }
}
