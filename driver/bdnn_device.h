/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause */
/*
 * The interface of the bdnn module to user space: an accelerator's registers,
 * DMA buffers and interrupts (docs/reference/driver.md).
 *
 * Each accelerator has two nodes. /dev/bdnnN is for everybody who may open it:
 * runs are launched by ioctl, and no run reaches memory outside of the
 * caller's buffers. /dev/bdnnN-direct also maps the registers: whoever may
 * open it can make the hardware read and write any address, and is as good as
 * root. One process at a time has the device, through either node.
 */
#ifndef BDNN_DEVICE_H
#define BDNN_DEVICE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "bdnn_hw.h" /* the accelerator's registers; the build writes it */

#define BDNN_UAPI_VERSION 3

/* The interconnect keeps the processor's caches and the accelerator coherent */
#define BDNN_STATE_COHERENT 0x1

/**
 * struct bdnn_ioc_state - what there is
 * @version: BDNN_UAPI_VERSION
 * @flags: BDNN_STATE_COHERENT
 * @identity: of the kernel's registers and layouts, as it reads now
 * @interrupts: taken since the module was loaded, modulo 2^32
 * @launches: of BDNN_IOC_LAUNCH since the module was loaded, modulo 2^32
 * @spurious: interrupts without a cause, not counted in @interrupts
 * @array: the register of rows and columns, as it read when the device was found
 * @word: likewise, bits of a word and most tiles
 * @buffers: likewise, words of weights and activations
 * @features: likewise
 * @register_bytes: that /dev/bdnnN-direct maps at offset 0
 * @pool_bytes: that the caller may have in buffers: the reserved memory, or less
 *              by the module's parameter max_mib; 0: no limit
 * @pool_used: bytes that are allocated now
 */
struct bdnn_ioc_state {
	__u32 version;
	__u32 flags;
	__u32 identity;
	__u32 interrupts;
	__u32 launches;
	__u32 spurious;
	__u32 array;
	__u32 word;
	__u32 buffers;
	__u32 features;
	__u64 register_bytes;
	__u64 pool_bytes;
	__u64 pool_used;
};

/*
 * The processor caches the buffer: BDNN_IOC_SYNC before and after a run. A
 * new buffer is of zeros, for the processor and for the accelerator
 */
#define BDNN_BUFFER_CACHED 0x1

/**
 * struct bdnn_ioc_buffer - memory that the accelerator reaches
 * @bytes: in: size; out: rounded up to pages
 * @flags: in: BDNN_BUFFER_CACHED or 0; out: 0 also where the reserved memory
 *         cannot be cached (no-map), and BDNN_IOC_SYNC does nothing
 * @handle: out: its number, from 1 on
 * @address: out: as the accelerator sees it, for /dev/bdnnN-direct; else 0
 * @offset: out: for mmap; a mapping keeps the memory when the handle is freed
 */
struct bdnn_ioc_buffer {
	__u64 bytes;
	__u32 flags;
	__u32 handle;
	__u64 address;
	__u64 offset;
};

#define BDNN_SYNC_TO_DEVICE 1
#define BDNN_SYNC_FROM_DEVICE 2

/**
 * struct bdnn_ioc_sync - hands part of a cached buffer over
 * @handle: of the buffer
 * @direction: BDNN_SYNC_TO_DEVICE before a run that reads or writes it,
 *             BDNN_SYNC_FROM_DEVICE after one that wrote it
 * @offset: of the part, in bytes
 * @bytes: of the part
 */
struct bdnn_ioc_sync {
	__u32 handle;
	__u32 direction;
	__u64 offset;
	__u64 bytes;
};

/**
 * struct bdnn_ioc_launch - starts a run
 * @arguments: the words of the job; those of the addresses are not looked at
 * @handle: per pointer (BDNN_HW_POINTER_WEIGHTS and so on), the buffer
 * @offset: per pointer, bytes from the start of its buffer
 */
struct bdnn_ioc_launch {
	__u32 arguments[BDNN_HW_ARGUMENT_WORDS];
	__u32 reserved[2];
	__u32 handle[BDNN_HW_POINTERS];
	__u64 offset[BDNN_HW_POINTERS];
};

/**
 * struct bdnn_ioc_wait - waits for the end of the caller's last run
 * @timeout_ms: in: at most this long; 0 only looks
 * @spin_us: in: without sleeping at first, at most 1000
 * @ending: out: how it ended, 0 for well
 * @counters: out: cycles, busy, wait_load, wait_results, read_beats, write_beats,
 *            as their registers follow one another
 */
struct bdnn_ioc_wait {
	__u32 timeout_ms;
	__u32 spin_us;
	__u32 ending;
	__u32 reserved;
	__u32 counters[BDNN_HW_COUNTERS];
};

#define BDNN_IOC_MAGIC 'b'
#define BDNN_IOC_INFO _IOR(BDNN_IOC_MAGIC, 0x60, struct bdnn_ioc_state)
/*
 * ENOSPC: more than the pool has left; ENOMEM: fragmented; EMFILE: more buffers
 * than the module's parameter max_buffers; EINVAL: 0 bytes
 */
#define BDNN_IOC_ALLOCATE _IOWR(BDNN_IOC_MAGIC, 0x61, struct bdnn_ioc_buffer)
/* Takes a handle. ENOENT: no such buffer; EBUSY: the accelerator is running */
#define BDNN_IOC_FREE _IOW(BDNN_IOC_MAGIC, 0x62, __u32)
#define BDNN_IOC_SYNC _IOW(BDNN_IOC_MAGIC, 0x63, struct bdnn_ioc_sync)
/*
 * EBUSY: running; ENOENT: no such buffer; EINVAL: no job of this kernel;
 * EFAULT: it would leave its buffers; ESHUTDOWN, ENODEV, EIO: no more runs,
 * since the system ends, or the accelerator was not there after a suspension
 */
#define BDNN_IOC_LAUNCH _IOW(BDNN_IOC_MAGIC, 0x64, struct bdnn_ioc_launch)
/*
 * ETIME: not ended yet; EINTR: a signal came, or a suspension; wait again.
 * Threads that wait at once all learn how the run ended, also when one of them
 * has launched the next. ENODATA: nothing was launched, or two more since
 */
#define BDNN_IOC_WAIT _IOWR(BDNN_IOC_MAGIC, 0x65, struct bdnn_ioc_wait)
/* Cancels a run. EIO: the accelerator does not become idle */
#define BDNN_IOC_RESET _IO(BDNN_IOC_MAGIC, 0x66)

#endif
