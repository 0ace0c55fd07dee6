/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux. */
#define _DEFAULT_SOURCE
#include "backends/uio/system.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int call_open(const char *path, int flags)
{
    return open(path, flags | O_CLOEXEC);
}

static int call_ioctl(int fd, unsigned long request, void *argument)
{
    return ioctl(fd, request, argument);
}

static void *call_mmap(int fd, size_t bytes, uint64_t offset)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
    return memory == MAP_FAILED ? NULL : memory;
}

static int call_flock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB);
}

static int call_poll(int fd, int milliseconds)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, milliseconds);
}

/* The accelerator is a bus master beside the processors, outside of what a C fence orders on ARM. */
static void order(void)
{
#if defined(__aarch64__) || (defined(__ARM_ARCH) && __ARM_ARCH >= 7)
    __asm__ volatile("dsb sy" ::: "memory");
#else
    __sync_synchronize();
#endif
}

/* Load-acquire and store-release: single accesses of 32 bits, also by which an emulated board tells them from others.
 */
static uint32_t load(const volatile uint32_t *at)
{
    const uint32_t value = __atomic_load_n(at, __ATOMIC_ACQUIRE);
    order();
    return value;
}

static void store(volatile uint32_t *at, uint32_t value)
{
    order();
    __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static const bdnn_uio_system linux_calls = {.sysfs = "/sys",
                                            .open = call_open,
                                            .close = close,
                                            .ioctl = call_ioctl,
                                            .mmap = call_mmap,
                                            .munmap = munmap,
                                            .flock = call_flock,
                                            .poll = call_poll,
                                            .read = read,
                                            .write = write,
                                            .load = load,
                                            .store = store};

const bdnn_uio_system *bdnn_uio_system_used = &linux_calls;
