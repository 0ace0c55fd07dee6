/* SPDX-License-Identifier: BSD-2-Clause */
/* The programmable logic of an emulated board: runs a compute unit of a device library (scripts/build-xclbin) as a
 * process beside QEMU. Its AXI masters reach the guest's memory, its registers are the guest's through plugin.c, its
 * interrupt goes to the guest's interrupt controller through QEMU's qtest socket.
 *
 *   zynq_board LIBRARY MEMORY MAILBOX QTEST GIC INTERRUPT MEMORY_BASE REGISTERS POOL POOL_BYTES
 *
 * MEMORY is the file that backs the guest's memory from address MEMORY_BASE on; REGISTERS and POOL are guest addresses.
 * The unit may access the pool alone: anything else ends the process, and with it the guest's hope. The guest makes
 * things go wrong by a register that no real board has (board.h). On SIGTERM the process prints what it did, as one
 * line. */
#include "board.h"
#include "bdnn_hw.h"
#include "device.h"
#include "report.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

struct board {
    struct emu_simulation_options options;
    struct emu_fault_plan bus_faults;
    struct emu_device device; /* its memory is the guest's */
    struct emu_unit *unit;
    _Atomic uint32_t *page; /* the registers in it */
    uint32_t shown[2];      /* what the page was given for what a run changes by itself: control, interrupt status */
    struct board_mailbox *mailbox;
    int qtest;
    const char *gic, *interrupt;
    bool line, spurious;
    bool idle;       /* the unit, when it was last looked at: a store changes the page */
    uint32_t sticky; /* done and ready, until the guest has read them */
    bool renewed;    /* the page was changed while the processor ran: its next read may have come before */
    enum board_fault fault;
    uint64_t fault_run; /* the run that it is for */
    uint32_t hidden;    /* reads of the identity that still give 0 */
    struct timespec stuck_since;
    uint64_t runs, interrupts, accesses, cancels;
    uint64_t silent_runs; /* started while interrupts were off, as they are when nobody has the device */
};

static volatile sig_atomic_t ending;

static void end(int signal)
{
    (void)signal;
    ending = 1;
}

static void summarize(const struct board *b)
{
    printf("board: %" PRIu64 " runs, %" PRIu64 " interrupts, %" PRIu64 " register accesses, %" PRIu64
           " cancels, %" PRIu64 " silent runs, %s\n",
           b->runs, b->interrupts, b->accesses, b->cancels, b->silent_runs, b->idle ? "idle" : "running");
}

static uint32_t read_register(struct board *b, uint32_t offset)
{
    return b->unit->type->read(b->unit, offset);
}

/* Whether this run is the one that a fault of this kind is for. */
static bool fault_now(const struct board *b, enum board_fault kind)
{
    return b->fault == kind && b->runs == b->fault_run;
}

/* ---- What the guest sees ---- */

static void set_line(struct board *b, bool level)
{
    char text[256];
    if (level == b->line) {
        return;
    }
    const int bytes = snprintf(text, sizeof text, "set_irq_in %s unnamed-gpio-in %s %d\n", b->gic, b->interrupt, level);
    if (write(b->qtest, text, (size_t)bytes) != bytes || read(b->qtest, text, sizeof text) < 2 ||
        strncmp(text, "OK", 2) != 0) {
        emu_fault("QEMU does not take the interrupt");
    }
    b->interrupts += level;
    b->line = level;
}

/* Registers from `first` on: all but control, or those of a run's end. */
static void renew_page(struct board *b, uint32_t first)
{
    for (uint32_t offset = first; offset <= BDNN_HW_REG_FEATURES; offset += 4) {
        b->page[offset / 4] = b->hidden && offset == BDNN_HW_REG_IDENTITY ? 0 : read_register(b, offset);
    }
}

/* While the processor runs, too, which may have stored in the page what its mailbox will say in a moment: that must not
 * be lost. */
static void show(struct board *b, unsigned which, uint32_t offset, uint32_t value)
{
    uint32_t expected = b->shown[which];
    if (atomic_compare_exchange_strong(&b->page[offset / 4], &expected, value)) {
        b->shown[which] = value;
    }
}

/* What changes in a run, after some cycles of it. Looking at control clears done and ready, which stay in the page
 * until the guest has read them. */
static void renew_control(struct board *b)
{
    const uint32_t control = b->unit->type->poll(b->unit);
    b->idle = control & AP_IDLE;
    b->sticky |= control & (AP_DONE | AP_READY);
    show(b, 0, AP_CONTROL, control | b->sticky);
    show(b, 1, BDNN_HW_REG_INTERRUPT_STATUS, read_register(b, BDNN_HW_REG_INTERRUPT_STATUS));
    if (control & AP_DONE) {
        renew_page(b, BDNN_HW_REG_ENDING);
    }
}

static void renew_line(struct board *b)
{
    set_line(b, b->spurious ||
                    ((b->page[BDNN_HW_REG_GLOBAL_INTERRUPT / 4] & BDNN_HW_GLOBAL_INTERRUPT_ENABLE) && b->shown[1]));
}

static void begin_run(struct board *b)
{
    b->page[BOARD_RUNS_REGISTER / 4] = (uint32_t)++b->runs;
    b->silent_runs += !(b->page[BDNN_HW_REG_GLOBAL_INTERRUPT / 4] & BDNN_HW_GLOBAL_INTERRUPT_ENABLE);
    clock_gettime(CLOCK_MONOTONIC, &b->stuck_since);
    if (fault_now(b, BOARD_SPURIOUS)) {
        b->spurious = true; /* until the guest has looked for its cause */
    } else if (fault_now(b, BOARD_ERROR)) {
        b->bus_faults.response = AXI_SLVERR;
        b->bus_faults.burst_at = b->bus_faults.bursts + 1;
    }
}

static bool is_stuck(const struct board *b)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return fault_now(b, BOARD_STUCK) &&
           (now.tv_sec - b->stuck_since.tv_sec) * 1000 + (now.tv_nsec - b->stuck_since.tv_nsec) / 1000000 <
               BOARD_STUCK_MS;
}

/* In the middle of a run. */
static void die_if_asked(const struct board *b)
{
    if (fault_now(b, BOARD_DIES) && !b->idle) {
        printf("board: dies, as asked\n");
        summarize(b);
        fflush(stdout);
        _exit(3);
    }
}

static void run_some(struct board *b)
{
    die_if_asked(b);
    if (is_stuck(b)) {
        usleep(1000);
        return;
    }
    renew_control(b);
    if (b->idle) {
        b->renewed = true;
        renew_line(b);
    }
}

static void store(struct board *b, uint32_t offset, uint32_t value)
{
    if (offset == BOARD_FAULT_REGISTER) {
        b->fault = (enum board_fault)(value & 0xff);
        b->fault_run = b->runs + (value >> 8);
        b->hidden = b->fault == BOARD_IDENTITY ? value >> 8 : 0;
        b->page[BDNN_HW_REG_IDENTITY / 4] = b->hidden ? 0 : read_register(b, BDNN_HW_REG_IDENTITY);
        return;
    }
    if (is_stuck(b)) {
        return;
    }
    if (offset == AP_CONTROL && value & AP_START && b->idle) {
        begin_run(b);
    }
    b->cancels += offset == AP_CONTROL && value & BDNN_HW_CONTROL_CANCEL;
    b->unit->type->write(b->unit, offset, value);
}

/* The processor waits. The page holds what it has read, or what it has written. */
static void serve(struct board *b)
{
    const uint32_t offset = b->mailbox->offset & ~3u;
    b->accesses++;
    /* No store is under way but this one, whose value serve takes from the page. */
    b->shown[0] = b->page[AP_CONTROL / 4];
    b->shown[1] = b->page[BDNN_HW_REG_INTERRUPT_STATUS / 4];
    die_if_asked(b); /* here too: whoever polls without a pause leaves no time in between */
    if (b->mailbox->store) {
        store(b, offset, b->page[offset / 4]);
    } else if (offset == AP_CONTROL && !b->renewed) {
        b->sticky = 0;
    } else if (offset == BDNN_HW_REG_INTERRUPT_STATUS) {
        b->spurious = false;
    } else if (offset == BDNN_HW_REG_IDENTITY && b->hidden && --b->hidden == 0) {
        b->page[offset / 4] = read_register(b, offset);
    }
    b->renewed = false;
    if (is_stuck(b)) {
        b->page[0] = b->shown[0] = b->idle = 0;
        return;
    }
    if (b->mailbox->store ? offset <= BDNN_HW_REG_INTERRUPT_STATUS
                          : offset == AP_CONTROL || offset == BDNN_HW_REG_INTERRUPT_STATUS) {
        renew_control(b);
    }
    renew_line(b);
}

static void work(struct board *b)
{
    uint32_t served = atomic_load(&b->mailbox->reply);
    while (!ending) {
        const uint32_t request = atomic_load(&b->mailbox->request);
        if (request != served) {
            serve(b);
            served = request;
            board_post(&b->mailbox->reply, request);
        } else if (!b->idle) {
            run_some(b);
        } else {
            board_wait(&b->mailbox->request, request, 100);
        }
    }
}

/* ---- Setting up ---- */

/* A file, where `at` says or anywhere. Ends the process with a message. */
static void *map_file(const char *path, void *at)
{
    struct stat file;
    const int fd = open(path, O_RDWR);
    void *memory;
    if (fd < 0 || fstat(fd, &file) != 0) {
        perror(path);
        exit(1);
    }
    memory = mmap(at, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED | (at ? MAP_FIXED : 0), fd, 0);
    close(fd);
    if (memory == MAP_FAILED) {
        perror(path);
        exit(1);
    }
    return memory;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

/* The device's memory, which is reserved and no more, becomes the guest's; the pool is its only buffer. */
static void open_device(struct board *b, const char *library, const char *guest, uint64_t guest_base)
{
    b->options = emu_simulation_defaults();
    b->device = (struct emu_device){.options = &b->options, .faults = &b->bus_faults};
    if (!emu_device_load(&b->device, library)) {
        exit(1);
    }
    if (b->device.units.count < 1 || guest_base < b->device.memory.base) {
        emu_fault("no compute unit, or a memory that cannot be the guest's, in %s", library);
    }
    b->unit = b->device.units.unit[0];
    map_file(guest, b->device.memory.bytes + (guest_base - b->device.memory.base));
}

int main(int argc, char **argv)
{
    static struct board b;
    if (argc < 11) {
        fprintf(stderr, "board: see the head of board.c for the arguments\n");
        return 1;
    }
    signal(SIGTERM, end);
    open_device(&b, argv[1], argv[2], strtoull(argv[7], NULL, 0));
    b.page = (_Atomic uint32_t *)(void *)(b.device.memory.bytes + (strtoull(argv[8], NULL, 0) - b.device.memory.base));
    if (!emu_memory_allocate(&b.device.memory, strtoull(argv[9], NULL, 0), strtoull(argv[10], NULL, 0))) {
        emu_fault("the pool is not within the memory");
    }
    b.mailbox = map_file(argv[3], NULL);
    b.qtest = connect_to(argv[4]);
    b.gic = argv[5];
    b.interrupt = argv[6];
    renew_page(&b, BDNN_HW_REG_GLOBAL_INTERRUPT);
    renew_control(&b);
    printf("board: ready\n");
    fflush(stdout);
    work(&b);
    summarize(&b);
    return 0;
}
