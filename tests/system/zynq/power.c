/* SPDX-License-Identifier: BSD-2-Clause */
/* Suspension, and the end of the kernel in the middle of a run. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WAKE "/sys/class/rtc/rtc0/wakealarm"

static int write_text(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY);
    const int written = fd < 0 ? -1 : (int)write(fd, text, strlen(text));
    const int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = error;
    return written < 0 ? -1 : 0;
}

/* Suspends to idle until the clock wakes the system; -1 with errno when something refuses. */
static int suspend(void)
{
    if (write_text(WAKE, "0") != 0 || write_text(WAKE, "+2") != 0) {
        return -1;
    }
    return write_text("/sys/power/state", "freeze");
}

/* A whole vector with buffers that were placed before. */
static void check_placed(int fd, volatile uint32_t *registers, struct placed *p, const char *what)
{
    check(run_placed(fd, registers, p), "%s: the results are right", what);
}

static void check_idle(const bdnn_device_array *array)
{
    struct placed p;
    int fd = open_or_exit(node);
    place_vector(fd, &p, array, 21);
    check_placed(fd, NULL, &p, "before a suspension");
    const struct bdnn_ioc_state before = info_of(fd);
    check_error(suspend(), 0, "the system is suspended, and woken by its clock");
    check_placed(fd, NULL, &p, "after it, with the same handles and mappings");
    const struct bdnn_ioc_state after = info_of(fd);
    check(after.interrupts - before.interrupts == after.launches - before.launches, "each run has its interrupt");
    unplace(fd, &p);
    close(fd);

    fd = open_or_exit(direct_node);
    volatile uint32_t *registers = map_registers(fd);
    place_vector(fd, &p, array, 22);
    check_placed(fd, registers, &p, "by mapped registers, before");
    check_error(suspend(), 0, "suspended again");
    check_placed(fd, registers, &p, "by mapped registers, after");
    unplace(fd, &p);
    unmap_registers(registers);
    close(fd);
}

static void check_running(const bdnn_device_array *array)
{
    struct long_job job;
    struct bdnn_ioc_wait wait = {.timeout_ms = 0};
    const int fd = open_or_exit(node);
    place_long(fd, array, 8, 12, &job);
    struct bdnn_ioc_launch launch = job.launch;
    check_error(ioctl(fd, BDNN_IOC_LAUNCH, &launch), 0, "a run is launched");
    check_error(suspend(), 0, "suspended at once: that waits for it");
    check_error(ioctl(fd, BDNN_IOC_WAIT, &wait), 0, "its end is known afterwards");
    check(wait.ending == 0 && wait.counters[0] > 0, "it ended well, after %u cycles", wait.counters[0]);
    unplace_long(fd, &job);
    close(fd);
}

static void check_refused(const bdnn_device_array *array)
{
    struct placed p;
    arm(BOARD_STUCK, 1);
    const int fd = open_or_exit(node);
    place_vector(fd, &p, array, 23);
    struct bdnn_ioc_launch launch = launch_of(&p, 0, 0);
    struct bdnn_ioc_wait wait = {.timeout_ms = 20000};
    check_error(ioctl(fd, BDNN_IOC_LAUNCH, &launch), 0, "a run that hangs is launched");
    check_error(suspend(), EBUSY, "the system is not suspended then");
    check_error(ioctl(fd, BDNN_IOC_WAIT, &wait), 0, "the run goes on, and ends");
    check_placed(fd, NULL, &p, "the next runs");
    unplace(fd, &p);
    close(fd);
}

void check_suspension(const bdnn_device_array *array)
{
    check_idle(array);
    check_running(array);
    check_refused(array);
}

/* The registers are taken away at shutdown: then there is nothing more to do. */
static void taken_away(int signal)
{
    static const char text[] = "ok    mapped registers are taken away at shutdown\n";
    (void)signal;
    if (write(STDOUT_FILENO, text, sizeof text - 1) < 0) {
        _exit(1);
    }
    _exit(0);
}

void run_for_ever(const bdnn_device_array *array)
{
    struct long_job job;
    const struct sigaction action = {.sa_handler = taken_away};
    const int fd = open_or_exit(direct_node);
    volatile uint32_t *registers = map_registers(fd);
    sigaction(SIGBUS, &action, NULL);
    place_long(fd, array, 16384, 8, &job); /* a cancel waits for 8 filters of all pixels */
    struct bdnn_ioc_launch launch = job.launch;
    check_error(ioctl(fd, BDNN_IOC_LAUNCH, &launch), 0, "a run of many seconds is launched");
    for (;;) {
        if (is_idle(registers)) {
            put(registers, BDNN_HW_REG_CONTROL, BDNN_HW_CONTROL_START);
        }
        usleep(1000);
    }
}
