/* SPDX-License-Identifier: BSD-2-Clause */
/* Panel kernel, arm64 with USDOT (Armv8.6 and later): signed weights by unsigned inputs, whatever their bits. */
#define PANEL_KERNEL              bdnn_ip_panel_i8mm
#define PANEL_NAME                "panel_4x16__i8mm"
#define PANEL_AVAILABLE           bdnn_arm_has_i8mm()
#define INPUTS                    uint8x16_t
#define inputs_of(x)              (x)
#define dot_lane(sum, w, x, quad) vsudotq_laneq_s32(sum, w, x, quad)
#include "kernels/arm/panel_dot.h"
