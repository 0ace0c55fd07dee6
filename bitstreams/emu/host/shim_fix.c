/* SPDX-License-Identifier: BSD-2-Clause */
/* A wrapper around an emulation shim of XRT 2.13, loaded by XRT in the shim's place; the shim itself is what the
 * wrapper is linked with, and stays as the distribution ships it. When loaded, the wrapper redirects a few of that
 * shim's calls into the C library:
 *
 * - malloc, realloc, free: the shim's alloc_void() drops the result of realloc, so that its message buffer must not
 *   move. Blocks that it allocates get address space to grow in place.
 * - sleep: waits of 1 to 10 seconds in places where nothing is waited for become short.
 * - sigaction, fork, accept: the shim's handlers of crashes allocate memory and signal the whole process group. A
 * signal in the middle of its fork, which holds the allocator's locks, was seen to hang the program for ever. They are
 * not installed, a fork is not interrupted, and a device process that does not come is not waited for without end.
 * - connect, bind, accept: the folder of the socket must be this user's, and so must be the other end (trust.h): else
 * the host program ends with a message, or a stranger that connects is sent away. The socket is made for this user
 * alone.
 * - read, write: the shim loops for ever once the device process is gone. The wrapper checks the device's answers as
 *   they pass and waits for them for a bounded time; after that the device counts as lost.
 *
 * A lost device ends the host program with a message: XRT's interfaces have no way to tell it. With OPEN_EMU_LOST=ones
 * it answers nothing but ones instead (lost.h), for host programs that look. OPEN_EMU_TIMEOUT is the time for one
 * answer in seconds, 60 unless it is set. */
#include "lost.h"
#include "trust.h"
#include "wire.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef SHIM_NAME
#error "SHIM_NAME is the file name of the shim, for example libxrt_hwemu.so.2"
#endif

/* ---- Memory ---- */

/* Address space of a block, of which only what is used takes room. The largest message is a packet of 8 MiB, or what
 * xrt.ini says. */
#define RESERVED_BYTES ((size_t)512 << 20)
enum { MAX_BLOCKS = 64 };

/* Few: the shim allocates three for each device. Further ones come from malloc. */
static struct block {
    _Atomic(void *) start;
} blocks[MAX_BLOCKS];

static struct block *block_of(const void *pointer)
{
    for (int i = 0; pointer && i < MAX_BLOCKS; i++)
        if (atomic_load(&blocks[i].start) == pointer)
            return &blocks[i];
    return NULL;
}

static void *shim_malloc(size_t size)
{
    if (size > RESERVED_BYTES)
        return malloc(size);
    void *start =
        mmap(NULL, RESERVED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return malloc(size);
    for (int i = 0; i < MAX_BLOCKS; i++) {
        void *none = NULL;
        if (atomic_compare_exchange_strong(&blocks[i].start, &none, start))
            return start;
    }
    munmap(start, RESERVED_BYTES);
    return malloc(size);
}

static void shim_free(void *pointer)
{
    struct block *block = block_of(pointer);
    if (!block) {
        free(pointer);
        return;
    }
    atomic_store(&block->start, NULL); /* first: the address may be another block's at once */
    munmap(pointer, RESERVED_BYTES);
}

static void *shim_realloc(void *pointer, size_t size)
{
    if (!block_of(pointer))
        return realloc(pointer, size);
    if (size <= RESERVED_BYTES)
        return pointer;
    fprintf(stderr, "open_emu: a message of %zu bytes; set a smaller packet_size in xrt.ini\n", size);
    _exit(EXIT_FAILURE);
}

/* ---- Waiting ---- */

static unsigned shim_sleep(unsigned seconds)
{
    (void)seconds;
    const struct timespec pause = {.tv_nsec = 1000000};
    nanosleep(&pause, NULL);
    return 0;
}

/* ---- The device's answers ---- */

enum { ANSWER_HEADER = 9 };

static unsigned setting(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    unsigned long value = text ? strtoul(text, NULL, 10) : 0;
    return value > 0 && value < 1000000 ? (unsigned)value : otherwise;
}

static bool wait_for_input(int fd, unsigned seconds)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int polled;
    do
        polled = poll(&ready, 1, (int)seconds * 1000);
    while (polled < 0 && errno == EINTR);
    return polled != 0;
}

static atomic_bool device_is_lost;

/* Returns where the host program is to go on. */
static void lose_device(const char *why)
{
    const char *then = getenv("OPEN_EMU_LOST");
    if (!atomic_exchange(&device_is_lost, true))
        fprintf(stderr, "open_emu: the emulated device is lost: %s\n", why);
    if (!then || strcmp(then, "ones") != 0)
        _exit(EXIT_FAILURE);
}

/* The shim reads an answer as its header and then the rest, each with one call or, when parts come, several. */
static _Thread_local struct stream {
    size_t header_left, body_left, body_size;
    uint8_t header[ANSWER_HEADER];
} stream = {.header_left = ANSWER_HEADER};

/* Both return NULL, or what is wrong with an answer. */
static const char *follow_header(const uint8_t *bytes, size_t size)
{
    memcpy(stream.header + ANSWER_HEADER - stream.header_left, bytes, size);
    stream.header_left -= size;
    if (stream.header_left)
        return NULL;
    uint64_t length = 0;
    for (int i = 8; i >= 1; i--)
        length = length << 8 | stream.header[i];
    if (stream.header[0] != 0x09 || length > RESERVED_BYTES)
        return "its answer is none of the protocol";
    stream.body_left = stream.body_size = (size_t)length;
    if (!length)
        stream.header_left = ANSWER_HEADER;
    return NULL;
}

static bool is_message(const uint8_t *bytes, size_t size)
{
    struct wire_reader reader = wire_read(bytes, size);
    struct wire_field field;
    while (wire_next(&reader, &field))
        ;
    return !reader.broken;
}

/* A long body comes in parts; only what came at once is checked. */
static const char *follow_body(const uint8_t *bytes, size_t size)
{
    stream.body_left -= size < stream.body_left ? size : stream.body_left;
    if (stream.body_left)
        return NULL;
    stream.header_left = ANSWER_HEADER;
    return size == stream.body_size && !is_message(bytes, size) ? "its answer is no message" : NULL;
}

/* Whose socket it is: the one of requests and answers, the one by which a device asks for host memory (its thread waits
 * for as long as the device lives), or none. */
enum socket_kind { SOCKET_OTHER, SOCKET_ANSWERS, SOCKET_HOST_MEMORY };

static enum socket_kind kind_of(int fd)
{
    struct sockaddr_un here = {0}, there = {0};
    socklen_t here_size = sizeof here - 1, there_size = sizeof there - 1;
    if (getsockname(fd, (struct sockaddr *)&here, &here_size) != 0 || here.sun_family != AF_UNIX)
        return SOCKET_OTHER;
    getpeername(fd, (struct sockaddr *)&there, &there_size);
    bool host_memory = strstr(here.sun_path, "D2X_unix_sock") || strstr(there.sun_path, "D2X_unix_sock");
    return host_memory ? SOCKET_HOST_MEMORY : SOCKET_ANSWERS;
}

/* ---- The device's start ---- */

/* Crashes, and in sw_emu also SIGUSR1 and SIGCHLD; the shims handle nothing else. */
static int shim_sigaction(int number, const struct sigaction *action, struct sigaction *before)
{
    return action ? 0 : sigaction(number, NULL, before);
}

/* The child inherits the mask, and what it executes would. */
static pid_t shim_fork(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    int failure = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failure;
    return child;
}

/* ---- Who is at the other end ---- */

static _Noreturn void refuse(const struct emu_doubt *doubt)
{
    fprintf(stderr, "open_emu: no emulated device: %s\n", doubt->text);
    _exit(EXIT_FAILURE);
}

static void check_folder_of(const struct sockaddr *address)
{
    struct sockaddr_un place;
    struct emu_doubt doubt;
    if (address->sa_family != AF_UNIX)
        return;
    memcpy(&place, address, sizeof place); /* the shim passes the whole structure */
    place.sun_path[sizeof place.sun_path - 1] = '\0';
    char *slash = strrchr(place.sun_path, '/');
    if (!slash)
        return;
    *slash = '\0';
    if (!emu_trust_folder(place.sun_path, EMU_FOLDER_READABLE, &doubt))
        refuse(&doubt);
}

static int shim_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    struct emu_doubt doubt;
    check_folder_of(address);
    int result = connect(fd, address, size);
    if (result == 0 && address->sa_family == AF_UNIX && !emu_trust_peer(fd, &doubt))
        refuse(&doubt);
    return result;
}

/* The socket's file gets the permissions that the descriptor has. */
static int shim_bind(int fd, const struct sockaddr *address, socklen_t size)
{
    check_folder_of(address);
    if (address->sa_family == AF_UNIX && fchmod(fd, 0600) != 0)
        return -1;
    return bind(fd, address, size);
}

enum { MIN_START_SECONDS = 60 };

/* The thread that waits for a device to ask for host memory may wait: not every device does. */
static int shim_accept(int fd, struct sockaddr *address, socklen_t *size)
{
    struct emu_doubt doubt;
    enum socket_kind kind = kind_of(fd);
    unsigned seconds = setting("OPEN_EMU_TIMEOUT", MIN_START_SECONDS);
    for (;;) {
        if (kind == SOCKET_ANSWERS && !wait_for_input(fd, seconds < MIN_START_SECONDS ? MIN_START_SECONDS : seconds)) {
            fprintf(stderr, "open_emu: the device process did not start\n");
            _exit(EXIT_FAILURE);
        }
        int peer = accept(fd, address, size);
        if (peer < 0 || kind == SOCKET_OTHER || emu_trust_peer(peer, &doubt))
            return peer;
        fprintf(stderr, "open_emu: refused: %s\n", doubt.text);
        close(peer);
    }
}

/* The end of the stream becomes the request that ends the thread. */
static ssize_t read_host_memory(int fd, uint8_t *bytes, size_t size)
{
    static const uint8_t end[] = {0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x15, 1, 0, 0, 0};
    ssize_t got = read(fd, bytes, size);
    if (got != 0 || size != sizeof end)
        return got;
    memcpy(bytes, end, sizeof end);
    return (ssize_t)size;
}

/* From the device: -1 when that is lost, and the answer is where it was. */
static ssize_t receive_answer(int fd, uint8_t *bytes, size_t size)
{
    const struct stream before = stream;
    const char *wrong = NULL;
    ssize_t got = 0;
    if (!wait_for_input(fd, setting("OPEN_EMU_TIMEOUT", 60))) {
        wrong = "it does not answer within OPEN_EMU_TIMEOUT";
    } else {
        got = read(fd, bytes, size);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            got = read(fd, bytes, size);
        if (got <= 0)
            wrong = "its process has ended";
        else if (stream.header_left)
            wrong = follow_header(bytes, (size_t)got < stream.header_left ? (size_t)got : stream.header_left);
        else
            wrong = follow_body(bytes, (size_t)got);
    }
    if (!wrong)
        return got;
    lose_device(wrong);
    shutdown(fd, SHUT_RDWR); /* a device process that still lives ends then; the shim waits for it when it closes */
    stream = before;
    return -1;
}

static ssize_t read_answer(int fd, uint8_t *bytes, size_t size)
{
    if (!atomic_load(&device_is_lost)) {
        ssize_t got = receive_answer(fd, bytes, size);
        if (got >= 0)
            return got;
    }
    size_t ones = lost_read(bytes, size);
    if (ones)
        return (ssize_t)ones;
    if (!lost_prepare_answer(stream.header_left, stream.body_left, stream.body_size)) {
        fprintf(stderr, "open_emu: the device is lost in the middle of an answer\n");
        _exit(EXIT_FAILURE);
    }
    stream.header_left = ANSWER_HEADER;
    return (ssize_t)lost_read(bytes, size);
}

static ssize_t shim_read(int fd, void *buffer, size_t size)
{
    enum socket_kind kind = size ? kind_of(fd) : SOCKET_OTHER;
    if (kind == SOCKET_ANSWERS)
        return read_answer(fd, buffer, size);
    return kind == SOCKET_HOST_MEMORY ? read_host_memory(fd, buffer, size) : read(fd, buffer, size);
}

/* A request to a lost device goes nowhere; the C library's write would end the program by SIGPIPE without a word. */
static ssize_t shim_write(int fd, const void *buffer, size_t size)
{
    if (kind_of(fd) != SOCKET_ANSWERS)
        return write(fd, buffer, size);
    if (!atomic_load(&device_is_lost)) {
        ssize_t sent = send(fd, buffer, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EPIPE && errno != ECONNRESET)
            return sent;
        if (sent >= 0)
            size = (size_t)sent;
        else
            lose_device("its process has ended");
    }
    lost_follow_request(buffer, size);
    return (ssize_t)size;
}

/* ---- Redirection ---- */

static const struct {
    const char *name;
    void *function;
} redirections[] = {
    {"malloc", (void *)shim_malloc}, {"realloc", (void *)shim_realloc}, {"free", (void *)shim_free},
    {"sleep", (void *)shim_sleep},   {"read", (void *)shim_read},       {"write", (void *)shim_write},
    {"fork", (void *)shim_fork},     {"accept", (void *)shim_accept},   {"sigaction", (void *)shim_sigaction},
    {"bind", (void *)shim_bind},     {"connect", (void *)shim_connect},
};

struct tables {
    const ElfW(Sym) * symbols;
    const char *names;
    const ElfW(Rela) * entries;
    size_t entry_count;
};

static struct tables tables_of(const ElfW(Dyn) * dynamic)
{
    struct tables tables = {0};
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_SYMTAB)
            tables.symbols = (const ElfW(Sym) *)dynamic->d_un.d_ptr;
        else if (dynamic->d_tag == DT_STRTAB)
            tables.names = (const char *)dynamic->d_un.d_ptr;
        else if (dynamic->d_tag == DT_JMPREL)
            tables.entries = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
        else if (dynamic->d_tag == DT_PLTRELSZ)
            tables.entry_count = dynamic->d_un.d_val / sizeof(ElfW(Rela));
    }
    return tables;
}

/* The slot lies in a page that the loader has made read-only. */
static void redirect(void **slot, void *function)
{
    uintptr_t page = (uintptr_t)slot & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    size_t size = (uintptr_t)slot + sizeof *slot - page;
    if (mprotect((void *)page, size, PROT_READ | PROT_WRITE) != 0) {
        fprintf(stderr, "open_emu: cannot redirect a call of " SHIM_NAME ": %s\n", strerror(errno));
        return;
    }
    *slot = function;
    mprotect((void *)page, size, PROT_READ);
}

#ifdef __aarch64__
enum { JUMP_SLOT = R_AARCH64_JUMP_SLOT };
#else
enum { JUMP_SLOT = R_X86_64_JUMP_SLOT };
#endif

/* Of the two libraries of that file name, the shim is the one that has calls to redirect. */
static int visit(struct dl_phdr_info *object, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    const char *name = strrchr(object->dlpi_name, '/');
    if (strcmp(name ? name + 1 : object->dlpi_name, SHIM_NAME) != 0)
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        struct tables tables = tables_of((const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr));
        /* The wrapper itself: its calls must stay. */
        if ((void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr) == (void *)_DYNAMIC)
            return 0;
        if (!tables.symbols || !tables.names || !tables.entries)
            continue;
        for (size_t k = 0; k < tables.entry_count; k++) {
            const ElfW(Rela) *entry = &tables.entries[k];
            const char *symbol = tables.names + tables.symbols[ELF64_R_SYM(entry->r_info)].st_name;
            for (size_t r = 0; r < sizeof redirections / sizeof redirections[0]; r++)
                if (ELF64_R_TYPE(entry->r_info) == JUMP_SLOT && strcmp(symbol, redirections[r].name) == 0)
                    redirect((void **)(object->dlpi_addr + entry->r_offset), redirections[r].function);
        }
    }
    return 0;
}

/* Where the shim is going to put its sockets: it would make the folder open to whomever the umask lets in. What is
 * wrong with one that is there is said when it is used. */
static void make_socket_folder(void)
{
    char folder[sizeof((struct sockaddr_un *)NULL)->sun_path];
    struct emu_doubt doubt;
    const char *user = getenv("USER");
    if (user && *user && snprintf(folder, sizeof folder, "/tmp/%s", user) < (int)sizeof folder)
        emu_trust_new_folder(folder, EMU_FOLDER_READABLE, &doubt);
}

__attribute__((constructor)) static void redirect_shim(void)
{
    make_socket_folder();
    dl_iterate_phdr(visit, NULL);
}
