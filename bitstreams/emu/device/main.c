/* SPDX-License-Identifier: BSD-2-Clause */
/* open_emu: the device process behind XRT's emulation shims. docs/use/emulation.md tells how it comes to be started. */
#include "report.h"
#include "server.h"
#include "trust.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: open_emu [options]\n"
    "The device process behind XRT's emulation: runs kernels, C functions or models of hardware, for a host program "
    "that\n"
    "uses XRT. It is normally started by XRT from an xclbin made by build-xclbin; options are then given in\n"
    "OPEN_EMU_OPTIONS.\n"
    "\n"
    "  --library FILE       the device library (hw_emu); without it the host names one (sw_emu)\n"
    "  --socket ID          instead of EMULATION_SOCKETID\n"
    "  --listen             wait for a host program instead of connecting to the one that started this process\n"
    "  --patience SECONDS   how long to wait for the host program (60)\n"
    "  --fault WHAT         for tests of host programs: kill@N, silence@N, garbage@N (from the N-th request on), "
    "stuck\n"
    "                       (no compute unit ever says that it is done); of models of hardware: slverr@N, decerr@N "
    "(the\n"
    "                       answer to the N-th burst), latency, backpressure (at random). Can be given several times\n"
    "  --verbose            say more\n"
    "  --help               this text\n"
    "\n"
    "Models of hardware:\n"
    "  --latency LOW[-HIGH] cycles from an address to its first data (40)\n"
    "  --bandwidth BYTES    that the memory moves in a cycle, for all ports together (64; 0: no bound)\n"
    "  --seed N             of what is random (1)\n"
    "  --profile            print cycles, beats and stalls of each compute unit at the end\n"
    "  --trace FILE         write a waveform (FST; an absolute path); the xclbin must be packed with --trace\n"
    "  --trace-unit NAME    of this compute unit (the first that is started)\n"
    "  --trace-launch N     from its N-th launch on (1)\n"
    "  --trace-cycles N     for N cycles (to the end)\n";

enum {
    OPTION_LIBRARY = 256,
    OPTION_SOCKET,
    OPTION_LISTEN,
    OPTION_PATIENCE,
    OPTION_FAULT,
    OPTION_VERBOSE,
    OPTION_HELP,
    OPTION_LATENCY,
    OPTION_BANDWIDTH,
    OPTION_SEED,
    OPTION_PROFILE,
    OPTION_TRACE,
    OPTION_TRACE_UNIT,
    OPTION_TRACE_LAUNCH,
    OPTION_TRACE_CYCLES,
};

static const struct option options[] = {
    {"library", required_argument, NULL, OPTION_LIBRARY},
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"listen", no_argument, NULL, OPTION_LISTEN},
    {"patience", required_argument, NULL, OPTION_PATIENCE},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"help", no_argument, NULL, OPTION_HELP},
    {"latency", required_argument, NULL, OPTION_LATENCY},
    {"bandwidth", required_argument, NULL, OPTION_BANDWIDTH},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"profile", no_argument, NULL, OPTION_PROFILE},
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"trace-unit", required_argument, NULL, OPTION_TRACE_UNIT},
    {"trace-launch", required_argument, NULL, OPTION_TRACE_LAUNCH},
    {"trace-cycles", required_argument, NULL, OPTION_TRACE_CYCLES},
    {0},
};

enum { EXIT_USAGE = 2 };

struct settings {
    const char *library;
    struct emu_server server;
    struct emu_fault_plan faults;
    struct emu_simulation_options simulation;
};

static _Noreturn void refuse(const char *option, const char *value)
{
    emu_say("--%s does not take '%s'; --help tells more", option, value);
    exit(EXIT_USAGE);
}

static unsigned number(const char *option, const char *value, unsigned low, unsigned high)
{
    char *end;
    unsigned long parsed = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || parsed < low || parsed > high)
        refuse(option, value);
    return (unsigned)parsed;
}

/* LOW or LOW-HIGH */
static void read_latency(const char *value, struct axi_timing *timing)
{
    char low[16];
    const char *dash = strchr(value, '-');
    const size_t length = dash ? (size_t)(dash - value) : strlen(value);
    if (length >= sizeof low)
        refuse("latency", value);
    snprintf(low, sizeof low, "%.*s", (int)length, value);
    timing->latency_low = number("latency", low, 0, 1000000);
    timing->latency_high = dash ? number("latency", dash + 1, timing->latency_low, 1000000) : timing->latency_low;
}

static double real_number(const char *option, const char *value)
{
    char *end;
    double parsed = strtod(value, &end);
    if (*value < '0' || *value > '9' || *end || !(parsed <= 65536))
        refuse(option, value);
    return parsed;
}

/* Options of models of hardware. */
static bool read_simulation_option(int option, const char *value, struct emu_simulation_options *simulation)
{
    switch (option) {
    case OPTION_LATENCY:
        read_latency(value, &simulation->timing);
        return true;
    case OPTION_BANDWIDTH:
        simulation->bytes_per_cycle = real_number("bandwidth", value);
        return true;
    case OPTION_SEED:
        simulation->seed = number("seed", value, 0, UINT_MAX);
        return true;
    case OPTION_PROFILE:
        simulation->profile = true;
        return true;
    case OPTION_TRACE:
        if (*value != '/') /* this process does not run where the host program does */
            refuse("trace", value);
        simulation->trace = value;
        return true;
    case OPTION_TRACE_UNIT:
        simulation->trace_unit = value;
        return true;
    case OPTION_TRACE_LAUNCH:
        simulation->trace_launch = number("trace-launch", value, 1, UINT_MAX);
        return true;
    case OPTION_TRACE_CYCLES:
        simulation->trace_cycles = number("trace-cycles", value, 1, UINT_MAX);
        return true;
    default:
        return false;
    }
}

static void read_options(int count, char **arguments, struct settings *settings)
{
    int found;
    while ((found = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (found) {
        case OPTION_LIBRARY:
            settings->library = optarg;
            break;
        case OPTION_SOCKET:
            settings->server.socket_id = optarg;
            break;
        case OPTION_LISTEN:
            settings->server.listen = true;
            break;
        case OPTION_PATIENCE:
            settings->server.patience = number("patience", optarg, 1, 86400);
            break;
        case OPTION_FAULT:
            if (!emu_fault_parse(optarg, &settings->faults))
                refuse("fault", optarg);
            break;
        case OPTION_VERBOSE:
            emu_verbose = true;
            break;
        case OPTION_HELP:
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        default:
            if (!read_simulation_option(found, optarg, &settings->simulation))
                exit(EXIT_USAGE);
        }
    }
    if (optind < count) {
        emu_say("takes no argument '%s'; --help tells more", arguments[optind]);
        exit(EXIT_USAGE);
    }
}

/* What the start script names lies in the run folder: XRT has written it there. Without a run folder the user has named
 * it. */
static bool load_library(struct emu_device *device, const char *path, const char *run_folder)
{
    char library[PATH_MAX];
    struct emu_doubt doubt;
    if (!run_folder)
        return emu_device_load(device, path);
    if (emu_trust_file(run_folder, path, library, &doubt))
        return emu_device_load(device, library);
    emu_say("the device library is not loaded: %s", doubt.text);
    return false;
}

static struct emu_device device;

static void complete_simulation(void)
{
    emu_simulation_finish(device.simulation);
}

int main(int count, char **arguments)
{
    static struct settings settings = {.server = {.patience = 60}};
    settings.server.socket_id = getenv("EMULATION_SOCKETID");
    settings.simulation = emu_simulation_defaults();
    read_options(count, arguments, &settings);
    if (!settings.server.socket_id) {
        emu_say("no socket: neither --socket nor EMULATION_SOCKETID is given");
        return EXIT_USAGE;
    }
    device.options = &settings.simulation;
    device.faults = &settings.faults;
    emu_before_fault = complete_simulation;
    struct rpc_context context = {.device = &device,
                                  .faults = &settings.faults,
                                  .software = !settings.library,
                                  .run_folder = getenv("SDACCEL_EM_RUN_DIR")};
    if (settings.library && !load_library(&device, settings.library, context.run_folder))
        return EMU_EXIT_FAULT;
    bool sound = emu_serve(&settings.server, &context);
    complete_simulation();
    /* Kernels may run still, and their threads use the device. */
    fflush(NULL);
    _exit(sound ? EXIT_SUCCESS : EMU_EXIT_FAULT);
}
