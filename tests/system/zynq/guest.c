/* SPDX-License-Identifier: BSD-2-Clause */
/* What runs in the emulated Zynq: the module of driver/ on jobs with known results, in both ways of access, and
 * everything that it must refuse or survive. Prints a line a check and, last, how many passed.
 *
 *   zynq_guest NODE DIRECT_NODE [CYCLES]
 *   zynq_guest NODE DIRECT_NODE dies        the accelerator goes away in the middle of a run; nothing works afterwards
 *   zynq_guest NODE DIRECT_NODE counts      prints the runs of the accelerator and the interrupts that the module took
 *   zynq_guest NODE DIRECT_NODE arm FAULT [RUN]         makes something go wrong (board.h)
 *   zynq_guest NODE DIRECT_NODE suspend     everything again across suspensions; needs /sys/class/rtc/rtc0
 *   zynq_guest NODE DIRECT_NODE random SEED SECONDS     calls in any order, from two threads
 *   zynq_guest NODE DIRECT_NODE forever     does not end; for what happens when the system does
 *   zynq_guest NODE DIRECT_NODE as USER GROUP PROGRAM [ARGUMENT...]         runs a program under these numbers
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

const char *node, *direct_node;
static unsigned passed, failed;

void check(bool good, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf(good ? "ok    " : "FAIL  ");
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
    va_end(arguments);
    passed += good;
    failed += !good;
}

void check_error(int result, int expected, const char *what)
{
    const int error = result < 0 ? errno : 0;
    check(error == expected, "%s: %s", what, error == expected ? strerrorname_np(expected) : strerrorname_np(error));
}

static void check_vectors(const bdnn_device_array *array, unsigned count)
{
    unsigned right = 0;
    int fd = open_or_exit(node);
    for (unsigned i = 0; i < count; i++) {
        right += run_vector(fd, NULL, array, i + 1);
    }
    check(right == count, "mediated: %u of %u test vectors equal the definition", right, count);
    close(fd);

    fd = open_or_exit(direct_node);
    volatile uint32_t *registers = map_registers(fd);
    right = 0;
    for (unsigned i = 0; i < count; i++) {
        right += run_vector(fd, registers, array, i + 1001);
    }
    check(right == count, "direct: %u of %u test vectors equal the definition", right, count);
    unmap_registers(registers);
    close(fd);
}

/* ---- What is refused ---- */

static void check_refusals(const bdnn_device_array *array)
{
    const int fd = open_or_exit(node);
    struct memory m;
    struct placed p;
    uint32_t handle = 77;
    check_error(open(node, O_RDWR), EBUSY, "a second process opens the device");
    check_error(open(direct_node, O_RDWR), EBUSY, "and its direct node");
    check_error(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0, EPERM,
                "registers mapped without the direct node");
    check_error(ioctl(fd, BDNN_IOC_FREE, &handle), ENOENT, "a handle that was never given is freed");
    check_error(allocate(fd, 0, 0, &m), EINVAL, "a buffer of 0 bytes");
    check_error(allocate(fd, info_of(fd).pool_bytes + 1, 0, &m), ENOSPC, "a buffer beyond the pool");
    if (allocate(fd, PAGE, 0, &m) == 0) {
        check(m.buffer.address == 0, "where a buffer is, is not told without the direct node");
        check_error(mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, (off_t)m.buffer.offset) == MAP_FAILED ? -1 : 0,
                    EINVAL, "a mapping larger than its buffer");
        m.data[0] = 42;
        check_error(ioctl(fd, BDNN_IOC_FREE, &m.buffer.handle), 0, "a buffer is freed while it is mapped");
        check(m.data[0] == 42, "its memory stays until it is unmapped");
        check_error(ioctl(fd, BDNN_IOC_FREE, &m.buffer.handle), ENOENT, "it is freed twice");
        check_error(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (off_t)m.buffer.offset) == MAP_FAILED ? -1 : 0, ENOENT,
                    "it is mapped again");
        munmap(m.data, m.buffer.bytes);
    }
    check(info_of(fd).pool_used == 0, "the pool is empty then");

    make_vector(&p.vector, array, 5);
    place(fd, &p, 5);
    struct bdnn_ioc_wait wait = {0};
    check_error(ioctl(fd, BDNN_IOC_WAIT, &wait), ENODATA, "waiting for nothing");
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        struct bdnn_ioc_launch launch = launch_of(&p, 0, 0);
        launch.offset[i] = p.part[i].buffer.bytes - 8;
        check_error(ioctl(fd, BDNN_IOC_LAUNCH, &launch), EFAULT, "a job that leaves its buffer");
        launch = launch_of(&p, 0, 0);
        launch.handle[i] = 999;
        check_error(ioctl(fd, BDNN_IOC_LAUNCH, &launch), ENOENT, "a job on a buffer that is not there");
    }
    struct bdnn_ioc_launch launch = launch_of(&p, 0, 0);
    launch.arguments[(BDNN_HW_REG_TAP_STEP - BDNN_HW_REG_ARGUMENTS) / 4] += 8;
    check_error(ioctl(fd, BDNN_IOC_LAUNCH, &launch), EINVAL, "a job whose steps are not those of its image");
    unplace(fd, &p);
    close(fd);
}

static void check_direct_mapping(void)
{
    const int fd = open_or_exit(direct_node);
    const size_t bytes = info_of(fd).register_bytes;
    check_error(mmap(NULL, bytes + PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0, EINVAL,
                "more than the registers is mapped");
    struct memory m;
    check(allocate(fd, PAGE, 0, &m) == 0 && m.buffer.address > 0, "the direct node tells where a buffer is");
    close(fd);
    munmap(m.data, PAGE);
}

static void check_pool(void)
{
    const int fd = open_or_exit(node);
    const uint64_t pool = info_of(fd).pool_bytes;
    struct memory m[64];
    unsigned count = 0;
    while (count < 64 && allocate(fd, pool / 16, 0, &m[count]) == 0) {
        count++;
    }
    check(errno == ENOSPC || errno == ENOMEM, "the pool is exhausted after %u of 16 parts: %s", count,
          strerrorname_np(errno));
    for (unsigned i = 0; i < count; i++) {
        release(fd, &m[i]);
    }
    check(info_of(fd).pool_used == 0, "and can be had again");
    close(fd);
}

static void check_limit(void)
{
    const int fd = open_or_exit(node);
    struct bdnn_ioc_buffer buffer = {.bytes = PAGE};
    unsigned count = 0;
    while (count < 65536 && ioctl(fd, BDNN_IOC_ALLOCATE, &buffer) == 0) {
        buffer = (struct bdnn_ioc_buffer){.bytes = PAGE};
        count++;
    }
    check(errno == EMFILE && count == 1024, "%u buffers are had, then no more: %s", count, strerrorname_np(errno));
    close(fd);
}

/* The whole pool was a process's that wrote to it. QEMU has no cache in which this could stay; tests/driver has. */
static void check_former_owner(void)
{
    uint64_t seen = 0;
    for (uint32_t flags = 0; flags <= BDNN_BUFFER_CACHED; flags++) {
        struct memory m = {.data = NULL};
        int fd = open_or_exit(node);
        const uint64_t half = info_of(fd).pool_bytes / 2;
        if (allocate(fd, half, BDNN_BUFFER_CACHED - flags, &m) != 0) {
            perror("half of the pool");
            exit(1);
        }
        memset(m.data, 0x5e, half);
        release(fd, &m);
        close(fd);
        fd = open_or_exit(node);
        if (allocate(fd, half, flags, &m) != 0) {
            perror("half of the pool, again");
            exit(1);
        }
        for (uint64_t i = 0; i < half; i++) {
            seen += m.data[i] != 0;
        }
        release(fd, &m);
        close(fd);
    }
    check(seen == 0, "%llu bytes of a former owner are seen", (unsigned long long)seen);
}

/* ---- Things that go wrong ---- */

void arm(enum board_fault fault, uint32_t run)
{
    const int fd = open_or_exit(direct_node);
    volatile uint32_t *registers = map_registers(fd);
    put(registers, BOARD_FAULT_REGISTER, BOARD_FAULT(fault, run));
    unmap_registers(registers);
    close(fd);
}

static void check_error_response(const bdnn_device_array *array)
{
    struct placed p;
    arm(BOARD_ERROR, 1);
    const int fd = open_or_exit(node);
    make_vector(&p.vector, array, 7);
    place(fd, &p, 7);
    const int ending = run_mediated(fd, &p, 0, 0);
    check(ending > 0 && (ending & BDNN_HW_ENDING_READ_ERROR), "a bus error ends the run with state %d", ending);
    check(run_mediated(fd, &p, 0, 0) == 0, "the next run is well");
    unplace(fd, &p);
    close(fd);
}

static void check_spurious(const bdnn_device_array *array)
{
    arm(BOARD_SPURIOUS, 1);
    const int fd = open_or_exit(node);
    const struct bdnn_ioc_state before = info_of(fd);
    check(run_vector(fd, NULL, array, 9), "a run with a spurious interrupt before it is right");
    const struct bdnn_ioc_state after = info_of(fd);
    check(after.spurious > before.spurious && after.interrupts - before.interrupts == after.launches - before.launches,
          "it is told apart: %u spurious", after.spurious - before.spurious);
    close(fd);
}

static void nothing(int signal)
{
    (void)signal;
}

static void check_stuck(const bdnn_device_array *array)
{
    struct placed p;
    arm(BOARD_STUCK, 1);
    const int fd = open_or_exit(node);
    make_vector(&p.vector, array, 11);
    place(fd, &p, 11);
    struct bdnn_ioc_launch launch = launch_of(&p, 0, 0);
    struct bdnn_ioc_wait wait = {.timeout_ms = 300};
    check_error(ioctl(fd, BDNN_IOC_LAUNCH, &launch), 0, "a run that hangs is launched");
    check_error(ioctl(fd, BDNN_IOC_LAUNCH, &launch), EBUSY, "another one at the same time");
    check_error(ioctl(fd, BDNN_IOC_FREE, &p.part[0].buffer.handle), EBUSY, "a buffer is freed meanwhile");
    check_error(ioctl(fd, BDNN_IOC_WAIT, &wait), ETIME, "it is waited for, for 0.3 s");
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, NULL);
    ualarm(200000, 0);
    wait.timeout_ms = 10000;
    check_error(ioctl(fd, BDNN_IOC_WAIT, &wait), EINTR, "a signal comes while it is waited for");
    check_error(ioctl(fd, BDNN_IOC_RESET, 0), EIO, "it does not take a reset");
    close(fd);
    check_error(open(node, O_RDWR), EBUSY, "with its buffers still mapped, it is not given to others");
    unplace_mappings(&p);
    check_error(open(node, O_RDWR), EIO, "nor while it runs on");
    int again = -1;
    for (int tries = 0; again < 0 && tries < 100; tries++) {
        usleep(100000);
        again = open(node, O_RDWR);
    }
    check(again >= 0, "when it is idle again, it is");
    check(again >= 0 && info_of(again).pool_used == 0, "and the buffers are free");
    check(again >= 0 && run_vector(again, NULL, array, 13), "the next run is right");
    close(again);
}

/* The child starts a run and dies; nothing may be written to its memory once that is somebody else's. */
static void check_killed(const bdnn_device_array *array, const char *path, unsigned tries)
{
    unsigned clean = 0;
    for (unsigned t = 0; t < tries; t++) {
        int started[2];
        uint8_t byte;
        if (pipe(started) != 0) {
            perror("pipe");
            exit(1);
        }
        const pid_t child = fork();
        if (child == 0) {
            struct placed p;
            const int fd = open_or_exit(path);
            make_vector(&p.vector, array, 17 + t);
            place(fd, &p, 0);
            struct bdnn_ioc_launch launch = launch_of(&p, 0, 0);
            byte = ioctl(fd, BDNN_IOC_LAUNCH, &launch) == 0;
            raise(write(started[1], &byte, 1) == 1 ? SIGKILL : SIGABRT);
        }
        close(started[1]);
        const bool launched = read(started[0], &byte, 1) == 1 && byte == 1;
        close(started[0]);
        waitpid(child, NULL, 0);
        const int fd = open(path, O_RDWR);
        struct memory all = {.data = NULL};
        const uint64_t half = fd >= 0 ? info_of(fd).pool_bytes / 2 : 0;
        if (launched && fd >= 0 && allocate(fd, half, 0, &all) == 0) {
            memset(all.data, 0x5a, half);
            usleep(20000);
            uint64_t changed = 0;
            for (uint64_t i = 0; i < half; i++) {
                changed += all.data[i] != 0x5a;
            }
            clean += changed == 0;
            release(fd, &all);
        }
        close(fd);
    }
    check(clean == tries, "killed in the middle of a run: %u of %u times the device was free and wrote nothing more",
          clean, tries);
}

static void check_fork(const bdnn_device_array *array)
{
    const int fd = open_or_exit(node);
    struct memory m;
    int status = -1;
    if (allocate(fd, PAGE, 0, &m) != 0) {
        perror("a buffer");
        exit(1);
    }
    const pid_t child = fork();
    if (child == 0) {
        m.data[1] = 1;
        _exit(0);
    }
    waitpid(child, &status, 0);
    check(WIFEXITED(status) && m.data[1] == 1, "a forked child shares the buffers");
    check(run_vector(fd, NULL, array, 15), "and its end does not end the device");
    release(fd, &m);
    close(fd);
}

/* KiB, by a name of /proc/meminfo. */
static long system_memory(const char *name)
{
    char line[128];
    long kib = -1;
    FILE *file = fopen("/proc/meminfo", "r");
    const size_t length = strlen(name);
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            kib = atol(line + length + 1);
        }
    }
    if (file) {
        fclose(file);
    }
    return kib;
}

/* A leak of one page a time, or of the module's smallest structure, is more than this for 10,000 times. */
#define MAX_KIB_LOST 768

static void check_cycles(const bdnn_device_array *array, unsigned cycles)
{
    unsigned right = 0;
    long unused = 0, slabs = 0;
    for (unsigned i = 0; i < cycles; i++) {
        if (i == cycles / 10) { /* what is allocated once has been */
            unused = system_memory("MemFree");
            slabs = system_memory("SUnreclaim");
        }
        const int fd = open(node, O_RDWR);
        right += fd >= 0 && run_vector(fd, NULL, array, 21);
        close(fd);
    }
    const int fd = open_or_exit(node);
    check(right == cycles && info_of(fd).pool_used == 0,
          "open, allocate, launch, free, close: %u of %u times, nothing left behind", right, cycles);
    close(fd);
    const long unused_after = system_memory("MemFree"), slabs_after = system_memory("SUnreclaim");
    check(unused - unused_after <= MAX_KIB_LOST && slabs_after - slabs <= MAX_KIB_LOST && unused > 0,
          "the kernel's memory: %ld KiB free before, %ld after; slabs %ld, %ld", unused, unused_after, slabs,
          slabs_after);
}

/* ---- A device that is lost ---- */

static void check_death(const bdnn_device_array *array)
{
    struct placed p;
    arm(BOARD_DIES, 1);
    const int fd = open_or_exit(node);
    make_vector(&p.vector, array, 5);
    place(fd, &p, 0);
    struct bdnn_ioc_launch launch = launch_of(&p, 0, 0);
    struct bdnn_ioc_wait wait = {.timeout_ms = 1000};
    check_error(ioctl(fd, BDNN_IOC_LAUNCH, &launch), 0, "a run is launched in which the accelerator dies");
    check_error(ioctl(fd, BDNN_IOC_WAIT, &wait), ETIME, "it is waited for, for 1 s");
    check_error(ioctl(fd, BDNN_IOC_RESET, 0), EIO, "it does not take a reset");
    close(fd);
    unplace_mappings(&p);
    check_error(open(node, O_RDWR), EIO, "it is opened again");
}

/* Runs of the hardware, and interrupts that the module took. */
static void print_counts(int fd)
{
    volatile uint32_t *registers = map_registers(fd);
    printf("%" PRIu32 " %" PRIu32 "\n", registers[BOARD_RUNS_REGISTER / 4], info_of(fd).interrupts);
    unmap_registers(registers);
}

static void arm_by_name(const char *name, const char *run)
{
    static const char *const names[] = {[BOARD_NO_FAULT] = "none",
                                        [BOARD_STUCK] = "stuck",
                                        [BOARD_ERROR] = "error",
                                        [BOARD_SPURIOUS] = "spurious",
                                        [BOARD_IDENTITY] = "identity"};
    for (unsigned f = 0; f < sizeof names / sizeof *names; f++) {
        if (names[f] && strcmp(names[f], name) == 0) {
            arm((enum board_fault)f, run ? (uint32_t)atoi(run) : 1);
            return;
        }
    }
    fprintf(stderr, "there is no fault '%s'\n", name);
    exit(1);
}

static int run_as(char **arguments)
{
    const gid_t group = (gid_t)atoi(arguments[1]);
    if (setgroups(1, &group) != 0 || setgid(group) != 0 || setuid((uid_t)atoi(arguments[0])) != 0) {
        perror("another user");
        return 1;
    }
    execvp(arguments[2], arguments + 2);
    perror(arguments[2]);
    return 1;
}

/* What the guest's scripts ask for, else false. */
static bool serve_scripts(int argc, char **argv, int *status)
{
    *status = 0;
    if (argc > 3 && strcmp(argv[3], "counts") == 0) {
        const int fd = open_or_exit(direct_node);
        print_counts(fd);
        close(fd);
    } else if (argc > 4 && strcmp(argv[3], "arm") == 0) {
        arm_by_name(argv[4], argv[5]);
    } else if (argc > 6 && strcmp(argv[3], "as") == 0) {
        *status = run_as(argv + 4);
    } else {
        return false;
    }
    return true;
}

/* What is a command of its own, else false. */
static bool check_alone(int argc, char **argv, const bdnn_device_array *array)
{
    if (strcmp(argv[3], "dies") == 0) {
        check_death(array);
    } else if (strcmp(argv[3], "suspend") == 0) {
        check_suspension(array);
    } else if (strcmp(argv[3], "random") == 0 && argc > 5) {
        check_random_calls(array, (unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]));
    } else if (strcmp(argv[3], "forever") == 0) {
        run_for_ever(array);
    } else {
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    const unsigned cycles = argc > 3 ? (unsigned)atoi(argv[3]) : 20;
    node = argv[1];
    direct_node = argv[2];
    int status;
    if (serve_scripts(argc, argv, &status)) {
        return status;
    }
    int fd = open_or_exit(direct_node);
    const bdnn_device_array array = array_of(fd);
    const struct bdnn_ioc_state before = info_of(fd);
    close(fd);
    if (argc > 3 && check_alone(argc, argv, &array)) {
        return failed > 0;
    }
    printf("array of %u x %u x %u bits, pool of %llu bytes\n", array.rows, array.columns, array.word_bits,
           (unsigned long long)before.pool_bytes);
    check_vectors(&array, 40);
    check_refusals(&array);
    check_direct_mapping();
    check_pool();
    check_limit();
    check_former_owner();
    check_fork(&array);
    check_error_response(&array);
    check_spurious(&array);
    check_killed(&array, node, 5);
    check_killed(&array, direct_node, 5);
    check_waiters(&array);
    check_failing_allocations(&array);
    check_cycles(&array, cycles);
    check_stuck(&array);
    printf("guest: %u passed, %u failed\n", passed, failed);
    return failed > 0;
}
