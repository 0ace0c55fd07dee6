/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One accelerator, inside of the module. */
#ifndef BDNN_H
#define BDNN_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/semaphore.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "bdnn_job.h"

struct bdnn_device {
	struct device *dev;
	void __iomem *registers;
	phys_addr_t registers_start;
	resource_size_t registers_bytes;
	int id;
	u32 array, word, buffers, features; /* registers */
	u32 rows, parts; /* of the array: filters, and 64-bit words of a word */
	bool coherent;
	u64 pool_bytes;

	struct miscdevice mediated, direct;
	char mediated_name[16], direct_name[24];
	struct semaphore lease; /* held by whoever has the device open */

	struct mutex lock; /* of all below but the counters */
	bool running;	   /* launched by ioctl, its end not yet seen */
	u32 launches;
	/* Buffers of a process that died while the accelerator did not stop */
	struct list_head orphans;
	struct delayed_work reap;

	wait_queue_head_t ended;
	atomic_t interrupts, spurious;
	atomic64_t pool_used;
};

/* Whoever has the device open */
struct bdnn_client {
	struct bdnn_device *bdnn;
	bool direct;
	struct xarray buffers; /* handle to buffer */
	u32 seen;	       /* interrupts that it read */
};

struct bdnn_buffer {
	struct kref references; /* its handle, and each mapping */
	struct bdnn_device *bdnn;
	void *memory;
	dma_addr_t address;
	size_t bytes;
	bool cached;
	struct list_head orphan;
};

/* bdnn_main.c */
bool bdnn_idle(struct bdnn_device *bdnn);
/* Cancels a run and waits a bounded time; false when the accelerator goes on. Under the lock. */
bool bdnn_stop(struct bdnn_device *bdnn);

/* bdnn_file.c */
extern const struct file_operations bdnn_mediated_operations;
extern const struct file_operations bdnn_direct_operations;

/* bdnn_buffer.c: all under the lock, but bdnn_buffer_map */
int bdnn_buffer_allocate(struct bdnn_client *client, struct bdnn_device_buffer *request);
int bdnn_buffer_free(struct bdnn_client *client, u32 handle);
int bdnn_buffer_sync(struct bdnn_client *client, const struct bdnn_device_sync *request);
int bdnn_buffer_map(struct bdnn_client *client, struct vm_area_struct *vma);
/* Frees all of a client's buffers, or makes them orphans. */
void bdnn_buffers_release(struct bdnn_client *client, bool orphans);
void bdnn_orphans_free(struct bdnn_device *bdnn);

#endif
