/* SPDX-License-Identifier: BSD-2-Clause */
/* Which instruction sets kernels may use: what the processor reports, less what the user rules out. */
#ifndef BDNN_KERNELS_CPU_H
#define BDNN_KERNELS_CPU_H

#include <stdbool.h>

/* The rungs of a processor family's ladder, each holding those below it. */
typedef enum bdnn_cpu_level {
    BDNN_CPU_PORTABLE, /* what the compiler takes for granted: SSE2 on x86-64 */
    BDNN_CPU_SSE4,     /* x86-64: SSSE3 and SSE4.1 */
    BDNN_CPU_AVX2,
    BDNN_CPU_AVXVNNI, /* VPDPBUSD of 256 bits without AVX-512 */
    BDNN_CPU_AVX512,
    BDNN_CPU_AMX,
    BDNN_CPU_NEON, /* arm */
    BDNN_CPU_DOTPROD,
    BDNN_CPU_I8MM
} bdnn_cpu_level;

/* Whether kernels of this level may be chosen: all may, unless the environment variable BDNN_CPU names a lower one
 * (BDNN_CPU_NAMES). Other values rule nothing out. The variable is read once, at the first call. */
bool bdnn_cpu_allows(bdnn_cpu_level level);

#define BDNN_CPU_NAMES "portable, sse4, avx2, avxvnni, avx512, amx, neon, dotprod, i8mm"

/* The value of BDNN_CPU where it names no level; NULL when it does, is empty or not set. */
const char *bdnn_cpu_unknown_name(void);

/* Whether the processor has VPDPBUSD in AVX's encoding, and the system keeps its registers. */
bool bdnn_cpu_has_avxvnni(void);

#endif
