/* SPDX-License-Identifier: BSD-2-Clause */
/* What Verilator's library calls when a model stops itself: an assertion, $stop, $fatal, $finish. What the model says
 * of it went to the standard output before. */
#include "rtl_model.h"

OpenEmuRunning open_emu_running;

static void stop(const char *what, const char *file, int line)
{
    const std::string text = std::string(what) + " at " + (file && *file ? file : "?") + ":" + std::to_string(line);
    std::fflush(stdout);
    open_emu_running.fault(open_emu_running.name ? open_emu_running.name : "?", text.c_str());
}

void vl_fatal(const char *file, int line, const char *, const char *message)
{
    const std::string what = std::string("the model stops") + (message && *message ? ": " : "") + message;
    stop(what.c_str(), file, line);
}

void vl_finish(const char *file, int line, const char *)
{
    stop("the model calls $finish", file, line);
}
