// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What memory a job reaches (docs/reference/accelerator.md, "Memory layouts" and "What is refused"). Plain
 * arithmetic on the argument words: the tests compile this file for user space too.
 *
 * Everything is exact, in 64 bits with a sign; nothing is reduced modulo anything. What the
 * accelerator's own sums could not hold is refused here, whatever the accelerator does about it.
 */
#include "bdnn_job.h"

#define UNIT 64 /* channels, one 64-bit word a plane */

/* Words of the arguments, by the register that they are for */
static u32 word(const u32 *words, u32 reg)
{
	return words[(reg - BDNN_HW_REG_WEIGHTS) / 4];
}

/* Whether a number is beyond so many bits; those below 0 are not. */
static bool beyond(s64 number, u32 bits)
{
	return number > 0 && number >> bits;
}

/* One direction of the image: down or to the right */
struct axis {
	u32 size, padding; /* of the input */
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

static bool read_axes(const u32 *words, struct axis *x, struct axis *y)
{
	const u32 kernel = word(words, BDNN_HW_REG_KERNEL_SIZE);
	const u32 steps = word(words, BDNN_HW_REG_STEPS);
	const u32 padding = word(words, BDNN_HW_REG_PADDING);
	const u32 pixels = word(words, BDNN_HW_REG_PIXELS);
	const u32 width = BDNN_HW_OUT_WIDTH(word(words, BDNN_HW_REG_OUTPUT_WIDTH));

	if (!pixels || !width || pixels % width || !BDNN_HW_KERNEL_WIDTH(kernel) ||
	    !BDNN_HW_KERNEL_HEIGHT(kernel))
		return false;
	*x = (struct axis){
		.size = BDNN_HW_IN_WIDTH(word(words, BDNN_HW_REG_INPUT_WIDTH)),
		.padding = BDNN_HW_PAD_LEFT(padding),
		.last = width - 1,
		.last_tap = BDNN_HW_KERNEL_WIDTH(kernel) - 1,
		.stride = BDNN_HW_STRIDE_X(steps),
		.dilation = BDNN_HW_DILATION_X(steps),
		.step = word(words, BDNN_HW_REG_PIXEL_STEP),
		.tap_step = word(words, BDNN_HW_REG_TAP_STEP),
	};
	*y = (struct axis){
		.size = BDNN_HW_IN_HEIGHT(word(words, BDNN_HW_REG_INPUT_HEIGHT)),
		.padding = BDNN_HW_PAD_TOP(padding),
		.last = pixels / width - 1,
		.last_tap = BDNN_HW_KERNEL_HEIGHT(kernel) - 1,
		.stride = BDNN_HW_STRIDE_Y(steps),
		.dilation = BDNN_HW_DILATION_Y(steps),
		.step = word(words, BDNN_HW_REG_ROW_STEP),
		.tap_step = word(words, BDNN_HW_REG_TAP_ROW_STEP),
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
static bool activations_extent(const u32 *words, u32 tap_bytes, struct bdnn_extent *extent)
{
	/* A number with a sign, the only one */
	const s64 origin = (s32)word(words, BDNN_HW_REG_ORIGIN);
	s64 pixel, row, first;
	struct axis x, y;

	if (!read_axes(words, &x, &y) || !axis_pitch(&x, &pixel) || !axis_pitch(&y, &row) ||
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

static bool results_extent(const u32 *words, u32 pixel_bytes, struct bdnn_extent *extent)
{
	const s64 last = (s64)word(words, BDNN_HW_REG_PIXELS) - 1;
	const u32 origin = word(words, BDNN_HW_REG_RESULT_ORIGIN);
	const u32 step = word(words, BDNN_HW_REG_RESULT_STEP);

	/* 2^32 times 2^31 at most, and there are pixels: the image has been looked at. */
	if (beyond(step, BDNN_HW_OFFSET_BITS) ||
	    beyond(origin + last * step, BDNN_HW_OFFSET_BITS))
		return false;
	extent->offset = origin;
	extent->bytes = last * step + pixel_bytes;
	return true;
}

/* Fields are of 16 bits at most, rows and parts at most 64: no product below leaves 63 bits. */
bool bdnn_job_extents(const u32 *words, u32 rows, u32 parts,
		      struct bdnn_extent extents[BDNN_DEVICE_POINTERS])
{
	const u32 kind = word(words, BDNN_HW_REG_OUTPUT_KIND), mode = BDNN_HW_MODE(kind);
	const u32 units = BDNN_HW_UNITS(word(words, BDNN_HW_REG_TAP_UNITS));
	const u32 planes = BDNN_HW_PLANES(word(words, BDNN_HW_REG_PLANE_COUNT));
	const u32 bases = BDNN_HW_BASES(word(words, BDNN_HW_REG_BASE_COUNT));
	const u32 filters = BDNN_HW_FILTER_COUNT(word(words, BDNN_HW_REG_FILTER_TOTAL));
	const u32 out_planes = BDNN_HW_OUT_PLANES(kind);
	const u64 basis_words = BDNN_HW_WORDS(word(words, BDNN_HW_REG_WORD_COUNT));
	const u32 filled =
		(filters + rows - 1) / rows * rows; /* with the filler of the last chunk */
	const u32 unit_bytes[] = { 8 * out_planes, 2 * UNIT, 4 * UNIT };
	struct bdnn_extent *results = &extents[BDNN_DEVICE_RESULTS];
	u32 pointer;

	for (pointer = 0; pointer < BDNN_DEVICE_POINTERS; pointer++)
		extents[pointer] = (struct bdnn_extent){ 0, 0 };
	if (!units || !planes || planes > 8 ||
	    !activations_extent(words, 8 * units * planes, &extents[BDNN_DEVICE_ACTIVATIONS]))
		return false;
	if (mode == 3) /* max pooling: as many units as a tap has, no weights */
		return results_extent(words, 8 * units * planes, results);
	if (!bases || bases > 8 || !filters || !basis_words)
		return false;
	if (mode == 0 && (!out_planes || out_planes > 8))
		return false;
	extents[BDNN_DEVICE_WEIGHTS].bytes = 8ull * filled * bases * basis_words * parts;
	extents[BDNN_DEVICE_FILTERS].bytes = 24ull * filled;
	return results_extent(words, unit_bytes[mode] * ((filters + UNIT - 1) / UNIT), results);
}
