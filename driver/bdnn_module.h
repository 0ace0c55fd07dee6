/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One accelerator, inside of the module. */
#ifndef BDNN_MODULE_H
#define BDNN_MODULE_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/semaphore.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "bdnn_job.h"

struct clk;

/* How a run ended, as its registers told */
struct bdnn_end {
	u32 ending;
	u32 counters[BDNN_HW_COUNTERS];
};

struct bdnn_device {
	struct device *dev;
	struct clk *clock;
	bool clock_on;
	int irq;
	void __iomem *registers;
	phys_addr_t registers_start;
	resource_size_t registers_bytes;
	int id;
	u32 array, word, buffers, features; /* registers */
	u32 rows, parts;		    /* of the array: filters, and 64-bit words of a word */
	bool coherent, no_map;		    /* of its memory */
	u64 pool_bytes;

	struct miscdevice mediated, direct;
	char mediated_name[16], direct_name[24];
	struct semaphore lease; /* held by whoever has the device open */

	struct mutex lock; /* of all below but the counters */
	struct bdnn_client *client;
	int closed;   /* why there are no more runs (an errno, negative), or 0 */
	bool running; /* launched by ioctl, its end not yet noted */
	u32 launches;
	u32 ended; /* the launch that `end` is of */
	struct bdnn_end end;
	/* Kept while the logic sleeps */
	u32 kept_arguments[BDNN_HW_ARGUMENT_WORDS], kept_enable, kept_global;
	/* Buffers of a process that died while the accelerator did not stop */
	struct list_head orphans;
	struct delayed_work reap;

	wait_queue_head_t idle; /* woken by each interrupt */
	atomic_t interrupts, spurious;
	atomic_t buffer_count;
	atomic64_t pool_used;
};

/* Whoever has the device open */
struct bdnn_client {
	struct bdnn_device *bdnn;
	bool direct;
	struct address_space *mappings;
	struct xarray buffers; /* handle to buffer */
	u32 seen;	       /* interrupts that it read */
	bool launched;
	u32 launch; /* its last one */
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

/* bdnn_run.c */
bool bdnn_idle(struct bdnn_device *bdnn);
/* Under the lock, and idle: remembers how the last run ended, before its registers change. */
void bdnn_note_end(struct bdnn_device *bdnn);
/* Cancels a run and waits a bounded time; false when the accelerator goes on. Under the lock. */
bool bdnn_stop(struct bdnn_device *bdnn);
int bdnn_start_clock(struct bdnn_device *bdnn);
void bdnn_stop_clock(struct bdnn_device *bdnn);

/* bdnn_power.c */
extern const struct dev_pm_ops bdnn_power;
void bdnn_shutdown(struct platform_device *platform);

/* bdnn_file.c */
extern const struct file_operations bdnn_mediated_operations;
extern const struct file_operations bdnn_direct_operations;

/* bdnn_buffer.c: all under the lock, but bdnn_buffer_map and bdnn_buffer_limit */
int bdnn_buffer_allocate(struct bdnn_client *client, struct bdnn_ioc_buffer *request);
int bdnn_buffer_free(struct bdnn_client *client, u32 handle);
int bdnn_buffer_sync(struct bdnn_client *client, const struct bdnn_ioc_sync *request);
int bdnn_buffer_map(struct bdnn_client *client, struct vm_area_struct *vma);
/* Frees all of a client's buffers, or makes them orphans. */
void bdnn_buffers_release(struct bdnn_client *client, bool orphans);
void bdnn_orphans_free(struct bdnn_device *bdnn);
/* Bytes that a process may have in buffers; 0: no limit */
u64 bdnn_buffer_limit(const struct bdnn_device *bdnn);

#endif
