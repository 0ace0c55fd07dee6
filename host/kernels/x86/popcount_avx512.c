/* SPDX-License-Identifier: BSD-2-Clause */
/* Popcount kernel for fully connected layers, x86-64 with VPOPCNTQ. */
#include "kernels/cpu.h"

#define POPCOUNT_KERNEL bdnn_ip_popcount_avx512
#define POPCOUNT_NAME   "popcount_1xd__avx512vpopcntdq"
#define POPCOUNT_AVAILABLE                                                                                             \
    (bdnn_cpu_allows(BDNN_CPU_AVX512) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&    \
     __builtin_cpu_supports("avx512vpopcntdq"))
#include "kernels/popcount.h"
