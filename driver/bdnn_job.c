// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What memory a job reaches (docs/accelerator.md, "Memory layouts" and "Arguments"). Plain
 * arithmetic on the argument words: the tests compile this file for user space too.
 */
#include "bdnn_job.h"

#define UNIT 64 /* channels, one 64-bit word a plane */

/* Words of the arguments, by the register that they are for */
static u32 word(const u32 *words, u32 reg)
{
	return words[(reg - BDNN_HW_REG_WEIGHTS) / 4];
}

/* Offsets are 32-bit numbers with a sign to the accelerator. */
#define FURTHEST 0x80000000u

/*
 * The input image: steps must be those of a picture of in_height rows of in_width pixels. Taps
 * outside of it are not read, so that from its first pixel on it is one piece of memory.
 */
static bool activations_extent(const u32 *words, u32 planes, struct bdnn_extent *extent)
{
	const u32 steps = word(words, BDNN_HW_REG_STEPS);
	const u32 padding = word(words, BDNN_HW_REG_PADDING);
	const u64 tap = word(words, BDNN_HW_REG_TAP_STEP);
	const u64 tap_row = word(words, BDNN_HW_REG_TAP_ROW_STEP);
	const u32 dilation_x = BDNN_HW_DILATION_X(steps), dilation_y = BDNN_HW_DILATION_Y(steps);
	const u32 width = BDNN_HW_IN_WIDTH(word(words, BDNN_HW_REG_INPUT_WIDTH));
	const u32 height = BDNN_HW_IN_HEIGHT(word(words, BDNN_HW_REG_INPUT_HEIGHT));
	const u64 units = BDNN_HW_UNITS(word(words, BDNN_HW_REG_TAP_UNITS));
	u64 pixel, row;
	u32 before;

	if (!dilation_x || !dilation_y || !width || !height)
		return false;
	pixel = (u32)tap / dilation_x;
	row = (u32)tap_row / dilation_y;
	if (pixel * dilation_x != tap || row * dilation_y != tap_row ||
	    pixel * BDNN_HW_STRIDE_X(steps) != word(words, BDNN_HW_REG_PIXEL_STEP) ||
	    row * BDNN_HW_STRIDE_Y(steps) != word(words, BDNN_HW_REG_ROW_STEP))
		return false;
	/* The origin is where a group begins, less the padding before the image. */
	before = (u32)(BDNN_HW_PAD_TOP(padding) * row + BDNN_HW_PAD_LEFT(padding) * pixel);
	extent->offset = (u32)(word(words, BDNN_HW_REG_ORIGIN) + before);
	extent->bytes = (height - 1) * row + (width - 1) * pixel + 8 * units * planes;
	return extent->offset + extent->bytes <= FURTHEST;
}

static bool results_extent(const u32 *words, u32 unit_bytes, u32 units, struct bdnn_extent *extent)
{
	const u64 pixels = word(words, BDNN_HW_REG_PIXELS);

	extent->offset = word(words, BDNN_HW_REG_RESULT_ORIGIN);
	extent->bytes = (pixels - 1) * word(words, BDNN_HW_REG_RESULT_STEP) + units * unit_bytes;
	return pixels && extent->bytes <= FURTHEST && extent->offset + extent->bytes <= FURTHEST;
}

/* No product below overflows: the fields are of 16 bits at most, rows and parts at most 64. */
bool bdnn_job_extents(const u32 *words, u32 rows, u32 parts,
		      struct bdnn_extent extents[BDNN_DEVICE_POINTERS])
{
	const u32 kind = word(words, BDNN_HW_REG_OUTPUT_KIND), mode = BDNN_HW_MODE(kind);
	const u32 planes = BDNN_HW_PLANES(word(words, BDNN_HW_REG_PLANE_COUNT));
	const u32 bases = BDNN_HW_BASES(word(words, BDNN_HW_REG_BASE_COUNT));
	const u32 filters = BDNN_HW_FILTER_COUNT(word(words, BDNN_HW_REG_FILTER_TOTAL));
	const u64 basis_words = BDNN_HW_WORDS(word(words, BDNN_HW_REG_WORD_COUNT));
	const u32 filled =
		(filters + rows - 1) / rows * rows; /* with the filler of the last chunk */
	const u32 unit_bytes[] = { 8 * BDNN_HW_OUT_PLANES(kind), 2 * UNIT, 4 * UNIT, 8 * planes };
	struct bdnn_extent *results = &extents[BDNN_DEVICE_RESULTS];
	u32 pointer;

	for (pointer = 0; pointer < BDNN_DEVICE_POINTERS; pointer++)
		extents[pointer] = (struct bdnn_extent){ 0, 0 };
	if (!planes || planes > 8 ||
	    !activations_extent(words, planes, &extents[BDNN_DEVICE_ACTIVATIONS]))
		return false;
	if (mode == 3) /* max pooling: as many units as a tap has, no weights */
		return results_extent(words, unit_bytes[mode],
				      BDNN_HW_UNITS(word(words, BDNN_HW_REG_TAP_UNITS)), results);
	if (!bases || bases > 8 || !filters || !basis_words || BDNN_HW_OUT_PLANES(kind) > 8)
		return false;
	extents[BDNN_DEVICE_WEIGHTS].bytes = 8ull * filled * bases * basis_words * parts;
	extents[BDNN_DEVICE_FILTERS].bytes = 24ull * filled;
	return results_extent(words, unit_bytes[mode], (filters + UNIT - 1) / UNIT, results);
}
