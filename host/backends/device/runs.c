/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs of the kernel, one at a time on each compute unit: starting one, waiting for its end for a bounded time, looking
 * how it ended. */
#include "backends/device/accelerator.h"

#include "core/clock.h"

bdnn_status bdnn_accelerator_start(bdnn_accelerator *a, size_t index, const bdnn_hw_job *job,
                                   const bdnn_bus_memory *const pointers[BDNN_HW_POINTERS], bdnn_error *err)
{
    bdnn_status status;
    if (a->lost) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: the device is lost", a->label);
    }
    status = a->bus->start(a, index, job, pointers, err);
    if (status == BDNN_OK) {
        a->units[index].running = true;
        a->units[index].started = bdnn_clock();
    }
    return status;
}

/* The run must not go on to write memory that is somebody else's by then. */
static bdnn_status end_late(bdnn_accelerator *a, size_t index, bdnn_error *err)
{
    const char *reset = !a->bus->reset            ? ""
                        : a->bus->reset(a, index) ? "; the kernel was reset"
                                                  : ", and the kernel does not take a reset";
    return bdnn_accelerator_lose(a, &a->units[index], err, "its run did not end within %u ms%s", a->timeout_ms, reset);
}

bdnn_status bdnn_accelerator_await(bdnn_accelerator *a, size_t index, bdnn_error *err)
{
    bdnn_accelerator_unit *unit = &a->units[index];
    bool ended = false;
    bdnn_status status = a->bus->await(a, index, unit->started + (uint64_t)a->timeout_ms * 1000000, &ended, err);
    if (status == BDNN_OK && !ended) {
        status = end_late(a, index, err);
    }
    unit->running = status != BDNN_OK;
    return status;
}

static const char *ending_text(uint32_t ending)
{
    return (ending & BDNN_HW_ENDING_READ_ERROR)    ? "an error of the memory it reads"
           : (ending & BDNN_HW_ENDING_WRITE_ERROR) ? "an error of the memory it writes"
           : (ending & BDNN_HW_ENDING_CANCELLED)   ? "cancelled"
                                                   : "it refused the job";
}

/* A device that is gone answers too, with ones or zeros: its identity tells. */
static bdnn_status look_at_ending(bdnn_accelerator *a, size_t index, bdnn_error *err)
{
    const bdnn_accelerator_unit *unit = &a->units[index];
    uint32_t ending, identity;
    if (!a->bus->read(a, index, BDNN_HW_REG_ENDING, &ending) ||
        !a->bus->read(a, index, BDNN_HW_REG_IDENTITY, &identity)) {
        return bdnn_accelerator_lose(a, unit, err, "its registers cannot be read");
    }
    if (identity != a->identity) {
        return bdnn_accelerator_lose(a, unit, err, "it is lost: its identity reads 0x%08x, no longer 0x%08x", identity,
                                     a->identity);
    }
    return ending ? bdnn_accelerator_lose(a, unit, err, "%s (ending 0x%x)", ending_text(ending), ending) : BDNN_OK;
}

static bdnn_status read_counters(bdnn_accelerator *a, size_t index, bdnn_accelerator_counters *sum, bdnn_error *err)
{
    const struct {
        uint32_t offset;
        uint64_t *to;
    } counters[] = {{BDNN_HW_REG_CYCLES, &sum->cycles},         {BDNN_HW_REG_BUSY, &sum->busy},
                    {BDNN_HW_REG_WAIT_LOAD, &sum->wait_load},   {BDNN_HW_REG_WAIT_RESULTS, &sum->wait_results},
                    {BDNN_HW_REG_READ_BEATS, &sum->words_read}, {BDNN_HW_REG_WRITE_BEATS, &sum->words_written}};
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        uint32_t value;
        if (!a->bus->read(a, index, counters[i].offset, &value)) {
            return bdnn_accelerator_lose(a, &a->units[index], err, "its counters cannot be read");
        }
        *counters[i].to += value;
    }
    sum->runs++;
    return BDNN_OK;
}

bdnn_status bdnn_accelerator_finish(bdnn_accelerator *a, size_t index, bdnn_accelerator_counters *counters,
                                    bdnn_error *err)
{
    bdnn_status status;
    if (a->lost) {
        return bdnn_fail(err, BDNN_ERROR_DEVICE, "%s: the device is lost", a->label);
    }
    if (!a->units[index].running) {
        return BDNN_OK;
    }
    status = bdnn_accelerator_await(a, index, err);
    if (status == BDNN_OK) {
        status = look_at_ending(a, index, err);
    }
    return status == BDNN_OK && counters ? read_counters(a, index, counters, err) : status;
}
