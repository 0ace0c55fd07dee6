/* SPDX-License-Identifier: BSD-2-Clause */
/* The results of `bdnn bench` as a table and as JSON. */
#include "cli/bench.h"
#include "cli/transfers.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which `part` of the sorted ones lie, between two of them by proportion. */
static double quantile(const double *sorted, long long count, double part)
{
    const double at = part * (double)(count - 1);
    const long long below = (long long)at, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

bench_spread bench_spread_of(double *ms, long long count)
{
    qsort(ms, (size_t)count, sizeof *ms, by_value);
    return (bench_spread){ms[0], quantile(ms, count, 0.25), quantile(ms, count, 0.5), quantile(ms, count, 0.75),
                          ms[count - 1]};
}

static const bdnn_peak *peak_of(const bench_results *b, const char *kernel)
{
    size_t i = 0;
    while (strcmp(b->peaks[i].kernel, kernel) != 0) {
        i++;
    }
    return &b->peaks[i].peak;
}

/* One layer, all that is shown of it. */
struct row {
    bdnn_layer_info info;
    bdnn_layer_cost cost;
    bench_spread ms;
    double multiply_adds; /* of the batch */
    double best_ms;       /* that the machine allows: whichever takes longer, multiplying or reading */
    bool reading;         /* that is reading */
};

static double fraction(const struct row *row)
{
    return row->ms.median > 0 ? row->best_ms / row->ms.median : 0;
}

static double rate(const struct row *row)
{
    return row->ms.median > 0 ? 1e-6 * row->multiply_adds / row->ms.median : 0;
}

static void bound(const bench_results *b, struct row *row)
{
    const bdnn_peak *peak = peak_of(b, row->cost.kernel);
    const double products = row->multiply_adds * (peak->binary ? row->info.bases * row->info.bits : 1);
    const double multiply = peak->products > 0 ? 1e3 * products / peak->products : 0;
    const double read =
        b->read_rate > 0 ? 1e3 * (double)(row->cost.weight_bytes + row->cost.input_bytes) / b->read_rate : 0;
    row->reading = read > multiply;
    /* An accelerator is not held against this machine's peaks; `bdnn compare` holds it against its own. */
    row->best_ms = row->cost.accelerator.jobs ? 0 : row->reading ? read : multiply;
}

static bdnn_status make_row(const bench_results *b, size_t layer, struct row *row, bdnn_error *err)
{
    bdnn_status status = bdnn_model_layer(b->model, layer, &row->info, err);
    if (status == BDNN_OK) {
        status = bdnn_session_layer(b->session.session, layer, &row->cost, err);
    }
    if (status == BDNN_OK) {
        row->ms = bench_spread_of(b->layer_ms + layer * (size_t)b->repeat, b->repeat);
        row->multiply_adds = (double)row->info.multiply_adds * (double)b->batch;
        bound(b, row);
    }
    return status;
}

static void shape_text(const bench_results *b, const bdnn_layer_info *info, char *text, size_t size)
{
    size_t used = b->batch > 1 ? (size_t)snprintf(text, size, "%lldx", b->batch) : 0;
    text[used] = '\0';
    for (int32_t a = 1; a < info->output_rank && used < size; a++) {
        used += (size_t)snprintf(text + used, size - used, a > 1 ? "x%lld" : "%lld", (long long)info->output_shape[a]);
    }
}

static void add_row(const bench_results *b, const struct row *row, double sum, cli_table *table)
{
    char shape[96], bases[32] = "|", gmacs[32] = "", peak[48] = "";
    shape_text(b, &row->info, shape, sizeof shape);
    if (row->info.decomposed) {
        snprintf(bases, sizeof bases, "%d|%d", row->info.bases, row->info.bits);
    }
    if (row->multiply_adds > 0) {
        snprintf(gmacs, sizeof gmacs, "%.1f", rate(row));
    }
    if (row->best_ms > 0) {
        snprintf(peak, sizeof peak, "%.0f %%, %s", 100 * fraction(row), row->reading ? "reading" : "multiplying");
    }
    cli_table_row(table, "%.60s|%s|%s|%s|%s|%.3f|%s|%.1f %%|%.2f|%s", row->info.name, row->info.operation, shape, bases,
                  row->cost.kernel, row->ms.median, gmacs, sum > 0 ? 100 * row->ms.median / sum : 0,
                  1e-6 * (double)(row->cost.weight_bytes + row->cost.input_bytes), peak);
}

static void add_spread(cJSON *json, const bench_spread *ms)
{
    cJSON_AddNumberToObject(json, "ms", ms->median);
    cJSON_AddNumberToObject(json, "ms_min", ms->min);
    cJSON_AddNumberToObject(json, "ms_lower_quartile", ms->lower);
    cJSON_AddNumberToObject(json, "ms_upper_quartile", ms->upper);
    cJSON_AddNumberToObject(json, "ms_max", ms->max);
}

static cJSON *json_of(const struct row *row)
{
    cJSON *json = cJSON_CreateObject(), *shape = cJSON_AddArrayToObject(json, "output_shape");
    cli_json_text(json, "name", row->info.name);
    cli_json_text(json, "operation", row->info.operation);
    for (int32_t a = 0; a < row->info.output_rank; a++) {
        cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)row->info.output_shape[a]));
    }
    if (row->info.decomposed) {
        cJSON_AddNumberToObject(json, "bases", row->info.bases);
        cJSON_AddNumberToObject(json, "bits", row->info.bits);
    }
    cli_json_text(json, "kernel", row->cost.kernel);
    add_spread(json, &row->ms);
    cJSON_AddNumberToObject(json, "multiply_adds", row->multiply_adds);
    cJSON_AddNumberToObject(json, "gmac_per_second", rate(row));
    cJSON_AddNumberToObject(json, "weight_bytes", (double)row->cost.weight_bytes);
    cJSON_AddNumberToObject(json, "input_bytes", (double)row->cost.input_bytes);
    cJSON_AddNumberToObject(json, "output_bytes", (double)row->cost.output_bytes);
    if (row->best_ms > 0) {
        cli_json_text(json, "bound", row->reading ? "reading" : "multiplying");
        cJSON_AddNumberToObject(json, "bound_ms", row->best_ms);
        cJSON_AddNumberToObject(json, "part_of_peak", fraction(row));
    }
    return json;
}

static cJSON *machine_of(const bench_results *b)
{
    cJSON *json = cJSON_CreateObject(), *peaks;
    cJSON_AddNumberToObject(json, "read_bytes_of_a_run", (double)b->read_bytes);
    cJSON_AddNumberToObject(json, "read_bytes_per_second", b->read_rate);
    cJSON_AddNumberToObject(json, "memory_bytes_per_second", b->memory_rate);
    peaks = cJSON_AddArrayToObject(json, "peaks");
    for (size_t i = 0; i < b->peak_count; i++) {
        const bdnn_peak *p = &b->peaks[i].peak;
        if (p->instruction) {
            cJSON *peak = cJSON_CreateObject();
            cli_json_text(peak, "kernel", b->peaks[i].kernel);
            cli_json_text(peak, "instruction", p->instruction);
            cJSON_AddNumberToObject(peak, p->binary ? "binary_products_per_second" : "multiply_adds_per_second",
                                    p->products);
            cJSON_AddItemToArray(peaks, peak);
        }
    }
    return json;
}

static void print_machine(const bench_results *b)
{
    for (size_t i = 0; i < b->peak_count; i++) {
        const bdnn_peak *p = &b->peaks[i].peak;
        if (p->instruction) {
            printf("peak       %s: %.4g G %s/s (%s)\n", p->instruction, 1e-9 * p->products,
                   p->binary ? "binary products" : "MAC", b->peaks[i].kernel);
        }
    }
    printf("reading    %.1f GB/s from %.1f MB, which a run reads; %.1f GB/s from memory far larger than caches\n",
           1e-9 * b->read_rate, 1e-6 * (double)b->read_bytes, 1e-9 * b->memory_rate);
}

/* Beside a run that is not the first: what it takes from a file to its result. */
static void print_start_up(const bench_results *b, double run_ms)
{
    const double sum = b->load_ms + b->ready_ms + b->first_ms;
    printf(
        "start-up   load %.1f ms, make ready %.1f ms, first run %.1f ms: %.2f runs beside reading the file, %.1f ms\n",
        b->load_ms, b->ready_ms, b->first_ms, run_ms > 0 ? (sum - b->file_ms) / run_ms : 0, b->file_ms);
}

static void print_total(const bench_results *b, const bench_spread *total)
{
    printf("\nrun        median %.3f ms, min %.3f, quartiles %.3f and %.3f, max %.3f, of %lld; %.4g items/s\n",
           total->median, total->min, total->lower, total->upper, total->max, b->repeat,
           1e3 * (double)b->batch / total->median);
    printf("device     %s, %lld thread%s, batch %lld\n", b->device.name, b->threads, b->threads == 1 ? "" : "s",
           b->batch);
}

static cJSON *start_up_of(const bench_results *b)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "file", b->file_ms);
    cJSON_AddNumberToObject(json, "load", b->load_ms);
    cJSON_AddNumberToObject(json, "make_ready", b->ready_ms);
    cJSON_AddNumberToObject(json, "first_run", b->first_ms);
    return json;
}

static int print_json(bench_results *b, cJSON *layers, const bench_spread *total, double sum)
{
    cJSON *json = cJSON_CreateObject();
    uint64_t planned, without_reuse;
    bdnn_session_memory(b->session.session, &planned, &without_reuse);
    cli_json_text(json, "version", bdnn_version());
    cli_json_text(json, "device", b->device.name);
    cJSON_AddNumberToObject(json, "threads", (double)b->threads);
    cJSON_AddNumberToObject(json, "batch", (double)b->batch);
    cJSON_AddNumberToObject(json, "repeat", (double)b->repeat);
    add_spread(json, total);
    cJSON_AddNumberToObject(json, "ms_layers", sum);
    cJSON_AddNumberToObject(json, "items_per_second", 1e3 * (double)b->batch / total->median);
    cJSON_AddNumberToObject(json, "activation_bytes", (double)planned);
    cJSON_AddItemToObject(json, "start_up_ms", start_up_of(b));
    cJSON_AddItemToObject(json, "machine", machine_of(b));
    cJSON_AddItemToObject(json, "layers", layers);
    cli_add_transfers(json, b->session.session);
    return cli_print_json(json);
}

int bench_report(bench_results *b, const bench_form *form)
{
    const bench_spread total = bench_spread_of(b->total_ms, b->repeat);
    struct row *rows = calloc(b->layers + 1, sizeof *rows);
    cli_table table = {0};
    cJSON *layers = cJSON_CreateArray();
    bdnn_error err = {.message = "no memory for the results"};
    bdnn_status status = rows ? BDNN_OK : BDNN_ERROR_MEMORY;
    double sum = 0, multiply_adds = 0;
    cli_table_row(&table, "layer|operation|output|K|Q|kernel|ms|G MAC/s|share|MB read|of the peak");
    for (size_t l = 0; l < b->layers && status == BDNN_OK; l++) {
        status = make_row(b, l, &rows[l], &err);
        sum += rows[l].ms.median;
        multiply_adds += rows[l].multiply_adds;
    }
    for (size_t l = 0; l < b->layers && status == BDNN_OK; l++) {
        if (form->all || rows[l].ms.max > 0) {
            add_row(b, &rows[l], sum, &table);
        }
        cJSON_AddItemToArray(layers, json_of(&rows[l]));
    }
    cli_table_row(&table, "total||||||%.3f|%.1f||%.2f|", sum, sum > 0 ? 1e-6 * multiply_adds / sum : 0,
                  1e-6 * (double)b->read_bytes);
    free(rows);
    if (status == BDNN_OK && form->json) {
        cli_table_free(&table);
        return print_json(b, layers, &total, sum);
    }
    if (status == BDNN_OK) {
        cli_table_print(&table, stdout);
        cli_print_transfers(b->session.session, b->batch);
        print_total(b, &total);
        print_start_up(b, total.median);
        print_machine(b);
    }
    cJSON_Delete(layers);
    cli_table_free(&table);
    return status == BDNN_OK ? CLI_OK : cli_fail(&err);
}
