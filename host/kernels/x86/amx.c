/* SPDX-License-Identifier: BSD-2-Clause */
/* AMX: permission and configuration. */
#define _GNU_SOURCE /* syscall */

#include "kernels/x86/amx.h"

#include "kernels/cpu.h"

#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_TILEDATA   18

/* Linux gives a process the tiles' registers when it asks. Asking twice is harmless. */
bool bdnn_amx_available(void)
{
    static int answer; /* 0 not asked, 1 yes, -1 no; every thread that asks finds the same */
    int known = __atomic_load_n(&answer, __ATOMIC_RELAXED);
    if (known == 0) {
        unsigned a = 7, b, c = 0, d;
        __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        known = bdnn_cpu_allows(BDNN_CPU_AMX) && (d >> 24 & 1) && (d >> 25 & 1) && __builtin_cpu_supports("avx512vl") &&
                        syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_TILEDATA) == 0
                    ? 1
                    : -1;
        __atomic_store_n(&answer, known, __ATOMIC_RELAXED);
    }
    return known > 0;
}

void bdnn_amx_configure(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } configuration;
    memset(&configuration, 0, sizeof configuration);
    configuration.palette = 1;
    for (int t = 0; t < 8; t++) {
        configuration.bytes[t] = 64;
        configuration.rows[t] = 16;
    }
    /* Not by the intrinsic, which tells gcc 12 of no more than the first bytes. */
    __asm__ volatile("ldtilecfg %0" : : "m"(configuration));
}
