/* SPDX-License-Identifier: BSD-2-Clause */
/* Panel kernel, arm64 with SDOT (Cortex-A75, A76, A55 and later). */
#define PANEL_KERNEL    bdnn_ip_panel_dotprod
#define PANEL_NAME      "panel_4x16__dotprod"
#define PANEL_AVAILABLE bdnn_arm_has_dotprod()
#define INPUTS          int8x16_t
#define SIGNED_INPUTS
#define inputs_of                 vreinterpretq_s8_u8
#define dot_lane(sum, w, x, quad) vdotq_laneq_s32(sum, w, x, quad)
#include "kernels/arm/panel_dot.h"
