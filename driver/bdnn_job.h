/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What memory a job reaches. The same for the kernel and, in tests, for user space. */
#ifndef BDNN_JOB_H
#define BDNN_JOB_H

#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
typedef __s32 s32;
typedef __u32 u32;
typedef __s64 s64;
typedef __u64 u64;
#endif

#include "bdnn_device.h"
#include "bdnn_hw.h"

struct bdnn_extent {
	u64 offset, bytes; /* from the pointer on */
};

/*
 * What a job reaches from each of its pointers, on an array of so many rows and words of so many
 * units, as BDNN_HW_ROWS_MAX and BDNN_HW_WORD_BITS_MAX allow. False for words that are no job,
 * whose steps are not those of its geometry, or whose coordinates or offsets do not fit the
 * accelerator's: then nothing bounds it.
 */
bool bdnn_job_extents(const u32 *words, u32 rows, u32 parts,
		      struct bdnn_extent extents[BDNN_HW_POINTERS]);

#endif
