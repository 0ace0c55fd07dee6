// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What memory a job reaches (docs/reference/accelerator.md, "Memory layouts" and "What is
 * refused"). Plain arithmetic on the argument words: the tests compile this file for user space
 * too.
 *
 * Everything is exact, in 64 bits with a sign; nothing is reduced modulo anything. What the
 * accelerator's own sums could not hold is refused here, whatever the accelerator does about it.
 */
#include "bdnn_job.h"

/* Whether a number is beyond so many bits; those below 0 are not. */
static bool beyond(s64 number, u32 bits)
{
	return number > 0 && number >> bits;
}

/* One direction of the image: down or to the right */
struct axis {
	u32 size, padding;  /* of the input */
	u32 last, last_tap; /* output row or column, row or column of taps; the first is 0 */
	u32 stride, dilation;
	u32 step, tap_step; /* bytes */
};

/*
 * The bytes from an input row or column to the next, which both steps must be multiples of, as
 * stride and dilation say. False as well for taps of which the coordinates do not fit.
 */
static bool axis_pitch(const struct axis *axis, s64 *pitch)
{
	if (!axis->size || !axis->stride || !axis->dilation ||
	    beyond(axis->step, BDNN_HW_OFFSET_BITS) || beyond(axis->tap_step, BDNN_HW_OFFSET_BITS))
		return false;
	if (beyond((s64)axis->last * axis->stride + (s64)axis->last_tap * axis->dilation,
		   BDNN_HW_COORDINATE_BITS))
		return false;
	*pitch = axis->tap_step / axis->dilation;
	return *pitch * axis->dilation == axis->tap_step && *pitch * axis->stride == axis->step;
}

static bool read_axes(const bdnn_hw_job *job, struct axis *x, struct axis *y)
{
	if (!job->pixels || !job->out_width || job->pixels % job->out_width || !job->kernel_width ||
	    !job->kernel_height)
		return false;
	*x = (struct axis){
		.size = job->in_width,
		.padding = job->pad_left,
		.last = job->out_width - 1,
		.last_tap = job->kernel_width - 1,
		.stride = job->stride_x,
		.dilation = job->dilation_x,
		.step = job->pixel_step,
		.tap_step = job->tap_step,
	};
	*y = (struct axis){
		.size = job->in_height,
		.padding = job->pad_top,
		.last = job->pixels / job->out_width - 1,
		.last_tap = job->kernel_height - 1,
		.stride = job->stride_y,
		.dilation = job->dilation_y,
		.step = job->row_step,
		.tap_step = job->tap_row_step,
	};
	return true;
}

/* Bytes from the first tap of a direction to its last one, inside of the image or not */
static s64 axis_reach(const struct axis *axis)
{
	return (s64)axis->last * axis->step + (s64)axis->last_tap * axis->tap_step;
}

/*
 * The input image: steps must be those of a picture of in_height rows of in_width pixels. Taps
 * outside of it are not read, so that from its first pixel on it is one piece of memory.
 */
static bool activations_extent(const bdnn_hw_job *job, u32 tap_bytes, struct bdnn_extent *extent)
{
	/* A number with a sign, the only one */
	const s64 origin = (s32)job->origin;
	s64 pixel, row, first;
	struct axis x, y;

	if (!read_axes(job, &x, &y) || !axis_pitch(&x, &pixel) || !axis_pitch(&y, &row) ||
	    beyond(origin + axis_reach(&x) + axis_reach(&y), BDNN_HW_OFFSET_BITS))
		return false;
	/* The origin is where a group begins, less the padding before the image. */
	first = origin + y.padding * row + x.padding * pixel;
	if (first < 0)
		return false;
	extent->offset = first;
	extent->bytes = (y.size - 1) * row + (x.size - 1) * pixel + tap_bytes;
	return true;
}

static bool results_extent(const bdnn_hw_job *job, u32 pixel_bytes, struct bdnn_extent *extent)
{
	const s64 last = (s64)job->pixels - 1;

	/* 2^32 times 2^31 at most, and there are pixels: the image has been looked at. */
	if (beyond(job->result_step, BDNN_HW_OFFSET_BITS) ||
	    beyond(job->result_origin + last * job->result_step, BDNN_HW_OFFSET_BITS))
		return false;
	extent->offset = job->result_origin;
	extent->bytes = last * job->result_step + pixel_bytes;
	return true;
}

/* Fields are of 16 bits at most, rows and parts at most 64: no product below leaves 63 bits. */
bool bdnn_job_extents(const u32 *words, u32 rows, u32 parts,
		      struct bdnn_extent extents[BDNN_HW_POINTERS])
{
	const u32 unit_bytes = BDNN_HW_UNIT / 8; /* a bit of each channel */
	struct bdnn_extent *results = &extents[BDNN_HW_POINTER_RESULTS];
	bdnn_hw_job job;
	u32 pointer, filled, tap_bytes, result_bytes;

	for (pointer = 0; pointer < BDNN_HW_POINTERS; pointer++)
		extents[pointer] = (struct bdnn_extent){ 0, 0 };
	bdnn_hw_unpack_job(words, &job);
	tap_bytes = unit_bytes * job.units * job.planes;
	if (!job.units || !job.planes || job.planes > BDNN_HW_PLANES_MAX ||
	    !activations_extent(&job, tap_bytes, &extents[BDNN_HW_POINTER_ACTIVATIONS]))
		return false;
	/* As many units as a tap has, no weights */
	if (job.mode == BDNN_HW_MODE_MAXIMUM)
		return results_extent(&job, tap_bytes, results);
	if (!job.bases || job.bases > BDNN_HW_BASES_MAX || !job.filter_count || !job.words)
		return false;
	if (job.mode == BDNN_HW_MODE_PLANES &&
	    (!job.out_planes || job.out_planes > BDNN_HW_OUT_PLANES_MAX))
		return false;
	/* With the filler of the last chunk */
	filled = (job.filter_count + rows - 1) / rows * rows;
	extents[BDNN_HW_POINTER_WEIGHTS].bytes =
		(u64)unit_bytes * filled * job.bases * job.words * parts;
	extents[BDNN_HW_POINTER_FILTERS].bytes = sizeof(u64) * BDNN_HW_FILTER_WORDS * (u64)filled;
	result_bytes = unit_bytes * bdnn_hw_value_bits(&job) *
		       ((job.filter_count + BDNN_HW_UNIT - 1) / BDNN_HW_UNIT);
	return results_extent(&job, result_bytes, results);
}
