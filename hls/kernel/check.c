/* SPDX-License-Identifier: BSD-2-Clause */
/* What no job can be (docs/reference/accelerator.md), seen before the first access to memory: numbers out of their
 * bounds. */
#include "kernel.h"

/* Geometry, addresses and steps: what all modes have. */
static int is_misplaced(const bdnn_hw_job *job)
{
    const uint32_t addresses = (uint32_t)(job->activations | job->results) | job->origin | job->pixel_step |
                               job->row_step | job->tap_step | job->tap_row_step | job->result_step |
                               job->result_origin;
    return job->planes < 1 || job->planes > BDNN_HW_PLANES_MAX || job->units < 1 || job->kernel_width < 1 ||
           job->kernel_height < 1 || job->pixels < 1 || job->out_width < 1 || job->in_width < 1 || job->in_height < 1 ||
           job->stride_x < 1 || job->stride_y < 1 || job->dilation_x < 1 || job->dilation_y < 1 ||
           addresses % BDNN_HW_ALIGNMENT != 0;
}

int is_refused(const bdnn_hw_job *job)
{
    if (is_misplaced(job) || reaches_too_far(job)) {
        return 1;
    }
    if (job->mode == BDNN_HW_MODE_MAXIMUM) {
        return 0;
    }
    const uint32_t units = job->kernel_width * job->kernel_height * job->units + job->pad_units;
    return job->bases < 1 || job->bases > BDNN_HW_BASES_MAX || job->words < 1 || job->words > WEIGHT_WORDS ||
           job->tiles < 1 || job->tiles > TILES || job->words * job->planes * job->tiles > ACTIVATION_WORDS ||
           units != job->words * PARTS || job->last_channels < 1 || job->last_channels > BDNN_HW_LAST_CHANNELS_MAX ||
           job->filter_count < 1 ||
           (job->mode == BDNN_HW_MODE_PLANES && (job->out_planes < 1 || job->out_planes > BDNN_HW_OUT_PLANES_MAX)) ||
           (job->weights | job->filters) % BDNN_HW_ALIGNMENT != 0;
}
