/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a tap is: in the image, and in memory. */
#include "kernel.h"

tap_place place_of_tap(const bdnn_hw_job *job, uint32_t pixel, uint32_t row, uint32_t column)
{
    const uint32_t y = pixel / job->out_width, x = pixel % job->out_width;
    const int64_t bytes = (int64_t)(int32_t)job->origin + (int64_t)y * job->row_step + (int64_t)x * job->pixel_step +
                          (int64_t)row * job->tap_row_step + (int64_t)column * job->tap_step;
    const tap_place place = {.x = (int32_t)(x * job->stride_x + column * job->dilation_x) - (int32_t)job->pad_left,
                             .y = (int32_t)(y * job->stride_y + row * job->dilation_y) - (int32_t)job->pad_top,
                             .word = bytes / BDNN_HW_ALIGNMENT};
    return place;
}

int is_inside(const bdnn_hw_job *job, const tap_place *place)
{
    return place->x >= 0 && place->y >= 0 && place->x < (int32_t)job->in_width && place->y < (int32_t)job->in_height;
}
