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
#include "axi/axi_lite.h"
#include "axi/axi_memory.h"

#include <dlfcn.h>
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

enum {
    LAST_REGISTER = 0x200,
    CONTROL = 0,
    GLOBAL_INTERRUPT = 4,
    INTERRUPT_STATUS = 12,
    START = 1,
    DONE = 2,
    IDLE = 4,
    READY = 8
};

#define CYCLES_AT_ONCE 200 /* of a running unit between two looks at the mailbox and at its interrupt */

struct board {
    const struct open_emu_instance *instance;
    const struct open_emu_model *functions;
    void *model;
    struct open_emu_pins pins;
    struct axi_lite_host lite;
    struct axi_memory port[OPEN_EMU_MOST_PORTS];
    uint8_t *memory; /* of the guest */
    uint64_t memory_base, pool, pool_bytes;
    volatile uint32_t *page; /* the registers in it */
    struct board_mailbox *mailbox;
    int qtest;
    const char *gic, *interrupt;
    bool line, spurious;
    uint32_t sticky; /* done and ready, until the guest has read them */
    bool renewed;    /* the page was changed while the processor ran: its next read may have come before */
    enum board_fault fault;
    uint64_t fault_run; /* the run that it is for */
    struct timespec stuck_since;
    uint64_t runs, cycles, interrupts, accesses;
};

static volatile sig_atomic_t ending;

static void end(int signal)
{
    (void)signal;
    ending = 1;
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "board: %s\n", what);
    exit(1);
}

static void model_fault(const char *name, const char *what)
{
    fprintf(stderr, "board: %s: %s\n", name, what);
    exit(1);
}

static void summarise(const struct board *b)
{
    printf("board: %" PRIu64 " runs, %" PRIu64 " cycles, %" PRIu64 " interrupts, %" PRIu64 " register accesses\n",
           b->runs, b->cycles, b->interrupts, b->accesses);
}

/* ---- The unit
 * ----------------------------------------------------------------------------------------------------------------- */

/* Whether this run is the one that a fault of this kind is for. */
static bool fault_now(const struct board *b, enum board_fault kind)
{
    return b->fault == kind && b->runs == b->fault_run;
}

static struct axi_place place(void *context, uint64_t address, uint64_t bytes, bool write)
{
    struct board *b = context;
    struct axi_place found = {.response = AXI_OKAY};
    (void)write;
    if (address >= b->pool && bytes <= b->pool_bytes && address - b->pool <= b->pool_bytes - bytes) {
        found.bytes = b->memory + (address - b->memory_base);
        found.room = bytes;
        if (fault_now(b, BOARD_ERROR)) {
            found.response = AXI_SLVERR;
        }
    }
    return found;
}

static void violation(void *context, const char *what, uint64_t address)
{
    (void)context;
    fprintf(stderr, "board: %s, address 0x%" PRIx64 "\n", what, address);
    exit(1);
}

/* One cycle; true when a register access ends with it. */
static bool cycle(struct board *b, bool access)
{
    bool ended = false;
    if (access) {
        axi_lite_drive(&b->lite);
    }
    for (uint32_t p = 0; p < b->functions->port_count; p++) {
        axi_memory_drive(&b->port[p]);
    }
    b->functions->settle(b->model, &b->pins);
    for (uint32_t p = 0; p < b->functions->port_count; p++) {
        axi_memory_sample(&b->port[p]);
    }
    if (access) {
        ended = axi_lite_sample(&b->lite);
    }
    b->functions->edge(b->model);
    b->cycles++;
    return ended;
}

static void finish_access(struct board *b)
{
    for (int i = 0; !cycle(b, true); i++) {
        if (i > 10000) {
            fail("a register does not answer");
        }
    }
    b->pins.control.bready = b->pins.control.rready = 0;
}

static uint32_t read_register(struct board *b, uint32_t offset)
{
    axi_lite_read(&b->lite, offset);
    finish_access(b);
    return b->pins.control.rdata;
}

static void write_register(struct board *b, uint32_t offset, uint32_t value)
{
    axi_lite_write(&b->lite, offset, value, 15);
    finish_access(b);
}

static void start_model(struct board *b)
{
    const struct axi_backing backing = {b, place, violation};
    b->model = b->functions->create(b->instance->name, model_fault);
    if (!b->model) {
        fail("no memory for the model");
    }
    axi_lite_init(&b->lite, &b->pins.control, 100, 1);
    for (uint32_t p = 0; p < b->functions->port_count; p++) {
        axi_memory_init(&b->port[p], &b->pins.port[p], b->functions->ports[p].bits / 8, &backing, NULL, p + 1);
        b->port[p].timing = (struct axi_timing){20, 30, 100, 100};
    }
    b->pins.reset_n = 0;
    for (int i = 0; i < 8; i++) {
        cycle(b, false);
    }
    b->pins.reset_n = 1;
    cycle(b, false);
}

/* ---- What the guest sees
 * ----------------------------------------------------------------------------------------------------- */

static void set_line(struct board *b, bool level)
{
    char text[256];
    if (level == b->line) {
        return;
    }
    const int bytes = snprintf(text, sizeof text, "set_irq_in %s unnamed-gpio-in %s %d\n", b->gic, b->interrupt, level);
    if (write(b->qtest, text, (size_t)bytes) != bytes || read(b->qtest, text, sizeof text) < 2 ||
        strncmp(text, "OK", 2) != 0) {
        fail("QEMU does not take the interrupt");
    }
    b->interrupts += level;
    b->line = level;
}

/* What changes in a run. Reading control clears done and ready, which stay in the page until the guest has read them.
 */
static void renew_control(struct board *b)
{
    const uint32_t control = read_register(b, CONTROL);
    b->sticky |= control & (DONE | READY);
    b->page[0] = control | b->sticky;
    b->page[INTERRUPT_STATUS / 4] = read_register(b, INTERRUPT_STATUS);
}

/* All of the page, as the unit has it now. */
static void renew_page(struct board *b)
{
    for (uint32_t offset = 4; offset < LAST_REGISTER; offset += 4) {
        b->page[offset / 4] = read_register(b, offset);
    }
    renew_control(b);
}

static void renew_line(struct board *b)
{
    set_line(b, b->spurious || ((b->page[GLOBAL_INTERRUPT / 4] & 1) && b->page[INTERRUPT_STATUS / 4]));
}

static bool running(const struct board *b)
{
    return !(b->page[0] & IDLE);
}

static void begin_run(struct board *b)
{
    b->runs++;
    clock_gettime(CLOCK_MONOTONIC, &b->stuck_since);
    if (fault_now(b, BOARD_SPURIOUS)) {
        b->spurious = true; /* until the guest has looked for its cause */
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

static void run_some(struct board *b)
{
    if (is_stuck(b)) {
        usleep(1000);
        return;
    }
    for (int i = 0; i < CYCLES_AT_ONCE; i++) {
        cycle(b, false);
    }
    if (fault_now(b, BOARD_DIES)) {
        printf("board: dies, as asked\n");
        summarise(b);
        fflush(stdout);
        _exit(3);
    }
    if (read_register(b, INTERRUPT_STATUS) & ~b->page[INTERRUPT_STATUS / 4]) {
        renew_page(b);
        b->renewed = true;
        renew_line(b);
    }
}

static void store(struct board *b, uint32_t offset, uint32_t value)
{
    if (offset == BOARD_FAULT_REGISTER) {
        b->fault = (enum board_fault)(value & 0xff);
        b->fault_run = b->runs + (value >> 8);
        return;
    }
    if (is_stuck(b)) {
        return;
    }
    if (offset == CONTROL && value & START) {
        const uint32_t control = read_register(b, CONTROL);
        b->sticky |= control & (DONE | READY);
        if (control & IDLE) {
            begin_run(b);
        }
    }
    write_register(b, offset, value);
}

/* The processor waits. The page holds what it has read, or what it has written. */
static void serve(struct board *b)
{
    const uint32_t offset = b->mailbox->offset & ~3u;
    const bool was_running = running(b);
    b->accesses++;
    if (b->mailbox->store) {
        store(b, offset, b->page[offset / 4]);
    } else if (offset == CONTROL && !b->renewed) {
        b->sticky = 0;
    } else if (offset == INTERRUPT_STATUS) {
        b->spurious = false;
    }
    b->renewed = false;
    if (is_stuck(b)) {
        b->page[0] = 0;
        return;
    }
    if (b->mailbox->store ? offset <= INTERRUPT_STATUS : offset == CONTROL || offset == INTERRUPT_STATUS) {
        renew_control(b);
    }
    if (was_running && !running(b)) {
        renew_page(b);
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
        } else if (running(b)) {
            run_some(b);
        } else {
            board_wait(&b->mailbox->request, request, 100);
        }
    }
}

/* ---- Setting up
 * -------------------------------------------------------------------------------------------------------------- */

static void *map_file(const char *path)
{
    struct stat file;
    const int fd = open(path, O_RDWR);
    void *memory;
    if (fd < 0 || fstat(fd, &file) != 0) {
        perror(path);
        exit(1);
    }
    memory = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
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

static void open_unit(struct board *b, const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct open_emu_device *device = library ? dlsym(library, OPEN_EMU_DEVICE_SYMBOL) : NULL;
    if (!device) {
        fail(dlerror());
    }
    if (device->abi != OPEN_EMU_ABI || device->instance_count < 1 || !device->instances[0].kernel->model) {
        fail("no model of hardware in this library, or of another version");
    }
    b->instance = &device->instances[0];
    b->functions = b->instance->kernel->model;
}

int main(int argc, char **argv)
{
    static struct board b;
    if (argc < 11) {
        fail("see the head of board.c for the arguments");
    }
    signal(SIGTERM, end);
    b.memory_base = strtoull(argv[7], NULL, 0);
    b.pool = strtoull(argv[9], NULL, 0);
    b.pool_bytes = strtoull(argv[10], NULL, 0);
    b.memory = map_file(argv[2]);
    b.page = (volatile uint32_t *)(void *)(b.memory + (strtoull(argv[8], NULL, 0) - b.memory_base));
    b.mailbox = map_file(argv[3]);
    b.qtest = connect_to(argv[4]);
    b.gic = argv[5];
    b.interrupt = argv[6];
    open_unit(&b, argv[1]);
    start_model(&b);
    b.page[0] = 0;
    renew_page(&b);
    printf("board: ready\n");
    fflush(stdout);
    work(&b);
    summarise(&b);
    return 0;
}
