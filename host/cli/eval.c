/* bdnn eval: accuracy on a dataset, of one network or of several side by side. */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND       "eval"
#define MOST_NETWORKS 16

enum { COMPARE = CLI_COMMAND_OPTION, DATASET_LABELS, LIMIT, THREADS, BATCH, JSON };

static const struct option long_options[] = {
    CLI_MODEL_OPTIONS,
    {"compare", required_argument, NULL, COMPARE},
    {"dataset-labels", required_argument, NULL, DATASET_LABELS},
    {"limit", required_argument, NULL, LIMIT},
    CLI_DEVICE_OPTIONS,
    CLI_FALLBACK_OPTION,
    {"threads", required_argument, NULL, THREADS},
    {"batch", required_argument, NULL, BATCH},
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
    uint64_t *confusion; /* [classes][classes], with class maps */
    uint64_t top1, top5, agree, compared;
    double seconds;
    uint64_t parameter_bytes, float_bytes;
};

struct evaluation {
    struct network networks[MOST_NETWORKS];
    size_t network_count;
    cli_model_options model_options;
    const char *data, *data_labels;
    cli_device device;
    long long limit, threads, batch;
    bool json;
    bdnn_dataset *dataset;
    bdnn_label_kind kind;
    size_t count;
    int32_t *truth; /* [positions] */
};

static bool take_option(int option, struct evaluation *e)
{
    if (cli_is_device_option(option)) {
        return cli_take_device_option(COMMAND, option, optarg, &e->device);
    }
    switch (option) {
    case COMPARE:
        if (e->network_count == MOST_NETWORKS) {
            cli_usage(COMMAND, "more than %d networks", MOST_NETWORKS);
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
        (kind == BDNN_LABEL_MAP && n->result.rank != 4)) {
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
    n->confusion = e->kind == BDNN_LABEL_MAP ? calloc(n->classes * n->classes, sizeof *n->confusion) : NULL;
    return n->input && n->prediction && (n->confusion || e->kind != BDNN_LABEL_MAP)
               ? BDNN_OK
               : cli_error(err, BDNN_ERROR_ARGUMENT, "%.300s: no memory for a batch", n->path);
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

static bdnn_status score_classes(struct evaluation *e, struct network *n, size_t first, size_t batch, bdnn_error *err)
{
    for (size_t b = 0; b < batch; b++) {
        int32_t label;
        size_t rank;
        bdnn_status status = bdnn_dataset_class(e->dataset, first + b, &label, err);
        if (status != BDNN_OK) {
            return status;
        }
        if (label < 0 || (size_t)label >= n->classes) {
            char name[200];
            return cli_error(err, BDNN_ERROR_FORMAT, "%s has class %d; %.200s knows %zu",
                             bdnn_dataset_name(e->dataset, first + b, name, sizeof name), label, n->path, n->classes);
        }
        rank = bdnn_rank_of(n->result.data + b * n->classes, n->classes, label);
        n->top1 += rank < 1;
        n->top5 += rank < 5;
    }
    return BDNN_OK;
}

static bdnn_status score_maps(struct evaluation *e, struct network *n, size_t first, size_t batch, bdnn_error *err)
{
    const int32_t height = (int32_t)n->result.shape[2], width = (int32_t)n->result.shape[3];
    for (size_t b = 0; b < batch; b++) {
        bdnn_status status = bdnn_dataset_map(e->dataset, first + b, height, width, e->truth, err);
        if (status == BDNN_OK) {
            status = bdnn_confusion_add(n->confusion, (int32_t)n->classes, e->truth, n->prediction + b * n->positions,
                                        n->positions, err);
            if (status != BDNN_OK) {
                char name[200], reason[sizeof err->message];
                snprintf(reason, sizeof reason, "%s", err->message);
                cli_error(err, status, "%s: %.300s", bdnn_dataset_name(e->dataset, first + b, name, sizeof name),
                          reason);
            }
        }
        if (status != BDNN_OK) {
            return status;
        }
    }
    return BDNN_OK;
}

static bdnn_status run_batch(struct evaluation *e, struct network *n, size_t first, size_t batch, bdnn_error *err)
{
    bdnn_status status = BDNN_OK;
    double start;
    for (size_t b = 0; b < batch && status == BDNN_OK; b++) {
        status = bdnn_dataset_input(e->dataset, first + b, &n->preprocess, n->input + b * n->item, err);
    }
    if (status != BDNN_OK) {
        return status;
    }
    start = cli_seconds();
    status = cli_session_run(&n->session, n->input, err);
    n->seconds += cli_seconds() - start;
    if (status == BDNN_OK) {
        status = bdnn_session_output(n->session.session, 0, &n->result, err);
    }
    if (status != BDNN_OK) {
        return status;
    }
    predict(n, batch);
    if (n != e->networks && n->positions == e->networks->positions) {
        for (size_t i = 0; i < batch * n->positions; i++) {
            n->agree += n->prediction[i] == e->networks->prediction[i];
        }
        n->compared += batch * n->positions;
    }
    return e->kind == BDNN_LABEL_CLASS ? score_classes(e, n, first, batch, err) : score_maps(e, n, first, batch, err);
}

static bdnn_status run_all(struct evaluation *e, bdnn_error *err)
{
    cli_progress progress = cli_progress_start();
    bdnn_status status = BDNN_OK;
    for (size_t first = 0; first < e->count && status == BDNN_OK; first += (size_t)e->batch) {
        const size_t left = e->count - first, batch = left < (size_t)e->batch ? left : (size_t)e->batch;
        for (size_t i = 0; i < e->network_count && status == BDNN_OK; i++) {
            status = run_batch(e, &e->networks[i], first, batch, err);
        }
        cli_progress_step(&progress, e->data, first + batch, e->count);
    }
    cli_progress_end(&progress);
    return status;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void add_network_row(const struct evaluation *e, const struct network *n, cli_table *table, cJSON *json,
                            double *iou)
{
    const double rate = n->seconds > 0 ? (double)e->count / n->seconds : 0;
    const double saved = n->float_bytes ? 100 - percent(n->parameter_bytes, n->float_bytes) : 0;
    const bool maps = e->kind == BDNN_LABEL_MAP;
    const double mean = maps ? bdnn_mean_iou(n->confusion, (int32_t)n->classes, iou) : 0;
    uint64_t hit = 0, all = 0;
    char agreement[32] = "";
    for (size_t i = 0; maps && i < n->classes * n->classes; i++) {
        all += n->confusion[i];
        hit += i % (n->classes + 1) == 0 ? n->confusion[i] : 0;
    }
    if (n->compared) {
        snprintf(agreement, sizeof agreement, "%.2f %%", percent(n->agree, n->compared));
        cJSON_AddNumberToObject(json, "agreement_percent", percent(n->agree, n->compared));
    }
    cli_json_text(json, "network", n->path);
    cJSON_AddNumberToObject(json, "parameter_bytes", (double)n->parameter_bytes);
    cJSON_AddNumberToObject(json, "compression_percent", saved);
    cJSON_AddNumberToObject(json, "images_per_second", rate);
    if (maps) {
        cli_table_row(table, "%.60s|%.4f|%.2f %%|%s|%llu|%.1f %%|%.1f", n->path, mean, percent(hit, all), agreement,
                      (unsigned long long)n->parameter_bytes, saved, rate);
        cJSON_AddNumberToObject(json, "mean_iou", mean);
        cJSON_AddNumberToObject(json, "pixel_accuracy_percent", percent(hit, all));
    } else {
        cli_table_row(table, "%.60s|%.2f %%|%.2f %%|%s|%llu|%.1f %%|%.1f", n->path, percent(n->top1, e->count),
                      percent(n->top5, e->count), agreement, (unsigned long long)n->parameter_bytes, saved, rate);
        cJSON_AddNumberToObject(json, "top1_percent", percent(n->top1, e->count));
        cJSON_AddNumberToObject(json, "top5_percent", percent(n->top5, e->count));
    }
}

/* IoU of each class, a column a network. */
static void print_classes(const struct evaluation *e, double *const *iou)
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
                used += snprintf(text + used, sizeof text - (size_t)used, iou[i][c - 1] < 0 ? "|-" : "|%.4f",
                                 iou[i][c - 1]);
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

static int report(const struct evaluation *e)
{
    cli_table table = {0};
    cJSON *json = cJSON_CreateObject(), *networks = cJSON_AddArrayToObject(json, "networks");
    double *iou[MOST_NETWORKS] = {NULL};
    const bool maps = e->kind == BDNN_LABEL_MAP;
    int code = CLI_OK;
    cli_json_text(json, "dataset", e->data);
    cJSON_AddNumberToObject(json, "items", (double)e->count);
    cli_table_row(&table, maps ? "network|mean IoU|pixels|agreement|bytes|saved|images/s"
                               : "network|top-1|top-5|agreement|bytes|saved|images/s");
    for (size_t i = 0; i < e->network_count; i++) {
        cJSON *row = cJSON_CreateObject();
        iou[i] = calloc(e->networks[i].classes, sizeof **iou);
        if (iou[i]) {
            add_network_row(e, &e->networks[i], &table, row, iou[i]);
            if (maps) {
                cJSON_AddItemToObject(row, "iou", json_of_iou(iou[i], e->networks[i].classes));
            }
        }
        cJSON_AddItemToArray(networks, row);
    }
    if (e->json) {
        code = cli_print_json(json);
    } else {
        cli_table_print(&table, stdout);
        if (maps && iou[0]) {
            print_classes(e, iou);
        }
        cJSON_Delete(json);
    }
    cli_table_free(&table);
    for (size_t i = 0; i < e->network_count; i++) {
        free(iou[i]);
    }
    return code;
}

static void close_all(struct evaluation *e)
{
    for (size_t i = 0; i < e->network_count; i++) {
        cli_session_close(&e->networks[i].session);
        bdnn_model_free(e->networks[i].model);
        free(e->networks[i].input);
        free(e->networks[i].prediction);
        free(e->networks[i].confusion);
    }
    free(e->truth);
    bdnn_dataset_free(e->dataset);
}

static bdnn_status open_all(struct evaluation *e, bdnn_error *err)
{
    size_t positions = 1;
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
        positions = e->networks[i].positions > positions ? e->networks[i].positions : positions;
    }
    e->truth = calloc(positions, sizeof *e->truth);
    return status == BDNN_OK && !e->truth
               ? cli_error(err, BDNN_ERROR_ARGUMENT, "%.300s: no memory for a class map", e->data)
               : status;
}

int cli_eval(int argc, char **argv)
{
    static struct evaluation e;
    bdnn_error err;
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
    code = open_all(&e, &err) == BDNN_OK && run_all(&e, &err) == BDNN_OK ? report(&e) : cli_fail(&err);
    close_all(&e);
    return code;
}
