/* SPDX-License-Identifier: BSD-2-Clause */
/* The few things that the backend asks of the operating system and of memory that is hardware: in one table, so that
 * its tests can be hardware themselves. */
#ifndef BDNN_BACKENDS_UIO_SYSTEM_H
#define BDNN_BACKENDS_UIO_SYSTEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* As the calls of Linux that they are named after: failures are -1 with errno. Files below `sysfs` are read directly.
 */
typedef struct bdnn_uio_system {
    const char *sysfs; /* "/sys" */
    int (*open)(const char *path, int flags);
    int (*close)(int fd);
    int (*ioctl)(int fd, unsigned long request, void *argument);
    void *(*mmap)(int fd, size_t bytes, uint64_t offset); /* shared, to read and write; NULL with errno */
    int (*munmap)(void *memory, size_t bytes);
    int (*flock)(int fd);                  /* exclusively, without waiting */
    int (*poll)(int fd, int milliseconds); /* for reading */
    ssize_t (*read)(int fd, void *to, size_t bytes);
    ssize_t (*write)(int fd, const void *from, size_t bytes);
    /* A register. Everything that was written before it is there when it is stored, and nothing that is read after it
     * is older than what it was loaded. */
    uint32_t (*load)(const volatile uint32_t *at);
    void (*store)(volatile uint32_t *at, uint32_t value);
} bdnn_uio_system;

/* What is used: Linux, unless a test says otherwise, before any device is opened. */
extern const bdnn_uio_system *bdnn_uio_system_used;

#endif
