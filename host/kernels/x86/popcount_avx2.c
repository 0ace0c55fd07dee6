/* Popcount kernel for fully connected layers, x86-64 with POPCNT and AVX2 (which the compiler uses for a nibble
 * look-up). */
#include "kernels/cpu.h"

#define POPCOUNT_KERNEL bdnn_ip_popcount_avx2
#define POPCOUNT_NAME   "popcount_1xd__avx2"
#define POPCOUNT_AVAILABLE                                                                                             \
    (bdnn_cpu_allows(BDNN_CPU_AVX2) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
#include "kernels/popcount.h"
