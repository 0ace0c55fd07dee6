/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of the device process. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

bool emu_verbose = false;
void (*emu_before_fault)(void);

/* One write a message: host and device share the stream. */
static void say(const char *format, va_list arguments)
{
    char line[512] = "open_emu: ";
    int used = 10;
    int more = vsnprintf(line + used, sizeof line - (size_t)used - 1, format, arguments);
    used += more < 0 ? 0 : more;
    if (used > (int)sizeof line - 2)
        used = (int)sizeof line - 2;
    line[used++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, (size_t)used);
    (void)ignored;
}

void emu_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void emu_detail(const char *format, ...)
{
    if (!emu_verbose)
        return;
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void emu_fault(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    void (*complete)(void) = emu_before_fault;
    emu_before_fault = NULL;
    if (complete)
        complete();
    /* Kernel threads may run still; nothing of theirs is to be waited for. */
    _exit(EMU_EXIT_FAULT);
}
