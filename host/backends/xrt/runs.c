/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs of the kernel through XRT: telling one its arguments, waiting for its end. */
#define _POSIX_C_SOURCE 200809L
#include "backends/xrt/device.h"

#include "core/clock.h"

#include <sched.h>
#include <time.h>

/* The words behind the addresses are arguments of 32 bits each. */
enum { FIRST_WORD = 2 * BDNN_HW_POINTERS };

static bool tell(const bdnn_xrt_library *xrt, bdnn_xrt_unit *unit, const uint32_t *words,
                 const bdnn_bus_memory *const *pointers)
{
    for (int p = 0; p < BDNN_HW_POINTERS; p++) {
        const xrtBufferHandle handle = (xrtBufferHandle)pointers[p]->handle;
        if ((!unit->told || handle != unit->pointers[p]) && xrt->xrtRunSetArg(unit->run, p, handle) != 0) {
            return false;
        }
        unit->pointers[p] = handle;
    }
    for (int w = FIRST_WORD; w < BDNN_HW_ARGUMENT_WORDS; w++) {
        if ((!unit->told || words[w] != unit->words[w]) &&
            xrt->xrtRunSetArg(unit->run, BDNN_HW_POINTERS + w - FIRST_WORD, words[w]) != 0) {
            return false;
        }
        unit->words[w] = words[w];
    }
    unit->told = true;
    return true;
}

bdnn_status bdnn_xrt_start(bdnn_accelerator *a, size_t index, const bdnn_hw_job *job,
                           const bdnn_bus_memory *const pointers[BDNN_HW_POINTERS], bdnn_error *err)
{
    bdnn_xrt_device *device = (bdnn_xrt_device *)a;
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    bdnn_hw_pack_job(job, words);
    if (!tell(device->xrt, &device->units[index], words, pointers)) {
        return bdnn_accelerator_lose(a, &a->units[index], err, "it does not take its arguments");
    }
    return device->xrt->xrtRunStart(device->units[index].run) == 0
               ? BDNN_OK
               : bdnn_accelerator_lose(a, &a->units[index], err, "it does not start");
}

/* Short runs are waited for without sleeping; asking for the state costs little, but not nothing, as it lets XRT's own
 * thread wait. */
static void pause_between(unsigned asked)
{
    const struct timespec briefly = {.tv_nsec = asked < 1000 ? 20000 : 500000};
    if (asked < 50) {
        sched_yield();
    } else {
        nanosleep(&briefly, NULL);
    }
}

/* xrtRunWaitFor of XRT 2.13 waits for ever in emulation, whatever time it is given; xrtRunState does not wait. */
bdnn_status bdnn_xrt_await(bdnn_accelerator *a, size_t index, uint64_t limit, bool *ended, bdnn_error *err)
{
    const bdnn_xrt_device *device = (const bdnn_xrt_device *)a;
    for (unsigned asked = 0;; asked++) {
        const enum ert_cmd_state state = device->xrt->xrtRunState(device->units[index].run);
        *ended = state == ERT_CMD_STATE_COMPLETED;
        if (state == ERT_CMD_STATE_ERROR || state == ERT_CMD_STATE_ABORT || state >= ERT_CMD_STATE_TIMEOUT) {
            return bdnn_accelerator_lose(a, &a->units[index], err, "its run failed (state %d of XRT)", (int)state);
        }
        if (*ended || bdnn_clock() > limit) {
            return BDNN_OK;
        }
        pause_between(asked);
    }
}
