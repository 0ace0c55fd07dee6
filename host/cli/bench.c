/* bdnn bench: how long each layer takes, and how far that is from what the machine can do. */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND    "bench"
#define MOST_PEAKS 16

enum { BENCH_JSON = CLI_COMMAND_OPTION, BENCH_DEVICE, BENCH_THREADS, BENCH_BATCH, BENCH_REPEAT, BENCH_ALL };

static const struct option long_options[] = {CLI_MODEL_OPTIONS,
                                             {"json", no_argument, NULL, BENCH_JSON},
                                             {"device", required_argument, NULL, BENCH_DEVICE},
                                             {"threads", required_argument, NULL, BENCH_THREADS},
                                             {"batch", required_argument, NULL, BENCH_BATCH},
                                             {"repeat", required_argument, NULL, BENCH_REPEAT},
                                             {"all", no_argument, NULL, BENCH_ALL},
                                             {NULL, 0, NULL, 0}};

struct peak {
    const char *kernel, *instruction;
    double multiply_adds; /* a second, all threads together */
};

struct bench {
    cli_model_options model_options;
    const char *device;
    long long threads, batch, repeat;
    bool json, all;
    bdnn_model *model;
    bdnn_session *session;
    size_t layers;
    double *times;  /* [layer][repetition], milliseconds */
    double *totals; /* [repetition] */
    double read_bytes;
    struct peak peaks[MOST_PEAKS];
    size_t peak_count;
};

/* Lowest, quartiles, highest. */
struct spread {
    double lowest, lower, median, upper, highest;
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static struct spread spread_of(double *values, long long count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return (struct spread){values[0], values[count / 4], values[count / 2], values[3 * count / 4], values[count - 1]};
}

static const struct peak *peak_of(struct bench *b, const char *kernel)
{
    struct peak *p = b->peaks;
    while (p < b->peaks + b->peak_count && strcmp(p->kernel, kernel) != 0) {
        p++;
    }
    if (p == b->peaks + MOST_PEAKS) {
        return NULL;
    }
    if (p == b->peaks + b->peak_count) {
        p->kernel = kernel;
        p->multiply_adds = bdnn_peak_multiply_adds(kernel, &p->instruction) * (double)b->threads;
        b->peak_count++;
    }
    return p;
}

static bdnn_status measure(struct bench *b, bdnn_error *err)
{
    int64_t shape[6], count = b->batch;
    const int32_t rank = bdnn_model_input_shape(b->model, shape);
    cli_progress progress = cli_progress_start();
    bdnn_status status = bdnn_session_profile(b->session, err);
    float *input;
    unsigned state = 1;
    for (int32_t a = 1; a < rank; a++) {
        count *= shape[a];
    }
    input = malloc((size_t)count * sizeof *input);
    if (!input) {
        snprintf(err->message, sizeof err->message, "no memory for an input of %lld numbers", (long long)count);
        return err->status = BDNN_ERROR_MEMORY;
    }
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        input[i] = (float)(state >> 8) * 0x1p-23f - 1.0f;
    }
    /* Two runs to warm up. */
    for (long long r = -2; r < b->repeat && status == BDNN_OK; r++) {
        const double start = cli_seconds();
        status = bdnn_session_run(b->session, input, err);
        for (size_t l = 0; l < b->layers && r >= 0 && status == BDNN_OK; l++) {
            bdnn_layer_cost cost;
            status = bdnn_session_layer(b->session, l, &cost, err);
            b->times[l * (size_t)b->repeat + (size_t)r] = 1e-6 * (double)cost.nanoseconds;
        }
        if (r >= 0) {
            b->totals[r] = 1e3 * (cli_seconds() - start);
        }
        cli_progress_step(&progress, "running", (uint64_t)(r + 3), (uint64_t)(b->repeat + 2));
    }
    cli_progress_end(&progress);
    free(input);
    return status;
}

/* The least time that the instruction's rate and the memory's allow, over the time taken. */
static double reached(struct bench *b, const bdnn_layer_cost *cost, double products, double milliseconds, bool *memory)
{
    const struct peak *p = peak_of(b, cost->kernel);
    const double compute = p && p->multiply_adds > 0 ? 1e3 * products / p->multiply_adds : 0;
    const double read = b->read_bytes > 0 ? 1e3 * (double)cost->weight_bytes / b->read_bytes : 0;
    *memory = read > compute;
    return products > 0 && milliseconds > 0 ? (*memory ? read : compute) / milliseconds : 0;
}

static void add_layer(struct bench *b, size_t l, double sum, cli_table *table, cJSON *layers)
{
    const struct spread s = spread_of(b->times + l * (size_t)b->repeat, b->repeat);
    const double rate = s.median > 0 ? 1e-6 / s.median : 0;
    bdnn_layer_info info;
    bdnn_layer_cost cost;
    bdnn_error err;
    char shape[64], k[16] = "", rates[48] = "|", peak[32] = "";
    double part, products;
    bool memory;
    cJSON *json = cJSON_CreateObject();
    bdnn_model_layer(b->model, l, &info, &err);
    bdnn_session_layer(b->session, l, &cost, &err);
    products = (double)info.multiply_adds * (double)b->batch;
    part = reached(b, &cost, products, s.median, &memory);
    snprintf(shape, sizeof shape, "%lldx%lldx%lld", (long long)info.output_shape[1],
             (long long)(info.output_rank > 2 ? info.output_shape[2] : 1),
             (long long)(info.output_rank > 3 ? info.output_shape[3] : 1));
    if (info.decomposed) {
        snprintf(k, sizeof k, "%d,%d", info.bases, info.bits);
    }
    if (products > 0) {
        snprintf(rates, sizeof rates, "%.1f|%.2f", products * rate,
                 (double)(cost.weight_bytes + cost.input_bytes) * rate);
    } else {
        snprintf(rates, sizeof rates, "|%.2f", (double)(cost.input_bytes + cost.output_bytes) * rate);
    }
    if (part > 0) {
        snprintf(peak, sizeof peak, "%.0f %% %s", 100 * part, memory ? "memory" : "multiply");
    }
    if (s.median > 0 || b->all) {
        cli_table_row(table, "%.60s|%s|%s|%s|%s|%.3f|%s|%.1f %%|%s", info.name, info.operation, shape, k, cost.kernel,
                      s.median, rates, sum > 0 ? 100 * s.median / sum : 0, peak);
    }
    cli_json_text(json, "name", info.name);
    cli_json_text(json, "operation", info.operation);
    cli_json_text(json, "kernel", cost.kernel);
    cJSON_AddNumberToObject(json, "bases", info.bases);
    cJSON_AddNumberToObject(json, "bits", info.bits);
    cJSON_AddNumberToObject(json, "milliseconds", s.median);
    cJSON_AddNumberToObject(json, "milliseconds_lowest", s.lowest);
    cJSON_AddNumberToObject(json, "multiply_adds", products);
    cJSON_AddNumberToObject(json, "weight_bytes", (double)cost.weight_bytes);
    cJSON_AddNumberToObject(json, "input_bytes", (double)cost.input_bytes);
    cJSON_AddNumberToObject(json, "output_bytes", (double)cost.output_bytes);
    cJSON_AddNumberToObject(json, "part_of_peak", part);
    cli_json_text(json, "bound", part > 0 ? memory ? "memory" : "multiply" : "none");
    cJSON_AddItemToArray(layers, json);
}

static double sum_of_medians(struct bench *b)
{
    double sum = 0;
    for (size_t l = 0; l < b->layers; l++) {
        sum += spread_of(b->times + l * (size_t)b->repeat, b->repeat).median;
    }
    return sum;
}

static void add_totals(struct bench *b, const struct spread *total, double sum, cJSON *json)
{
    cJSON *peaks = cJSON_AddArrayToObject(json, "peaks");
    uint64_t planned, without;
    bdnn_session_memory(b->session, &planned, &without);
    cli_json_text(json, "device", b->device ? b->device : "cpu");
    cJSON_AddNumberToObject(json, "threads", (double)b->threads);
    cJSON_AddNumberToObject(json, "batch", (double)b->batch);
    cJSON_AddNumberToObject(json, "repeat", (double)b->repeat);
    cJSON_AddNumberToObject(json, "milliseconds", total->median);
    cJSON_AddNumberToObject(json, "milliseconds_lowest", total->lowest);
    cJSON_AddNumberToObject(json, "milliseconds_lower_quartile", total->lower);
    cJSON_AddNumberToObject(json, "milliseconds_upper_quartile", total->upper);
    cJSON_AddNumberToObject(json, "milliseconds_highest", total->highest);
    cJSON_AddNumberToObject(json, "milliseconds_of_layers", sum);
    cJSON_AddNumberToObject(json, "images_per_second", 1e3 * (double)b->batch / total->median);
    cJSON_AddNumberToObject(json, "activation_bytes", (double)planned);
    cJSON_AddNumberToObject(json, "read_bytes_per_second", b->read_bytes);
    for (size_t i = 0; i < b->peak_count; i++) {
        if (b->peaks[i].multiply_adds > 0) {
            cJSON *peak = cJSON_CreateObject();
            cli_json_text(peak, "kernel", b->peaks[i].kernel);
            cli_json_text(peak, "instruction", b->peaks[i].instruction);
            cJSON_AddNumberToObject(peak, "multiply_adds_per_second", b->peaks[i].multiply_adds);
            cJSON_AddItemToArray(peaks, peak);
        }
    }
}

static int report(struct bench *b)
{
    const struct spread total = spread_of(b->totals, b->repeat);
    const double sum = sum_of_medians(b);
    cli_table table = {0};
    cJSON *json = cJSON_CreateObject(), *layers = cJSON_AddArrayToObject(json, "layers");
    cli_table_row(&table, "layer|operation|output|K,Q|kernel|ms|G MAC/s|GB/s|share|of peak");
    for (size_t l = 0; l < b->layers; l++) {
        add_layer(b, l, sum, &table, layers);
    }
    add_totals(b, &total, sum, json);
    if (b->json) {
        cli_table_free(&table);
        return cli_print_json(json);
    }
    cJSON_Delete(json);
    cli_table_print(&table, stdout);
    cli_table_free(&table);
    printf("\n%lld thread%s, batch %lld, %lld repetitions: median %.2f ms, quartiles %.2f and %.2f, %.2f to %.2f; %.1f "
           "images/s\n",
           b->threads, b->threads == 1 ? "" : "s", b->batch, b->repeat, total.median, total.lower, total.upper,
           total.lowest, total.highest, 1e3 * (double)b->batch / total.median);
    for (size_t i = 0; i < b->peak_count; i++) {
        if (b->peaks[i].multiply_adds > 0) {
            printf("peak of %s (%s): %.0f G MAC/s\n", b->peaks[i].instruction, b->peaks[i].kernel,
                   1e-9 * b->peaks[i].multiply_adds);
        }
    }
    printf("peak of reading memory: %.1f GB/s\n", 1e-9 * b->read_bytes);
    return CLI_OK;
}

static int bench(struct bench *b)
{
    const bdnn_session_options options = {
        .device = b->device, .threads = (size_t)b->threads, .batch = (size_t)b->batch};
    bdnn_error err;
    bdnn_status status = bdnn_session_create(b->model, &options, &b->session, &err);
    if (status != BDNN_OK) {
        return cli_fail(&err);
    }
    b->layers = bdnn_model_layer_count(b->model);
    b->times = calloc(b->layers * (size_t)b->repeat + 1, sizeof *b->times);
    b->totals = calloc((size_t)b->repeat, sizeof *b->totals);
    if (!b->times || !b->totals) {
        snprintf(err.message, sizeof err.message, "no memory for %lld repetitions of %zu layers", b->repeat, b->layers);
        return cli_fail(&err);
    }
    if (measure(b, &err) != BDNN_OK) {
        return cli_fail(&err);
    }
    b->read_bytes = bdnn_peak_read_bytes((size_t)b->threads);
    return report(b);
}

static bool take_option(int option, struct bench *b)
{
    switch (option) {
    case BENCH_JSON:
        b->json = true;
        return true;
    case BENCH_ALL:
        b->all = true;
        return true;
    case BENCH_DEVICE:
        b->device = optarg;
        return true;
    case BENCH_THREADS:
        return cli_integer(COMMAND, "threads", optarg, 1, 1024, &b->threads);
    case BENCH_BATCH:
        return cli_integer(COMMAND, "batch", optarg, 1, 65536, &b->batch);
    case BENCH_REPEAT:
        return cli_integer(COMMAND, "repeat", optarg, 1, 100000, &b->repeat);
    default:
        return cli_take_model_option(COMMAND, option, optarg, &b->model_options);
    }
}

int cli_bench(int argc, char **argv)
{
    struct bench b = {.threads = 1, .batch = 1, .repeat = 20};
    bdnn_error err;
    int option, code;
    while ((option = cli_option(COMMAND, argc, argv, ":", long_options)) != -1) {
        if (!take_option(option, &b)) {
            return CLI_USAGE;
        }
    }
    if (argc - optind != 1) {
        return cli_usage(COMMAND, "one network is needed");
    }
    if (cli_load(argv[optind], &b.model_options, &b.model, &err) != BDNN_OK) {
        return cli_fail(&err);
    }
    code = bench(&b);
    free(b.times);
    free(b.totals);
    bdnn_session_free(b.session);
    bdnn_model_free(b.model);
    return code;
}
