// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The device nodes: lease, ioctl, mapping, waiting.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "bdnn_module.h"

#define MAX_SPIN_US 1000

static int client_open(struct file *file, struct bdnn_device *bdnn, bool direct)
{
	struct bdnn_client *client;
	int ret = 0;

	if (down_trylock(&bdnn->lease))
		return -EBUSY;
	client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	mutex_lock(&bdnn->lock);
	if (!client)
		ret = -ENOMEM;
	else if (bdnn->closed)
		ret = bdnn->closed;
	else if (!list_empty(&bdnn->orphans) || !bdnn_idle(bdnn))
		ret = -EIO; /* it still runs for a process that is dead */
	else
		bdnn->client = client;
	mutex_unlock(&bdnn->lock);
	if (ret) {
		kfree(client);
		up(&bdnn->lease);
		return ret;
	}
	client->bdnn = bdnn;
	client->direct = direct;
	client->mappings = file->f_mapping;
	client->seen = atomic_read(&bdnn->interrupts);
	xa_init_flags(&client->buffers, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	file->private_data = client;
	/* What a client before left of a run's end, so that the first interrupt is the first run's
	 */
	writel(readl(bdnn->registers + BDNN_HW_REG_INTERRUPT_STATUS),
	       bdnn->registers + BDNN_HW_REG_INTERRUPT_STATUS);
	writel(BDNN_HW_INTERRUPT_ENABLE_DONE, bdnn->registers + BDNN_HW_REG_INTERRUPT_ENABLE);
	writel(BDNN_HW_GLOBAL_INTERRUPT_ENABLE, bdnn->registers + BDNN_HW_REG_GLOBAL_INTERRUPT);
	return nonseekable_open(file_inode(file), file);
}

static int mediated_open(struct inode *inode, struct file *file)
{
	return client_open(file, container_of(file->private_data, struct bdnn_device, mediated),
			   false);
}

static int direct_open(struct inode *inode, struct file *file)
{
	return client_open(file, container_of(file->private_data, struct bdnn_device, direct),
			   true);
}

/* The last descriptor is closed, no mapping is left: its process may have died in a run. */
static int client_release(struct inode *inode, struct file *file)
{
	struct bdnn_client *client = file->private_data;
	struct bdnn_device *bdnn = client->bdnn;
	bool stopped;

	mutex_lock(&bdnn->lock);
	stopped = bdnn_stop(bdnn);
	if (bdnn->clock_on)
		writel(0, bdnn->registers + BDNN_HW_REG_GLOBAL_INTERRUPT);
	if (!stopped)
		dev_err(bdnn->dev, "does not stop: its buffers are kept until it is idle\n");
	bdnn_buffers_release(client, !stopped);
	bdnn->client = NULL;
	mutex_unlock(&bdnn->lock);
	if (!stopped)
		queue_delayed_work(system_freezable_wq, &bdnn->reap, HZ);
	kfree(client);
	up(&bdnn->lease); /* from here on the device may be gone */
	return 0;
}

static void describe(struct bdnn_device *bdnn, struct bdnn_ioc_state *info)
{
	*info = (struct bdnn_ioc_state){
		.version = BDNN_UAPI_VERSION,
		.flags = bdnn->coherent ? BDNN_STATE_COHERENT : 0,
		.identity = bdnn->clock_on ? readl(bdnn->registers + BDNN_HW_REG_IDENTITY) : 0,
		.interrupts = atomic_read(&bdnn->interrupts),
		.launches = bdnn->launches,
		.spurious = atomic_read(&bdnn->spurious),
		.array = bdnn->array,
		.word = bdnn->word,
		.buffers = bdnn->buffers,
		.features = bdnn->features,
		.register_bytes = bdnn->registers_bytes,
		.pool_bytes = bdnn_buffer_limit(bdnn),
		.pool_used = atomic64_read(&bdnn->pool_used),
	};
}

/* Puts the buffers' addresses into the arguments; each must hold all that the job reaches. */
static int resolve(struct bdnn_client *client, struct bdnn_ioc_launch *launch)
{
	struct bdnn_extent extents[BDNN_HW_POINTERS];
	int i;

	if (!bdnn_job_extents(launch->arguments, client->bdnn->rows, client->bdnn->parts, extents))
		return -EINVAL;
	for (i = 0; i < BDNN_HW_POINTERS; i++) {
		struct bdnn_buffer *buffer;
		u64 address = 0;

		if (extents[i].bytes) {
			buffer = xa_load(&client->buffers, launch->handle[i]);
			if (!launch->handle[i] || !buffer)
				return -ENOENT;
			if (launch->offset[i] % BDNN_HW_ALIGNMENT)
				return -EINVAL;
			if (launch->offset[i] > buffer->bytes ||
			    extents[i].offset + extents[i].bytes >
				    buffer->bytes - launch->offset[i])
				return -EFAULT;
			address = buffer->address + launch->offset[i];
		}
		launch->arguments[2 * i] = lower_32_bits(address);
		launch->arguments[2 * i + 1] = upper_32_bits(address);
	}
	return 0;
}

static int launch(struct bdnn_client *client, struct bdnn_ioc_launch *request)
{
	struct bdnn_device *bdnn = client->bdnn;
	int ret, i;

	if (request->reserved[0] || request->reserved[1])
		return -EINVAL;
	if (bdnn->closed)
		return bdnn->closed;
	if (!bdnn_idle(bdnn))
		return -EBUSY;
	ret = resolve(client, request);
	if (ret)
		return ret;
	/* Another thread may still be on its way to learn of it. */
	bdnn_note_end(bdnn);
	for (i = 0; i < BDNN_HW_ARGUMENT_WORDS; i++)
		writel_relaxed(request->arguments[i],
			       bdnn->registers + BDNN_HW_REG_ARGUMENTS + 4 * i);
	bdnn->running = true;
	client->launched = true;
	client->launch = bdnn->launches + 1;
	WRITE_ONCE(bdnn->launches, client->launch);
	/* writel orders what was written to the buffers, and the arguments, before the start. */
	writel(BDNN_HW_CONTROL_START, bdnn->registers + BDNN_HW_REG_CONTROL);
	return 0;
}

/* Whether a run has ended: it has when another one was launched since. */
static bool is_over(struct bdnn_device *bdnn, u32 launch)
{
	return READ_ONCE(bdnn->launches) != launch || bdnn_idle(bdnn);
}

/* Without the lock, so that a second thread may reset, or wait for, what this one waits for. */
static int wait_idle(struct bdnn_device *bdnn, u32 launch, const struct bdnn_ioc_wait *request)
{
	const ktime_t spin_end =
		ktime_add_us(ktime_get(), min_t(u32, request->spin_us, MAX_SPIN_US));
	long left;

	while (ktime_before(ktime_get(), spin_end)) {
		if (is_over(bdnn, launch))
			return 0;
		cpu_relax();
	}
	left = wait_event_interruptible_timeout(bdnn->idle, is_over(bdnn, launch),
						msecs_to_jiffies(request->timeout_ms));
	if (left < 0)
		return -EINTR;
	return left || is_over(bdnn, launch) ? 0 : -ETIME;
}

static int wait_end(struct bdnn_client *client, struct bdnn_ioc_wait *request)
{
	struct bdnn_device *bdnn = client->bdnn;
	const u32 launch = client->launch;
	int ret;

	if (!client->launched)
		return -ENODATA;
	if (bdnn->running) {
		mutex_unlock(&bdnn->lock);
		ret = wait_idle(bdnn, launch, request);
		mutex_lock(&bdnn->lock);
		if (ret)
			return ret;
		/* Others may have launched again; then they have noted this end, or lost it. */
		if (bdnn->launches == launch)
			bdnn_note_end(bdnn);
	}
	if (bdnn->ended != launch)
		return -ENODATA;
	request->ending = bdnn->end.ending;
	memcpy(request->counters, bdnn->end.counters, sizeof(request->counters));
	return 0;
}

union request {
	struct bdnn_ioc_state info;
	struct bdnn_ioc_buffer buffer;
	struct bdnn_ioc_sync sync;
	struct bdnn_ioc_launch launch;
	struct bdnn_ioc_wait wait;
	u32 handle;
};

static int serve(struct bdnn_client *client, unsigned int command, union request *request)
{
	struct bdnn_device *bdnn = client->bdnn;

	switch (command) {
	case BDNN_IOC_INFO:
		describe(bdnn, &request->info);
		return 0;
	case BDNN_IOC_ALLOCATE:
		return bdnn_buffer_allocate(client, &request->buffer);
	case BDNN_IOC_FREE:
		return bdnn_buffer_free(client, request->handle);
	case BDNN_IOC_SYNC:
		return bdnn_buffer_sync(client, &request->sync);
	case BDNN_IOC_LAUNCH:
		return launch(client, &request->launch);
	case BDNN_IOC_WAIT:
		return wait_end(client, &request->wait);
	case BDNN_IOC_RESET:
		return bdnn_stop(bdnn) ? 0 : -EIO;
	default:
		return -ENOTTY;
	}
}

static long client_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct bdnn_client *client = file->private_data;
	void __user *user = (void __user *)argument;
	const size_t bytes = _IOC_SIZE(command);
	union request request;
	long ret;

	if (_IOC_TYPE(command) != BDNN_IOC_MAGIC || bytes > sizeof(request))
		return -ENOTTY;
	memset(&request, 0, sizeof(request));
	if (_IOC_DIR(command) & _IOC_WRITE && copy_from_user(&request, user, bytes))
		return -EFAULT;
	mutex_lock(&client->bdnn->lock);
	ret = serve(client, command, &request);
	mutex_unlock(&client->bdnn->lock);
	if (!ret && _IOC_DIR(command) & _IOC_READ && copy_to_user(user, &request, bytes))
		ret = -EFAULT;
	return ret;
}

static int mediated_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* Offset 0 would be the registers. */
	return vma->vm_pgoff ? bdnn_buffer_map(file->private_data, vma) : -EPERM;
}

static int direct_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct bdnn_client *client = file->private_data;
	struct bdnn_device *bdnn = client->bdnn;
	const unsigned long bytes = vma->vm_end - vma->vm_start;
	int ret;

	if (vma->vm_pgoff)
		return bdnn_buffer_map(client, vma);
	if (bytes > PAGE_ALIGN(bdnn->registers_bytes) || offset_in_page(bdnn->registers_start))
		return -EINVAL;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	mutex_lock(&bdnn->lock);
	ret = bdnn->closed;
	if (!ret)
		ret = io_remap_pfn_range(vma, vma->vm_start, bdnn->registers_start >> PAGE_SHIFT,
					 bytes, vma->vm_page_prot);
	mutex_unlock(&bdnn->lock);
	return ret;
}

static bool has_news(struct bdnn_device *bdnn, u32 seen)
{
	return atomic_read(&bdnn->interrupts) != seen;
}

static __poll_t client_poll(struct file *file, struct poll_table_struct *table)
{
	struct bdnn_client *client = file->private_data;

	poll_wait(file, &client->bdnn->idle, table);
	return has_news(client->bdnn, READ_ONCE(client->seen)) ? EPOLLIN | EPOLLRDNORM : 0;
}

/*
 * As UIO: blocks for the next interrupt and returns how many there were, modulo 2^32. What is news
 * is settled at the beginning, so that one interrupt wakes every thread that reads.
 */
static ssize_t client_read(struct file *file, char __user *user, size_t bytes, loff_t *position)
{
	struct bdnn_client *client = file->private_data;
	struct bdnn_device *bdnn = client->bdnn;
	const u32 seen = READ_ONCE(client->seen);
	u32 count;

	if (bytes != sizeof(count))
		return -EINVAL;
	if (file->f_flags & O_NONBLOCK && !has_news(bdnn, seen))
		return -EAGAIN;
	if (wait_event_interruptible(bdnn->idle, has_news(bdnn, seen)))
		return -ERESTARTSYS;
	count = atomic_read(&bdnn->interrupts);
	if (put_user(count, (u32 __user *)user))
		return -EFAULT;
	WRITE_ONCE(client->seen, count);
	return sizeof(count);
}

const struct file_operations bdnn_mediated_operations = {
	.owner = THIS_MODULE,
	.open = mediated_open,
	.release = client_release,
	.unlocked_ioctl = client_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = mediated_mmap,
	.poll = client_poll,
	.read = client_read,
};

const struct file_operations bdnn_direct_operations = {
	.owner = THIS_MODULE,
	.open = direct_open,
	.release = client_release,
	.unlocked_ioctl = client_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = direct_mmap,
	.poll = client_poll,
	.read = client_read,
};
