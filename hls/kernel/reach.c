/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a job reaches (docs/reference/accelerator.md, "What is refused"): what is within these bounds leaves no type
 * and no register, in C or in SystemVerilog, when it is added up later. */
#include "kernel.h"

/* Whether the furthest tap's place in one direction, before padding is taken off, is beyond a coordinate. */
static int leaves_coordinates(uint32_t last, uint32_t stride, uint32_t last_tap, uint32_t dilation)
{
    return ((uint64_t)last * stride + (uint64_t)last_tap * dilation) >> BDNN_HW_COORDINATE_BITS != 0;
}

/* Whether taps or results begin further from their pointers than an offset may be. The row fits a coordinate here,
 * the steps an offset: no sum leaves 63 bits. */
static int leaves_offsets(const bdnn_hw_job *job, uint32_t last_row)
{
    const int64_t tap = (int64_t)(int32_t)job->origin + (int64_t)last_row * job->row_step +
                        (int64_t)(job->out_width - 1) * job->pixel_step +
                        (int64_t)(job->kernel_height - 1) * job->tap_row_step +
                        (int64_t)(job->kernel_width - 1) * job->tap_step;
    const int64_t result = (int64_t)job->result_origin + (int64_t)(job->pixels - 1) * job->result_step;
    return tap >= (int64_t)1 << BDNN_HW_OFFSET_BITS || result >= (int64_t)1 << BDNN_HW_OFFSET_BITS;
}

int reaches_too_far(const bdnn_hw_job *job)
{
    const uint32_t steps =
        job->pixel_step | job->row_step | job->tap_step | job->tap_row_step | job->result_step | job->result_origin;
    if (steps >> BDNN_HW_OFFSET_BITS != 0 || job->pixels % job->out_width != 0) {
        return 1;
    }
    const uint32_t last_row = job->pixels / job->out_width - 1;
    return leaves_coordinates(job->out_width - 1, job->stride_x, job->kernel_width - 1, job->dilation_x) ||
           leaves_coordinates(last_row, job->stride_y, job->kernel_height - 1, job->dilation_y) ||
           leaves_offsets(job, last_row);
}
