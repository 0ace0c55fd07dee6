// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A run on the accelerator: whether one is under way, how it ended, stopping it; and the clock that
 * it needs.
 */
#include <linux/clk.h>
#include <linux/io.h>
#include <linux/iopoll.h>

#include "bdnn_module.h"

/* A cancelled run ends with the bursts under way; a kernel that cannot cancel, with its job. */
#define STOP_POLL_US 50
#define STOP_TIMEOUT_US (500 * USEC_PER_MSEC)

bool bdnn_idle(struct bdnn_device *bdnn)
{
	/* It did not start again after a suspension: the bus would not answer. */
	if (!bdnn->clock_on)
		return true;
	/* Reading it clears done and ready, which nobody here looks at. */
	return readl(bdnn->registers + BDNN_HW_REG_CONTROL) & BDNN_HW_CONTROL_IDLE;
}

void bdnn_note_end(struct bdnn_device *bdnn)
{
	int i;

	if (!bdnn->running)
		return;
	bdnn->running = false;
	bdnn->ended = bdnn->launches;
	bdnn->end.ending = readl(bdnn->registers + BDNN_HW_REG_ENDING);
	for (i = 0; i < ARRAY_SIZE(bdnn->end.counters); i++)
		bdnn->end.counters[i] = readl(bdnn->registers + BDNN_HW_REG_COUNTERS + 4 * i);
}

bool bdnn_stop(struct bdnn_device *bdnn)
{
	u32 control;

	if (!bdnn_idle(bdnn)) {
		writel(BDNN_HW_CONTROL_CANCEL, bdnn->registers + BDNN_HW_REG_CONTROL);
		if (readl_poll_timeout(bdnn->registers + BDNN_HW_REG_CONTROL, control,
				       control & BDNN_HW_CONTROL_IDLE, STOP_POLL_US,
				       STOP_TIMEOUT_US))
			return false;
	}
	bdnn_note_end(bdnn);
	return true;
}

int bdnn_start_clock(struct bdnn_device *bdnn)
{
	const int ret = clk_prepare_enable(bdnn->clock);

	bdnn->clock_on = !ret;
	return ret;
}

void bdnn_stop_clock(struct bdnn_device *bdnn)
{
	if (bdnn->clock_on)
		clk_disable_unprepare(bdnn->clock);
	bdnn->clock_on = false;
}
