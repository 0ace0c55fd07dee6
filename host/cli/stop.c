/* SPDX-License-Identifier: BSD-2-Clause */
/* Ending in an orderly way: the first SIGINT or SIGTERM asks for it, the second does what it did before. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include <signal.h>

enum { SIGNALS = 2 };
static const int numbers[SIGNALS] = {SIGINT, SIGTERM};
static const char *const names[SIGNALS] = {"SIGINT", "SIGTERM"};
static struct sigaction before[SIGNALS];
static volatile sig_atomic_t asked;

static void on_signal(int number)
{
    asked = number;
    for (int i = 0; i < SIGNALS; i++) {
        sigaction(numbers[i], &before[i], NULL);
    }
}

void cli_stop_gently(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++) {
        sigaddset(&action.sa_mask, numbers[i]);
        sigaction(numbers[i], NULL, &before[i]);
    }
    for (int i = 0; i < SIGNALS; i++) {
        /* What is ignored stays so: jobs in the background of a script. */
        if (before[i].sa_handler != SIG_IGN) {
            sigaction(numbers[i], &action, NULL);
        }
    }
}

const char *cli_stopped(void)
{
    for (int i = 0; i < SIGNALS; i++) {
        if (asked == numbers[i]) {
            return names[i];
        }
    }
    return NULL;
}

int cli_stop_code(int code)
{
    return asked ? 128 + (int)asked : code;
}
