/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices: the options that choose one, and sessions that can go on without it. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A device was lost in the middle of its work: XRT waits for it whenever something is closed, at the end of the program
 * too. */
static bool device_lost;

static bool take_wait(const char *command, const char *text, bdnn_wait *wait)
{
    static const char *const names[] = {
        [BDNN_WAIT_HYBRID] = "hybrid", [BDNN_WAIT_POLL] = "poll", [BDNN_WAIT_INTERRUPT] = "interrupt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            *wait = (bdnn_wait)i;
            return true;
        }
    }
    cli_usage(command, "--wait %s: there are poll, interrupt and hybrid", text);
    return false;
}

bool cli_take_device_option(const char *command, int option, const char *text, cli_device *device)
{
    long long milliseconds;
    switch (option) {
    case CLI_DEVICE:
        device->name = text;
        return true;
    case CLI_XCLBIN:
        device->xclbin = text;
        return true;
    case CLI_TIMEOUT:
        if (!cli_integer(command, "timeout", text, 1, 86400000, &milliseconds)) {
            return false;
        }
        device->timeout_ms = (uint32_t)milliseconds;
        return true;
    case CLI_WAIT:
        return take_wait(command, text, &device->wait);
    default:
        if (strcmp(text, "cpu") != 0) {
            cli_usage(command, "--fallback %s: there is cpu", text);
            return false;
        }
        return device->fallback = true;
    }
}

int cli_before_devices(void)
{
    int saved;
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    if (saved >= 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
    }
    return saved;
}

void cli_after_devices(int saved)
{
    fflush(stdout);
    if (saved >= 0) {
        dup2(saved, STDOUT_FILENO);
        close(saved);
    }
}

static bdnn_status create(cli_session *s, const bdnn_session_options *options, bdnn_error *err)
{
    const int saved = cli_before_devices();
    const bdnn_status status = bdnn_session_create(s->model, options, &s->session, err);
    cli_after_devices(saved);
    device_lost = device_lost || status == BDNN_ERROR_DEVICE;
    return status;
}

/* The same on the CPU, after a line that says why. */
static bdnn_status fall_back(cli_session *s, bdnn_error *err)
{
    bdnn_session_options options = s->options;
    char text[sizeof err->message];
    snprintf(text, sizeof text, "%s", err->message);
    fprintf(stderr, "bdnn: warning: %s; going on with the CPU\n", cli_printable(text));
    options.device = "cpu";
    s->fallback = false;
    bdnn_session_free(s->session);
    s->session = NULL;
    return create(s, &options, err);
}

bdnn_status cli_session_open(cli_session *s, const bdnn_model *model, const cli_device *device, size_t threads,
                             size_t batch, bdnn_error *err)
{
    bdnn_status status;
    s->model = model;
    s->options = (bdnn_session_options){.struct_size = sizeof s->options,
                                        .device = device->name,
                                        .threads = threads,
                                        .batch = batch,
                                        .xclbin = device->xclbin,
                                        .timeout_ms = device->timeout_ms,
                                        .wait = device->wait};
    s->fallback = device->fallback;
    status = create(s, &s->options, err);
    return status != BDNN_OK && status != BDNN_ERROR_ARGUMENT && s->fallback ? fall_back(s, err) : status;
}

static bdnn_status run_once(const cli_session *s, const float *input, const uint8_t *pixels, bdnn_error *err)
{
    return pixels ? bdnn_session_run_pixels(s->session, pixels, err) : bdnn_session_run(s->session, input, err);
}

static bdnn_status run(cli_session *s, const float *input, const uint8_t *pixels, bdnn_error *err)
{
    bdnn_status status = run_once(s, input, pixels, err);
    device_lost = device_lost || status == BDNN_ERROR_DEVICE;
    if (status == BDNN_ERROR_DEVICE && s->fallback) {
        status = fall_back(s, err);
        return status == BDNN_OK ? run_once(s, input, pixels, err) : status;
    }
    return status;
}

bdnn_status cli_session_run(cli_session *s, const float *input, bdnn_error *err)
{
    return run(s, input, NULL, err);
}

bdnn_status cli_session_run_pixels(cli_session *s, const uint8_t *pixels, bdnn_error *err)
{
    return run(s, NULL, pixels, err);
}

void cli_session_close(cli_session *s)
{
    bdnn_session_free(s->session);
    s->session = NULL;
}

void cli_lose_device(void)
{
    device_lost = true;
}

int cli_leave(int code)
{
    if (device_lost) {
        fflush(stderr);
        _exit(code);
    }
    return code;
}
