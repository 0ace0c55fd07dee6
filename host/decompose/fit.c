/* SPDX-License-Identifier: BSD-2-Clause */
/* Decomposing one inner-product layer. */
#include "decompose/fit.h"

#include "core/memory.h"
#include "decompose/search.h"
#include "layers/fusion.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* Rows of the range's search: at most so many, and so many floats in all. */
#define RANGE_ROWS    2048
#define RANGE_FLOATS  ((int64_t)4 << 20)
#define RANGE_FILTERS 256

/* Samples of the objective: at least 8,192 and six for each element of the inner product. */
#define SAMPLES             8192
#define SAMPLES_PER_ELEMENT 6

/* Above this many elements H would take a quarter of a gigabyte or more; X is then held instead, with this many samples
 * at most. */
#define MAX_GRAM_INNER   8192
#define MAX_HELD_SAMPLES 1024

/* Rounds of the alternation by values alone: as a start for the data-aware search, and as the paper's whole method. */
#define START_ROUNDS 10
#define PAPER_ROUNDS 60

/* Steps toward the real weights that are best behind a rectifier. */
#define TARGET_ROUNDS 3

struct fit {
    const bdnn_streams *streams;
    const bdnn_layer *original;
    bdnn_layer *layer;
    const bdnn_fit_options *options;
    bdnn_inner_geometry geometry;
    bdnn_quantizer quantizer;
    bdnn_decomposed *decomposed;
    float *bias;
    const float *w; /* [F][D] */
    bool rectified; /* a rectifier follows, at once or behind an addition */
    /* of the group at hand */
    int64_t group, group_filters;
    bdnn_statistics statistics;
    bdnn_start starts[BDNN_MAX_BASES * 8];
    bdnn_start_rule rule;
    uint8_t *scratch; /* [slots][slot_bytes] */
    size_t slot_bytes;
    atomic_llong done;
    atomic_bool cancelled;
};

static const float *stream_of(void **stream, int32_t value)
{
    return stream[value];
}

/* Smallest and largest value of a stream; not a number where any is. */
static void extremes(const float *x, int64_t count, float *low, float *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        *low = x[i] < *low ? x[i] : *low;
        *high = x[i] > *high ? x[i] : *high;
        if (x[i] != x[i]) {
            *low = *high = x[i];
            return;
        }
    }
}

/* The weights of some filters, evenly spaced: [groups][filters][D]. */
static float *sample_filters(const struct fit *fit, int64_t filters)
{
    const int64_t d = fit->geometry.inner, groups = fit->geometry.groups;
    float *weights = bdnn_alloc(bdnn_size(groups * filters * d), sizeof *weights);
    for (int64_t g = 0; weights && g < groups; g++) {
        for (int64_t f = 0; f < filters; f++) {
            const int64_t from = g * fit->group_filters + f * fit->group_filters / filters;
            memcpy(weights + (g * filters + f) * d, fit->w + from * d, (size_t)d * sizeof *weights);
        }
    }
    return weights;
}

static bdnn_status choose_quantizer(struct fit *fit, bdnn_error *err)
{
    const bdnn_inner_geometry *geometry = &fit->geometry;
    const int64_t d = geometry->inner, groups = geometry->groups, images = fit->streams->images;
    const float *x = stream_of(fit->streams->approximate, fit->original->inputs[0]);
    int64_t wanted = RANGE_FLOATS / (d * groups), count;
    bdnn_range_problem problem = {.groups = groups, .inner = d, .percentile = fit->options->percentile};
    int64_t *positions;
    float *rows = NULL, *weights = NULL;
    bdnn_status status = BDNN_OK;
    wanted = bdnn_clamp(wanted, 64, RANGE_ROWS);
    problem.filters = bdnn_min(fit->group_filters, RANGE_FILTERS);
    positions = bdnn_sample_positions(geometry, images, wanted, fit->options->seed, &count);
    rows = positions ? bdnn_alloc(bdnn_size(groups * count * d), sizeof *rows) : NULL;
    weights = sample_filters(fit, problem.filters);
    if (!rows || !weights) {
        status = bdnn_fail_memory(err, bdnn_product(bdnn_size(groups * wanted * d), sizeof *rows),
                                  "samples of a layer's input");
    } else {
        for (int64_t g = 0; g < groups; g++) {
            bdnn_gather_inputs(geometry, x, g, positions, count, rows + g * count * d);
        }
        problem.rows = rows;
        problem.row_count = count;
        problem.weights = weights;
        extremes(x, images * bdnn_streams_item(fit->streams, fit->original->inputs[0]), &problem.low, &problem.high);
        status = bdnn_choose_range(&problem, fit->options->range, fit->options->bits, fit->streams->threads,
                                   &fit->quantizer, err);
    }
    bdnn_free(positions);
    bdnn_free(rows);
    bdnn_free(weights);
    return status;
}

static bdnn_status collect(struct fit *fit, bdnn_error *err)
{
    const int64_t d = fit->geometry.inner;
    const bdnn_graph *graph = fit->streams->graph;
    const bdnn_fusion fusion = bdnn_fusion_of(graph, (size_t)(fit->original - graph->layers));
    void **exact = fit->streams->exact, **approximate = fit->streams->approximate;
    int64_t wanted = bdnn_max(SAMPLES, SAMPLES_PER_ELEMENT * d), count;
    int64_t *positions;
    bdnn_status status;
    wanted = d > MAX_GRAM_INNER ? MAX_HELD_SAMPLES : wanted;
    /* A constant addend is no stream: what is fitted then is the output itself. */
    const int32_t other = fusion.sum >= 0 && exact[fusion.addend] ? fusion.addend : BDNN_NONE;
    fit->rectified =
        fusion.clip >= 0 && (fusion.sum < 0 || other >= 0) && graph->layers[fusion.clip].attr.activation.low == 0;
    positions = bdnn_sample_positions(&fit->geometry, fit->streams->images, wanted, fit->options->seed + 1, &count);
    if (!positions) {
        return bdnn_fail_memory(err, (size_t)wanted * sizeof *positions, "samples of a layer's input");
    }
    bdnn_sample_source source = {
        .geometry = &fit->geometry,
        .x = stream_of(approximate, fit->original->inputs[0]),
        .y = stream_of(exact, fit->original->outputs[0]),
        .other_exact = other >= 0 ? stream_of(exact, other) : NULL,
        .other_approximate = other >= 0 ? stream_of(approximate, other) : NULL,
        .positions = positions,
        .count = count,
        .quantizer = fit->quantizer,
        .group = fit->group,
    };
    status = bdnn_statistics_collect(&source, fit->options->lambda, fit->streams->threads, &fit->statistics, err);
    bdnn_free(positions);
    return status == BDNN_OK ? bdnn_objective_factorize(&fit->statistics.objective, err) : status;
}

static void store_filter(struct fit *fit, int64_t f, const bdnn_filter *filter)
{
    const int32_t bases = fit->options->bases;
    const int64_t d = fit->geometry.inner, words = bdnn_words_of(d);
    uint64_t *planes = bdnn_decomposed_planes(fit->decomposed, f, d);
    int8_t *scales = bdnn_decomposed_scales(fit->decomposed, f);
    memset(planes, 0xff, (size_t)(bases * words) * sizeof *planes); /* filler bits are 1 (docs/reference/numerics.md) */
    for (int32_t k = 0; k < bases; k++) {
        for (int64_t i = 0; i < d; i++) {
            planes[k * words + i / 64] &= ~((uint64_t)(~filter->codes[i] >> k & 1) << i % 64);
        }
        scales[k] = filter->scale[k];
    }
    ((float *)fit->decomposed->filter_scale.data)[f] = filter->factor;
}

/* The bias that gives the outputs the mean that is wanted of them. */
static float centering_bias(const struct fit *fit, const bdnn_filter *filter, double wanted)
{
    double sum = 0;
    for (int64_t i = 0; i < fit->geometry.inner; i++) {
        sum += (double)bdnn_filter_weight(filter, fit->options->bases, i) * fit->statistics.x_mean[i];
    }
    return (float)(wanted - (double)filter->factor * sum);
}

/* One thread's memory for a block. */
struct block_memory {
    uint8_t *codes; /* [block][D] */
    float *targets; /* [block][D] */
    float *retarget;
    void *search;
};

static size_t take(size_t *used, size_t bytes)
{
    const size_t at = *used;
    *used = bdnn_sum(*used, bdnn_round_up(bytes, BDNN_ALIGNMENT));
    return at;
}

/* Lays it out from `base` on (NULL: only counts) and returns the bytes. */
static size_t lay_out_block(const struct fit *fit, uint8_t *base, struct block_memory *memory)
{
    const bool data = fit->options->method == BDNN_METHOD_DATA;
    const size_t elements = bdnn_product(BDNN_SEARCH_BLOCK, (size_t)fit->geometry.inner);
    size_t used = 0;
    const size_t codes = take(&used, elements), targets = take(&used, bdnn_product(elements, sizeof(float)));
    const size_t retarget =
        take(&used, data ? (size_t)bdnn_retarget_floats(&fit->statistics, BDNN_SEARCH_BLOCK) * sizeof(float) : 0);
    const size_t search = take(
        &used, bdnn_search_scratch(data ? &fit->statistics.objective : NULL, fit->geometry.inner, fit->options->bases));
    if (base) {
        *memory =
            (struct block_memory){base + codes, (float *)(base + targets), (float *)(base + retarget), base + search};
    }
    return used;
}

/* Real weights first: the targets of the linear problem, then of the rectified one. */
static void first_targets(bdnn_retarget *retarget, float *targets)
{
    bdnn_retarget_step(retarget, NULL, targets);
    for (int i = 0; i < TARGET_ROUNDS && retarget->rectified; i++) {
        bdnn_retarget_step(retarget, targets, targets);
    }
}

static void search_block(struct fit *fit, const struct block_memory *memory, int64_t first, int64_t count,
                         bdnn_filter *filters)
{
    const int64_t d = fit->geometry.inner, from = fit->group * fit->group_filters + first;
    const float *w = fit->w + from * d;
    bdnn_retarget retarget = {
        .statistics = &fit->statistics, .w = w, .first = first, .count = count, .rectified = fit->rectified};
    if (fit->options->method == BDNN_METHOD_PAPER) {
        /* The block's memory is there before any block is searched.
         * NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
        memcpy(memory->targets, w, (size_t)(count * d) * sizeof *w);
        bdnn_search_block(NULL, NULL, memory->targets, d, count, fit->options->bases, &fit->rule, filters,
                          memory->search);
    } else {
        bdnn_retarget_lay_out(&retarget, memory->retarget);
        first_targets(&retarget, memory->targets);
        bdnn_search_block(&fit->statistics.objective, fit->rectified ? &retarget : NULL, memory->targets, d, count,
                          fit->options->bases, &fit->rule, filters, memory->search);
        for (int64_t f = 0; f < count; f++) {
            fit->bias[from + f] = centering_bias(fit, &filters[f], retarget.mean[f]);
        }
    }
    for (int64_t f = 0; f < count; f++) {
        store_filter(fit, from + f, &filters[f]);
    }
}

/* A block of filters of the group at hand. */
static void fit_block(void *context, size_t slot, size_t block)
{
    struct fit *fit = context;
    const int64_t first = (int64_t)block * BDNN_SEARCH_BLOCK;
    const int64_t count = bdnn_min(BDNN_SEARCH_BLOCK, fit->group_filters - first);
    bdnn_filter filters[BDNN_SEARCH_BLOCK];
    struct block_memory memory = {0};
    long long done;
    if (atomic_load(&fit->cancelled)) {
        return;
    }
    lay_out_block(fit, fit->scratch + slot * fit->slot_bytes, &memory);
    for (int64_t f = 0; f < count; f++) {
        filters[f].codes = memory.codes + f * fit->geometry.inner;
    }
    search_block(fit, &memory, first, count, filters);
    done = atomic_fetch_add(&fit->done, count) + count;
    /* From one slot only, so that the callback never runs twice at once. */
    if (slot == 0 && fit->options->progress &&
        !fit->options->progress(fit->options->user, done, fit->geometry.filters)) {
        atomic_store(&fit->cancelled, true);
    }
}

static bdnn_status fit_group(struct fit *fit, bdnn_error *err)
{
    const bool data = fit->options->method == BDNN_METHOD_DATA;
    const size_t slots = bdnn_threads_count(fit->streams->threads);
    bdnn_status status = data ? collect(fit, err) : BDNN_OK;
    if (status != BDNN_OK) {
        return status;
    }
    fit->slot_bytes = lay_out_block(fit, NULL, NULL);
    fit->scratch = bdnn_alloc(slots, fit->slot_bytes);
    if (!fit->scratch) {
        return bdnn_fail_memory(err, bdnn_product(slots, fit->slot_bytes), "the search for a layer's bases");
    }
    bdnn_parallel_slots(fit->streams->threads, fit_block, fit,
                        (size_t)bdnn_ceil_div(fit->group_filters, BDNN_SEARCH_BLOCK));
    bdnn_free(fit->scratch);
    fit->scratch = NULL;
    bdnn_statistics_free(&fit->statistics);
    return atomic_load(&fit->cancelled) ? bdnn_fail(err, BDNN_ERROR_CANCELLED, "cancelled") : BDNN_OK;
}

static void set_rule(struct fit *fit)
{
    const int most = (int)(sizeof fit->starts / sizeof *fit->starts);
    fit->starts[0] = BDNN_START_GREEDY;
    fit->starts[1] = BDNN_START_UNIFORM;
    fit->rule =
        (bdnn_start_rule){.starts = fit->starts, .count = 2, .iterations = START_ROUNDS, .seed = fit->options->seed};
    if (fit->options->method == BDNN_METHOD_PAPER) {
        fit->rule.count = 1 + fit->options->restarts < most ? 1 + fit->options->restarts : most;
        fit->rule.iterations = PAPER_ROUNDS;
        for (int i = 1; i < fit->rule.count; i++) {
            fit->starts[i] = BDNN_START_RANDOM;
        }
    }
}

static bdnn_status allocate(struct fit *fit, bdnn_error *err)
{
    const size_t filters = (size_t)fit->geometry.filters, bases = (size_t)fit->options->bases;
    const size_t words = (size_t)bdnn_words_of(fit->geometry.inner);
    bdnn_decomposed *decomposed = fit->decomposed = bdnn_zalloc(1, sizeof *decomposed);
    fit->bias = bdnn_zalloc(filters, sizeof *fit->bias);
    if (decomposed) {
        decomposed->bases = fit->options->bases;
        decomposed->planes = bdnn_blob_copy(NULL, filters * bases * words * sizeof(uint64_t));
        decomposed->scales = bdnn_blob_copy(NULL, filters * bases);
        decomposed->filter_scale = bdnn_blob_copy(NULL, filters * sizeof(float));
    }
    if (!decomposed || !fit->bias || !decomposed->planes.data || !decomposed->scales.data ||
        !decomposed->filter_scale.data) {
        return bdnn_fail_memory(err, filters * bases * words * sizeof(uint64_t), "a layer's bases");
    }
    if (fit->original->bias.data) {
        memcpy(fit->bias, fit->original->bias.data, filters * sizeof *fit->bias);
    }
    return BDNN_OK;
}

/* Hands the result over to the layer. */
static void install(struct fit *fit)
{
    bdnn_layer *layer = fit->layer;
    fit->decomposed->bits = fit->options->bits;
    fit->decomposed->step = fit->quantizer.step;
    fit->decomposed->zero_point = fit->quantizer.zero_point;
    layer->decomposed = fit->decomposed;
    bdnn_blob_free(&layer->weight);
    bdnn_blob_free(&layer->bias);
    layer->bias =
        (bdnn_blob){.data = fit->bias, .bytes = (size_t)fit->geometry.filters * sizeof *fit->bias, .owned = true};
    fit->decomposed = NULL;
    fit->bias = NULL;
}

bdnn_status bdnn_fit_layer(const bdnn_streams *streams, size_t index, bdnn_layer *layer,
                           const bdnn_fit_options *options, bdnn_error *err)
{
    const bdnn_layer *original = &streams->graph->layers[index];
    struct fit fit = {
        .streams = streams, .original = original, .layer = layer, .options = options, .w = original->weight.data};
    bdnn_status status;
    bdnn_inner_geometry_of(original, &streams->info[0][original->inputs[0]].shape,
                           &streams->info[0][original->outputs[0]].shape, &fit.geometry);
    fit.group_filters = fit.geometry.filters / fit.geometry.groups;
    set_rule(&fit);
    status = allocate(&fit, err);
    if (status == BDNN_OK) {
        status = choose_quantizer(&fit, err);
    }
    for (; fit.group < fit.geometry.groups && status == BDNN_OK; fit.group++) {
        status = fit_group(&fit, err);
    }
    if (status == BDNN_OK) {
        install(&fit);
    }
    bdnn_statistics_free(&fit.statistics);
    bdnn_decomposed_free(fit.decomposed);
    bdnn_free(fit.bias);
    return status;
}
