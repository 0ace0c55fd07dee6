/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel for fully connected layers, x86-64 with AVX2. */
#include "kernels/x86/ymm.h"

#include "kernels/x86/maddubs_steps.h"

#define STEPS_CASES(k, n) CASE(k, n, 1) CASE(k, n, 2) CASE(k, n, 8)

#define DENSE_KERNEL    bdnn_ip_dense_avx2
#define DENSE_NAME      "dense_1x8__avx2"
#define DENSE_AVAILABLE (bdnn_cpu_allows(BDNN_CPU_AVX2) && __builtin_cpu_supports("avx2"))

#define product                _mm256_maddubs_epi16
#define product_add(sum, x, w) _mm256_add_epi16(sum, product(x, w))
#define widen(products)        _mm256_madd_epi16(products, _mm256_set1_epi16(1))

#include "kernels/dense_codebook.h"
