/* open_emu: the device process behind XRT's emulation shims. docs/emulation.md tells how it comes to be started. */
#include "report.h"
#include "server.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
    "usage: open_emu [options]\n"
    "The device process behind XRT's emulation: runs kernels in C for a host program that uses XRT.\n"
    "It is normally started by XRT from an xclbin made by build-xclbin; options are then given in OPEN_EMU_OPTIONS.\n"
    "\n"
    "  --library FILE     the device library (hw_emu); without it the host names one (sw_emu)\n"
    "  --socket ID        instead of EMULATION_SOCKETID\n"
    "  --listen           wait for a host program instead of connecting to the one that started this process\n"
    "  --patience SECONDS how long to wait for the host program (60)\n"
    "  --fault WHAT       for tests of host programs: kill@N, silence@N, garbage@N (from the N-th request on), stuck "
    "(no\n"
    "                     compute unit ever says that it is done)\n"
    "  --verbose          say more\n"
    "  --help             this text\n";

enum { OPTION_LIBRARY = 256, OPTION_SOCKET, OPTION_LISTEN, OPTION_PATIENCE, OPTION_FAULT, OPTION_VERBOSE, OPTION_HELP };

static const struct option options[] = {
    {"library", required_argument, NULL, OPTION_LIBRARY},
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"listen", no_argument, NULL, OPTION_LISTEN},
    {"patience", required_argument, NULL, OPTION_PATIENCE},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

enum { EXIT_USAGE = 2 };

struct settings {
    const char *library;
    struct emu_server server;
    struct emu_fault_plan faults;
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
            exit(EXIT_USAGE);
        }
    }
    if (optind < count) {
        emu_say("takes no argument '%s'; --help tells more", arguments[optind]);
        exit(EXIT_USAGE);
    }
}

int main(int count, char **arguments)
{
    struct settings settings = {.server = {.socket_id = getenv("EMULATION_SOCKETID"), .patience = 60}};
    read_options(count, arguments, &settings);
    if (!settings.server.socket_id) {
        emu_say("no socket: neither --socket nor EMULATION_SOCKETID is given");
        return EXIT_USAGE;
    }
    struct emu_device device = {0};
    struct rpc_context context = {.device = &device, .faults = &settings.faults, .software = !settings.library};
    if (settings.library && !emu_device_load(&device, settings.library))
        return EMU_EXIT_FAULT;
    bool sound = emu_serve(&settings.server, &context);
    /* Kernels may run still, and their threads use the device. */
    fflush(NULL);
    _exit(sound ? EXIT_SUCCESS : EMU_EXIT_FAULT);
}
