/* SPDX-License-Identifier: BSD-2-Clause */
/* A Zynq in the test's own process, at the boundary where the backend calls the operating system (uio/system.h): the
 * bdnn module with its two nodes, a UIO device, a u-dma-buf, and behind them the accelerator, which is the C kernel of
 * hls/.
 *
 * Memory that a processor would cache exists twice, as the processor sees it and as the accelerator does; only a
 * hand-over copies, and only what it names. A job runs at the last moment that the backend can notice, or at the first.
 */
#ifndef BDNN_TESTS_UIO_ZYNQ_H
#define BDNN_TESTS_UIO_ZYNQ_H

#include "backends/uio/system.h"

#include <stdbool.h>

enum zynq_fault {
    ZYNQ_WELL,
    ZYNQ_STUCK,      /* the run never ends; a cancel works */
    ZYNQ_DEAF,       /* likewise, and a cancel does not */
    ZYNQ_BUS_ERROR,  /* the run ends with a read error */
    ZYNQ_GONE,       /* the run ends, and from then on registers read ones */
    ZYNQ_SILENT,     /* no interrupt comes */
    ZYNQ_SPURIOUS,   /* one interrupt too many before the run ends; mapped registers only */
    ZYNQ_INTERRUPTED /* a signal comes while the run is waited for */
};

/* Set by the test, between sessions. */
struct zynq_settings {
    bool coherent; /* of the module's device and of the u-dma-buf */
    bool early;    /* jobs run as soon as they are started */
    size_t pool_bytes;
    size_t max_buffers;      /* 0: as many as the double can have */
    uint32_t identity;       /* 0: that of the kernel */
    uint32_t module_version; /* 0: that of the interface */
    int open_error;          /* errno of every open; 0: they succeed */
    bool leased;             /* another process has every device */
    enum zynq_fault fault;
    unsigned fault_run; /* of which run it is, from 1 on */
};
extern struct zynq_settings zynq;

/* What happened. */
struct zynq_counts {
    unsigned runs, interrupts, sleeps, cancels;
    unsigned to_device, from_device; /* hand-overs */
    unsigned to_while_running, from_while_running;
    unsigned writes_to_strangers; /* to registers of what is not the kernel */
    size_t open_files, mappings, buffers, pool_used;
};
extern struct zynq_counts zynq_counted;

/* For bdnn_uio_system_used; the test says where sysfs is, a folder that it has filled. */
extern bdnn_uio_system zynq_system;

/* Addresses of the double's UIO memory, for the files of sysfs. */
#define ZYNQ_MAP1_ADDRESS    0x60000000u
#define ZYNQ_MAP1_BYTES      (16u << 20)
#define ZYNQ_UDMABUF_ADDRESS 0x70000000u
#define ZYNQ_UDMABUF_BYTES   (16u << 20)

#endif
