/* SPDX-License-Identifier: BSD-2-Clause */
/* What the device process says: every message goes to the standard error stream, which the host program shares. */
#ifndef OPEN_EMU_REPORT_H
#define OPEN_EMU_REPORT_H

#include <stdbool.h>

/* The exit status after a fault of the kernel or of the connection; the start script ends the host program when it sees
 * one. */
enum { EMU_EXIT_FAULT = 3 };

/* Also print what only interests a developer of kernels or of open_emu. */
extern bool emu_verbose;

void emu_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void emu_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Called once before a fault ends the process, or null: what is to be completed. */
extern void (*emu_before_fault)(void);

/* Says it and ends the process with EMU_EXIT_FAULT. */
_Noreturn void emu_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
