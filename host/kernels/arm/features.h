/* SPDX-License-Identifier: BSD-2-Clause */
/* What ARM processors report, less what the user rules out. */
#ifndef BDNN_KERNELS_ARM_FEATURES_H
#define BDNN_KERNELS_ARM_FEATURES_H

#include <stdbool.h>

bool bdnn_arm_has_neon(void);
bool bdnn_arm_has_dotprod(void); /* SDOT */
bool bdnn_arm_has_i8mm(void);    /* USDOT */

#endif
