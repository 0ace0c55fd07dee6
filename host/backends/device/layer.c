/* SPDX-License-Identifier: BSD-2-Clause */
/* Layers on an accelerator. */
#include "backends/device/layer.h"

#include "core/memory.h"
#include "kernels/rows.h"

#include <string.h>

/* What the kernel makes of its sums: what the sink would, as far as the kernel can. */
static bdnn_device_output output_for(const bdnn_sink *sink)
{
    bdnn_device_output output = {.mode = BDNN_HW_MODE_INT32};
    if (sink->kind == BDNN_SINK_QUANTIZED) {
        output = (bdnn_device_output){BDNN_HW_MODE_PLANES, sink->bits, sink->requantizer->low, sink->requantizer->high};
    } else if (sink->kind == BDNN_SINK_WIDE) {
        output = (bdnn_device_output){BDNN_HW_MODE_INT16, 0, sink->requantizer->low, sink->requantizer->high};
    }
    return output;
}

/* Steps of the array for one image: what an output pixel costs. */
static double steps_of(const bdnn_device_layer *plan, const bdnn_device_array *array)
{
    const bdnn_ip_shape *s = &plan->shape;
    const int64_t chunks = (s->filters / s->groups + array->rows - 1) / array->rows;
    const int64_t tiles = ((int64_t)plan->job.pixels + array->columns - 1) / array->columns;
    return (double)s->groups * (double)chunks * (double)tiles * s->bases * s->bits * plan->job.words;
}

/* As many images as fill the array's columns once, of those that there are. */
static int64_t images_of_item(const bdnn_ip_shape *shape, const bdnn_device_array *array)
{
    const int64_t pixels = shape->out_size[1] * shape->out_size[2];
    const int64_t filling = ((int64_t)array->columns + pixels - 1) / pixels;
    return filling < shape->batch ? filling : shape->batch;
}

/* `images` images one below the other as one: of gathered pixels, or where an image is one output pixel and the kernel
 * all of it, which steps from image to image. */
static bdnn_ip_shape stacked_shape(const bdnn_ip_shape *shape, bool gathered, int64_t images)
{
    bdnn_ip_shape tall = gathered ? bdnn_device_flatten(shape) : *shape;
    if (!gathered && images > 1) {
        tall.stride[1] = (int32_t)tall.in_size[1];
    }
    tall.in_size[1] *= images;
    tall.out_size[1] *= images;
    tall.batch = 1;
    return tall;
}

/* Whether images can be stacked as they lie: each is one output pixel without padding. */
static bool is_whole(const bdnn_ip_shape *s)
{
    return s->out_size[1] * s->out_size[2] == 1 && s->pad_begin[1] == 0 && s->pad_begin[2] == 0 &&
           (s->kernel[1] - 1) * s->dilation[1] < s->in_size[1] && (s->kernel[2] - 1) * s->dilation[2] < s->in_size[2];
}

static bool plan_images(const bdnn_device_array *array, const bdnn_ip_shape *shape, const bdnn_device_output *output,
                        bool gathered, int64_t images, bdnn_device_layer *plan)
{
    const bdnn_ip_shape item = stacked_shape(shape, gathered, images);
    return bdnn_device_plan(array, &item, output, plan);
}

/* The layer with its images gathered or as they lie, in items; false when the array cannot take it. */
static bool plan_items(bdnn_resident_layer *layer, const bdnn_device_array *array, const bdnn_ip_shape *shape,
                       const bdnn_device_output *output, bool gathered)
{
    *layer = (bdnn_resident_layer){.shape = *shape, .gathered = gathered, .images = 1};
    if (shape->batch < 1 || shape->in_size[0] != 1 || shape->out_size[0] != 1) {
        return false;
    }
    if (gathered || is_whole(shape)) {
        layer->images = images_of_item(shape, array);
    }
    if (!plan_images(array, shape, output, gathered, layer->images, &layer->plan)) {
        layer->images = 1; /* perhaps too tall for the registers */
        if (!plan_images(array, shape, output, gathered, 1, &layer->plan)) {
            return false;
        }
    }
    layer->items = (shape->batch + layer->images - 1) / layer->images;
    return plan_images(array, shape, output, gathered, shape->batch - (layer->items - 1) * layer->images, &layer->last);
}

bool bdnn_resident_layer_plan(bdnn_resident_layer *layer, const bdnn_device_array *array, const bdnn_ip_shape *shape,
                              const bdnn_sink *sink, bool direct)
{
    const bdnn_device_output output = output_for(sink);
    bdnn_resident_layer gathered;
    const bool can_direct = plan_items(layer, array, shape, &output, false);
    const bool can_gather = plan_items(&gathered, array, shape, &output, true);
    /* Gathering costs the host, and moves a pixel as often as it is a tap: it must save half of the steps, and an input
     * that is on the device stays there. */
    if (can_gather && (!can_direct || (!direct && 2 * (double)layer->images * steps_of(&gathered.plan, array) <=
                                                      (double)gathered.images * steps_of(&layer->plan, array)))) {
        *layer = gathered;
    }
    return can_direct || can_gather;
}

bool bdnn_resident_layer_plan_as(bdnn_resident_layer *layer, const bdnn_device_array *array, const bdnn_ip_shape *shape,
                                 const bdnn_sink *sink, const bdnn_placement *placement)
{
    const bdnn_device_output output = output_for(sink);
    return plan_items(layer, array, shape, &output, placement->gathered);
}

bool bdnn_resident_layer_plan_pool(bdnn_resident_layer *layer, const bdnn_device_array *array,
                                   const bdnn_ip_shape *shape)
{
    const bdnn_device_output output = {.mode = BDNN_HW_MODE_MAXIMUM};
    return plan_items(layer, array, shape, &output, false);
}

/* 64-bit words of an image's input and output. */
static size_t input_words(const bdnn_resident_layer *layer)
{
    return layer->plan.activation_words / (size_t)layer->images;
}

static size_t output_words(const bdnn_resident_layer *layer)
{
    return layer->plan.result_words / (size_t)layer->images;
}

static size_t batch_bytes(const bdnn_resident_layer *layer, size_t words)
{
    return bdnn_product(bdnn_product((size_t)layer->shape.batch, words), sizeof(uint64_t));
}

bdnn_placement bdnn_resident_layer_placement(const bdnn_resident_layer *layer)
{
    return (bdnn_placement){.gathered = layer->gathered,
                            .in_groups = (int32_t)layer->shape.groups,
                            .out_groups = (int32_t)layer->shape.groups,
                            .in_bytes = batch_bytes(layer, input_words(layer)),
                            .out_bytes = batch_bytes(layer, output_words(layer))};
}

static const bdnn_device_layer *plan_of(const bdnn_resident_layer *layer, int64_t item)
{
    return item + 1 < layer->items ? &layer->plan : &layer->last;
}

size_t bdnn_resident_layer_input(const bdnn_resident_layer *layer, int64_t item, size_t *bytes)
{
    *bytes = plan_of(layer, item)->activation_words * sizeof(uint64_t);
    return (size_t)(item * layer->images) * input_words(layer) * sizeof(uint64_t);
}

size_t bdnn_resident_layer_output(const bdnn_resident_layer *layer, int64_t item, size_t *bytes)
{
    *bytes = plan_of(layer, item)->result_words * sizeof(uint64_t);
    return (size_t)(item * layer->images) * output_words(layer) * sizeof(uint64_t);
}

bool bdnn_resident_layer_job(const bdnn_resident_layer *layer, int64_t item, int64_t group, size_t input, size_t output,
                             bdnn_hw_job *job)
{
    size_t bytes;
    *job = bdnn_device_job(plan_of(layer, item), group);
    return bdnn_device_job_move(job, input + bdnn_resident_layer_input(layer, item, &bytes),
                                output + bdnn_resident_layer_output(layer, item, &bytes));
}

static size_t page_bytes(size_t words)
{
    return bdnn_round_up(bdnn_product(words, sizeof(uint64_t)), BDNN_BUS_PAGE);
}

/* Each group's weights, then its filter records; a part of the memory for each. */
static bdnn_status load_groups(bdnn_resident_layer *layer, bdnn_accelerator *device, const bdnn_ip_weights *weights,
                               const bdnn_sink *sink, bdnn_error *err)
{
    const bdnn_device_layer *plan = &layer->plan;
    const size_t sizes[2] = {page_bytes(plan->weight_words), page_bytes(plan->filter_words)};
    const bool requantized = plan->output.mode != BDNN_HW_MODE_INT32;
    size_t at = 0;
    for (int64_t g = 0; g < layer->shape.groups; g++) {
        for (int i = 0; i < 2; i++) {
            bdnn_bus_memory *part = &layer->parts[2 * g + i];
            bdnn_status status = device->bus->part(device, &layer->constants, at, sizes[i], part, err);
            if (status != BDNN_OK) {
                return status;
            }
            if (i == 0) {
                bdnn_device_pack_weights(plan, weights, g, part->host);
            } else {
                bdnn_device_pack_filters(plan, weights, requantized ? sink->requantizer : NULL, g, part->host);
            }
            at += sizes[i];
        }
    }
    return bdnn_accelerator_to_device(device, &layer->constants, 0, at, err);
}

bdnn_status bdnn_resident_layer_load(bdnn_resident_layer *layer, bdnn_accelerator *device,
                                     const bdnn_ip_weights *weights, const bdnn_sink *sink, bdnn_error *err)
{
    const size_t groups = (size_t)layer->shape.groups;
    const size_t each = bdnn_sum(page_bytes(layer->plan.weight_words), page_bytes(layer->plan.filter_words));
    bdnn_status status;
    layer->parts = bdnn_zalloc(2 * groups, sizeof *layer->parts);
    if (!layer->parts) {
        return bdnn_fail_memory(err, 2 * groups * sizeof *layer->parts, "a layer's handles");
    }
    status = bdnn_accelerator_allocate(device, BDNN_HW_POINTER_WEIGHTS, bdnn_product(groups, each), "a layer's weights",
                                       &layer->constants, err);
    if (status == BDNN_OK) {
        status = load_groups(layer, device, weights, sink, err);
    }
    if (status != BDNN_OK) {
        bdnn_resident_layer_unload(layer, device);
    }
    return status;
}

void bdnn_resident_layer_unload(bdnn_resident_layer *layer, bdnn_accelerator *device)
{
    for (int64_t i = 0; layer->parts && i < 2 * layer->shape.groups; i++) {
        bdnn_accelerator_free(device, &layer->parts[i]);
    }
    bdnn_accelerator_free(device, &layer->constants);
    bdnn_free(layer->parts);
    layer->parts = NULL;
}

/* Elements of an image on the host: of gathered rows, of the output. */
static size_t row_values(const bdnn_resident_layer *layer)
{
    const bdnn_ip_shape *s = &layer->shape;
    return (size_t)(s->out_size[1] * s->out_size[2] * s->groups * bdnn_ip_inner(s));
}

static size_t output_values(const bdnn_resident_layer *layer)
{
    const bdnn_ip_shape *s = &layer->shape;
    return (size_t)(s->out_size[1] * s->out_size[2] * s->filters);
}

/* Rows or results of one item. */
size_t bdnn_resident_layer_scratch_bytes(const bdnn_resident_layer *layer)
{
    const size_t rows = layer->gathered ? row_values(layer) : 0;
    const size_t values = bdnn_product(output_values(layer), sizeof(int32_t));
    return bdnn_round_up(bdnn_product((size_t)layer->images, rows > values ? rows : values), BDNN_ALIGNMENT);
}

void bdnn_resident_layer_pack(const bdnn_resident_layer *layer, const uint8_t *x_q, int64_t item, void *scratch,
                              uint64_t *activations)
{
    const bdnn_ip_shape *s = &layer->shape;
    const bdnn_device_layer *plan = plan_of(layer, item);
    const int64_t inner = bdnn_ip_inner(s), row = s->groups * inner, image = item * layer->images;
    const int64_t first = image * s->out_size[1] * s->out_size[2];
    uint8_t *rows = scratch;
    if (!layer->gathered) {
        const int64_t values = s->in_size[1] * s->in_size[2] * s->channels;
        bdnn_device_pack_activations(plan, x_q + image * values, activations);
        return;
    }
    for (int64_t g = 0; g < s->groups; g++) {
        bdnn_ip_gather(s, x_q, 1, first, (int64_t)plan->job.pixels, g, row, rows + g * inner);
    }
    bdnn_device_pack_activations(plan, rows, activations);
}

/* Clamped sums, to which the addend is still added. */
static void add_and_clamp(const bdnn_sink *sink, const int16_t *sums, int64_t at, int64_t count)
{
    const int32_t low = sink->requantizer->low, high = sink->requantizer->high;
    int16_t *y = (int16_t *)sink->y + at;
    for (int64_t i = 0; i < count; i++) {
        const int32_t v = sums[i] + sink->addend[at + i];
        y[i] = (int16_t)(v < low ? low : v > high ? high : v);
    }
}

/* `count` output pixels from `first` on, in `values` as the kernel's mode left them. */
static void put_values(const bdnn_resident_layer *layer, const bdnn_sink *sink, int64_t first, int64_t count,
                       void *values)
{
    const int64_t filters = layer->shape.filters, at = first * filters, elements = count * filters;
    switch (layer->plan.output.mode) {
    case BDNN_HW_MODE_INT32:
        bdnn_sink_put(sink, first, count, 0, filters, values, filters);
        break;
    case BDNN_HW_MODE_PLANES:
    case BDNN_HW_MODE_MAXIMUM:
        memcpy((uint8_t *)sink->y + at, values, (size_t)elements);
        break;
    case BDNN_HW_MODE_INT16:
        if (sink->addend) {
            add_and_clamp(sink, values, at, elements);
        } else {
            memcpy((int16_t *)sink->y + at, values, (size_t)elements * sizeof(int16_t));
        }
        bdnn_sink_rescale(sink, at, elements);
        break;
    }
}

void bdnn_resident_layer_unpack(const bdnn_resident_layer *layer, const uint64_t *results, int64_t item,
                                const bdnn_sink *sink, void *scratch)
{
    const bdnn_device_layer *plan = plan_of(layer, item);
    const int64_t first = item * layer->images * layer->shape.out_size[1] * layer->shape.out_size[2];
    bdnn_device_unpack_results(plan, results, scratch);
    put_values(layer, sink, first, (int64_t)plan->job.pixels, scratch);
}
