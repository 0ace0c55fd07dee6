/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on purpose. */
#include "fault.h"
#include "report.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* What stands behind the '@': false unless it is a number from 1 up. */
static bool parse_place(const char *text, uint64_t *at)
{
    char *end;
    errno = 0;
    *at = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *at > 0 && *end == '\0' && errno == 0;
}

bool emu_fault_parse(const char *text, struct emu_fault_plan *plan)
{
    static const struct {
        const char *name;
        enum emu_fault_kind kind;
        enum axi_response response;
    } placed[] = {{"kill@", EMU_FAULT_KILL, AXI_OKAY},
                  {"silence@", EMU_FAULT_SILENCE, AXI_OKAY},
                  {"garbage@", EMU_FAULT_GARBAGE, AXI_OKAY},
                  {"slverr@", EMU_FAULT_NONE, AXI_SLVERR},
                  {"decerr@", EMU_FAULT_NONE, AXI_DECERR}};
    plan->random = 0x9e3779b97f4a7c15u;
    if (strcmp(text, "stuck") == 0)
        return plan->kind = EMU_FAULT_STUCK, true;
    if (strcmp(text, "latency") == 0)
        return plan->late = true;
    if (strcmp(text, "backpressure") == 0)
        return plan->hold_back = true;
    for (size_t i = 0; i < sizeof placed / sizeof placed[0]; i++) {
        size_t length = strlen(placed[i].name);
        if (strncmp(text, placed[i].name, length) != 0)
            continue;
        if (placed[i].kind == EMU_FAULT_NONE) {
            plan->response = placed[i].response;
            return parse_place(text + length, &plan->burst_at);
        }
        plan->kind = placed[i].kind;
        return parse_place(text + length, &plan->at);
    }
    return false;
}

enum axi_response emu_fault_burst(struct emu_fault_plan *plan)
{
    return ++plan->bursts == plan->burst_at ? plan->response : AXI_OKAY;
}

void emu_fault_timing(const struct emu_fault_plan *plan, struct axi_timing *timing)
{
    if (plan->late) {
        timing->latency_low = 0;
        timing->latency_high = 300;
    }
    if (plan->hold_back)
        timing->ready_percent = timing->data_percent = 30;
}

enum emu_fault_kind emu_fault_request(struct emu_fault_plan *plan)
{
    plan->served++;
    if (!plan->at || plan->served < plan->at)
        return EMU_FAULT_NONE;
    if (plan->served == plan->at)
        emu_say("fault on purpose at request %llu", (unsigned long long)plan->at);
    if (plan->kind == EMU_FAULT_KILL)
        raise(SIGKILL);
    return plan->kind;
}

void emu_fault_garbage(struct emu_fault_plan *plan, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        plan->random ^= plan->random << 13;
        plan->random ^= plan->random >> 7;
        plan->random ^= plan->random << 17;
        bytes[i] = (uint8_t)plan->random;
    }
}

void emu_fault_registers(const struct emu_fault_plan *plan, uint8_t *bytes, size_t size)
{
    if (plan->kind == EMU_FAULT_STUCK && plan->started && size >= 4 && (bytes[0] & (AP_DONE | AP_IDLE)))
        bytes[0] = AP_START;
}
