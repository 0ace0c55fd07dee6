/* bdnn devices: what networks can run on. */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <string.h>

#define COMMAND "devices"

enum { JSON = CLI_COMMAND_OPTION };

static const struct option long_options[] = {
    {"xclbin", required_argument, NULL, CLI_XCLBIN},
    {"json", no_argument, NULL, JSON},
    {NULL, 0, NULL, 0},
};

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
    if (d->units) {
        if (d->uuid[0]) {
            cli_json_text(json, "uuid", d->uuid);
        }
        cJSON_AddNumberToObject(json, "identity", d->identity);
        cJSON_AddNumberToObject(json, "compute_units", d->units);
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
        printf("           xclbin   %s, %u compute unit%s%s", d->uuid, d->units, d->units == 1 ? "" : "s",
               d->clock_mhz ? "" : ", clock not known\n");
        if (d->clock_mhz) {
            printf(", %u MHz%s\n", d->clock_mhz, d->emulated ? " (as the file says; emulation has no clock)" : "");
        }
    }
    if (d->units) {
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

static int show(const char *xclbin, bool as_json)
{
    bdnn_device_info *devices;
    size_t count;
    bdnn_error err;
    cJSON *json = as_json ? cJSON_CreateArray() : NULL;
    const int saved = cli_before_devices();
    const bdnn_status status = bdnn_devices(xclbin, &devices, &count, &err);
    cli_after_devices(saved);
    for (size_t i = 0; i < count && status == BDNN_OK; i++) {
        if (devices[i].accelerator && devices[i].problem[0]) {
            cli_lose_device(); /* it may be that */
        }
        if (json) {
            cJSON_AddItemToArray(json, json_of(&devices[i]));
        } else {
            print_device(&devices[i]);
        }
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
    const char *xclbin = NULL;
    bool json = false;
    int option;
    while ((option = cli_option(COMMAND, argc, argv, ":", long_options)) != -1) {
        if (option == CLI_XCLBIN) {
            xclbin = optarg;
        } else if (option == JSON) {
            json = true;
        } else {
            return CLI_USAGE;
        }
    }
    if (optind < argc) {
        return cli_usage(COMMAND, "'%s': no arguments are taken", argv[optind]);
    }
    return show(xclbin, json);
}
