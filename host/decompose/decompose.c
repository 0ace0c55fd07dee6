/* SPDX-License-Identifier: BSD-2-Clause */
/* Decomposing a network: settings per layer, the walk over the layers in execution order, the report. */
#include "core/finite.h"
#include "core/memory.h"
#include "core/options.h"
#include "decompose/codebook.h"
#include "decompose/fit.h"
#include "layers/formats.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_MEMORY ((size_t)2 << 30)

void bdnn_report_free(bdnn_layer_report *report)
{
    bdnn_free(report);
}

/* Everything one call works with. */
struct work {
    const bdnn_model *model;
    const bdnn_decompose_options *options;
    bdnn_layer_setting *settings; /* per layer of the graph; bases 0: not an inner product */
    bdnn_streams streams;
    bdnn_backend *backend;
    bdnn_threads *threads;
    bdnn_model *result;
    bdnn_layer_report *report;
    size_t report_count, reported; /* rows; those of layers that are done */
    uint64_t done, total;          /* of the progress bar, in bits of weights */
    const char *stage;
    uint64_t stage_cost;
};

static bdnn_status check_numbers(const char *what, int32_t bases, int32_t bits, bdnn_error *err)
{
    if (bases < 1 || bases > BDNN_MAX_BASES) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "%s: %d bases, but K must be 1 to %d", what, bases, BDNN_MAX_BASES);
    }
    if (bits < 1 || bits > 8) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "%s: %d bits, but Q must be 1 to 8", what, bits);
    }
    return BDNN_OK;
}

static bdnn_status apply_named(struct work *work, bdnn_error *err)
{
    const bdnn_graph *graph = &work->model->graph;
    for (size_t i = 0; i < work->options->layer_count; i++) {
        const bdnn_layer_setting *named = &work->options->layers[i];
        size_t l = 0;
        while (l < graph->layer_count && strcmp(graph->layers[l].name, named->layer) != 0) {
            l++;
        }
        if (l == graph->layer_count || !work->settings[l].layer) {
            return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "layer '%s': %s", named->layer,
                             l == graph->layer_count
                                 ? "the network has no layer of this name"
                                 : "neither a convolution nor fully connected: it has no weights to decompose");
        }
        if (named->keep_float) {
            work->settings[l].keep_float = true;
        } else {
            work->settings[l].bases = named->bases;
            work->settings[l].bits = named->bits;
            work->settings[l].keep_float = false;
        }
    }
    return BDNN_OK;
}

/* Fills settings in: the common ones, then first and last, then by name. */
static bdnn_status make_settings(struct work *work, bdnn_error *err)
{
    const bdnn_graph *graph = &work->model->graph;
    const bdnn_decompose_options *o = work->options;
    bdnn_layer_setting *first = NULL, *last = NULL;
    bdnn_status status;
    work->settings = bdnn_zalloc(graph->layer_count, sizeof *work->settings);
    if (!work->settings) {
        return bdnn_fail_memory(err, graph->layer_count * sizeof *work->settings, "the layers' settings");
    }
    for (size_t l = 0; l < graph->layer_count; l++) {
        const bdnn_layer *layer = &graph->layers[l];
        if (layer->decomposed) {
            return bdnn_fail(err, BDNN_ERROR_ARGUMENT,
                             "layer '%s' is decomposed already; decompose the float network instead", layer->name);
        }
        if (bdnn_layer_is_inner_product(layer)) {
            work->settings[l] = (bdnn_layer_setting){.layer = layer->name, .bases = o->bases, .bits = o->bits};
            last = &work->settings[l];
            first = first ? first : last;
        }
    }
    if (!first) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "the network has no convolution and no fully connected layer");
    }
    first->bases = o->first_bases ? o->first_bases : first->bases;
    first->bits = o->first_bits ? o->first_bits : first->bits;
    last->bases = o->last_bases ? o->last_bases : last->bases;
    last->bits = o->last_bits ? o->last_bits : last->bits;
    status = apply_named(work, err);
    for (size_t l = 0; l < graph->layer_count && status == BDNN_OK; l++) {
        if (work->settings[l].layer && !work->settings[l].keep_float) {
            char what[160];
            snprintf(what, sizeof what, "layer '%.120s'", work->settings[l].layer);
            status = check_numbers(what, work->settings[l].bases, work->settings[l].bits, err);
            work->report_count++;
            work->total += graph->layers[l].weight.bytes * (uint64_t)work->settings[l].bases;
        }
    }
    return status;
}

static bool report_progress(void *user, int64_t done, int64_t filters)
{
    struct work *work = user;
    const uint64_t part = filters > 0 ? (uint64_t)((double)work->stage_cost * (double)done / (double)filters) : 0;
    return !work->options->progress ||
           work->options->progress(work->options->user, work->stage, work->done + part, work->total);
}

/* |w - s_f W| / |w| of the stored integers. */
static bdnn_status weight_error(const bdnn_layer *original, const bdnn_layer *layer, double *error, bdnn_error *err)
{
    const bdnn_decomposed *dec = layer->decomposed;
    const int64_t filters = (int64_t)(dec->filter_scale.bytes / sizeof(float));
    const int64_t d = (int64_t)(original->weight.bytes / sizeof(float)) / filters;
    const float *w = original->weight.data, *factor = dec->filter_scale.data;
    int8_t *decoded = bdnn_alloc((size_t)d, 1);
    double noise = 0, signal = 0;
    if (!decoded) {
        return bdnn_fail_memory(err, (size_t)d, "one filter");
    }
    for (int64_t f = 0; f < filters; f++) {
        bdnn_ip_decode(bdnn_decomposed_planes(dec, f, d), bdnn_decomposed_scales(dec, f), dec->bases, d, decoded);
        for (int64_t i = 0; i < d; i++) {
            double delta = w[f * d + i] - (double)factor[f] * decoded[i];
            noise += delta * delta;
            signal += (double)w[f * d + i] * w[f * d + i];
        }
    }
    *error = signal > 0 ? sqrt(noise / signal) : 0;
    bdnn_free(decoded);
    return BDNN_OK;
}

static uint64_t parameter_bytes(const bdnn_layer *layer)
{
    const bdnn_decomposed *dec = layer->decomposed;
    return layer->weight.bytes + layer->bias.bytes +
           (dec ? dec->planes.bytes + dec->scales.bytes + dec->filter_scale.bytes : 0);
}

static bdnn_status decompose_layer(struct work *work, size_t index, bdnn_layer_report *report, bdnn_error *err)
{
    const bdnn_layer *original = &work->model->graph.layers[index];
    bdnn_layer *layer = &work->result->graph.layers[index];
    const bdnn_decompose_options *o = work->options;
    const bool paper = o->method == BDNN_METHOD_PAPER;
    const bdnn_fit_options options = {
        .method = o->method,
        .range = o->range != BDNN_RANGE_AUTO ? o->range
                 : paper                     ? BDNN_RANGE_MINMAX
                                             : BDNN_RANGE_MSE,
        .bases = work->settings[index].bases,
        .bits = work->settings[index].bits,
        .percentile = o->percentile,
        .lambda = o->lambda,
        .restarts = o->restarts,
        .seed = o->seed + 0x100000001b3u * (index + 1),
        .progress = report_progress,
        .user = work,
    };
    bdnn_status status;
    work->stage = original->name;
    work->stage_cost = original->weight.bytes * (uint64_t)options.bases;
    if (!report_progress(work, 0, 1)) {
        return bdnn_fail(err, BDNN_ERROR_CANCELLED, "cancelled");
    }
    status = bdnn_fit_layer(&work->streams, index, layer, &options, err);
    if (status != BDNN_OK) {
        return status;
    }
    snprintf(report->name, sizeof report->name, "%s", original->name);
    report->bases = options.bases;
    report->bits = options.bits;
    report->bytes_before = parameter_bytes(original);
    report->bytes_after = parameter_bytes(layer);
    work->done += work->stage_cost;
    return weight_error(original, layer, &report->weight_error, err);
}

static bdnn_status walk(struct work *work, bdnn_error *err)
{
    const bdnn_graph *graph = &work->model->graph;
    bdnn_layer_report *report = work->report;
    bdnn_status status = BDNN_OK;
    for (size_t l = 0; l < graph->layer_count && status == BDNN_OK; l++) {
        const bool decompose = work->settings[l].layer && !work->settings[l].keep_float;
        status = bdnn_streams_run_exact(&work->streams, l, err);
        if (status == BDNN_OK && decompose) {
            status = decompose_layer(work, l, report, err);
        }
        if (status == BDNN_OK) {
            status =
                bdnn_streams_run_approximate(&work->streams, l, &work->result->graph.layers[l], work->backend, err);
        }
        if (status == BDNN_OK && decompose) {
            report->output_snr_db = bdnn_streams_snr(&work->streams, graph->layers[l].outputs[0]);
            report++;
            work->reported++;
        }
        if (status != BDNN_OK) {
            return status == BDNN_ERROR_CANCELLED ? status
                                                  : bdnn_prefix(err, status, "layer '%s'", graph->layers[l].name);
        }
        bdnn_streams_retire(&work->streams, l);
    }
    return status;
}

static bdnn_status prepare(struct work *work, const float *inputs, size_t count, bdnn_error *err)
{
    const bdnn_graph *graph = &work->model->graph;
    const size_t limit = work->options->memory_limit ? work->options->memory_limit : DEFAULT_MEMORY;
    int64_t images = (int64_t)count;
    bdnn_status status = make_settings(work, err);
    if (status != BDNN_OK) {
        return status;
    }
    work->threads = bdnn_threads_create(work->options->threads);
    work->result = bdnn_model_clone(work->model);
    work->report = bdnn_zalloc(work->report_count, sizeof *work->report);
    if (!work->threads || !work->result || !work->report) {
        return bdnn_fail_memory(err, work->total, "the decomposed network");
    }
    status = bdnn_backend_cpu.open(&(bdnn_backend_options){.threads = work->threads}, &work->backend, err);
    if (status != BDNN_OK) {
        return status;
    }
    status = bdnn_streams_fit(graph, limit, &images, err);
    return status == BDNN_OK ? bdnn_streams_open(&work->streams, graph, inputs, images, work->threads, err) : status;
}

static bdnn_status check_inputs(const bdnn_model *model, const float *inputs, size_t count, bdnn_error *err)
{
    const bdnn_graph *graph = &model->graph;
    const int64_t item = graph->input_count ? bdnn_shape_item_elements(&graph->values[graph->inputs[0]].shape) : 0;
    for (size_t i = 0; i < count && item > 0; i++) {
        const float *input = inputs + i * (size_t)item;
        const size_t at = bdnn_first_not_finite(input, (size_t)item);
        if (at < (size_t)item) {
            return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "calibration input %zu: element %zu is %g", i, at,
                             (double)input[at]);
        }
    }
    return BDNN_OK;
}

bdnn_status bdnn_decompose(const bdnn_model *model, const float *inputs, size_t count,
                           const bdnn_decompose_options *options, bdnn_model **decomposed, bdnn_layer_report **report,
                           size_t *report_count, bdnn_error *err)
{
    if (decomposed) {
        *decomposed = NULL;
    }
    if (report) {
        *report = NULL;
    }
    if (report_count) {
        *report_count = 0;
    }
    if (!model || (count && !inputs) || !decomposed || (report && !report_count)) {
        return bdnn_fail_null(err, __func__);
    }
    bdnn_decompose_options taken;
    struct work work = {.model = model, .options = &taken};
    bdnn_status status = bdnn_take_decompose_options(&taken, options, __func__, err);
    if (status != BDNN_OK) {
        return status;
    }
    for (size_t i = 0; i < taken.layer_count; i++) {
        if (!taken.layers || !taken.layers[i].layer) {
            return bdnn_fail_null(err, __func__);
        }
    }
    if (count == 0 || count > INT32_MAX) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT, "%zu calibration inputs", count);
    }
    if (!(work.options->lambda > 0) || !(work.options->percentile > 50) || work.options->percentile > 100 ||
        work.options->restarts < 0) {
        return bdnn_fail(err, BDNN_ERROR_ARGUMENT,
                         "lambda %g, percentile %g, restarts %d: must be above 0, in 50..100, not negative",
                         work.options->lambda, work.options->percentile, work.options->restarts);
    }
    status = check_inputs(model, inputs, count, err);
    if (status == BDNN_OK) {
        status = prepare(&work, inputs, count, err);
    }
    if (status == BDNN_OK) {
        status = walk(&work, err);
    }
    if (status == BDNN_OK) {
        status = bdnn_formats_choose(&work.result->graph, err);
    }
    if (status == BDNN_OK) {
        status = bdnn_model_check_file(model, err);
    }
    bdnn_streams_close(&work.streams);
    if (work.backend) {
        work.backend->type->close(work.backend);
    }
    bdnn_threads_destroy(work.threads);
    bdnn_free(work.settings);
    if (status == BDNN_OK) {
        *decomposed = work.result;
    } else {
        bdnn_model_free(work.result);
    }
    if (report && work.reported) {
        *report = work.report;
        *report_count = work.reported;
    } else {
        bdnn_report_free(work.report);
    }
    return status;
}
