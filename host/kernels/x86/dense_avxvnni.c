/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel for fully connected layers, x86-64 with AVX-VNNI. */
#include "kernels/x86/ymm.h"

#define DENSE_KERNEL    bdnn_ip_dense_avxvnni
#define DENSE_NAME      "dense_1x8__avxvnni"
#define DENSE_AVAILABLE (bdnn_cpu_allows(BDNN_CPU_AVXVNNI) && bdnn_cpu_has_avxvnni())

#define product(x, w)   _mm256_dpbusd_avx_epi32(zero(), x, w)
#define product_add     _mm256_dpbusd_avx_epi32
#define widen(products) (products)

/* Products are exact; two at a time leave short chains of dependent sums. */
#define DENSE_STEPS 2

#include "kernels/dense_codebook.h"
