/* SPDX-License-Identifier: BSD-2-Clause */
/* The ladder of instruction sets, and its cap. */
#include "kernels/cpu.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const names[] = {
    [BDNN_CPU_PORTABLE] = "portable", [BDNN_CPU_SSE4] = "sse4",       [BDNN_CPU_AVX2] = "avx2",
    [BDNN_CPU_AVXVNNI] = "avxvnni",   [BDNN_CPU_AVX512] = "avx512",   [BDNN_CPU_AMX] = "amx",
    [BDNN_CPU_NEON] = "neon",         [BDNN_CPU_DOTPROD] = "dotprod", [BDNN_CPU_I8MM] = "i8mm",
};

#define LEVELS ((int)(sizeof names / sizeof *names))

/* LEVELS when the variable names none. */
static int read_cap(void)
{
    const char *wanted = getenv("BDNN_CPU");
    int level = 0;
    while (level < LEVELS && (!wanted || strcmp(wanted, names[level]) != 0)) {
        level++;
    }
    return level;
}

const char *bdnn_cpu_unknown_name(void)
{
    const char *wanted = getenv("BDNN_CPU");
    return wanted && *wanted && read_cap() == LEVELS ? wanted : NULL;
}

bool bdnn_cpu_allows(bdnn_cpu_level level)
{
    /* Threads that come first at the same time store the same value. */
    static _Atomic int cap = -1;
    int most = cap;
    if (most < 0) {
        cap = most = read_cap();
    }
    return (int)level <= most;
}

bool bdnn_cpu_has_avxvnni(void)
{
#if defined(__x86_64__)
    /* CPUID leaf 7, subleaf 1, EAX bit 4; not a name that every compiler's __builtin_cpu_supports knows. AVX2 tells
     * that the system saves the registers. */
    unsigned a, b, c, d;
    return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
#else
    return false;
#endif
}
