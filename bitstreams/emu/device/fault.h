/* Faults on purpose, so that host programs can be tested for what a lost, silent or mad device does to them. */
#ifndef OPEN_EMU_FAULT_H
#define OPEN_EMU_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum emu_fault_kind {
    EMU_FAULT_NONE,
    EMU_FAULT_KILL,    /* the process kills itself at a request */
    EMU_FAULT_SILENCE, /* from a request on it answers nothing */
    EMU_FAULT_GARBAGE, /* from a request on its answers are random bytes */
    EMU_FAULT_STUCK,   /* a compute unit that was started never says that it is done */
};

struct emu_fault_plan {
    enum emu_fault_kind kind;
    uint64_t at;     /* the request, counted from 1 */
    uint64_t served; /* requests so far */
    uint64_t random;
    bool started; /* a compute unit */
};

/* "kill@N", "silence@N", "garbage@N" or "stuck". False when the text is none of them. */
bool emu_fault_parse(const char *text, struct emu_fault_plan *plan);

/* To be called for each request; carries out kill. Returns what else is to be done with it: silence, garbage or none.
 */
enum emu_fault_kind emu_fault_request(struct emu_fault_plan *plan);
void emu_fault_garbage(struct emu_fault_plan *plan, uint8_t *bytes, size_t size);

/* Changes what a read of registers, the control register first, gives. */
void emu_fault_registers(const struct emu_fault_plan *plan, uint8_t *bytes, size_t size);

#endif
