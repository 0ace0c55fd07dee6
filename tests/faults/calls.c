/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of the system that fail. A seccomp filter answers calls that deal with files by SIGSYS; its handler counts them
 * and either makes the call itself, from the one address that the filter lets through, or returns the error that it was
 * told to. */
#define _GNU_SOURCE
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static fault_state *_Atomic armed;

fault_state *fault_current(void)
{
    return atomic_load_explicit(&armed, memory_order_relaxed);
}

void fault_arm(fault_state *state)
{
    atomic_store(&armed, state);
}

bool fault_count(fault_state *state)
{
    const uint64_t number = atomic_fetch_add(&state->seen, 1) + 1;
    return number == state->wanted || (state->lasting && number > state->wanted);
}

/* ---- The processor ---- */

long fault_call(long number, const long argument[6]);
extern const char fault_call_returns[];

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
__asm__(".pushsection .text\n"
        ".globl fault_call, fault_call_returns\n"
        ".type fault_call, @function\n"
        "fault_call:\n"
        "mov %rdi, %rax\n"
        "mov %rsi, %r11\n"
        "mov (%r11), %rdi\n"
        "mov 8(%r11), %rsi\n"
        "mov 16(%r11), %rdx\n"
        "mov 24(%r11), %r10\n"
        "mov 32(%r11), %r8\n"
        "mov 40(%r11), %r9\n"
        "syscall\n"
        "fault_call_returns:\n"
        "ret\n"
        ".size fault_call, . - fault_call\n"
        ".popsection\n");

static void read_arguments(const ucontext_t *context, long argument[6])
{
    static const int at[6] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
    for (int i = 0; i < 6; i++) {
        argument[i] = (long)context->uc_mcontext.gregs[at[i]];
    }
}

static void set_result(ucontext_t *context, long result)
{
    context->uc_mcontext.gregs[REG_RAX] = result;
}
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
__asm__(".pushsection .text\n"
        ".globl fault_call, fault_call_returns\n"
        ".type fault_call, %function\n"
        "fault_call:\n"
        "mov x8, x0\n"
        "mov x9, x1\n"
        "ldp x0, x1, [x9]\n"
        "ldp x2, x3, [x9, 16]\n"
        "ldp x4, x5, [x9, 32]\n"
        "svc 0\n"
        "fault_call_returns:\n"
        "ret\n"
        ".size fault_call, . - fault_call\n"
        ".popsection\n");

static void read_arguments(const ucontext_t *context, long argument[6])
{
    for (int i = 0; i < 6; i++) {
        argument[i] = (long)context->uc_mcontext.regs[i];
    }
}

static void set_result(ucontext_t *context, long result)
{
    context->uc_mcontext.regs[0] = (unsigned long)result;
}
#else
#error "the registers of a call are not known for this processor"
#endif

/* ---- The calls ---- */

enum {
    READS = 1,    /* can be short: the third argument is a number of bytes */
    WRITES = 2,   /* so can these; and the disk can be full */
    FILLS = 4,    /* makes or finishes a file: the disk can be full */
    OPENS = 8,    /* can be interrupted */
    HANDLE = 16,  /* the first argument is a file descriptor */
    REMOVES = 32, /* a file, or lists a folder, which comes before its removal */
};

static const struct call {
    int number, what;
} calls[] = {
    {SYS_openat, OPENS},
    {SYS_read, READS | HANDLE},
    {SYS_pread64, READS | HANDLE},
    {SYS_readv, HANDLE},
    {SYS_write, WRITES | HANDLE},
    {SYS_pwrite64, WRITES | HANDLE},
    {SYS_writev, FILLS | HANDLE},
    {SYS_lseek, HANDLE},
    {SYS_mmap, 0},
    {SYS_fstat, HANDLE},
    {SYS_newfstatat, 0},
    {SYS_statx, 0},
    {SYS_close, HANDLE | FILLS},
    {SYS_fsync, FILLS | HANDLE},
    {SYS_fdatasync, FILLS | HANDLE},
    {SYS_ftruncate, FILLS | HANDLE},
    {SYS_fallocate, FILLS | HANDLE},
    {SYS_fchmod, HANDLE},
    {SYS_getdents64, HANDLE | REMOVES},
    {SYS_faccessat, 0},
    {SYS_faccessat2, 0},
    {SYS_mkdirat, FILLS},
    {SYS_renameat2, FILLS},
    {SYS_linkat, FILLS},
    {SYS_unlinkat, REMOVES},
#ifdef SYS_open    /* what newer machines do without */
    {SYS_open, 0}, /* libc opens files and folders by openat */
    {SYS_stat, 0},
    {SYS_lstat, 0},
    {SYS_access, 0},
    {SYS_mkdir, FILLS},
    {SYS_rename, FILLS},
    {SYS_link, FILLS},
    {SYS_unlink, REMOVES},
    {SYS_rmdir, REMOVES},
#endif
#ifdef SYS_renameat
    {SYS_renameat, FILLS},
#endif
};

#define CALLS (sizeof calls / sizeof *calls)

static int what_of(int number)
{
    for (size_t i = 0; i < CALLS; i++) {
        if (calls[i].number == number) {
            return calls[i].what;
        }
    }
    return 0;
}

/* Ours have the first three numbers alone. By others the sanitizers find out what memory can be read, and insist that
 * they work. */
static bool is_foreign_pipe(long file)
{
    struct stat status;
    return file > STDERR_FILENO && fault_call(SYS_fstat, (const long[6]){file, (long)&status}) == 0 &&
           S_ISFIFO(status.st_mode);
}

/* Whether a call is a point of the armed kind. Messages are let through, since they are how failure is told; and what
 * has failed for good can still be removed and closed. */
static bool is_point(const fault_state *state, int what, const long argument[6])
{
    if (state->kind == FAULT_NONE || state->kind == FAULT_MEMORY) {
        return false;
    }
    if (what & HANDLE && (argument[0] == STDERR_FILENO || is_foreign_pipe(argument[0]))) {
        return false;
    }
    if (state->lasting && (what & REMOVES || (what & OPENS && argument[2] & O_DIRECTORY))) {
        return false;
    }
    switch (state->kind) {
    case FAULT_ENOSPC:
        return what & (WRITES | FILLS);
    case FAULT_EINTR:
        return what & (READS | WRITES | OPENS);
    case FAULT_SHORT:
        return what & (READS | WRITES) && argument[2] > 1;
    default:
        return true;
    }
}

static void raise_signal(int signal)
{
    fault_call(SYS_kill, (const long[6]){getpid(), signal});
}

static long suffer(fault_state *state, int number, long argument[6])
{
    const long none = 0;
    atomic_compare_exchange_strong(&state->call, &(long){none}, number);
    switch (state->kind) {
    case FAULT_SHORT:
        argument[2] /= 2;
        return fault_call(number, argument);
    case FAULT_SIGNAL:
        raise_signal(state->signal);
        return fault_call(number, argument);
    default:
        break;
    }
    if (number == SYS_close) { /* the number is free again whatever close says */
        fault_call(number, argument);
    }
    return state->kind == FAULT_ENOSPC ? -ENOSPC : state->kind == FAULT_EINTR ? -EINTR : -EIO;
}

static void on_call(int signal, siginfo_t *info, void *opaque)
{
    ucontext_t *context = opaque;
    fault_state *state = fault_current();
    long argument[6];
    (void)signal;
    read_arguments(context, argument);
    if (state && is_point(state, what_of(info->si_syscall), argument) && fault_count(state)) {
        set_result(context, suffer(state, info->si_syscall, argument));
    } else {
        set_result(context, fault_call(info->si_syscall, argument));
    }
}

/* ---- The filter ---- */

#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))

static struct sock_filter statement(int code, uint32_t value)
{
    return (struct sock_filter){(uint16_t)code, 0, 0, value};
}

/* Goes on `yes` instructions later when the loaded word is `value`, else with the next. */
static struct sock_filter when(uint32_t value, size_t yes)
{
    return (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)yes, 0, value};
}

static size_t make_filter(struct sock_filter filter[])
{
    const uint64_t own = (uintptr_t)fault_call_returns;
    size_t n = 0;
    filter[n++] = statement(BPF_LD | BPF_W | BPF_ABS, FIELD(arch));
    filter[n++] = when(THIS_ARCH, 1);
    filter[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] = statement(BPF_LD | BPF_W | BPF_ABS, FIELD(nr));
    for (size_t i = 0; i < CALLS; i++) {
        if (calls[i].number != SYS_mmap) {
            filter[n] = when((uint32_t)calls[i].number, CALLS + 6 - n);
            n++;
        }
    }
    filter[n++] = when(SYS_mmap, 1);
    filter[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    /* Memory that is no file's is not a matter of files. */
    filter[n++] = statement(BPF_LD | BPF_W | BPF_ABS, FIELD(args[4]));
    filter[n++] = when(UINT32_MAX, 4);
    /* Here come the others. */
    filter[n++] = statement(BPF_LD | BPF_W | BPF_ABS, FIELD(instruction_pointer));
    filter[n++] = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 0, 3, (uint32_t)own};
    filter[n++] = statement(BPF_LD | BPF_W | BPF_ABS, FIELD(instruction_pointer) + 4);
    filter[n++] = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)(own >> 32)};
    filter[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    return n;
}

bool fault_install_calls(void)
{
    static struct sock_filter filter[CALLS + 16];
    struct sock_fprog program = {.filter = filter};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_call;
    /* Calls of a handler that a signal started within this one arrive here too. */
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    program.len = (unsigned short)make_filter(filter);
    return sigaction(SIGSYS, &action, NULL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
