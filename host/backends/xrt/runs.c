/* Runs of the kernel: telling one its arguments, waiting for its end for a bounded time, looking how it ended. */
#define _POSIX_C_SOURCE 200809L
#include "backends/xrt/device.h"

#include "core/clock.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bdnn_status lose(bdnn_xrt_device *device, const bdnn_xrt_unit *unit, bdnn_error *err, const char *what)
{
    device->lost = true;
    return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: compute unit %s: %s", unit->name, what);
}

/* The words behind the addresses are arguments of 32 bits each. */
enum { FIRST_WORD = 2 * BDNN_XRT_POINTERS };

static bool tell(bdnn_xrt_device *device, bdnn_xrt_unit *unit, const uint32_t *words, const xrtBufferHandle *pointers)
{
    for (int p = 0; p < BDNN_XRT_POINTERS; p++) {
        if ((!unit->told || pointers[p] != unit->pointers[p]) &&
            device->xrt->xrtRunSetArg(unit->run, p, pointers[p]) != 0) {
            return false;
        }
        unit->pointers[p] = pointers[p];
    }
    for (int w = FIRST_WORD; w < BDNN_HW_ARGUMENT_WORDS; w++) {
        if ((!unit->told || words[w] != unit->words[w]) &&
            device->xrt->xrtRunSetArg(unit->run, BDNN_XRT_POINTERS + w - FIRST_WORD, words[w]) != 0) {
            return false;
        }
        unit->words[w] = words[w];
    }
    unit->told = true;
    return true;
}

bdnn_status bdnn_xrt_start(bdnn_xrt_device *device, size_t index, const bdnn_hw_job *job,
                           const xrtBufferHandle pointers[BDNN_XRT_POINTERS], bdnn_error *err)
{
    bdnn_xrt_unit *unit = &device->units[index];
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    bdnn_hw_pack_job(job, words);
    if (device->lost) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: the device is lost");
    }
    if (!tell(device, unit, words, pointers)) {
        return lose(device, unit, err, "it does not take its arguments");
    }
    if (device->xrt->xrtRunStart(unit->run) != 0) {
        return lose(device, unit, err, "it does not start");
    }
    unit->running = true;
    unit->started = bdnn_clock();
    return BDNN_OK;
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
bdnn_status bdnn_xrt_await(bdnn_xrt_device *device, size_t index, bdnn_error *err)
{
    bdnn_xrt_unit *unit = &device->units[index];
    const uint64_t limit = unit->started + (uint64_t)device->timeout_ms * 1000000;
    char text[64];
    for (unsigned asked = 0;; asked++) {
        const enum ert_cmd_state state = device->xrt->xrtRunState(unit->run);
        if (state == ERT_CMD_STATE_COMPLETED) {
            unit->running = false;
            return BDNN_OK;
        }
        if (state == ERT_CMD_STATE_ERROR || state == ERT_CMD_STATE_ABORT || state >= ERT_CMD_STATE_TIMEOUT) {
            snprintf(text, sizeof text, "its run failed (state %d of XRT)", (int)state);
            return lose(device, unit, err, text);
        }
        if (bdnn_clock() > limit) {
            snprintf(text, sizeof text, "its run did not end within %u ms", device->timeout_ms);
            return lose(device, unit, err, text);
        }
        pause_between(asked);
    }
}

static const char *ending_text(uint32_t ending)
{
    return BDNN_HW_READ_ERROR(ending)    ? "an error of the memory it reads"
           : BDNN_HW_WRITE_ERROR(ending) ? "an error of the memory it writes"
           : BDNN_HW_CANCELLED(ending)   ? "cancelled"
                                         : "it refused the job";
}

/* A device that is gone answers too, with ones or zeros: its identity tells. */
static bdnn_status look_at_ending(bdnn_xrt_device *device, const bdnn_xrt_unit *unit, bdnn_error *err)
{
    uint32_t ending, identity;
    if (device->xrt->xrtKernelReadRegister(unit->kernel, BDNN_HW_REG_ENDING, &ending) != 0 ||
        device->xrt->xrtKernelReadRegister(unit->kernel, BDNN_HW_REG_IDENTITY, &identity) != 0) {
        return lose(device, unit, err, "its registers cannot be read");
    }
    if (identity != device->identity) {
        char text[96];
        snprintf(text, sizeof text, "it is lost: its identity reads 0x%08x, no longer 0x%08x", identity,
                 device->identity);
        return lose(device, unit, err, text);
    }
    return ending ? lose(device, unit, err, ending_text(ending)) : BDNN_OK;
}

static bdnn_status read_counters(bdnn_xrt_device *device, const bdnn_xrt_unit *unit, bdnn_xrt_counters *sum,
                                 bdnn_error *err)
{
    const struct {
        uint32_t offset;
        uint64_t *to;
    } counters[] = {{BDNN_HW_REG_CYCLES, &sum->cycles},         {BDNN_HW_REG_BUSY, &sum->busy},
                    {BDNN_HW_REG_WAIT_LOAD, &sum->wait_load},   {BDNN_HW_REG_WAIT_RESULTS, &sum->wait_results},
                    {BDNN_HW_REG_READ_BEATS, &sum->words_read}, {BDNN_HW_REG_WRITE_BEATS, &sum->words_written}};
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        uint32_t value;
        if (device->xrt->xrtKernelReadRegister(unit->kernel, counters[i].offset, &value) != 0) {
            return lose(device, unit, err, "its counters cannot be read");
        }
        *counters[i].to += value;
    }
    sum->runs++;
    return BDNN_OK;
}

bdnn_status bdnn_xrt_finish(bdnn_xrt_device *device, size_t index, bdnn_xrt_counters *counters, bdnn_error *err)
{
    bdnn_xrt_unit *unit = &device->units[index];
    bdnn_status status;
    if (device->lost) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "xrt: the device is lost");
    }
    if (!unit->running) {
        return BDNN_OK;
    }
    status = bdnn_xrt_await(device, index, err);
    if (status == BDNN_OK) {
        status = look_at_ending(device, unit, err);
    }
    return status == BDNN_OK && counters ? read_counters(device, unit, counters, err) : status;
}
