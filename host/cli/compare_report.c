/* SPDX-License-Identifier: BSD-2-Clause */
/* The results of `bdnn compare` as tables and as JSON. */
#include "cli/compare_report.h"
#include "cli/transfers.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(const compare_device *d)
{
    return d->bench.device.name;
}

static double rate(const compare_results *c, const compare_device *d)
{
    return d->run_ms.median > 0 ? 1e3 * (double)c->batch / d->run_ms.median : 0;
}

/* ---- Tables ---- */

static void print_devices(const compare_results *c)
{
    cli_table table = {0};
    cli_table_row(&table, "device|images/s|ms a run|min|max|layers' ms|kB to device|kB from device|outputs");
    for (size_t i = 0; i < c->count; i++) {
        const compare_device *d = &c->devices[i];
        const bdnn_accelerator_cost *a = &d->total.cost.accelerator;
        char moved[64] = "|", outputs[48] = "";
        if (d->info.accelerator) {
            snprintf(moved, sizeof moved, "%.1f|%.1f", 1e-3 * (double)a->bytes_to_device,
                     1e-3 * (double)a->bytes_from_device);
        }
        if (i > 0 && d->different) {
            snprintf(outputs, sizeof outputs, "%llu of %llu differ", (unsigned long long)d->different,
                     (unsigned long long)c->values);
        } else if (i > 0) {
            snprintf(outputs, sizeof outputs, "equal, %llu values", (unsigned long long)c->values);
        }
        cli_table_row(&table, "%.20s|%.4g|%.3f|%.3f|%.3f|%.3f|%s|%s", name_of(d), rate(c, d), d->run_ms.median,
                      d->run_ms.min, d->run_ms.max, d->total.ms, moved, outputs);
    }
    cli_table_print(&table, stdout);
    cli_table_free(&table);
}

static bool takes_time(const compare_results *c, size_t layer)
{
    for (size_t d = 0; d < c->count; d++) {
        if (c->devices[d].cells[layer].ms > 0) {
            return true;
        }
    }
    return false;
}

static void print_layers(const compare_results *c)
{
    cli_table table = {0};
    char text[512];
    int used = snprintf(text, sizeof text, "layer|operation|K|Q|M MAC");
    for (size_t d = 0; d < c->count; d++) {
        used += snprintf(text + used, sizeof text - (size_t)used, "|%.20s ms", name_of(&c->devices[d]));
    }
    cli_table_row(&table, "%s", text);
    for (size_t l = 0; l < c->layers; l++) {
        const bdnn_layer_info *info = &c->info[l];
        char bases[32] = "|", macs[32] = "";
        if (!takes_time(c, l)) {
            continue;
        }
        if (info->decomposed) {
            snprintf(bases, sizeof bases, "%d|%d", info->bases, info->bits);
        }
        if (info->multiply_adds) {
            snprintf(macs, sizeof macs, "%.3f", 1e-6 * (double)info->multiply_adds * (double)c->batch);
        }
        used = snprintf(text, sizeof text, "%.60s|%s|%s|%s", info->name, info->operation, bases, macs);
        for (size_t d = 0; d < c->count; d++) {
            used += snprintf(text + used, sizeof text - (size_t)used, "|%.3f", c->devices[d].cells[l].ms);
        }
        cli_table_row(&table, "%s", text);
    }
    cli_table_print(&table, stdout);
    cli_table_free(&table);
}

/* A layer's row on an accelerator, or the total's. */
static void add_counts(const compare_results *c, const compare_device *d, const char *name,
                       const bdnn_accelerator_cost *a, double products, cli_table *table)
{
    const double array = compare_array(d), clock = compare_clock(c, d), cycles = (double)a->cycles;
    char counted[160] = "not counted|||||";
    if (cycles > 0) {
        snprintf(counted, sizeof counted, "%llu|%.3f|%.1f %%|%.1f %%|%.1f %%|%.1f", (unsigned long long)a->cycles,
                 clock > 0 ? 1e-3 * (double)a->longest_cycles / clock : 0, compare_percent(products, cycles * array),
                 compare_percent((double)a->wait_load_cycles, cycles),
                 compare_percent((double)a->wait_results_cycles, cycles),
                 1e-3 * (double)(a->bytes_read + a->bytes_written));
    }
    cli_table_row(table, "%.60s|%llu|%.1f|%.1f|%llu|%.1f %%|%s", name, (unsigned long long)a->jobs,
                  1e-3 * (double)a->bytes_to_device, 1e-3 * (double)a->bytes_from_device,
                  (unsigned long long)a->busy_cycles, compare_percent(products, (double)a->busy_cycles * array),
                  counted);
}

static void print_prediction(const compare_results *c, const compare_device *d)
{
    const double rate_of_kernel = compare_predicted(c, d);
    if (!compare_counts(d)) {
        printf("cycles, waits and memory traffic: not counted, since this kernel is C and has no clock\n");
    } else if (rate_of_kernel > 0) {
        printf(
            "%s %.4g images/s at %g MHz: %s cycles of the kernel alone, without the host's packing, copies and layers "
            "on the CPU\n",
            d->info.emulated ? "predicted" : "the kernel allows", rate_of_kernel, compare_clock(c, d),
            d->info.emulated ? "from simulated" : "by the counted");
    }
}

static void print_accelerator(const compare_results *c, const compare_device *d)
{
    cli_table table = {0};
    printf("\n%s: %u compute unit%s, array %u x %u x %u bits%s\n", name_of(d), d->info.compute_units,
           d->info.compute_units == 1 ? "" : "s", d->info.rows, d->info.columns, d->info.word_bits,
           d->info.emulated ? ", emulated" : "");
    cli_table_row(&table,
                  "layer|jobs|kB to|kB from|array steps|filled|cycles|ms at clock|array used|waits for loads|for "
                  "results|kB memory");
    for (size_t l = 0; l < c->layers; l++) {
        const bdnn_accelerator_cost *a = &d->cells[l].cost.accelerator;
        if (a->jobs) {
            add_counts(c, d, c->info[l].name, a, compare_products(c, l), &table);
        }
    }
    add_counts(c, d, "total", &d->total.cost.accelerator, compare_products_of(c, d), &table);
    cli_table_print(&table, stdout);
    cli_table_free(&table);
    cli_print_transfers(d->bench.session.session, c->batch);
    print_prediction(c, d);
}

int compare_print(const compare_results *c)
{
    printf("%s, batch %lld, %lld thread%s, %lld runs, input: %s\n\n", c->network, c->batch, c->threads,
           c->threads == 1 ? "" : "s", c->repeat, c->inputs ? c->inputs : "noise");
    print_devices(c);
    printf("\n");
    print_layers(c);
    for (size_t d = 0; d < c->count; d++) {
        if (c->devices[d].info.accelerator) {
            print_accelerator(c, &c->devices[d]);
        }
    }
    return CLI_OK;
}

/* ---- JSON ---- */

static cJSON *accelerator_json(const compare_device *d, const bdnn_accelerator_cost *a, double products)
{
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{"jobs", a->jobs},
                   {"bytes_to_device", a->bytes_to_device},
                   {"bytes_from_device", a->bytes_from_device},
                   {"busy_cycles", a->busy_cycles}},
      counted[] = {{"cycles", a->cycles},
                   {"longest_cycles", a->longest_cycles},
                   {"wait_load_cycles", a->wait_load_cycles},
                   {"wait_results_cycles", a->wait_results_cycles},
                   {"bytes_read", a->bytes_read},
                   {"bytes_written", a->bytes_written}};
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        cJSON_AddNumberToObject(json, numbers[i].name, (double)numbers[i].value);
    }
    cJSON_AddNumberToObject(json, "binary_products", products);
    cJSON_AddNumberToObject(json, "filled_percent",
                            compare_percent(products, (double)a->busy_cycles * compare_array(d)));
    for (size_t i = 0; i < sizeof counted / sizeof *counted && a->cycles; i++) {
        cJSON_AddNumberToObject(json, counted[i].name, (double)counted[i].value);
    }
    if (a->cycles) {
        cJSON_AddNumberToObject(json, "array_percent", compare_percent(products, (double)a->cycles * compare_array(d)));
    }
    return json;
}

static void add_accelerator(const compare_results *c, const compare_device *d, cJSON *json)
{
    cJSON *part = accelerator_json(d, &d->total.cost.accelerator, compare_products_of(c, d));
    if (d->info.uuid[0]) {
        cli_json_text(part, "uuid", d->info.uuid);
    }
    cJSON_AddBoolToObject(part, "emulated", d->info.emulated);
    cJSON_AddNumberToObject(part, "compute_units", d->info.compute_units);
    cJSON_AddNumberToObject(part, "rows", d->info.rows);
    cJSON_AddNumberToObject(part, "columns", d->info.columns);
    cJSON_AddNumberToObject(part, "word_bits", d->info.word_bits);
    cJSON_AddItemToObject(json, "accelerator", part);
    if (compare_predicted(c, d) > 0) {
        part = cJSON_AddObjectToObject(json, "predicted");
        cJSON_AddNumberToObject(part, "clock_mhz", compare_clock(c, d));
        cJSON_AddNumberToObject(part, "images_per_second", compare_predicted(c, d));
        cli_json_text(part, "from",
                      d->info.emulated ? "simulated cycles of the kernel alone" : "counted cycles of the kernel alone");
    }
}

static cJSON *layer_json(const compare_results *c, const compare_device *d, size_t l)
{
    const compare_cell *cell = &d->cells[l];
    cJSON *json = cJSON_CreateObject();
    cli_json_text(json, "name", c->info[l].name);
    cli_json_text(json, "operation", c->info[l].operation);
    cli_json_text(json, "kernel", cell->cost.kernel);
    cJSON_AddNumberToObject(json, "ms", cell->ms);
    cJSON_AddNumberToObject(json, "multiply_adds", (double)c->info[l].multiply_adds * (double)c->batch);
    if (cell->cost.accelerator.jobs) {
        cJSON_AddItemToObject(json, "accelerator",
                              accelerator_json(d, &cell->cost.accelerator, compare_products(c, l)));
    }
    return json;
}

static cJSON *device_json(const compare_results *c, const compare_device *d)
{
    cJSON *json = cJSON_CreateObject(), *layers;
    cli_json_text(json, "device", name_of(d));
    cJSON_AddNumberToObject(json, "ms", d->run_ms.median);
    cJSON_AddNumberToObject(json, "ms_min", d->run_ms.min);
    cJSON_AddNumberToObject(json, "ms_lower_quartile", d->run_ms.lower);
    cJSON_AddNumberToObject(json, "ms_upper_quartile", d->run_ms.upper);
    cJSON_AddNumberToObject(json, "ms_max", d->run_ms.max);
    cJSON_AddNumberToObject(json, "ms_layers", d->total.ms);
    cJSON_AddNumberToObject(json, "images_per_second", rate(c, d));
    cJSON_AddNumberToObject(json, "different_values", (double)d->different);
    if (d->info.accelerator) {
        add_accelerator(c, d, json);
        cli_add_transfers(json, d->bench.session.session);
    }
    layers = cJSON_AddArrayToObject(json, "layers");
    for (size_t l = 0; l < c->layers; l++) {
        cJSON_AddItemToArray(layers, layer_json(c, d, l));
    }
    return json;
}

int compare_print_json(const compare_results *c)
{
    cJSON *json = cJSON_CreateObject(), *devices;
    cli_json_text(json, "version", bdnn_version());
    cli_json_text(json, "network", c->network);
    cli_json_text(json, "inputs", c->inputs ? c->inputs : "noise");
    cJSON_AddNumberToObject(json, "batch", (double)c->batch);
    cJSON_AddNumberToObject(json, "threads", (double)c->threads);
    cJSON_AddNumberToObject(json, "repeat", (double)c->repeat);
    cJSON_AddNumberToObject(json, "compared_values", (double)c->values);
    devices = cJSON_AddArrayToObject(json, "devices");
    for (size_t d = 0; d < c->count; d++) {
        cJSON_AddItemToArray(devices, device_json(c, &c->devices[d]));
    }
    return cli_print_json(json);
}
