/* SPDX-License-Identifier: BSD-2-Clause */
/* bdnn eval: accuracy on a dataset, of one network or of several side by side. */
#include "cli/cli.h"

#include "bdnn_data.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND      "eval"
#define MAX_NETWORKS 16

enum { COMPARE = CLI_COMMAND_OPTION, DATASET_LABELS, LIMIT, THREADS, BATCH, SKIP_BAD, JSON };

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    {"compare", required_argument, NULL, COMPARE},
    {"dataset-labels", required_argument, NULL, DATASET_LABELS},
    {"limit", required_argument, NULL, LIMIT},
    CLI_DEVICE_OPTIONS,
    CLI_FALLBACK_OPTION,
    {"threads", required_argument, NULL, THREADS},
    {"batch", required_argument, NULL, BATCH},
    {"skip-bad", required_argument, NULL, SKIP_BAD},
    {"json", no_argument, NULL, JSON},
    {NULL, 0, NULL, 0},
};

/* One network under test. */
struct network {
    const char *path;
    bdnn_model *model;
    cli_session session;
    bdnn_preprocess preprocess;
    bdnn_result result;
    size_t item, classes, positions; /* numbers of one input; scores of a position; positions of an output */
    float *input;
    int32_t *prediction; /* [batch][positions] */
    int32_t *truth;      /* with class maps: [batch][positions]; of an earlier network, where that has the same size */
    bool own_truth;
    bdnn_class_counts *counts; /* [classes], with class maps */
    double *iou;               /* [classes], likewise */
    uint64_t top1, top5, agree, compared;
    double seconds;
    uint64_t parameter_bytes, float_bytes;
};

struct evaluation {
    struct network networks[MAX_NETWORKS];
    size_t network_count;
    cli_model_options model_options;
    const char *data, *data_labels;
    cli_device device;
    long long limit, threads, batch;
    bool json;
    bdnn_dataset *dataset;
    bdnn_label_kind kind;
    size_t count;   /* items asked for */
    size_t next;    /* of them the first that was not looked at */
    size_t done;    /* what the numbers below are of: items looked at and not skipped */
    int32_t *label; /* with classes: [batch] */
    cli_skips skips;
};

static bool take_option(int option, struct evaluation *e)
{
    if (cli_is_device_option(option)) {
        return cli_take_device_option(COMMAND, option, optarg, &e->device);
    }
    switch (option) {
    case COMPARE:
        if (e->network_count == MAX_NETWORKS) {
            cli_usage(COMMAND, "more than %d networks", MAX_NETWORKS);
            return false;
        }
        e->networks[e->network_count++].path = optarg;
        return true;
    case DATASET_LABELS:
        e->data_labels = optarg;
        return true;
    case LIMIT:
        return cli_integer(COMMAND, "limit", optarg, 1, INT64_MAX, &e->limit);
    case THREADS:
        return cli_integer(COMMAND, "threads", optarg, 1, 1024, &e->threads);
    case BATCH:
        return cli_integer(COMMAND, "batch", optarg, 1, 4096, &e->batch);
    case SKIP_BAD:
        return cli_take_skip_bad(COMMAND, optarg, &e->skips);
    case JSON:
        e->json = true;
        return true;
    default:
        return cli_take_model_option(COMMAND, option, optarg, &e->model_options);
    }
}

/* Scores N,C[,H,W] for class maps, N,C[,1,1] for classes. */
static bdnn_status look_at_output(struct network *n, bdnn_label_kind kind, bdnn_error *err)
{
    bdnn_status status = bdnn_session_output(n->session.session, 0, &n->result, err);
    if (status != BDNN_OK) {
        return status;
    }
    n->classes = n->result.rank > 1 ? (size_t)n->result.shape[1] : 0;
    n->positions = 1;
    for (int32_t a = 2; a < n->result.rank; a++) {
        n->positions *= (size_t)n->result.shape[a];
    }
    if (n->classes < 1 || (kind == BDNN_LABEL_CLASS && n->positions != 1) ||
        (kind == BDNN_LABEL_CLASS_MAP && n->result.rank != 4)) {
        return cli_error(
            err, BDNN_ERROR_ARGUMENT,
            "%.300s: the network's output does not fit the dataset's labels (one class an image, or one a pixel)",
            n->path);
    }
    return BDNN_OK;
}

static void sum_sizes(struct network *n)
{
    for (size_t i = 0; i < bdnn_model_layer_count(n->model); i++) {
        bdnn_layer_info layer;
        if (bdnn_model_layer(n->model, i, &layer, NULL) == BDNN_OK) {
            n->parameter_bytes += layer.parameter_bytes;
            n->float_bytes += layer.float_bytes;
        }
    }
}

static bool has_own_preprocess(const bdnn_model *model)
{
    const bdnn_preprocess p = bdnn_model_preprocess(model);
    bool own = p.mean_image || p.bgr || p.resize != BDNN_RESIZE_STRETCH;
    for (int32_t c = 0; c < p.channels; c++) {
        own = own || p.mean[c] != 0 || p.scale[c] != 1;
    }
    return own;
}

/* Pre-processing options are for networks that have none of their own, so that a float ONNX file and a .bdnn file that
 * carries its pre-processing can be compared by one command. */
static bdnn_status load_network(struct evaluation *e, struct network *n, bdnn_error *err)
{
    cli_model_options without = {.load = e->model_options.load};
    bdnn_status status;
    without.load.mean_image = NULL;
    status = cli_load(n->path, &without, &n->model, err);
    if (status != BDNN_OK || has_own_preprocess(n->model)) {
        return status;
    }
    bdnn_model_free(n->model);
    n->model = NULL;
    return cli_load(n->path, &e->model_options, &n->model, err);
}

/* Networks whose outputs have one size share the class maps that they are held against. */
static void find_truth(struct evaluation *e, struct network *n)
{
    for (struct network *other = e->networks; other < n && !n->truth; other++) {
        if (other->result.shape[2] == n->result.shape[2] && other->result.shape[3] == n->result.shape[3]) {
            n->truth = other->truth;
        }
    }
    n->own_truth = !n->truth;
    if (n->own_truth) {
        n->truth = calloc((size_t)e->batch * n->positions, sizeof *n->truth);
    }
}

static bdnn_status open_network(struct evaluation *e, struct network *n, bdnn_error *err)
{
    bdnn_status status = load_network(e, n, err);
    if (status != BDNN_OK) {
        return status;
    }
    sum_sizes(n);
    n->preprocess = bdnn_model_preprocess(n->model);
    n->item = (size_t)n->preprocess.channels * (size_t)n->preprocess.height * (size_t)n->preprocess.width;
    if (!n->item) {
        return cli_error(err, BDNN_ERROR_ARGUMENT, "%.300s: the network does not take images", n->path);
    }
    status = cli_session_open(&n->session, n->model, &e->device, (size_t)e->threads, (size_t)e->batch, err);
    if (status == BDNN_OK) {
        status = look_at_output(n, e->kind, err);
    }
    if (status != BDNN_OK) {
        return status;
    }
    n->input = calloc((size_t)e->batch * n->item, sizeof *n->input);
    n->prediction = calloc((size_t)e->batch * n->positions, sizeof *n->prediction);
    if (e->kind == BDNN_LABEL_CLASS_MAP) {
        n->counts = calloc(n->classes, sizeof *n->counts);
        n->iou = calloc(n->classes, sizeof *n->iou);
        find_truth(e, n);
    }
    return n->input && n->prediction && (e->kind != BDNN_LABEL_CLASS_MAP || (n->counts && n->iou && n->truth))
               ? BDNN_OK
               : cli_error(err, BDNN_ERROR_MEMORY, "%.300s: no memory for a batch", n->path);
}

/* The class of each position of each item of the batch. */
static void predict(struct network *n, size_t batch)
{
    for (size_t b = 0; b < batch; b++) {
        const float *scores = n->result.data + b * n->classes * n->positions;
        for (size_t p = 0; p < n->positions; p++) {
            int32_t best = 0;
            for (size_t c = 1; c < n->classes; c++) {
                best = scores[c * n->positions + p] > scores[(size_t)best * n->positions + p] ? (int32_t)c : best;
            }
            n->prediction[b * n->positions + p] = best;
        }
    }
}

/* A label that a network does not know is a mistake in the command, not in the item. */
static bdnn_status check_label(const struct evaluation *e, const struct network *n, size_t index, int32_t label,
                               bdnn_error *err)
{
    char name[200];
    return label < 0 || (size_t)label >= n->classes
               ? cli_error(err, BDNN_ERROR_ARGUMENT, "%s has class %d; %.200s knows %zu",
                           bdnn_dataset_name(e->dataset, index, name, sizeof name), label, n->path, n->classes)
               : BDNN_OK;
}

static bdnn_status check_class_map(const struct evaluation *e, const struct network *n, size_t index,
                                   const int32_t *class_map, bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    for (size_t p = 0; p < n->positions && status == BDNN_OK; p++) {
        status = class_map[p] < 0 ? BDNN_OK : check_label(e, n, index, class_map[p], err);
    }
    return status;
}

/* Item `index` as every network takes it and its label, into place `slot` of the batch. */
static bdnn_status read_item(struct evaluation *e, size_t index, size_t slot, bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    for (size_t i = 0; i < e->network_count && status == BDNN_OK; i++) {
        struct network *n = &e->networks[i];
        status = bdnn_dataset_input(e->dataset, index, &n->preprocess, n->input + slot * n->item, err);
        if (status == BDNN_OK && n->own_truth) {
            status = bdnn_dataset_class_map(e->dataset, index, (int32_t)n->result.shape[2], (int32_t)n->result.shape[3],
                                            n->truth + slot * n->positions, err);
        }
    }
    if (status == BDNN_OK && e->kind == BDNN_LABEL_CLASS) {
        status = bdnn_dataset_class(e->dataset, index, &e->label[slot], err);
    }
    return status;
}

/* Whether the networks know the labels of an item that has been read. */
static bdnn_status check_item(const struct evaluation *e, size_t index, size_t slot, bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    for (size_t i = 0; i < e->network_count && status == BDNN_OK; i++) {
        const struct network *n = &e->networks[i];
        status = e->kind == BDNN_LABEL_CLASS ? check_label(e, n, index, e->label[slot], err)
                                             : check_class_map(e, n, index, n->truth + slot * n->positions, err);
    }
    return status;
}

/* The next items that can be read, *batch of them: what was read before an error, or before a signal came, is kept. */
static bdnn_status read_batch(struct evaluation *e, size_t *batch, bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    *batch = 0;
    while (e->next < e->count && *batch < (size_t)e->batch && status == BDNN_OK && !cli_stopped()) {
        const size_t index = e->next;
        status = read_item(e, index, *batch, err);
        if (status == BDNN_OK) {
            status = check_item(e, index, *batch, err);
            *batch += status == BDNN_OK;
        } else {
            char name[4096];
            status = cli_skip(&e->skips, status, index, bdnn_dataset_name(e->dataset, index, name, sizeof name), err);
        }
        e->next += status == BDNN_OK;
    }
    return status;
}

static bdnn_status run_batch(struct network *n, size_t batch, bdnn_error *err)
{
    const double start = cli_seconds();
    bdnn_status status = cli_session_run(&n->session, n->input, err);
    n->seconds += cli_seconds() - start;
    if (status == BDNN_OK) {
        status = bdnn_session_output(n->session.session, 0, &n->result, err);
    }
    if (status == BDNN_OK) {
        predict(n, batch);
    }
    return status;
}

static bdnn_status score(const struct evaluation *e, struct network *n, size_t batch, bdnn_error *err)
{
    if (n != e->networks && n->positions == e->networks->positions) {
        for (size_t i = 0; i < batch * n->positions; i++) {
            n->agree += n->prediction[i] == e->networks->prediction[i];
        }
        n->compared += batch * n->positions;
    }
    if (e->kind == BDNN_LABEL_CLASS_MAP) {
        return bdnn_class_counts_add(n->counts, (int32_t)n->classes, n->truth, n->prediction, batch * n->positions,
                                     err);
    }
    for (size_t b = 0; b < batch; b++) {
        const size_t rank = bdnn_rank_of(n->result.data + b * n->classes, n->classes, e->label[b]);
        n->top1 += rank < 1;
        n->top5 += rank < 5;
    }
    return BDNN_OK;
}

/* All networks first, so that what is counted is of the same items even where one of them fails. */
static bdnn_status run_and_score(struct evaluation *e, size_t batch, bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    for (size_t i = 0; i < e->network_count && status == BDNN_OK; i++) {
        status = run_batch(&e->networks[i], batch, err);
    }
    for (size_t i = 0; i < e->network_count && status == BDNN_OK; i++) {
        status = score(e, &e->networks[i], batch, err);
    }
    e->done += status == BDNN_OK ? batch : 0;
    return status;
}

static bdnn_status run_all(struct evaluation *e, bdnn_error *err)
{
    cli_progress progress = cli_progress_start();
    bdnn_status status = BDNN_OK;
    while (e->next < e->count && status == BDNN_OK && !cli_stopped()) {
        size_t batch;
        bdnn_error later;
        status = read_batch(e, &batch, err);
        if (batch && run_and_score(e, batch, &later) != BDNN_OK) {
            *err = later;
            status = later.status;
        }
        cli_progress_step(&progress, e->data, e->next, e->count);
    }
    cli_progress_end(&progress);
    return status == BDNN_OK && e->next == e->count && !e->done && e->skips.count
               ? cli_error(err, BDNN_ERROR_FORMAT, "none of the %zu items can be read; the first: %.400s", e->count,
                           e->skips.items[0].reason)
               : status;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void add_network_row(const struct evaluation *e, const struct network *n, cli_table *table, cJSON *json)
{
    const double rate = n->seconds > 0 ? (double)e->done / n->seconds : 0;
    const double saved = n->float_bytes ? 100 - percent(n->parameter_bytes, n->float_bytes) : 0;
    const bool class_maps = e->kind == BDNN_LABEL_CLASS_MAP;
    const double mean = class_maps ? bdnn_mean_iou(n->counts, (int32_t)n->classes, n->iou) : 0;
    uint64_t hit = 0, all = 0;
    char agreement[32] = "";
    for (size_t c = 0; class_maps && c < n->classes; c++) {
        all += n->counts[c].truths;
        hit += n->counts[c].hits;
    }
    if (n->compared) {
        snprintf(agreement, sizeof agreement, "%.2f %%", percent(n->agree, n->compared));
        cJSON_AddNumberToObject(json, "agreement_percent", percent(n->agree, n->compared));
    }
    cli_json_text(json, "network", n->path);
    cJSON_AddNumberToObject(json, "parameter_bytes", (double)n->parameter_bytes);
    cJSON_AddNumberToObject(json, "compression_percent", saved);
    cJSON_AddNumberToObject(json, "images_per_second", rate);
    if (class_maps) {
        cli_table_row(table, "%.60s|%.4f|%.2f %%|%s|%llu|%.1f %%|%.1f", n->path, mean, percent(hit, all), agreement,
                      (unsigned long long)n->parameter_bytes, saved, rate);
        cJSON_AddNumberToObject(json, "mean_iou", mean);
        cJSON_AddNumberToObject(json, "pixel_accuracy_percent", percent(hit, all));
    } else {
        cli_table_row(table, "%.60s|%.2f %%|%.2f %%|%s|%llu|%.1f %%|%.1f", n->path, percent(n->top1, e->done),
                      percent(n->top5, e->done), agreement, (unsigned long long)n->parameter_bytes, saved, rate);
        cJSON_AddNumberToObject(json, "top1_percent", percent(n->top1, e->done));
        cJSON_AddNumberToObject(json, "top5_percent", percent(n->top5, e->done));
    }
}

/* IoU of each class, a column a network. */
static void print_classes(const struct evaluation *e)
{
    cli_table table = {0};
    size_t labels;
    const char *const *names = bdnn_model_labels(e->networks->model, &labels);
    char text[1024];
    for (size_t c = 0; c <= e->networks->classes; c++) {
        int used = c == 0 ? snprintf(text, sizeof text, "class IoU")
                          : snprintf(text, sizeof text, c - 1 < labels ? "%.40s" : "%.0s%zu",
                                     c - 1 < labels ? names[c - 1] : "", c - 1);
        for (size_t i = 0; i < e->network_count && used < 900; i++) {
            if (c == 0) {
                used += snprintf(text + used, sizeof text - (size_t)used, "|%.40s", e->networks[i].path);
            } else {
                const double iou = c <= e->networks[i].classes ? e->networks[i].iou[c - 1] : -1;
                used += snprintf(text + used, sizeof text - (size_t)used, iou < 0 ? "|-" : "|%.4f", iou);
            }
        }
        cli_table_row(&table, "%s", text);
    }
    printf("\n");
    cli_table_print(&table, stdout);
    cli_table_free(&table);
}

/* null for a class that neither occurs nor is predicted. */
static cJSON *json_of_iou(const double *iou, size_t classes)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t c = 0; c < classes; c++) {
        cJSON_AddItemToArray(list, iou[c] < 0 ? cJSON_CreateNull() : cJSON_CreateNumber(iou[c]));
    }
    return list;
}

/* That the numbers are not of all items: `reason` is a signal's name or a message. */
static void say_partial(const struct evaluation *e, const char *reason, cJSON *json)
{
    const bool partial = e->next < e->count;
    cJSON_AddBoolToObject(json, "partial", partial);
    if (partial) {
        cli_json_text(json, "ended_by", reason);
    }
    if (partial && !e->json) {
        printf("PARTIAL: %zu of %zu items, ended by %s\n", e->done, e->count, cli_stopped() ? reason : "an error");
    }
}

static int report(const struct evaluation *e, const char *reason)
{
    cli_table table = {0};
    cJSON *json = cJSON_CreateObject(), *networks = cJSON_AddArrayToObject(json, "networks");
    const bool class_maps = e->kind == BDNN_LABEL_CLASS_MAP;
    cli_json_text(json, "dataset", e->data);
    cJSON_AddNumberToObject(json, "items", (double)e->done);
    cJSON_AddNumberToObject(json, "items_asked", (double)e->count);
    say_partial(e, reason, json);
    cli_skips_json(&e->skips, json);
    cli_table_row(&table, class_maps ? "network|mean IoU|pixels|agreement|bytes|saved|images/s"
                                     : "network|top-1|top-5|agreement|bytes|saved|images/s");
    for (size_t i = 0; i < e->network_count; i++) {
        cJSON *row = cJSON_CreateObject();
        add_network_row(e, &e->networks[i], &table, row);
        if (class_maps) {
            cJSON_AddItemToObject(row, "iou", json_of_iou(e->networks[i].iou, e->networks[i].classes));
        }
        cJSON_AddItemToArray(networks, row);
    }
    if (e->json) {
        cli_table_free(&table);
        return cli_print_json(json);
    }
    cli_table_print(&table, stdout);
    if (class_maps) {
        print_classes(e);
    }
    cli_skips_print(&e->skips, e->next);
    cJSON_Delete(json);
    cli_table_free(&table);
    return CLI_OK;
}

static void close_all(struct evaluation *e)
{
    for (size_t i = 0; i < e->network_count; i++) {
        cli_session_close(&e->networks[i].session);
        bdnn_model_free(e->networks[i].model);
        free(e->networks[i].input);
        free(e->networks[i].prediction);
        free(e->networks[i].own_truth ? e->networks[i].truth : NULL);
        free(e->networks[i].counts);
        free(e->networks[i].iou);
    }
    free(e->label);
    cli_skips_free(&e->skips);
    bdnn_dataset_free(e->dataset);
}

static bdnn_status open_all(struct evaluation *e, bdnn_error *err)
{
    bdnn_status status = bdnn_dataset_open(e->data, e->data_labels, &e->dataset, err);
    if (status != BDNN_OK) {
        return status;
    }
    e->kind = bdnn_dataset_label_kind(e->dataset);
    e->count = bdnn_dataset_count(e->dataset);
    e->count = e->limit && (size_t)e->limit < e->count ? (size_t)e->limit : e->count;
    if (e->kind == BDNN_LABEL_NONE) {
        return cli_error(err, BDNN_ERROR_ARGUMENT, "%.300s: no labels found; name them with --dataset-labels", e->data);
    }
    e->batch = (size_t)e->batch > e->count ? (long long)e->count : e->batch;
    for (size_t i = 0; i < e->network_count && status == BDNN_OK; i++) {
        status = open_network(e, &e->networks[i], err);
    }
    e->label = calloc((size_t)e->batch, sizeof *e->label);
    return status == BDNN_OK && !e->label
               ? cli_error(err, BDNN_ERROR_MEMORY, "%.300s: no memory for a batch's labels", e->data)
               : status;
}

/* Runs and reports: all, or what was done before an error or a signal. */
static int evaluate(struct evaluation *e)
{
    bdnn_error err;
    bdnn_status status = open_all(e, &err);
    int code = CLI_OK;
    if (status != BDNN_OK) {
        return cli_fail(&err);
    }
    cli_stop_gently();
    status = run_all(e, &err);
    if (e->done) {
        code = report(e, status == BDNN_OK ? cli_stopped() : err.message);
    } else if (status == BDNN_OK) {
        cli_error(&err, BDNN_ERROR_CANCELLED, "%.300s: ended by %s before any item was done", e->data, cli_stopped());
        cli_fail(&err);
    }
    return status == BDNN_OK ? cli_stop_code(code) : cli_fail(&err);
}

int cli_eval(int argc, char **argv)
{
    static struct evaluation e;
    int option, code;
    e.network_count = 1;
    e.batch = 32;
    while ((option = cli_option(COMMAND, argc, argv, ":", long_options)) != -1) {
        if (!take_option(option, &e)) {
            return CLI_USAGE;
        }
    }
    if (argc - optind != 2) {
        return cli_usage(COMMAND, "a network and a dataset are needed");
    }
    e.networks[0].path = argv[optind];
    e.data = argv[optind + 1];
    code = evaluate(&e);
    close_all(&e);
    return code;
}
