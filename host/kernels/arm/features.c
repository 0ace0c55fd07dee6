/* SPDX-License-Identifier: BSD-2-Clause */
/* What the system says of an ARM processor, in the bits of <asm/hwcap.h>. */
#include "kernels/arm/features.h"

#include "kernels/cpu.h"

#include <sys/auxv.h>

#if defined(__aarch64__)
#define HAS_NEON    true /* every arm64 processor */
#define HAS_DOTPROD (getauxval(AT_HWCAP) >> 20 & 1)
#define HAS_I8MM    (getauxval(AT_HWCAP2) >> 13 & 1)
#else
#define HAS_NEON    (getauxval(AT_HWCAP) >> 12 & 1)
#define HAS_DOTPROD false /* no kernels for 32-bit programs */
#define HAS_I8MM    false
#endif

bool bdnn_arm_has_neon(void)
{
    return bdnn_cpu_allows(BDNN_CPU_NEON) && HAS_NEON;
}

bool bdnn_arm_has_dotprod(void)
{
    return bdnn_cpu_allows(BDNN_CPU_DOTPROD) && HAS_DOTPROD;
}

bool bdnn_arm_has_i8mm(void)
{
    return bdnn_cpu_allows(BDNN_CPU_I8MM) && HAS_I8MM;
}
