/* Layers on an accelerator. */
#include "backends/device/layer.h"

#include "core/memory.h"
#include "kernels/rows.h"

#include <string.h>

/* What the kernel makes of its sums: what the sink would, as far as the kernel can. */
static bdnn_device_output output_for(const bdnn_sink *sink)
{
    bdnn_device_output output = {.mode = BDNN_DEVICE_INT32};
    if (sink->kind == BDNN_SINK_QUANTISED) {
        output = (bdnn_device_output){BDNN_DEVICE_PLANES, 1, sink->requantiser->low, sink->requantiser->high};
        while (output.bits < 8 && output.high >> output.bits) {
            output.bits++;
        }
    } else if (sink->kind == BDNN_SINK_WIDE) {
        output = (bdnn_device_output){BDNN_DEVICE_INT16, 0, sink->requantiser->low, sink->requantiser->high};
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

/* `images` output images side by side, as one image of gathered pixels. */
static bdnn_ip_shape gathered_shape(const bdnn_ip_shape *shape, int64_t images)
{
    bdnn_ip_shape flat = bdnn_device_flatten(shape);
    flat.in_size[1] *= images;
    flat.out_size[1] *= images;
    flat.batch = 1;
    return flat;
}

/* As many images as fill the array's columns once, of those that there are. */
static int64_t images_of_item(const bdnn_ip_shape *shape, const bdnn_device_array *array)
{
    const int64_t pixels = shape->out_size[1] * shape->out_size[2];
    const int64_t filling = ((int64_t)array->columns + pixels - 1) / pixels;
    return filling < shape->batch ? filling : shape->batch;
}

bool bdnn_resident_layer_plan(bdnn_resident_layer *layer, const bdnn_device_array *array, const bdnn_ip_shape *shape,
                              const bdnn_sink *sink)
{
    const bdnn_device_output output = output_for(sink);
    bdnn_device_layer direct, gathered;
    bdnn_ip_shape image = *shape;
    image.batch = 1;
    if (shape->batch < 1 || shape->in_size[0] != 1 || shape->out_size[0] != 1) {
        return false;
    }
    const int64_t images = images_of_item(shape, array);
    const bdnn_ip_shape flat = gathered_shape(shape, images);
    const bool can_direct = bdnn_device_plan(array, &image, &output, &direct);
    const bool can_gather = bdnn_device_plan(array, &flat, &output, &gathered);
    /* Gathering costs the host, and moves a pixel as often as it is a tap: it must save half of the steps. */
    const bool gather =
        can_gather && (!can_direct || 2 * steps_of(&gathered, array) <= (double)images * steps_of(&direct, array));
    if (!can_direct && !can_gather) {
        return false;
    }
    layer->shape = *shape;
    layer->plan = gather ? gathered : direct;
    layer->gathered = gather;
    layer->images = gather ? images : 1;
    layer->items = (shape->batch + layer->images - 1) / layer->images;
    return true;
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
    const bool requantised = plan->output.mode != BDNN_DEVICE_INT32;
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
                bdnn_device_pack_filters(plan, weights, requantised ? sink->requantiser : NULL, g, part->host);
            }
            at += sizes[i];
        }
    }
    return bdnn_accelerator_to_device(device, &layer->constants, at, err);
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
    status = bdnn_accelerator_allocate(device, BDNN_POINTER_WEIGHTS, bdnn_product(groups, each), "a layer's weights",
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

size_t bdnn_resident_layer_activation_bytes(const bdnn_resident_layer *layer)
{
    return bdnn_product(layer->plan.activation_words, sizeof(uint64_t));
}

size_t bdnn_resident_layer_result_bytes(const bdnn_resident_layer *layer)
{
    return bdnn_product(layer->plan.result_words, sizeof(uint64_t));
}

/* Values of an item's input and output on the host, in elements. */
static size_t input_values(const bdnn_resident_layer *layer)
{
    const bdnn_ip_shape *s = &layer->plan.shape;
    return (size_t)(s->in_size[1] * s->in_size[2] * s->channels);
}

static size_t output_values(const bdnn_resident_layer *layer)
{
    return bdnn_product((size_t)layer->plan.job.pixels, (size_t)layer->shape.filters);
}

size_t bdnn_resident_layer_scratch_bytes(const bdnn_resident_layer *layer)
{
    const size_t rows = layer->gathered ? input_values(layer) : 0;
    const size_t values = bdnn_product(output_values(layer), sizeof(int32_t));
    return bdnn_round_up(rows > values ? rows : values, BDNN_ALIGNMENT);
}

/* Output positions of item `item` within the batch: the last item may have fewer images than its plan. */
static void positions_of(const bdnn_resident_layer *layer, int64_t item, int64_t *first, int64_t *count)
{
    const int64_t each = layer->shape.out_size[1] * layer->shape.out_size[2];
    const int64_t left = layer->shape.batch - item * layer->images;
    *first = item * layer->images * each;
    *count = (left < layer->images ? left : layer->images) * each;
}

void bdnn_resident_layer_pack(const bdnn_resident_layer *layer, const uint8_t *x_q, int64_t item, void *scratch,
                              uint64_t *activations)
{
    const bdnn_ip_shape *s = &layer->shape;
    const int64_t inner = bdnn_ip_inner(s), row = s->groups * inner;
    uint8_t *rows = scratch;
    int64_t first, count;
    if (!layer->gathered) {
        bdnn_device_pack_activations(&layer->plan, x_q + (size_t)item * input_values(layer), activations);
        return;
    }
    positions_of(layer, item, &first, &count);
    for (int64_t g = 0; g < s->groups; g++) {
        bdnn_ip_gather(s, x_q, 1, first, count, g, row, rows + g * inner);
    }
    memset(rows + count * row, 0, input_values(layer) - (size_t)(count * row));
    bdnn_device_pack_activations(&layer->plan, rows, activations);
}

/* Clamped sums, to which the addend is still added. */
static void add_and_clamp(const bdnn_sink *sink, const int16_t *sums, int64_t at, int64_t count)
{
    const int32_t low = sink->requantiser->low, high = sink->requantiser->high;
    int16_t *y = (int16_t *)sink->y + at;
    for (int64_t i = 0; i < count; i++) {
        const int32_t v = sums[i] + sink->addend[at + i];
        y[i] = (int16_t)(v < low ? low : v > high ? high : v);
    }
}

void bdnn_resident_layer_unpack(const bdnn_resident_layer *layer, const uint64_t *results, int64_t item,
                                const bdnn_sink *sink, void *scratch)
{
    const int64_t filters = layer->shape.filters;
    int64_t first, count;
    positions_of(layer, item, &first, &count);
    const int64_t at = first * filters, values = count * filters;
    bdnn_device_unpack_results(&layer->plan, results, scratch);
    if (layer->plan.output.mode == BDNN_DEVICE_INT32) {
        bdnn_sink_put(sink, first, count, 0, filters, scratch, filters);
    } else if (layer->plan.output.mode == BDNN_DEVICE_PLANES) {
        memcpy((uint8_t *)sink->y + at, scratch, (size_t)values);
    } else if (sink->addend) {
        add_and_clamp(sink, scratch, at, values);
    } else {
        memcpy((int16_t *)sink->y + at, scratch, (size_t)values * sizeof(int16_t));
    }
    if (layer->plan.output.mode == BDNN_DEVICE_INT16) {
        bdnn_sink_read(sink, at, values);
    }
}
