/* The kernels that this build may hold. Named by family and instruction set. */
#ifndef BDNN_KERNELS_KERNEL_LIST_H
#define BDNN_KERNELS_KERNEL_LIST_H

#include "kernels/inner_product.h"

/* Fully connected layers: weights decoded from their stored bits at every run, without a copy. */
extern const bdnn_ip_kernel bdnn_ip_dense_portable, bdnn_ip_dense_sse4, bdnn_ip_dense_avx2, bdnn_ip_dense_avxvnni,
    bdnn_ip_dense_avx512vnni, bdnn_ip_dense_avx512gfni, bdnn_ip_dense_neon, bdnn_ip_dense_dotprod, bdnn_ip_dense_i8mm;

/* Fully connected layers at small batches by AND and popcount: how hardware without multipliers computes them. */
extern const bdnn_ip_kernel bdnn_ip_popcount_portable, bdnn_ip_popcount_avx2, bdnn_ip_popcount_avx512,
    bdnn_ip_popcount_neon;

/* Everything else: weights decoded to integers once; 16-bit pairs by multiply-add, or 8-bit quads by TDPBUSD, VPDPBUSD,
 * PMADDUBSW, SDOT or USDOT, or 8-bit vectors by SMLAL. */
extern const bdnn_ip_kernel bdnn_ip_dot16_portable, bdnn_ip_dot16_avx2, bdnn_ip_panel_amx, bdnn_ip_panel_avx512vnni,
    bdnn_ip_panel_avxvnni, bdnn_ip_panel_avx2, bdnn_ip_panel_sse4, bdnn_ip_dot16_neon, bdnn_ip_panel_neon,
    bdnn_ip_panel_dotprod, bdnn_ip_panel_i8mm;

#endif
