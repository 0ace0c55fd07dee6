// SPDX-License-Identifier: GPL-2.0
/*
 * The emulated board's accelerator as a device of Linux's UIO, as uio_pdrv_genirq would make it,
 * which Debian's kernels lack: registers as map0, an interrupt that is masked when it comes until
 * the device is written to. map1 is memory for buffers.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/uio_driver.h>

#define MEMORY_BYTES (32 << 20)

struct zynq_uio {
	struct uio_info info;
	unsigned long masked;
};

static irqreturn_t handle_interrupt(int irq, struct uio_info *info)
{
	struct zynq_uio *uio = info->priv;

	if (!test_and_set_bit(0, &uio->masked))
		disable_irq_nosync(irq);
	return IRQ_HANDLED;
}

static int control_interrupt(struct uio_info *info, s32 on)
{
	struct zynq_uio *uio = info->priv;

	if (on && test_and_clear_bit(0, &uio->masked))
		enable_irq(info->irq);
	else if (!on && !test_and_set_bit(0, &uio->masked))
		disable_irq(info->irq);
	return 0;
}

static void release_memory(void *dev)
{
	of_reserved_mem_device_release(dev);
}

static int zynq_uio_probe(struct platform_device *platform)
{
	struct device *dev = &platform->dev;
	struct resource *registers = platform_get_resource(platform, IORESOURCE_MEM, 0);
	struct zynq_uio *uio = devm_kzalloc(dev, sizeof(*uio), GFP_KERNEL);
	dma_addr_t address;
	int ret;

	if (!uio || !registers)
		return -ENOMEM;
	ret = of_reserved_mem_device_init(dev);
	if (!ret)
		ret = devm_add_action_or_reset(dev, release_memory, dev);
	if (!ret)
		ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (ret)
		return ret;
	if (!dmam_alloc_coherent(dev, MEMORY_BYTES, &address, GFP_KERNEL))
		return -ENOMEM;
	uio->info.name = "bdnn";
	uio->info.version = "1";
	ret = platform_get_irq(platform, 0);
	if (ret < 0)
		return ret;
	uio->info.irq = ret;
	/* The level stays until user space has acknowledged it: it must be masked at once. */
	irq_set_status_flags(uio->info.irq, IRQ_DISABLE_UNLAZY);
	uio->info.handler = handle_interrupt;
	uio->info.irqcontrol = control_interrupt;
	uio->info.priv = uio;
	uio->info.mem[0].name = "registers";
	uio->info.mem[0].memtype = UIO_MEM_PHYS;
	uio->info.mem[0].addr = registers->start;
	uio->info.mem[0].size = resource_size(registers);
	uio->info.mem[1].name = "memory";
	uio->info.mem[1].memtype = UIO_MEM_PHYS;
	uio->info.mem[1].addr = address;
	uio->info.mem[1].size = MEMORY_BYTES;
	return devm_uio_register_device(dev, &uio->info);
}

static const struct of_device_id zynq_uio_match[] = { { .compatible = "bdnn,accelerator-1" }, {} };
MODULE_DEVICE_TABLE(of, zynq_uio_match);

static struct platform_driver zynq_uio_driver = {
	.probe = zynq_uio_probe,
	.driver = {
		.name = "zynq_uio",
		.of_match_table = zynq_uio_match,
	},
};
module_platform_driver(zynq_uio_driver);

MODULE_DESCRIPTION("An accelerator behind UIO, for tests");
MODULE_LICENSE("GPL");
