/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel for fully connected layers, x86-64 with AVX-512 VNNI, for processors without GFNI. */
#include "kernels/x86/zmm.h"

#define DENSE_KERNEL bdnn_ip_dense_avx512vnni
#define DENSE_NAME   "dense_1x8__avx512vnni"
#define DENSE_AVAILABLE                                                                                                \
    (bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw"))

#include "kernels/dense_codebook.h"
