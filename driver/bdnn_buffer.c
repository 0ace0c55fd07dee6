// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * DMA buffers: handles, mappings, and memory that lives until the last of both is gone.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bdnn.h"

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
	kfree(buffer);
}

static int buffer_memory(struct bdnn_buffer *buffer)
{
	struct bdnn_device *bdnn = buffer->bdnn;

	/* More than the pool has would make the allocator warn into the log. */
	if (atomic64_add_return(buffer->bytes, &bdnn->pool_used) > bdnn->pool_bytes &&
	    bdnn->pool_bytes) {
		atomic64_sub(buffer->bytes, &bdnn->pool_used);
		return -ENOSPC;
	}
	if (buffer->cached)
		buffer->memory =
			dma_alloc_noncoherent(bdnn->dev, buffer->bytes, &buffer->address,
					      DMA_BIDIRECTIONAL, GFP_KERNEL | __GFP_NOWARN);
	else
		buffer->memory = dma_alloc_coherent(bdnn->dev, buffer->bytes, &buffer->address,
						    GFP_KERNEL | __GFP_NOWARN);
	/* CONFIG_DMA_API_DEBUG takes cached memory for a mapping, whose address must be looked at. */
	if (!buffer->memory || (buffer->cached && dma_mapping_error(bdnn->dev, buffer->address))) {
		atomic64_sub(buffer->bytes, &bdnn->pool_used);
		return -ENOMEM;
	}
	memset(buffer->memory, 0, buffer->bytes);
	return 0;
}

int bdnn_buffer_allocate(struct bdnn_client *client, struct bdnn_device_buffer *request)
{
	struct bdnn_buffer *buffer;
	u32 handle;
	int ret;

	if (!request->bytes || request->flags & ~BDNN_DEVICE_CACHED)
		return -EINVAL;
	if (request->bytes > SZ_1G)
		return -ENOSPC;
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	kref_init(&buffer->references);
	buffer->bdnn = client->bdnn;
	buffer->bytes = PAGE_ALIGN(request->bytes);
	buffer->cached = request->flags & BDNN_DEVICE_CACHED;
	ret = buffer_memory(buffer);
	if (ret) {
		kfree(buffer);
		return ret;
	}
	ret = xa_alloc(&client->buffers, &handle, buffer, XA_LIMIT(1, 65535), GFP_KERNEL);
	if (ret) {
		kref_put(&buffer->references, buffer_destroy);
		return ret == -EBUSY ? -ENOSPC : ret;
	}
	request->bytes = buffer->bytes;
	request->handle = handle;
	request->address = buffer->address;
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

int bdnn_buffer_sync(struct bdnn_client *client, const struct bdnn_device_sync *request)
{
	struct bdnn_buffer *buffer = xa_load(&client->buffers, request->handle);
	struct device *dev = client->bdnn->dev;

	if (!buffer)
		return -ENOENT;
	if (request->offset > buffer->bytes || request->bytes > buffer->bytes - request->offset)
		return -EINVAL;
	if (request->direction != BDNN_DEVICE_TO_DEVICE &&
	    request->direction != BDNN_DEVICE_FROM_DEVICE)
		return -EINVAL;
	if (!buffer->cached || !request->bytes)
		return 0;
	if (request->direction == BDNN_DEVICE_TO_DEVICE)
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
