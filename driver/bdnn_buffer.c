// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * DMA buffers: handles, mappings, and memory that lives until the last of both is gone.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "bdnn_module.h"

static unsigned int max_buffers = 1024;
module_param(max_buffers, uint, 0644);
MODULE_PARM_DESC(max_buffers, "Buffers that a process may have at once (1024; at most 65535)");

static unsigned int max_mib;
module_param(max_mib, uint, 0644);
MODULE_PARM_DESC(max_mib, "MiB that a process may have in buffers (0: the whole memory-region)");

u64 bdnn_buffer_limit(const struct bdnn_device *bdnn)
{
	const u64 limit = (u64)READ_ONCE(max_mib) << 20;

	if (limit && bdnn->pool_bytes)
		return min(limit, bdnn->pool_bytes);
	return limit ? limit : bdnn->pool_bytes;
}

static void buffer_destroy(struct kref *references)
{
	struct bdnn_buffer *buffer = container_of(references, struct bdnn_buffer, references);
	struct device *dev = buffer->bdnn->dev;

	if (buffer->cached)
		dma_free_noncoherent(dev, buffer->bytes, buffer->memory, buffer->address,
				     DMA_BIDIRECTIONAL);
	else
		dma_free_coherent(dev, buffer->bytes, buffer->memory, buffer->address);
	atomic64_sub(buffer->bytes, &buffer->bdnn->pool_used);
	atomic_dec(&buffer->bdnn->buffer_count);
	kfree(buffer);
}

static int buffer_memory(struct bdnn_buffer *buffer)
{
	struct bdnn_device *bdnn = buffer->bdnn;
	const u64 limit = bdnn_buffer_limit(bdnn);
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN;

	/* More than the pool has would make the allocator warn into the log. */
	if (atomic64_add_return(buffer->bytes, &bdnn->pool_used) > limit && limit) {
		atomic64_sub(buffer->bytes, &bdnn->pool_used);
		return -ENOSPC;
	}
	if (buffer->cached)
		buffer->memory = dma_alloc_noncoherent(bdnn->dev, buffer->bytes, &buffer->address,
						       DMA_BIDIRECTIONAL, gfp);
	else
		buffer->memory =
			dma_alloc_coherent(bdnn->dev, buffer->bytes, &buffer->address, gfp);
	/* CONFIG_DMA_API_DEBUG takes cached memory for a mapping: its address must be looked at. */
	if (!buffer->memory || (buffer->cached && dma_mapping_error(bdnn->dev, buffer->address))) {
		atomic64_sub(buffer->bytes, &bdnn->pool_used);
		return -ENOMEM;
	}
	if (!buffer->cached)
		return 0; /* dma_alloc_coherent has cleared it */
	/*
	 * Zeros that are only in the processor's cache hide what a former owner left in the memory,
	 * until BDNN_SYNC_FROM_DEVICE drops them; and the accelerator reads past them at once.
	 */
	memset(buffer->memory, 0, buffer->bytes);
	dma_sync_single_for_device(bdnn->dev, buffer->address, buffer->bytes, DMA_TO_DEVICE);
	return 0;
}

/*
 * One process has the device, and nobody's buffers are left when it is opened: what the device has
 * is what the client has. That counts what is mapped but has no handle any more.
 */
static int buffer_count(struct bdnn_device *bdnn)
{
	const int most = min(READ_ONCE(max_buffers), 65535u);

	if (atomic_inc_return(&bdnn->buffer_count) <= most)
		return 0;
	atomic_dec(&bdnn->buffer_count);
	return -EMFILE;
}

int bdnn_buffer_allocate(struct bdnn_client *client, struct bdnn_ioc_buffer *request)
{
	struct bdnn_device *bdnn = client->bdnn;
	struct bdnn_buffer *buffer;
	u32 handle;
	int ret;

	if (!request->bytes || request->flags & ~BDNN_BUFFER_CACHED)
		return -EINVAL;
	if (request->bytes > SZ_1G)
		return -ENOSPC;
	ret = buffer_count(bdnn);
	if (ret)
		return ret;
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (buffer) {
		kref_init(&buffer->references);
		buffer->bdnn = bdnn;
		buffer->bytes = PAGE_ALIGN(request->bytes);
		/* Memory that the kernel does not map has no cached mapping to give. */
		buffer->cached = request->flags & BDNN_BUFFER_CACHED && !bdnn->no_map;
		ret = buffer_memory(buffer);
	}
	if (ret) {
		kfree(buffer);
		atomic_dec(&bdnn->buffer_count);
		return ret;
	}
	ret = xa_alloc(&client->buffers, &handle, buffer, XA_LIMIT(1, 65535), GFP_KERNEL);
	if (ret) {
		kref_put(&buffer->references, buffer_destroy);
		return ret == -EBUSY ? -ENOSPC : ret;
	}
	request->bytes = buffer->bytes;
	request->flags = buffer->cached ? BDNN_BUFFER_CACHED : 0;
	request->handle = handle;
	/* Where memory is, is nothing for whoever cannot use it. */
	request->address = client->direct ? buffer->address : 0;
	request->offset = (u64)handle << PAGE_SHIFT;
	return 0;
}

int bdnn_buffer_free(struct bdnn_client *client, u32 handle)
{
	struct bdnn_buffer *buffer;

	if (!handle || !xa_load(&client->buffers, handle))
		return -ENOENT;
	/* It may be what the run writes. */
	if (!bdnn_idle(client->bdnn))
		return -EBUSY;
	buffer = xa_erase(&client->buffers, handle);
	kref_put(&buffer->references, buffer_destroy);
	return 0;
}

int bdnn_buffer_sync(struct bdnn_client *client, const struct bdnn_ioc_sync *request)
{
	struct bdnn_buffer *buffer = xa_load(&client->buffers, request->handle);
	struct device *dev = client->bdnn->dev;

	if (!buffer)
		return -ENOENT;
	if (request->offset > buffer->bytes || request->bytes > buffer->bytes - request->offset)
		return -EINVAL;
	if (request->direction != BDNN_SYNC_TO_DEVICE &&
	    request->direction != BDNN_SYNC_FROM_DEVICE)
		return -EINVAL;
	if (!buffer->cached || !request->bytes)
		return 0;
	if (request->direction == BDNN_SYNC_TO_DEVICE)
		dma_sync_single_for_device(dev, buffer->address + request->offset, request->bytes,
					   DMA_TO_DEVICE);
	else
		dma_sync_single_for_cpu(dev, buffer->address + request->offset, request->bytes,
					DMA_FROM_DEVICE);
	return 0;
}

static void mapping_open(struct vm_area_struct *vma)
{
	struct bdnn_buffer *buffer = vma->vm_private_data;

	kref_get(&buffer->references);
}

static void mapping_close(struct vm_area_struct *vma)
{
	struct bdnn_buffer *buffer = vma->vm_private_data;

	kref_put(&buffer->references, buffer_destroy);
}

static const struct vm_operations_struct mapping_operations = {
	.open = mapping_open,
	.close = mapping_close,
};

int bdnn_buffer_map(struct bdnn_client *client, struct vm_area_struct *vma)
{
	struct bdnn_device *bdnn = client->bdnn;
	const size_t bytes = vma->vm_end - vma->vm_start;
	struct bdnn_buffer *buffer;
	int ret;

	mutex_lock(&bdnn->lock);
	buffer = xa_load(&client->buffers, vma->vm_pgoff);
	if (buffer)
		kref_get(&buffer->references);
	mutex_unlock(&bdnn->lock);
	if (!buffer)
		return -ENOENT;
	vma->vm_pgoff = 0; /* the buffer's own first page */
	if (bytes > buffer->bytes)
		ret = -EINVAL;
	else if (buffer->cached)
		ret = dma_mmap_pages(bdnn->dev, vma, buffer->bytes, virt_to_page(buffer->memory));
	else
		ret = dma_mmap_coherent(bdnn->dev, vma, buffer->memory, buffer->address,
					buffer->bytes);
	if (ret) {
		kref_put(&buffer->references, buffer_destroy);
		return ret;
	}
	vma->vm_private_data = buffer;
	vma->vm_ops = &mapping_operations;
	return 0;
}

void bdnn_buffers_release(struct bdnn_client *client, bool orphans)
{
	struct bdnn_buffer *buffer;
	unsigned long handle;

	xa_for_each(&client->buffers, handle, buffer) {
		xa_erase(&client->buffers, handle);
		if (orphans)
			list_add(&buffer->orphan, &client->bdnn->orphans);
		else
			kref_put(&buffer->references, buffer_destroy);
	}
	xa_destroy(&client->buffers);
}

void bdnn_orphans_free(struct bdnn_device *bdnn)
{
	struct bdnn_buffer *buffer, *next;

	list_for_each_entry_safe(buffer, next, &bdnn->orphans, orphan) {
		list_del(&buffer->orphan);
		kref_put(&buffer->references, buffer_destroy);
	}
}
