/* SPDX-License-Identifier: BSD-2-Clause */
/* The inner-product kernels that this build holds, fastest first, each named by its family and instruction set. The
 * table and the declarations follow from this list, kernels.cmake compiles what it names.
 *
 * dense: fully connected layers; weights decoded from their stored bits at every run, without a copy.
 * popcount: fully connected layers at small batches by AND and popcount: how hardware without multipliers computes
 * them. panel, dot16: everything else; weights decoded to integers once; 16-bit pairs by multiply-add, or 8-bit quads
 * by TDPBUSD, VPDPBUSD, PMADDUBSW, SDOT or USDOT, or 8-bit vectors by SMLAL. */
#ifndef BDNN_KERNELS_KERNEL_LIST_H
#define BDNN_KERNELS_KERNEL_LIST_H

#include "kernels/inner_product.h"

#if defined(__x86_64__)
#define BDNN_NATIVE_IP_KERNELS(KERNEL)                                                                                 \
    KERNEL(dense_avx512gfni)                                                                                           \
    KERNEL(dense_avx512vnni)                                                                                           \
    KERNEL(panel_amx)                                                                                                  \
    KERNEL(panel_avx512vnni)                                                                                           \
    KERNEL(popcount_avx512)                                                                                            \
    KERNEL(dense_avxvnni)                                                                                              \
    KERNEL(panel_avxvnni)                                                                                              \
    KERNEL(dense_avx2)                                                                                                 \
    KERNEL(panel_avx2)                                                                                                 \
    KERNEL(dot16_avx2)                                                                                                 \
    KERNEL(popcount_avx2)                                                                                              \
    KERNEL(dense_sse4)                                                                                                 \
    KERNEL(panel_sse4)
#elif defined(__aarch64__)
#define BDNN_NATIVE_IP_KERNELS(KERNEL)                                                                                 \
    KERNEL(dense_i8mm)                                                                                                 \
    KERNEL(dense_dotprod)                                                                                              \
    KERNEL(dense_neon)                                                                                                 \
    KERNEL(panel_i8mm)                                                                                                 \
    KERNEL(panel_dotprod)                                                                                              \
    KERNEL(panel_neon)                                                                                                 \
    KERNEL(dot16_neon)                                                                                                 \
    KERNEL(popcount_neon)
#elif defined(__arm__)
#define BDNN_NATIVE_IP_KERNELS(KERNEL)                                                                                 \
    KERNEL(dense_neon)                                                                                                 \
    KERNEL(panel_neon)                                                                                                 \
    KERNEL(dot16_neon)                                                                                                 \
    KERNEL(popcount_neon)
#else
#define BDNN_NATIVE_IP_KERNELS(KERNEL)
#endif

#define BDNN_IP_KERNELS(KERNEL)                                                                                        \
    BDNN_NATIVE_IP_KERNELS(KERNEL)                                                                                     \
    KERNEL(dense_portable)                                                                                             \
    KERNEL(dot16_portable)                                                                                             \
    KERNEL(popcount_portable)                                                                                          \
    KERNEL(xnor_scalar)

#define BDNN_DECLARE_IP_KERNEL(name) extern const bdnn_ip_kernel bdnn_ip_##name;
BDNN_IP_KERNELS(BDNN_DECLARE_IP_KERNEL)

#endif
