/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn decompose: a trained network in, a binary-decomposed one out. */
#include "cli/cli.h"

#include "bdnn_data.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND           "decompose"
#define MAX_LAYER_OPTIONS 256

enum {
    BASES = CLI_COMMAND_OPTION,
    BITS,
    FIRST,
    LAST,
    LAYER,
    CALIBRATE,
    CALIBRATE_COUNT,
    METHOD,
    RANGE,
    PERCENTILE,
    LAMBDA,
    RESTARTS,
    SEED,
    THREADS,
    MEMORY_LIMIT,
    SKIP_BAD,
    JSON
};

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    {"bases", required_argument, NULL, BASES},
    {"bits", required_argument, NULL, BITS},
    {"first", required_argument, NULL, FIRST},
    {"last", required_argument, NULL, LAST},
    {"layer", required_argument, NULL, LAYER},
    {"calibrate", required_argument, NULL, CALIBRATE},
    {"calibrate-count", required_argument, NULL, CALIBRATE_COUNT},
    {"method", required_argument, NULL, METHOD},
    {"range", required_argument, NULL, RANGE},
    {"percentile", required_argument, NULL, PERCENTILE},
    {"lambda", required_argument, NULL, LAMBDA},
    {"restarts", required_argument, NULL, RESTARTS},
    {"seed", required_argument, NULL, SEED},
    {"threads", required_argument, NULL, THREADS},
    {"memory-limit", required_argument, NULL, MEMORY_LIMIT},
    {"skip-bad", required_argument, NULL, SKIP_BAD},
    {"json", no_argument, NULL, JSON},
    {"output", required_argument, NULL, 'o'},
    {NULL, 0, NULL, 0},
};

struct arguments {
    cli_model_options model;
    bdnn_decompose_options decompose;
    bdnn_layer_setting layers[MAX_LAYER_OPTIONS];
    const char *network, *output, *calibrate;
    long long calibrate_count;
    cli_skips skips;
    bool json;
};

static bool take_integer(const char *option, long long low, long long high, int32_t *value)
{
    long long number;
    bool good = cli_integer(COMMAND, option, optarg, low, high, &number);
    *value = good ? (int32_t)number : *value;
    return good;
}

/* "K:Q". */
static bool take_pair(const char *option, const char *text, int32_t *bases, int32_t *bits)
{
    if (text[0] < '1' || text[0] > '8' || text[1] != ':' || text[2] < '1' || text[2] > '8' || text[3]) {
        cli_usage(COMMAND, "--%s %s: K:Q is needed, both 1 to 8", option, text);
        return false;
    }
    *bases = text[0] - '0';
    *bits = text[2] - '0';
    return true;
}

/* "NAME:K:Q" or "NAME:float"; the name may hold colons itself. */
static bool take_layer(struct arguments *a, char *text)
{
    bdnn_layer_setting *setting = &a->layers[a->decompose.layer_count];
    char *last = strrchr(text, ':');
    if (a->decompose.layer_count == MAX_LAYER_OPTIONS) {
        cli_usage(COMMAND, "more than %d --layer options", MAX_LAYER_OPTIONS);
        return false;
    }
    setting->layer = text;
    setting->keep_float = last && strcmp(last + 1, "float") == 0;
    if (last && !setting->keep_float) {
        do {
            last = last > text ? last - 1 : NULL;
        } while (last && *last != ':');
    }
    if (!last || last == text) {
        cli_usage(COMMAND, "--layer %s: NAME:K:Q or NAME:float is needed", text);
        return false;
    }
    if (!setting->keep_float && !take_pair("layer", last + 1, &setting->bases, &setting->bits)) {
        return false;
    }
    *last = '\0';
    a->decompose.layers = a->layers;
    a->decompose.layer_count++;
    return true;
}

static bool take_word(const char *option, const char *const *words, int *value)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], optarg) == 0) {
            *value = i;
            return true;
        }
    }
    cli_usage(COMMAND, "--%s %s: unknown", option, optarg);
    return false;
}

static bool take_rule(int option, struct arguments *a)
{
    static const char *const methods[] = {"data", "paper", NULL};
    static const char *const ranges[] = {"auto", "output", "minmax", "percentile", "mse", NULL};
    long long number = 0;
    int word = 0;
    bool good;
    switch (option) {
    case METHOD:
        good = take_word("method", methods, &word);
        a->decompose.method = word == 0 ? BDNN_METHOD_DATA : BDNN_METHOD_PAPER;
        return good;
    case RANGE:
        good = take_word("range", ranges, &word);
        a->decompose.range = (bdnn_range)word;
        return good;
    case PERCENTILE:
        return cli_number(COMMAND, "percentile", optarg, 50, 100, &a->decompose.percentile);
    case LAMBDA:
        return cli_number(COMMAND, "lambda", optarg, 1e-6, 1e3, &a->decompose.lambda);
    case RESTARTS:
        return take_integer("restarts", 0, 60, &a->decompose.restarts);
    case SEED:
        good = cli_integer(COMMAND, "seed", optarg, 0, INT64_MAX, &number);
        a->decompose.seed = (uint64_t)number;
        return good;
    case THREADS:
        good = cli_integer(COMMAND, "threads", optarg, 1, 1024, &number);
        a->decompose.threads = (size_t)number;
        return good;
    case MEMORY_LIMIT:
        good = cli_integer(COMMAND, "memory-limit", optarg, 1, 1 << 24, &number);
        a->decompose.memory_limit = (size_t)number << 20;
        return good;
    default:
        return cli_take_model_option(COMMAND, option, optarg, &a->model);
    }
}

static bool take_option(int option, struct arguments *a)
{
    bdnn_decompose_options *d = &a->decompose;
    switch (option) {
    case BASES:
        return take_integer("bases", 1, 8, &d->bases);
    case BITS:
        return take_integer("bits", 1, 8, &d->bits);
    case FIRST:
        return take_pair("first", optarg, &d->first_bases, &d->first_bits);
    case LAST:
        return take_pair("last", optarg, &d->last_bases, &d->last_bits);
    case LAYER:
        return take_layer(a, optarg);
    case CALIBRATE:
        a->calibrate = optarg;
        return true;
    case CALIBRATE_COUNT:
        return cli_integer(COMMAND, "calibrate-count", optarg, 1, 1 << 20, &a->calibrate_count);
    case SKIP_BAD:
        return cli_take_skip_bad(COMMAND, optarg, &a->skips);
    case JSON:
        a->json = true;
        return true;
    case 'o':
        a->output = optarg;
        return true;
    default:
        return take_rule(option, a);
    }
}

/* Of `asked` items evenly spread over the dataset those that can be read; skipping one moves no other. How many they
 * are is *count. */
static bdnn_status read_items(struct arguments *a, const bdnn_dataset *dataset, const bdnn_preprocess *p, size_t asked,
                              float *inputs, size_t *count, bdnn_error *err)
{
    const size_t item = (size_t)p->channels * (size_t)p->height * (size_t)p->width;
    bdnn_status status = BDNN_OK;
    *count = 0;
    for (size_t i = 0; i < asked && status == BDNN_OK; i++) {
        const size_t index = (size_t)((double)i * (double)bdnn_dataset_count(dataset) / (double)asked);
        status = cli_stopped()
                     ? cli_error(err, BDNN_ERROR_CANCELLED, "%.300s: ended by %s", a->calibrate, cli_stopped())
                     : bdnn_dataset_input(dataset, index, p, inputs + *count * item, err);
        if (status == BDNN_OK) {
            ++*count;
        } else {
            char name[4096];
            status = cli_skip(&a->skips, status, index, bdnn_dataset_name(dataset, index, name, sizeof name), err);
        }
    }
    return status == BDNN_OK && !*count
               ? cli_error(err, BDNN_ERROR_FORMAT, "none of the %zu calibration inputs can be read; the first: %.400s",
                           asked, a->skips.items[0].reason)
               : status;
}

/* Inputs for calibration; NULL after an error. */
static float *read_calibration(struct arguments *a, const bdnn_model *model, size_t *count, bdnn_error *err)
{
    const bdnn_preprocess p = bdnn_model_preprocess(model);
    const size_t item = (size_t)p.channels * (size_t)p.height * (size_t)p.width;
    bdnn_dataset *dataset;
    float *inputs;
    size_t asked;
    if (!p.channels) {
        cli_error(err, BDNN_ERROR_ARGUMENT,
                  "%s: the network does not take images, so there is nothing to calibrate it with", a->network);
        return NULL;
    }
    if (bdnn_dataset_open(a->calibrate, NULL, &dataset, err) != BDNN_OK) {
        return NULL;
    }
    asked = bdnn_dataset_count(dataset) < (size_t)a->calibrate_count ? bdnn_dataset_count(dataset)
                                                                     : (size_t)a->calibrate_count;
    inputs = calloc(asked, item * sizeof *inputs);
    if (!inputs) {
        cli_error(err, BDNN_ERROR_MEMORY, "%s: no memory for %zu calibration inputs", a->calibrate, asked);
    } else if (read_items(a, dataset, &p, asked, inputs, count, err) != BDNN_OK) {
        free(inputs);
        inputs = NULL;
    }
    bdnn_dataset_free(dataset);
    return inputs;
}

static cJSON *json_row(const bdnn_layer_report *r)
{
    cJSON *json = cJSON_CreateObject();
    cli_json_text(json, "name", r->name);
    cJSON_AddNumberToObject(json, "bases", r->bases);
    cJSON_AddNumberToObject(json, "bits", r->bits);
    cJSON_AddNumberToObject(json, "weight_error", r->weight_error);
    cJSON_AddNumberToObject(json, "output_snr_db", r->output_snr_db);
    cJSON_AddNumberToObject(json, "bytes_before", (double)r->bytes_before);
    cJSON_AddNumberToObject(json, "bytes_after", (double)r->bytes_after);
    return json;
}

/* Of all layers, or of those that were done before what `ended` names: a signal or a message. */
static int print_report(const struct arguments *a, size_t inputs, const bdnn_layer_report *report, size_t count,
                        double seconds, const char *ended)
{
    uint64_t before = 0, after = 0;
    cli_table table = {0};
    cJSON *json = cJSON_CreateObject(), *layers = cJSON_AddArrayToObject(json, "layers");
    cli_table_row(&table, "layer|K|Q|weight error|output SNR|bytes before|after|saved");
    for (size_t i = 0; i < count; i++) {
        const bdnn_layer_report *r = &report[i];
        before += r->bytes_before;
        after += r->bytes_after;
        cli_table_row(&table, "%.60s|%d|%d|%.2f %%|%.1f dB|%llu|%llu|%.1f %%", r->name, r->bases, r->bits,
                      100 * r->weight_error, r->output_snr_db, (unsigned long long)r->bytes_before,
                      (unsigned long long)r->bytes_after, 100 - 100 * (double)r->bytes_after / (double)r->bytes_before);
        cJSON_AddItemToArray(layers, json_row(r));
    }
    cli_table_row(&table, "total|||||%llu|%llu|%.1f %%", (unsigned long long)before, (unsigned long long)after,
                  before ? 100 - 100 * (double)after / (double)before : 0);
    cJSON_AddNumberToObject(json, "bytes_before", (double)before);
    cJSON_AddNumberToObject(json, "bytes_after", (double)after);
    cJSON_AddNumberToObject(json, "seconds", seconds);
    cJSON_AddNumberToObject(json, "calibration_inputs", (double)inputs);
    cJSON_AddBoolToObject(json, "partial", ended != NULL);
    if (ended) {
        cli_json_text(json, "ended_by", ended);
    }
    cli_skips_json(&a->skips, json);
    if (a->json) {
        cli_table_free(&table);
        return cli_print_json(json);
    }
    if (ended) {
        printf("PARTIAL: %zu layers, ended by %s\n", count, cli_stopped() ? ended : "an error");
    }
    cli_table_print(&table, stdout);
    if (!ended) {
        printf("decomposed in %.1f s\n", seconds);
    }
    cli_skips_print(&a->skips, inputs + a->skips.count);
    cli_table_free(&table);
    cJSON_Delete(json);
    return CLI_OK;
}

static int decompose(struct arguments *a, const bdnn_model *model, bdnn_error *err)
{
    cli_progress progress;
    bdnn_model *decomposed = NULL;
    bdnn_layer_report *report = NULL;
    size_t report_count = 0, count = 0;
    float *inputs = read_calibration(a, model, &count, err);
    bdnn_status status;
    int code;
    double start = cli_seconds();
    if (!inputs) {
        return cli_stop_code(cli_fail(err));
    }
    progress = cli_progress_start();
    a->decompose.progress = cli_progress_step;
    a->decompose.user = &progress;
    status = bdnn_decompose(model, inputs, count, &a->decompose, &decomposed, &report, &report_count, err);
    cli_progress_end(&progress);
    free(inputs);
    if (status == BDNN_OK) {
        status = bdnn_model_save(decomposed, a->output, err);
        code = status == BDNN_OK ? print_report(a, count, report, report_count, cli_seconds() - start, NULL)
                                 : cli_fail(err);
        bdnn_report_free(report);
        bdnn_model_free(decomposed);
        return code;
    }
    if (report_count) {
        print_report(a, count, report, report_count, cli_seconds() - start,
                     status == BDNN_ERROR_CANCELLED ? cli_stopped() : err->message);
    }
    if (status == BDNN_ERROR_CANCELLED) {
        cli_error(err, status, "%.300s: ended by %s; %.100s was not written", a->network, cli_stopped(), a->output);
        code = cli_stop_code(cli_fail(err));
    } else {
        bdnn_error named = {.status = status};
        snprintf(named.message, sizeof named.message, "%.200s: %.300s", a->network, err->message);
        code = cli_fail(&named);
    }
    bdnn_report_free(report);
    return code;
}

static int check_paths(const struct arguments *a)
{
    const char *inputs[] = {a->network, a->calibrate, a->model.load.labels, a->model.load.mean_image};
    return cli_check_outputs(COMMAND, &a->output, 1, inputs, sizeof inputs / sizeof *inputs);
}

int cli_decompose(int argc, char **argv)
{
    static struct arguments a;
    bdnn_model *model;
    bdnn_error err;
    int option, code;
    a.decompose = (bdnn_decompose_options)BDNN_DECOMPOSE_OPTIONS_INIT;
    a.calibrate_count = 512;
    while ((option = cli_option(COMMAND, argc, argv, ":o:", long_options)) != -1) {
        if (!take_option(option, &a)) {
            return CLI_USAGE;
        }
    }
    if (argc - optind != 1 || !a.output || !a.calibrate) {
        return cli_usage(COMMAND, "one network, --calibrate DATA and -o OUT.bdnn are needed");
    }
    a.network = argv[optind];
    code = check_paths(&a);
    if (code != CLI_OK) {
        return code;
    }
    if (cli_load(a.network, &a.model, &model, &err) != BDNN_OK) {
        return cli_fail(&err);
    }
    cli_stop_gently();
    code = decompose(&a, model, &err);
    cli_skips_free(&a.skips);
    bdnn_model_free(model);
    return code;
}
