/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn devices: what networks can run on. */
#include "cli/cli.h"

#include "bdnn_measure.h"

#include <cjson/cJSON.h>
#include <string.h>

#define COMMAND "devices"

enum { JSON = CLI_COMMAND_OPTION, LAUNCHES };

static const struct option long_options[] = {
    {"xclbin", required_argument, NULL, CLI_XCLBIN},
    {"launches", required_argument, NULL, LAUNCHES},
    {"json", no_argument, NULL, JSON},
    {NULL, 0, NULL, 0},
};

/* What the command shows, beside the list. */
struct command {
    const char *xclbin;
    size_t launches; /* to time on each accelerator; 0: none */
    bool json;
};

/* A way of waiting, where there is a choice, and what a launch takes by it. */
struct launches {
    const char *wait;
    bdnn_launch_times times;
    bdnn_error err; /* status BDNN_OK: they were measured */
};
enum { WAITS = 3 };

/* Times launches by every way of waiting that the device has; returns how many these are. */
static size_t time_launches(const struct command *k, const bdnn_device_info *d, struct launches found[WAITS])
{
    static const char *const names[WAITS] = {
        [BDNN_WAIT_HYBRID] = "hybrid", [BDNN_WAIT_POLL] = "poll", [BDNN_WAIT_INTERRUPT] = "interrupt"};
    const bool has_choice = strcmp(d->target, "uio") == 0;
    const size_t ways = !k->launches || !d->compute_units || d->problem[0] ? 0 : has_choice ? WAITS : 1;
    for (size_t i = 0; i < ways; i++) {
        const bdnn_session_options options = {
            .struct_size = sizeof options, .device = d->name, .xclbin = k->xclbin, .wait = (bdnn_wait)i};
        const int saved = cli_before_devices();
        found[i].wait = has_choice ? names[i] : "poll";
        found[i].err.status = BDNN_OK;
        bdnn_device_launches(&options, k->launches, &found[i].times, &found[i].err);
        cli_after_devices(saved);
        if (found[i].err.status != BDNN_OK) {
            cli_lose_device(); /* it may be that */
        }
    }
    return ways;
}

static cJSON *launches_json(const struct launches *found, size_t ways)
{
    cJSON *json = cJSON_CreateArray();
    for (size_t i = 0; i < ways; i++) {
        cJSON *way = cJSON_CreateObject();
        cli_json_text(way, "wait", found[i].wait);
        if (found[i].err.status != BDNN_OK) {
            cli_json_text(way, "problem", found[i].err.message);
        } else {
            cJSON_AddNumberToObject(way, "min_us", found[i].times.min_us);
            cJSON_AddNumberToObject(way, "median_us", found[i].times.median_us);
            cJSON_AddNumberToObject(way, "p99_us", found[i].times.p99_us);
        }
        cJSON_AddItemToArray(json, way);
    }
    return json;
}

static void print_launches(const struct launches *found, size_t ways)
{
    for (size_t i = 0; i < ways; i++) {
        if (found[i].err.status == BDNN_OK) {
            printf("           launch   %s: median %.1f us, min %.1f, p99 %.1f\n", found[i].wait,
                   found[i].times.median_us, found[i].times.min_us, found[i].times.p99_us);
        } else {
            char problem[sizeof found[i].err.message];
            memcpy(problem, found[i].err.message, sizeof problem);
            printf("           launch   %s: %s\n", found[i].wait, cli_printable(problem));
        }
    }
}

static cJSON *json_of(const bdnn_device_info *d)
{
    cJSON *json = cJSON_CreateObject();
    cli_json_text(json, "name", d->name);
    cli_json_text(json, "description", d->description);
    if (d->problem[0]) {
        cli_json_text(json, "problem", d->problem);
    }
    if (!d->accelerator) {
        return json;
    }
    cJSON_AddBoolToObject(json, "emulated", d->emulated);
    cli_json_text(json, "target", d->target);
    cJSON_AddNumberToObject(json, "memory_bytes", (double)d->memory_bytes);
    cJSON_AddNumberToObject(json, "clock_mhz", d->clock_mhz);
    if (d->compute_units) {
        if (d->uuid[0]) {
            cli_json_text(json, "uuid", d->uuid);
        }
        cJSON_AddNumberToObject(json, "identity", d->identity);
        cJSON_AddNumberToObject(json, "compute_units", d->compute_units);
        cJSON_AddNumberToObject(json, "rows", d->rows);
        cJSON_AddNumberToObject(json, "columns", d->columns);
        cJSON_AddNumberToObject(json, "word_bits", d->word_bits);
        cJSON_AddNumberToObject(json, "weight_depth", d->weight_depth);
        cJSON_AddNumberToObject(json, "activation_depth", d->activation_depth);
        cJSON_AddNumberToObject(json, "tiles", d->tiles);
        if (d->ports) {
            cJSON_AddNumberToObject(json, "ports", d->ports);
            cJSON_AddNumberToObject(json, "port_bits", d->port_bits);
        }
        cJSON_AddBoolToObject(json, "max_pooling", d->max_pooling);
    }
    return json;
}

/* Lines of an accelerator below its first. */
static void print_details(const bdnn_device_info *d)
{
    if (d->uuid[0]) {
        printf("           xclbin   %s, %u compute unit%s%s", d->uuid, d->compute_units,
               d->compute_units == 1 ? "" : "s", d->clock_mhz ? "" : ", clock not known\n");
        if (d->clock_mhz) {
            printf(", %u MHz%s\n", d->clock_mhz, d->emulated ? " (as the file says; emulation has no clock)" : "");
        }
    }
    if (d->compute_units) {
        printf("           kernel   identity 0x%08x, %s\n", d->identity,
               d->max_pooling ? "convolution and max pooling" : "convolution");
        printf("           array    %u filters x %u pixels x %u bits, %u weight and %u activation words, %u tiles\n",
               d->rows, d->columns, d->word_bits, d->weight_depth, d->activation_depth, d->tiles);
    } else if (!d->problem[0]) {
        printf("           no xclbin is named, by --xclbin or BDNN_XCLBIN\n");
    }
    if (d->problem[0]) {
        char problem[sizeof d->problem];
        memcpy(problem, d->problem, sizeof problem);
        printf("           cannot be used: %s\n", cli_printable(problem));
    }
}

static void print_device(const bdnn_device_info *d)
{
    char description[sizeof d->description];
    memcpy(description, d->description, sizeof description);
    printf("%-9s  %s", d->name, cli_printable(description));
    if (d->accelerator && d->target[0]) {
        printf(", %s, %llu MiB", d->emulated ? d->target : "board", (unsigned long long)d->memory_bytes >> 20);
    }
    printf("\n");
    if (d->accelerator) {
        print_details(d);
    }
}

static void show_device(const struct command *k, const bdnn_device_info *d, cJSON *list)
{
    struct launches found[WAITS];
    const size_t ways = time_launches(k, d, found);
    if (d->accelerator && d->problem[0]) {
        cli_lose_device(); /* it may be that */
    }
    if (!list) {
        print_device(d);
        print_launches(found, ways);
        return;
    }
    cJSON *json = json_of(d);
    if (ways) {
        cJSON_AddItemToObject(json, "launches", launches_json(found, ways));
    }
    cJSON_AddItemToArray(list, json);
}

static int show(const struct command *k)
{
    bdnn_device_info *devices;
    size_t count;
    bdnn_error err;
    cJSON *json = k->json ? cJSON_CreateArray() : NULL;
    const int saved = cli_before_devices();
    const bdnn_status status = bdnn_devices(k->xclbin, &devices, &count, &err);
    cli_after_devices(saved);
    for (size_t i = 0; i < count && status == BDNN_OK; i++) {
        show_device(k, &devices[i], json);
    }
    bdnn_devices_free(devices);
    if (status != BDNN_OK) {
        cJSON_Delete(json);
        return cli_fail(&err);
    }
    return json ? cli_print_json(json) : CLI_OK;
}

int cli_devices(int argc, char **argv)
{
    struct command k = {.xclbin = NULL};
    long long launches = 0;
    int option;
    while ((option = cli_option(COMMAND, argc, argv, ":", long_options)) != -1) {
        if (option == CLI_XCLBIN) {
            k.xclbin = optarg;
        } else if (option == LAUNCHES) {
            if (!cli_integer(COMMAND, "launches", optarg, 1, 1000000, &launches)) {
                return CLI_USAGE;
            }
            k.launches = (size_t)launches;
        } else if (option == JSON) {
            k.json = true;
        } else {
            return CLI_USAGE;
        }
    }
    if (optind < argc) {
        return cli_usage(COMMAND, "'%s': no arguments are taken", argv[optind]);
    }
    return show(&k);
}
