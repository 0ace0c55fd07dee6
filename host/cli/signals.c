/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals that end the tool: nothing half written stays behind, and the end of a mapped file is a message. The library
 * handles no signals; what is called here, in handlers, is async-signal-safe. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* The model files that are mapped, and the one that is being loaded: for the message. Fixed memory, written before it
 * is counted, so that a handler can read it at any time. */
#define MAX_FILES 16
static struct {
    const char *address;
    size_t size;
    char path[512];
} files[MAX_FILES];
static atomic_int file_count;
static char loading[512];
static atomic_bool is_loading;

void cli_loading(const char *path)
{
    atomic_store(&is_loading, false);
    if (path) {
        snprintf(loading, sizeof loading, "%s", path);
        cli_printable(loading);
        atomic_store(&is_loading, true);
    }
}

void cli_loaded(const char *path, const bdnn_model *model)
{
    const int i = atomic_load(&file_count);
    const void *address;
    size_t size;
    bdnn_model_mapping(model, &address, &size);
    cli_loading(NULL);
    if (address && i < MAX_FILES) {
        files[i].address = address;
        files[i].size = size;
        snprintf(files[i].path, sizeof files[i].path, "%s", path);
        cli_printable(files[i].path);
        atomic_store(&file_count, i + 1);
    }
}

static void say(const char *text)
{
    /* Nobody is left to be told that this failed. */
    if (write(STDERR_FILENO, text, strlen(text)) < 0) {
        return;
    }
}

/* The last one mapped there: the address of a model that is no more may have been given again. */
static const char *file_at(const char *address)
{
    for (int i = atomic_load(&file_count) - 1; i >= 0; i--) {
        if (address >= files[i].address && address < files[i].address + files[i].size) {
            return files[i].path;
        }
    }
    return atomic_load(&is_loading) ? loading : NULL;
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    const char *path = file_at(info->si_addr);
    (void)context;
    bdnn_remove_temporaries();
    if (!path) {
        signal(number, SIG_DFL); /* not about a file: the access is tried again, and ends the program as ever */
        return;
    }
    say("bdnn: ");
    say(path);
    say(": the file became shorter, or could not be read, while it was in use\n");
    _exit(CLI_FAILED);
}

/* Ends as the signal ends a program that does not handle it, so that shells and make see what happened. */
static void on_end(int number)
{
    bdnn_remove_temporaries();
    signal(number, SIG_DFL);
    raise(number);
}

void cli_handle_signals(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU};
    struct sigaction action = {0}, before;
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_end;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        /* What is ignored stays so: nohup, and jobs in the background of a script. */
        if (sigaction(ends[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            sigaction(ends[i], &action, NULL);
        }
    }
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = on_bus_error;
    sigaction(SIGBUS, &action, NULL);
    /* A closed pipe, and a file larger than the limit (ulimit -f), are failed writes, which are reported. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}
