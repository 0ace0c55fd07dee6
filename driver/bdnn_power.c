// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Suspend, resume, and the end of the kernel (reboot, kexec): no run goes on while nobody watches.
 */
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/mm.h>
#include <linux/pm.h>

#include "bdnn_module.h"

/* A run of the largest layers takes a fraction of this. */
#define SUSPEND_POLL_US 1000
#define SUSPEND_TIMEOUT_US (2 * USEC_PER_SEC)

static void __iomem *argument(struct bdnn_device *bdnn, int word)
{
	return bdnn->registers + BDNN_HW_REG_ARGUMENTS + 4 * word;
}

/* No more launches, and touching mapped registers is SIGBUS from here on. Under the lock. */
static void close_for_good(struct bdnn_device *bdnn, int error)
{
	bdnn->closed = error;
	if (bdnn->client && bdnn->client->direct)
		unmap_mapping_range(bdnn->client->mappings, 0, PAGE_ALIGN(bdnn->registers_bytes),
				    1);
}

/* Processes are frozen: nothing new is launched; a wait that is under way returns EINTR. */
static int __maybe_unused bdnn_suspend(struct device *dev)
{
	struct bdnn_device *bdnn = dev_get_drvdata(dev);
	u32 control;
	int ret, i;

	mutex_lock(&bdnn->lock);
	ret = readl_poll_timeout(bdnn->registers + BDNN_HW_REG_CONTROL, control,
				 control & BDNN_HW_CONTROL_IDLE, SUSPEND_POLL_US,
				 SUSPEND_TIMEOUT_US);
	if (ret) {
		mutex_unlock(&bdnn->lock);
		dev_err(dev, "a run does not end: not suspended\n");
		return -EBUSY;
	}
	bdnn_note_end(bdnn);
	/* After the interrupt of that end; while the logic has no power the line means nothing. */
	disable_irq(bdnn->irq);
	bdnn->kept_enable = readl(bdnn->registers + BDNN_HW_REG_INTERRUPT_ENABLE);
	bdnn->kept_global = readl(bdnn->registers + BDNN_HW_REG_GLOBAL_INTERRUPT);
	for (i = 0; i < BDNN_HW_ARGUMENT_WORDS; i++)
		bdnn->kept_arguments[i] = readl(argument(bdnn, i));
	writel(0, bdnn->registers + BDNN_HW_REG_GLOBAL_INTERRUPT);
	bdnn_stop_clock(bdnn);
	mutex_unlock(&bdnn->lock);
	return 0;
}

/*
 * The logic has kept its registers, or lost them with its power, or lost what it was configured as.
 * Whoever has the direct node mapped expects the arguments that he wrote.
 */
static int set_up_again(struct bdnn_device *bdnn)
{
	u32 identity;
	int ret, i;

	ret = bdnn_start_clock(bdnn);
	if (ret)
		return ret;
	identity = readl(bdnn->registers + BDNN_HW_REG_IDENTITY);
	if (identity != BDNN_HW_IDENTITY) {
		dev_err(bdnn->dev, "identity is %#x after the suspension, of %s it is %#x\n",
			identity, BDNN_HW_KERNEL, BDNN_HW_IDENTITY);
		return -ENODEV;
	}
	if (!bdnn_stop(bdnn))
		return -EIO;
	for (i = 0; i < BDNN_HW_ARGUMENT_WORDS; i++)
		writel(bdnn->kept_arguments[i], argument(bdnn, i));
	writel(bdnn->kept_enable, bdnn->registers + BDNN_HW_REG_INTERRUPT_ENABLE);
	writel(bdnn->kept_global, bdnn->registers + BDNN_HW_REG_GLOBAL_INTERRUPT);
	return 0;
}

static int __maybe_unused bdnn_resume(struct device *dev)
{
	struct bdnn_device *bdnn = dev_get_drvdata(dev);
	int ret;

	mutex_lock(&bdnn->lock);
	ret = set_up_again(bdnn);
	if (ret) {
		close_for_good(bdnn, ret);
		dev_err(dev, "no more runs until the module is loaded again\n");
	} else {
		enable_irq(bdnn->irq);
	}
	mutex_unlock(&bdnn->lock);
	return ret;
}

SIMPLE_DEV_PM_OPS(bdnn_power, bdnn_suspend, bdnn_resume);

/*
 * Whatever comes after this kernel owns all of the memory. Processes may still be there (reboot -f,
 * kexec -e).
 */
void bdnn_shutdown(struct platform_device *platform)
{
	struct bdnn_device *bdnn = platform_get_drvdata(platform);

	mutex_lock(&bdnn->lock);
	close_for_good(bdnn, -ESHUTDOWN);
	if (bdnn->clock_on)
		writel(0, bdnn->registers + BDNN_HW_REG_GLOBAL_INTERRUPT);
	if (!bdnn_stop(bdnn))
		dev_err(bdnn->dev, "does not stop at shutdown: it may write on\n");
	mutex_unlock(&bdnn->lock);
	wake_up_all(&bdnn->idle);
}
