/* SPDX-License-Identifier: BSD-2-Clause */
/* A plugin of QEMU (-plugin zynq_plugin.so,mailbox=FILE,registers=ADDRESS,size=BYTES) that hands accesses to the
 * accelerator's registers to another process, and holds the processor until they have had their effect.
 *
 * QEMU calls a plugin back after an access, and for every instruction that it was asked to watch. Watching all would be
 * slow, so that only two kinds are: those of loadable kernel modules (which needs "nokaslr"), and in user space
 * load-acquire and store-release of 32 bits, by which the uio backend accesses registers. On 32-bit ARM there are no
 * such instructions: there all of user space is watched.
 *
 * The declarations are those of QEMU's plugin interface, version 1; Debian ships no header for it. */
#include "board.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
typedef struct {
    const char *target_name;
    /* more follows */
} qemu_info_t;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_R = 1, QEMU_PLUGIN_MEM_W, QEMU_PLUGIN_MEM_RW };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*callback)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
                                      void (*callback)(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address,
                                                       void *context),
                                      enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw, void *context);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, uint64_t address);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *address);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *address);

#define MAX_TRIES 100 /* of 100 ms: how long an access may take */

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

static struct board_mailbox *mailbox;
static uint64_t registers, size;
static bool arm64, dead;
static pthread_mutex_t one_access = PTHREAD_MUTEX_INITIALIZER;

static void accessed(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *context)
{
    const struct qemu_plugin_hwaddr *hardware = qemu_plugin_get_hwaddr(info, address);
    uint64_t physical;
    (void)vcpu;
    (void)context;
    if (!hardware || qemu_plugin_hwaddr_is_io(hardware)) {
        return;
    }
    physical = qemu_plugin_hwaddr_phys_addr(hardware);
    if (physical < registers || physical >= registers + size) {
        return;
    }
    if (dead) {
        return;
    }
    pthread_mutex_lock(&one_access);
    const uint32_t number = atomic_load(&mailbox->request) + 1;
    mailbox->offset = (uint32_t)(physical - registers);
    mailbox->store = qemu_plugin_mem_is_store(info);
    board_post(&mailbox->request, number);
    for (int tries = 0; atomic_load(&mailbox->reply) != number && !dead; tries++) {
        if (tries == MAX_TRIES) {
            fprintf(stderr, "plugin: the accelerator's process is gone; its registers stay as they are\n");
            dead = true;
        }
        board_wait(&mailbox->reply, number - 1, 100);
    }
    pthread_mutex_unlock(&one_access);
}

static bool watched(uint64_t pc, uint32_t code)
{
    if (!arm64) {
        return pc < 0x80000000u || (pc >= 0xbf000000u && pc < 0xbfe00000u);
    }
    if (pc >> 63) {
        return pc >= 0xffff800000000000u && pc < 0xffff800008000000u;
    }
    return (code & 0xfffffc00u) == 0x88dffc00u || (code & 0xfffffc00u) == 0x889ffc00u; /* LDAR, STLR */
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    const size_t count = qemu_plugin_tb_n_insns(tb);
    (void)id;
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint32_t code;
        memcpy(&code, qemu_plugin_insn_data(insn), sizeof code);
        if (watched(qemu_plugin_insn_vaddr(insn), code)) {
            qemu_plugin_register_vcpu_mem_cb(insn, accessed, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
        }
    }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    const char *file = NULL;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "mailbox=", 8) == 0) {
            file = argv[i] + 8;
        } else if (strncmp(argv[i], "registers=", 10) == 0) {
            registers = strtoull(argv[i] + 10, NULL, 0);
        } else if (strncmp(argv[i], "size=", 5) == 0) {
            size = strtoull(argv[i] + 5, NULL, 0);
        }
    }
    const int fd = file ? open(file, O_RDWR) : -1;
    mailbox = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *mailbox, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mailbox == MAP_FAILED || !size) {
        fprintf(stderr, "plugin: mailbox=FILE,registers=ADDRESS,size=BYTES are needed\n");
        return 1;
    }
    arm64 = strcmp(info->target_name, "aarch64") == 0;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
