/* Faults on purpose. */
#include "fault.h"
#include "report.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

bool emu_fault_parse(const char *text, struct emu_fault_plan *plan)
{
    static const struct {
        const char *name;
        enum emu_fault_kind kind;
    } kinds[] = {{"kill@", EMU_FAULT_KILL}, {"silence@", EMU_FAULT_SILENCE}, {"garbage@", EMU_FAULT_GARBAGE}};
    *plan = (struct emu_fault_plan){.random = 0x9e3779b97f4a7c15u};
    if (strcmp(text, "stuck") == 0) {
        plan->kind = EMU_FAULT_STUCK;
        return true;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t length = strlen(kinds[i].name);
        if (strncmp(text, kinds[i].name, length) != 0)
            continue;
        char *end;
        errno = 0;
        plan->kind = kinds[i].kind;
        plan->at = strtoull(text + length, &end, 10);
        return plan->at > 0 && *end == '\0' && errno == 0;
    }
    return false;
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
