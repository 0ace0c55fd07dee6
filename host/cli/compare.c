/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn compare: one network on several devices, accelerators and the CPU. */
#include "cli/compare_html.h"
#include "cli/compare_report.h"

#include "bdnn_data.h"

#include <stdlib.h>
#include <string.h>

#define COMMAND "compare"

enum { DEVICES = CLI_COMMAND_OPTION, THREADS, BATCH, REPEAT, IMAGES, CLOCK, HTML, JSON };

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    {"devices", required_argument, NULL, DEVICES},
    {"xclbin", required_argument, NULL, CLI_XCLBIN},
    {"timeout", required_argument, NULL, CLI_TIMEOUT},
    {"wait", required_argument, NULL, CLI_WAIT},
    {"threads", required_argument, NULL, THREADS},
    {"batch", required_argument, NULL, BATCH},
    {"repeat", required_argument, NULL, REPEAT},
    {"images", required_argument, NULL, IMAGES},
    {"clock", required_argument, NULL, CLOCK},
    {"html", required_argument, NULL, HTML},
    {"json", no_argument, NULL, JSON},
    {NULL, 0, NULL, 0},
};

struct command {
    compare_results results;
    cli_model_options model_options;
    cli_device device; /* what all devices share */
    char names[512];   /* the list of devices, cut at its commas */
    const char *html;
    bool json;
};

/* The names of the list, each once. False after a message. */
static bool take_devices(struct command *k, const char *list)
{
    compare_results *c = &k->results;
    if (strlen(list) >= sizeof k->names) {
        cli_usage(COMMAND, "--devices %.40s...: names of at most %zu letters in all", list, sizeof k->names - 1);
        return false;
    }
    c->count = 0;
    strcpy(k->names, list);
    for (char *name = k->names, *next; name; name = next) {
        next = strchr(name, ',');
        if (next) {
            *next++ = '\0';
        }
        for (size_t d = 0; d < c->count; d++) {
            if (strcmp(c->devices[d].bench.device.name, name) == 0) {
                cli_usage(COMMAND, "--devices %s: '%s' is named twice", list, name);
                return false;
            }
        }
        if (c->count == COMPARE_MAX_DEVICES || !*name) {
            cli_usage(COMMAND, "--devices %s: names of at most %d devices, with commas between", list,
                      COMPARE_MAX_DEVICES);
            return false;
        }
        c->devices[c->count++].bench.device.name = name;
    }
    return true;
}

static bool take_option(int option, struct command *k)
{
    compare_results *c = &k->results;
    switch (option) {
    case DEVICES:
        return take_devices(k, optarg);
    case THREADS:
        return cli_integer(COMMAND, "threads", optarg, 1, 1024, &c->threads);
    case BATCH:
        return cli_integer(COMMAND, "batch", optarg, 1, 4096, &c->batch);
    case REPEAT:
        return cli_integer(COMMAND, "repeat", optarg, 1, 100000, &c->repeat);
    case CLOCK:
        return cli_number(COMMAND, "clock", optarg, 1, 10000, &c->clock_mhz);
    case IMAGES:
        c->inputs = optarg;
        return true;
    case HTML:
        k->html = optarg;
        return true;
    case JSON:
        return k->json = true;
    default:
        return cli_is_device_option(option) ? cli_take_device_option(COMMAND, option, optarg, &k->device)
                                            : cli_take_model_option(COMMAND, option, optarg, &k->model_options);
    }
}

/* The first images of the dataset, or noise. For free(). */
static bdnn_status make_input(const compare_results *c, float **input, bdnn_error *err)
{
    const bdnn_preprocess p = bdnn_model_preprocess(c->model);
    const size_t item = (size_t)p.channels * (size_t)p.height * (size_t)p.width;
    bdnn_dataset *dataset = NULL;
    bdnn_status status = BDNN_OK;
    *input = bench_noise(c->model, c->batch);
    if (!*input) {
        return cli_error(err, BDNN_ERROR_MEMORY, "no memory for the input");
    }
    if (!c->inputs) {
        return BDNN_OK;
    }
    if (!item) {
        return cli_error(err, BDNN_ERROR_ARGUMENT, "%.300s: the network takes no images", c->network);
    }
    status = bdnn_dataset_open(c->inputs, NULL, &dataset, err);
    if (status == BDNN_OK && bdnn_dataset_count(dataset) < (size_t)c->batch) {
        status = cli_error(err, BDNN_ERROR_ARGUMENT, "%.300s: fewer images than the batch has", c->inputs);
    }
    for (size_t i = 0; i < (size_t)c->batch && status == BDNN_OK; i++) {
        status = bdnn_dataset_input(dataset, i, &p, *input + i * item, err);
    }
    bdnn_dataset_free(dataset);
    return status;
}

/* The devices' kinds, and the accelerators' sizes. */
static bdnn_status describe_devices(struct command *k, bdnn_error *err)
{
    compare_results *c = &k->results;
    bdnn_status status = BDNN_OK;
    const int saved = cli_before_devices();
    for (size_t d = 0; d < c->count && status == BDNN_OK; d++) {
        bdnn_device_info *info = &c->devices[d].info;
        status = bdnn_device_describe(c->devices[d].bench.device.name, k->device.xclbin, info, err);
        if (info->accelerator && info->problem[0]) {
            cli_lose_device(); /* it may be that */
        }
    }
    cli_after_devices(saved);
    return status;
}

static void add(compare_cell *sum, const compare_cell *cell)
{
    const bdnn_accelerator_cost *from = &cell->cost.accelerator;
    bdnn_accelerator_cost *to = &sum->cost.accelerator;
    sum->ms += cell->ms;
    sum->cost.weight_bytes += cell->cost.weight_bytes;
    sum->cost.input_bytes += cell->cost.input_bytes;
    sum->cost.output_bytes += cell->cost.output_bytes;
    to->jobs += from->jobs;
    to->bytes_to_device += from->bytes_to_device;
    to->bytes_from_device += from->bytes_from_device;
    to->cycles += from->cycles;
    to->longest_cycles += from->longest_cycles; /* layers follow each other */
    to->busy_cycles += from->busy_cycles;
    to->wait_load_cycles += from->wait_load_cycles;
    to->wait_results_cycles += from->wait_results_cycles;
    to->bytes_read += from->bytes_read;
    to->bytes_written += from->bytes_written;
}

static bdnn_status collect(compare_results *c, compare_device *d, bdnn_error *err)
{
    d->cells = calloc(c->layers + 1, sizeof *d->cells);
    if (!d->cells) {
        return cli_error(err, BDNN_ERROR_MEMORY, "no memory for the results");
    }
    d->run_ms = bench_spread_of(d->bench.total_ms, c->repeat);
    for (size_t l = 0; l < c->layers; l++) {
        const bdnn_status status = bdnn_session_layer(d->bench.session.session, l, &d->cells[l].cost, err);
        if (status != BDNN_OK) {
            return status;
        }
        d->cells[l].ms = bench_spread_of(d->bench.layer_ms + l * (size_t)c->repeat, c->repeat).median;
        add(&d->total, &d->cells[l]);
    }
    return BDNN_OK;
}

/* Output values of a device that are not those of the first, bit for bit. */
static bdnn_status compare_outputs(compare_results *c, compare_device *d, bdnn_error *err)
{
    bdnn_session *first = c->devices->bench.session.session, *other = d->bench.session.session;
    c->values = 0;
    for (size_t o = 0; o < bdnn_session_output_count(first); o++) {
        bdnn_result x, y;
        size_t values = 1;
        bdnn_status status = bdnn_session_output(first, o, &x, err);
        if (status == BDNN_OK) {
            status = bdnn_session_output(other, o, &y, err);
        }
        if (status != BDNN_OK) {
            return status;
        }
        for (int32_t a = 0; a < x.rank; a++) {
            values *= (size_t)x.shape[a];
        }
        for (size_t i = 0; i < values; i++) {
            d->different += memcmp(&x.data[i], &y.data[i], sizeof x.data[i]) != 0;
        }
        c->values += values;
    }
    return BDNN_OK;
}

static bdnn_status measure(struct command *k, const float *input, cli_progress *progress, bdnn_error *err)
{
    compare_results *c = &k->results;
    bdnn_status status = describe_devices(k, err);
    for (size_t d = 0; d < c->count && status == BDNN_OK; d++) {
        compare_device *device = &c->devices[d];
        bench_results *b = &device->bench;
        b->model = c->model;
        b->threads = c->threads;
        b->batch = c->batch;
        b->repeat = c->repeat;
        b->device.xclbin = k->device.xclbin;
        b->device.timeout_ms = k->device.timeout_ms;
        b->device.wait = k->device.wait;
        status = bench_run(b, input, progress, err);
        if (status == BDNN_OK) {
            status = collect(c, device, err);
        }
        if (status == BDNN_OK) {
            status = compare_outputs(c, device, err);
        }
        if (status == BDNN_OK && k->html && !device->info.accelerator) {
            status = bench_measure_peaks(b, progress, err);
        }
    }
    return status;
}

static bdnn_status run_all(struct command *k, bdnn_error *err)
{
    compare_results *c = &k->results;
    cli_progress progress = cli_progress_start();
    float *input = NULL;
    bdnn_status status = make_input(c, &input, err);
    c->layers = bdnn_model_layer_count(c->model);
    c->info = calloc(c->layers + 1, sizeof *c->info);
    if (status == BDNN_OK && !c->info) {
        status = cli_error(err, BDNN_ERROR_MEMORY, "no memory for the layers");
    }
    for (size_t l = 0; l < c->layers && status == BDNN_OK; l++) {
        status = bdnn_model_layer(c->model, l, &c->info[l], err);
    }
    if (status == BDNN_OK) {
        status = measure(k, input, &progress, err);
    }
    cli_progress_end(&progress);
    free(input);
    return status;
}

static int show(struct command *k)
{
    int code = k->html ? compare_write_html(&k->results, k->html) : CLI_OK;
    if (code == CLI_OK) {
        code = k->json ? compare_print_json(&k->results) : compare_print(&k->results);
    }
    return code;
}

static int run(struct command *k, const char *path)
{
    compare_results *c = &k->results;
    bdnn_error err;
    const char *inputs[] = {path, c->inputs, k->model_options.load.labels, k->model_options.load.mean_image};
    int code = cli_check_outputs(COMMAND, &k->html, 1, inputs, sizeof inputs / sizeof *inputs);
    c->network = path;
    if (code != CLI_OK) {
        return code;
    }
    if (cli_load(path, &k->model_options, &c->model, &err) != BDNN_OK || run_all(k, &err) != BDNN_OK) {
        code = cli_fail(&err);
    } else {
        code = show(k);
    }
    for (size_t d = 0; d < c->count; d++) {
        free(c->devices[d].cells);
        bench_release(&c->devices[d].bench);
    }
    free(c->info);
    bdnn_model_free(c->model);
    return code;
}

int cli_compare(int argc, char **argv)
{
    struct command k = {.results = {.batch = 1, .repeat = 5, .threads = 1}};
    int option, code = CLI_OK;
    if (!take_devices(&k, "cpu,xrt")) {
        return CLI_FAILED;
    }
    while (code == CLI_OK && (option = cli_option(COMMAND, argc, argv, ":", long_options)) != -1) {
        code = take_option(option, &k) ? CLI_OK : CLI_USAGE;
    }
    if (code == CLI_OK && argc - optind != 1) {
        code = cli_usage(COMMAND, "one network is needed");
    }
    if (code == CLI_OK) {
        /* The cells of all devices are freed there. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        code = run(&k, argv[optind]);
    }
    return code;
}
