/* SPDX-License-Identifier: BSD-2-Clause */
/* The progress bar. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define WIDTH 28

double cli_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

cli_progress cli_progress_start(void)
{
    return (cli_progress){.shown = isatty(STDERR_FILENO) == 1, .start = cli_seconds()};
}

bool cli_progress_step(void *user, const char *stage, uint64_t done, uint64_t total)
{
    cli_progress *p = user;
    const double now = cli_seconds(), part = total ? (double)done / (double)total : 0;
    const int filled = (int)(part * WIDTH);
    char bar[WIDTH + 1];
    if (!p->shown || (now - p->last < 0.1 && done < total)) {
        return !cli_stopped();
    }
    p->last = now;
    for (int i = 0; i < WIDTH; i++) {
        bar[i] = i < filled ? '#' : '.';
    }
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r\033[K[%s] %3.0f %%  %.0f s", bar, 100 * part, now - p->start);
    if (part > 0.02) {
        fprintf(stderr, ", %.0f s left", (now - p->start) * (1 - part) / part);
    }
    fprintf(stderr, "  %.20s", stage);
    return !cli_stopped();
}

void cli_progress_end(cli_progress *p)
{
    if (p->shown && p->last > 0) {
        fprintf(stderr, "\r\033[K");
    }
    p->shown = false;
}
