/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans the jobs of a layer: which layers an array can take, and their registers. */
#include "backends/device/layout.h"

#include "core/memory.h"

#include <string.h>

static bool within(int64_t value, int64_t low, int64_t high)
{
    return value >= low && value <= high;
}

/* Whether a number is what its field may hold. */
#define FITS(value, field) within(value, BDNN_HW_##field##_MIN, BDNN_HW_##field##_MAX)

static bool power_of_two(uint32_t value)
{
    return (value & (value - 1)) == 0;
}

bool bdnn_device_array_read(bdnn_device_array *array, uint32_t sizes, uint32_t word, uint32_t buffers)
{
    *array = (bdnn_device_array){.rows = BDNN_HW_ROWS(sizes),
                                 .columns = BDNN_HW_COLUMNS(sizes),
                                 .word_bits = BDNN_HW_WORD_BITS(word),
                                 .weight_depth = BDNN_HW_WEIGHT_DEPTH(buffers),
                                 .activation_depth = BDNN_HW_ACTIVATION_DEPTH(buffers),
                                 .tiles = BDNN_HW_MAX_TILES(word)};
    return FITS(array->rows, ROWS) && power_of_two(array->rows) && FITS(array->columns, COLUMNS) &&
           power_of_two(array->columns) && FITS(array->word_bits, WORD_BITS) && power_of_two(array->word_bits) &&
           FITS(array->weight_depth, WEIGHT_DEPTH) && power_of_two(array->weight_depth) &&
           FITS(array->activation_depth, ACTIVATION_DEPTH) && power_of_two(array->activation_depth) &&
           FITS(array->tiles, MAX_TILES) && power_of_two(array->tiles);
}

static bool output_fits(const bdnn_device_output *output)
{
    switch (output->mode) {
    case BDNN_HW_MODE_PLANES:
        return FITS(output->bits, OUT_PLANES) && within(output->high, 0, (1 << output->bits) - 1) &&
               within(output->low, 0, output->high);
    case BDNN_HW_MODE_INT16:
        return within(output->high, INT16_MIN, INT16_MAX) && within(output->low, INT16_MIN, output->high);
    case BDNN_HW_MODE_INT32:
    case BDNN_HW_MODE_MAXIMUM:
        return true;
    }
    return false;
}

/* Whether the registers can hold a layer, and no sum below can overflow. */
static bool shape_fits(const bdnn_ip_shape *s, const bdnn_device_output *output)
{
    if (s->in_size[0] != 1 || s->out_size[0] != 1 || s->kernel[0] != 1 || s->pad_begin[0] != 0 || s->groups < 1) {
        return false;
    }
    const int64_t channels = s->channels / s->groups;
    return FITS(s->in_size[1], IN_HEIGHT) && FITS(s->in_size[2], IN_WIDTH) && FITS(s->out_size[2], OUT_WIDTH) &&
           within(s->out_size[1], 1, BDNN_HW_IN_HEIGHT_MAX) && FITS(s->kernel[1], KERNEL_HEIGHT) &&
           FITS(s->kernel[2], KERNEL_WIDTH) && FITS(s->stride[1], STRIDE_Y) && FITS(s->stride[2], STRIDE_X) &&
           FITS(s->dilation[1], DILATION_Y) && FITS(s->dilation[2], DILATION_X) &&
           within(s->pad_begin[1], 0, BDNN_HW_PAD_TOP_MAX) && within(s->pad_begin[2], 0, BDNN_HW_PAD_LEFT_MAX) &&
           output_fits(output) && FITS(s->bits, PLANES) && s->channels % s->groups == 0 &&
           s->filters % s->groups == 0 && within(s->groups, 1, UINT16_MAX) &&
           within(channels, 1, (int64_t)BDNN_HW_UNITS_MAX * BDNN_HW_UNIT) && FITS(s->filters / s->groups, FILTER_COUNT);
}

/* Whether the kernel's coordinates and offsets hold all taps, also those outside of the image, and all results; it
 * refuses the job otherwise. row, pixel and result in bytes. */
static bool offsets_fit(const bdnn_ip_shape *s, int64_t row, int64_t pixel, int64_t result)
{
    const int64_t y = (s->out_size[1] - 1) * s->stride[1] + (int64_t)(s->kernel[1] - 1) * s->dilation[1];
    const int64_t x = (s->out_size[2] - 1) * s->stride[2] + (int64_t)(s->kernel[2] - 1) * s->dilation[2];
    const int64_t most = (int64_t)1 << BDNN_HW_OFFSET_BITS;
    return y >> BDNN_HW_COORDINATE_BITS == 0 && x >> BDNN_HW_COORDINATE_BITS == 0 &&
           (y - s->pad_begin[1]) * row + (x - s->pad_begin[2]) * pixel + pixel <= most &&
           s->out_size[1] * s->out_size[2] * result <= most;
}

/* Steps through the activations and results; false when one does not fit an offset. */
static bool plan_steps(bdnn_device_layer *layer)
{
    const bdnn_ip_shape *s = &layer->shape;
    const int64_t most = ((int64_t)1 << BDNN_HW_OFFSET_BITS) - 1;
    const int64_t pixel = BDNN_HW_ALIGNMENT * layer->pixel_words, row = pixel * s->in_size[2];
    const int64_t result = BDNN_HW_ALIGNMENT * layer->unit_words * layer->result_units * s->groups;
    if (row > most / BDNN_HW_STRIDE_Y_MAX || result > most || s->pad_begin[1] * row + s->pad_begin[2] * pixel > most ||
        !offsets_fit(s, row, pixel, result)) {
        return false;
    }
    bdnn_hw_job *job = &layer->job;
    job->origin = 0u - (uint32_t)(s->pad_begin[1] * row + s->pad_begin[2] * pixel);
    job->pixel_step = (uint32_t)(s->stride[2] * pixel);
    job->row_step = (uint32_t)(s->stride[1] * row);
    job->tap_step = (uint32_t)(s->dilation[2] * pixel);
    job->tap_row_step = (uint32_t)(s->dilation[1] * row);
    job->result_step = (uint32_t)result;
    return true;
}

static void plan_geometry(bdnn_device_layer *layer)
{
    const bdnn_ip_shape *s = &layer->shape;
    bdnn_hw_job *job = &layer->job;
    job->in_width = (uint32_t)s->in_size[2];
    job->in_height = (uint32_t)s->in_size[1];
    job->out_width = (uint32_t)s->out_size[2];
    job->pixels = (uint32_t)(s->out_size[1] * s->out_size[2]);
    job->kernel_width = (uint32_t)s->kernel[2];
    job->kernel_height = (uint32_t)s->kernel[1];
    job->stride_x = (uint32_t)s->stride[2];
    job->stride_y = (uint32_t)s->stride[1];
    job->dilation_x = (uint32_t)s->dilation[2];
    job->dilation_y = (uint32_t)s->dilation[1];
    job->pad_left = (uint32_t)s->pad_begin[2];
    job->pad_top = (uint32_t)s->pad_begin[1];
    const int64_t channels = s->channels / s->groups;
    job->units = (uint32_t)((channels + BDNN_HW_UNIT - 1) / BDNN_HW_UNIT);
    job->last_channels = (uint32_t)(channels - (int64_t)(job->units - 1) * BDNN_HW_UNIT);
    job->planes = (uint32_t)s->bits;
    job->mode = (uint32_t)layer->output.mode;
    job->out_planes = layer->output.mode == BDNN_HW_MODE_PLANES ? (uint32_t)layer->output.bits : 0;
}

/* What only inner products have. */
static bool plan_sums(bdnn_device_layer *layer, const bdnn_device_array *array)
{
    const bdnn_ip_shape *s = &layer->shape;
    bdnn_hw_job *job = &layer->job;
    const int64_t parts = array->word_bits / BDNN_HW_UNIT, units = (int64_t)s->kernel[1] * s->kernel[2] * job->units;
    const int64_t words = (units + parts - 1) / parts, filters = s->filters / s->groups;
    const int64_t room = words > 0 ? array->activation_depth / BDNN_HW_BANKS / (words * s->bits) : 0;
    if (!FITS(s->bases, BASES) || !within(s->zero_point, 0, (1 << s->bits) - 1) ||
        !within(words, 1, array->weight_depth / BDNN_HW_BANKS) || room < 1 || bdnn_ip_inner(s) > BDNN_IP_MAX_INNER) {
        return false;
    }
    const int64_t needed = (job->pixels + (int64_t)array->columns - 1) / array->columns;
    const int64_t most = room < array->tiles ? room : array->tiles;
    job->words = (uint32_t)words;
    job->pad_units = (uint32_t)(words * parts - units);
    job->bases = (uint32_t)s->bases;
    job->zero_point = (uint32_t)s->zero_point;
    job->filter_count = (uint32_t)filters;
    job->low = (uint32_t)layer->output.low;
    job->high = (uint32_t)layer->output.high;
    /* Blocks of about the same size: all weights pass for each, so that a short last one would wait for them. */
    const int64_t blocks = (needed + most - 1) / most;
    job->tiles = (uint32_t)((needed + blocks - 1) / blocks);
    const int64_t chunks = (filters + array->rows - 1) / array->rows;
    layer->weight_words = bdnn_size(chunks * array->rows * s->bases * words * parts);
    layer->filter_words = bdnn_size(chunks * array->rows * BDNN_HW_FILTER_WORDS);
    return true;
}

bool bdnn_device_plan(const bdnn_device_array *array, const bdnn_ip_shape *shape, const bdnn_device_output *output,
                      bdnn_device_layer *layer)
{
    memset(layer, 0, sizeof *layer);
    if (!shape_fits(shape, output)) {
        return false;
    }
    layer->shape = *shape;
    layer->output = *output;
    layer->rows = array->rows;
    plan_geometry(layer);
    layer->pixel_words = shape->groups * layer->job.units * shape->bits;
    layer->unit_words = bdnn_hw_value_bits(&layer->job);
    layer->result_units = (shape->filters / shape->groups + BDNN_HW_UNIT - 1) / BDNN_HW_UNIT;
    layer->activation_words = bdnn_size(shape->in_size[1] * shape->in_size[2] * layer->pixel_words);
    layer->result_words =
        bdnn_size((int64_t)layer->job.pixels * shape->groups * layer->result_units * layer->unit_words);
    if (!plan_steps(layer)) {
        return false;
    }
    if (output->mode == BDNN_HW_MODE_MAXIMUM) {
        return shape->groups == 1 && shape->filters == shape->channels;
    }
    return plan_sums(layer, array);
}
