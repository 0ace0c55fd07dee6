// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Finding accelerators in the device tree, their interrupts, bringing them up and taking them away.
 */
#include <linux/clk.h>
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>

#include "bdnn_module.h"

static DEFINE_IDA(numbers);

static irqreturn_t handle_interrupt(int irq, void *data)
{
	struct bdnn_device *bdnn = data;
	const u32 status = readl(bdnn->registers + BDNN_HW_REG_INTERRUPT_STATUS);

	if (!status) {
		atomic_inc(&bdnn->spurious);
		return IRQ_NONE;
	}
	/* Writing a one toggles; the line falls with the last. */
	writel(status, bdnn->registers + BDNN_HW_REG_INTERRUPT_STATUS);
	atomic_inc(&bdnn->interrupts);
	wake_up_all(&bdnn->idle);
	return IRQ_HANDLED;
}

/* Looks again after the accelerator that did not stop for a dead process. */
static void reap(struct work_struct *work)
{
	struct bdnn_device *bdnn = container_of(to_delayed_work(work), struct bdnn_device, reap);

	mutex_lock(&bdnn->lock);
	if (bdnn_idle(bdnn)) {
		bdnn_orphans_free(bdnn);
		dev_info(bdnn->dev, "is idle again\n");
	} else {
		queue_delayed_work(system_freezable_wq, &bdnn->reap, HZ);
	}
	mutex_unlock(&bdnn->lock);
}

static int identify(struct bdnn_device *bdnn)
{
	const u32 identity = readl(bdnn->registers + BDNN_HW_REG_IDENTITY);

	if (identity != BDNN_HW_IDENTITY)
		return dev_err_probe(bdnn->dev, -ENODEV, "identity is %#x, of %s it is %#x\n",
				     identity, BDNN_HW_KERNEL, BDNN_HW_IDENTITY);
	bdnn->array = readl(bdnn->registers + BDNN_HW_REG_ARRAY);
	bdnn->word = readl(bdnn->registers + BDNN_HW_REG_WORD);
	bdnn->buffers = readl(bdnn->registers + BDNN_HW_REG_BUFFERS);
	bdnn->features = readl(bdnn->registers + BDNN_HW_REG_FEATURES);
	bdnn->rows = BDNN_HW_ROWS(bdnn->array);
	bdnn->parts = BDNN_HW_WORD_BITS(bdnn->word) / BDNN_HW_UNIT;
	if (bdnn->rows < BDNN_HW_ROWS_MIN || bdnn->rows > BDNN_HW_ROWS_MAX || !bdnn->parts ||
	    bdnn->parts > BDNN_HW_WORD_BITS_MAX / BDNN_HW_UNIT)
		return dev_err_probe(bdnn->dev, -ENODEV,
				     "an array of %u rows and %u-bit words cannot be\n", bdnn->rows,
				     BDNN_HW_WORD_BITS(bdnn->word));
	return 0;
}

static void release_memory(void *dev)
{
	of_reserved_mem_device_release(dev);
}

/* The pool of the device tree. Memory of another kind, or none, would be used in its place else. */
static int use_pool(struct bdnn_device *bdnn, struct device_node *node)
{
	struct reserved_mem *pool = of_reserved_mem_lookup(node);
	struct device *dev = bdnn->dev;
	int ret;

	bdnn->no_map = of_property_read_bool(node, "no-map");
	if (!pool || !pool->size)
		return dev_err_probe(dev, -EINVAL, "memory-region was not reserved at boot\n");
	if (!of_device_is_compatible(node, "shared-dma-pool") ||
	    (!bdnn->no_map && !of_property_read_bool(node, "reusable")))
		return dev_err_probe(dev, -EINVAL,
				     "memory-region is no shared-dma-pool, reusable or no-map\n");
	/* The kernel maps no-map memory uncached, a coherent device's buffers are mapped cached. */
	if (bdnn->no_map && bdnn->coherent)
		return dev_err_probe(dev, -EINVAL,
				     "memory-region has no-map, which dma-coherent rules out\n");
	ret = of_reserved_mem_device_init(dev);
	if (ret)
		return dev_err_probe(dev, ret, "memory-region cannot be used\n");
	bdnn->pool_bytes = pool->size;
	return devm_add_action_or_reset(dev, release_memory, dev);
}

static int find_memory(struct bdnn_device *bdnn)
{
	struct device *dev = bdnn->dev;
	struct device_node *node = of_parse_phandle(dev->of_node, "memory-region", 0);
	int ret = 0;

	bdnn->coherent = of_dma_is_coherent(dev->of_node);
	if (node)
		ret = use_pool(bdnn, node);
	of_node_put(node);
	if (ret)
		return ret;
	/* 64-bit addresses where the bus has them; a 32-bit processor has 32. */
	return dma_set_mask_and_coherent(dev, sizeof(phys_addr_t) > 4 ? DMA_BIT_MASK(64)
								      : DMA_BIT_MASK(32));
}

static void stop_clock(void *data)
{
	bdnn_stop_clock(data);
}

static int find_clock(struct bdnn_device *bdnn)
{
	int ret;

	bdnn->clock = devm_clk_get_optional(bdnn->dev, NULL);
	if (IS_ERR(bdnn->clock))
		return dev_err_probe(bdnn->dev, PTR_ERR(bdnn->clock), "clock\n");
	ret = bdnn_start_clock(bdnn);
	return ret ? ret : devm_add_action_or_reset(bdnn->dev, stop_clock, bdnn);
}

static int add_nodes(struct bdnn_device *bdnn)
{
	int ret;

	snprintf(bdnn->mediated_name, sizeof(bdnn->mediated_name), "bdnn%d", bdnn->id);
	snprintf(bdnn->direct_name, sizeof(bdnn->direct_name), "bdnn%d-direct", bdnn->id);
	bdnn->mediated = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = bdnn->mediated_name,
		.fops = &bdnn_mediated_operations,
		.parent = bdnn->dev,
		.mode = 0660,
	};
	bdnn->direct = bdnn->mediated;
	bdnn->direct.name = bdnn->direct_name;
	bdnn->direct.fops = &bdnn_direct_operations;
	bdnn->direct.mode = 0600;
	ret = misc_register(&bdnn->mediated);
	if (ret)
		return ret;
	ret = misc_register(&bdnn->direct);
	if (ret)
		misc_deregister(&bdnn->mediated);
	return ret;
}

static int find_hardware(struct platform_device *platform, struct bdnn_device *bdnn)
{
	struct resource *resource;
	int ret;

	ret = find_clock(bdnn);
	if (ret)
		return ret;
	bdnn->registers = devm_platform_get_and_ioremap_resource(platform, 0, &resource);
	if (IS_ERR(bdnn->registers))
		return PTR_ERR(bdnn->registers);
	bdnn->registers_start = resource->start;
	bdnn->registers_bytes = resource_size(resource);
	if (bdnn->registers_bytes < BDNN_HW_REGISTER_SPAN)
		return dev_err_probe(bdnn->dev, -EINVAL, "reg has %pa bytes, the kernel %#x\n",
				     &bdnn->registers_bytes, BDNN_HW_REGISTER_SPAN);
	ret = identify(bdnn);
	if (!ret)
		ret = find_memory(bdnn);
	if (ret)
		return ret;
	/* A boot loader, or a module before this one, may have left it running. */
	writel(0, bdnn->registers + BDNN_HW_REG_GLOBAL_INTERRUPT);
	if (!bdnn_stop(bdnn))
		return dev_err_probe(bdnn->dev, -EIO, "is running and does not stop\n");
	bdnn->irq = platform_get_irq(platform, 0);
	if (bdnn->irq < 0)
		return bdnn->irq;
	return devm_request_irq(bdnn->dev, bdnn->irq, handle_interrupt, 0, dev_name(bdnn->dev),
				bdnn);
}

/*
 * The module cannot be unloaded while a file is open, and binding cannot be undone by hand; but a
 * device tree overlay can be taken away: then this waits for whoever has the device, since his
 * buffers and registers are of it.
 */
static void take_away(void *data)
{
	struct bdnn_device *bdnn = data;

	misc_deregister(&bdnn->direct);
	misc_deregister(&bdnn->mediated);
	if (down_trylock(&bdnn->lease)) {
		dev_warn(bdnn->dev, "is in use: waiting until it is closed\n");
		down(&bdnn->lease);
	}
	cancel_delayed_work_sync(&bdnn->reap);
	if (bdnn_idle(bdnn))
		bdnn_orphans_free(bdnn);
	else
		dev_err(bdnn->dev,
			"still runs: the memory that it may write is lost until the next start\n");
	ida_free(&numbers, bdnn->id);
}

static int bdnn_probe(struct platform_device *platform)
{
	struct bdnn_device *bdnn = devm_kzalloc(&platform->dev, sizeof(*bdnn), GFP_KERNEL);
	int ret;

	if (!bdnn)
		return -ENOMEM;
	bdnn->dev = &platform->dev;
	platform_set_drvdata(platform, bdnn);
	mutex_init(&bdnn->lock);
	sema_init(&bdnn->lease, 1);
	init_waitqueue_head(&bdnn->idle);
	INIT_LIST_HEAD(&bdnn->orphans);
	INIT_DELAYED_WORK(&bdnn->reap, reap);
	ret = find_hardware(platform, bdnn);
	if (ret)
		return ret;
	bdnn->id = ida_alloc(&numbers, GFP_KERNEL);
	if (bdnn->id < 0)
		return bdnn->id;
	ret = add_nodes(bdnn);
	if (ret) {
		ida_free(&numbers, bdnn->id);
		return dev_err_probe(bdnn->dev, ret, "device nodes\n");
	}
	dev_info(bdnn->dev, "bdnn%d: %u rows x %u bits, %spool of %llu KiB, %s\n", bdnn->id,
		 bdnn->rows, BDNN_HW_UNIT * bdnn->parts, bdnn->no_map ? "unmapped " : "",
		 bdnn->pool_bytes >> 10, bdnn->coherent ? "coherent" : "not coherent");
	/* There is no remove(): managed things go in reverse order, this one first. */
	return devm_add_action_or_reset(bdnn->dev, take_away, bdnn);
}

static const struct of_device_id bdnn_match[] = { { .compatible = "bdnn,accelerator-1" }, {} };
MODULE_DEVICE_TABLE(of, bdnn_match);

static struct platform_driver bdnn_driver = {
	.probe = bdnn_probe,
	.shutdown = bdnn_shutdown,
	.driver = {
		.name = "bdnn",
		.pm = &bdnn_power,
		.of_match_table = bdnn_match,
		.suppress_bind_attrs = true,
	},
};
module_platform_driver(bdnn_driver);

MODULE_DESCRIPTION("Accelerator for binary-decomposed networks on Zynq");
MODULE_AUTHOR("The bdnn developers");
MODULE_LICENSE("Dual BSD/GPL");
