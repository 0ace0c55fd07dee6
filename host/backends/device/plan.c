/* Plans the jobs of a layer: which layers an array can take, and their registers. */
#include "backends/device/layout.h"

#include "core/memory.h"

#include <string.h>

#define UNIT 64

static bool power_of_two_in(uint32_t value, uint32_t low, uint32_t high)
{
    return value >= low && value <= high && (value & (value - 1)) == 0;
}

bool bdnn_device_array_read(bdnn_device_array *array, uint32_t sizes, uint32_t word, uint32_t buffers)
{
    *array = (bdnn_device_array){.rows = BDNN_HW_ROWS(sizes),
                                 .columns = BDNN_HW_COLUMNS(sizes),
                                 .word_bits = BDNN_HW_WORD_BITS(word),
                                 .weight_depth = BDNN_HW_WEIGHT_DEPTH(buffers),
                                 .activation_depth = BDNN_HW_ACTIVATION_DEPTH(buffers),
                                 .tiles = BDNN_HW_MOST_TILES(word)};
    return power_of_two_in(array->rows, 1, UNIT) && power_of_two_in(array->columns, 1, 256) &&
           power_of_two_in(array->word_bits, UNIT, 4096) && power_of_two_in(array->weight_depth, 2, 32768) &&
           power_of_two_in(array->activation_depth, 2, 32768) && power_of_two_in(array->tiles, 1, 128);
}

static bool within(int64_t value, int64_t low, int64_t high)
{
    return value >= low && value <= high;
}

static bool output_fits(const bdnn_device_output *output)
{
    switch (output->mode) {
    case BDNN_DEVICE_PLANES:
        return within(output->bits, 1, 8) && within(output->high, 0, (1 << output->bits) - 1) &&
               within(output->low, 0, output->high);
    case BDNN_DEVICE_INT16:
        return within(output->high, INT16_MIN, INT16_MAX) && within(output->low, INT16_MIN, output->high);
    case BDNN_DEVICE_INT32:
    case BDNN_DEVICE_MAXIMUM:
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
    for (int a = 1; a < 3; a++) {
        if (!within(s->in_size[a], 1, 65535) || !within(s->out_size[a], 1, 65535) || !within(s->kernel[a], 1, 255) ||
            !within(s->stride[a], 1, 255) || !within(s->dilation[a], 1, 255) || !within(s->pad_begin[a], 0, 255)) {
            return false;
        }
    }
    return output_fits(output) && within(s->bits, 1, 8) && s->channels % s->groups == 0 &&
           s->filters % s->groups == 0 && within(s->groups, 1, 65535) &&
           within(s->channels / s->groups, 1, (int64_t)65535 * UNIT) && within(s->filters / s->groups, 1, 65535);
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

/* Steps through the activations and results; false when one does not fit 31 bits. */
static bool plan_steps(bdnn_device_layer *layer)
{
    const bdnn_ip_shape *s = &layer->shape;
    const int64_t pixel = 8 * layer->pixel_words, row = pixel * s->in_size[2], most = INT32_MAX;
    const int64_t result = 8 * layer->unit_words * layer->result_units * s->groups;
    if (row > most / 255 || result > most || s->pad_begin[1] * row + s->pad_begin[2] * pixel > most ||
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
    job->units = (uint32_t)((channels + UNIT - 1) / UNIT);
    job->last_channels = (uint32_t)(channels - (int64_t)(job->units - 1) * UNIT);
    job->planes = (uint32_t)s->bits;
    job->mode = (uint32_t)layer->output.mode;
}

/* What only inner products have. */
static bool plan_sums(bdnn_device_layer *layer, const bdnn_device_array *array)
{
    const bdnn_ip_shape *s = &layer->shape;
    bdnn_hw_job *job = &layer->job;
    const int64_t parts = array->word_bits / UNIT, units = (int64_t)s->kernel[1] * s->kernel[2] * job->units;
    const int64_t words = (units + parts - 1) / parts, filters = s->filters / s->groups;
    const int64_t room = words > 0 ? array->activation_depth / 2 / (words * s->bits) : 0;
    if (!within(s->bases, 1, 8) || !within(s->zero_point, 0, (1 << s->bits) - 1) ||
        !within(words, 1, array->weight_depth / 2) || room < 1 || bdnn_ip_inner(s) > BDNN_IP_MAX_INNER) {
        return false;
    }
    const int64_t needed = (job->pixels + (int64_t)array->columns - 1) / array->columns;
    const int64_t most = room < array->tiles ? room : array->tiles;
    job->words = (uint32_t)words;
    job->pad_units = (uint32_t)(words * parts - units);
    job->bases = (uint32_t)s->bases;
    job->zero_point = (uint32_t)s->zero_point;
    job->filter_count = (uint32_t)filters;
    job->out_planes = layer->output.mode == BDNN_DEVICE_PLANES ? (uint32_t)layer->output.bits : 0;
    job->low = (uint32_t)layer->output.low;
    job->high = (uint32_t)layer->output.high;
    /* Blocks of about the same size: all weights pass for each, so that a short last one would wait for them. */
    const int64_t blocks = (needed + most - 1) / most;
    job->tiles = (uint32_t)((needed + blocks - 1) / blocks);
    const int64_t chunks = (filters + array->rows - 1) / array->rows;
    layer->weight_words = bdnn_size(chunks * array->rows * s->bases * words * parts);
    layer->filter_words = bdnn_size(chunks * array->rows * 3);
    return true;
}

static int64_t words_of_unit(const bdnn_device_layer *layer)
{
    static const int64_t words[] = {[BDNN_DEVICE_INT16] = UNIT / 4, [BDNN_DEVICE_INT32] = UNIT / 2};
    const bdnn_device_mode mode = layer->output.mode;
    return mode == BDNN_DEVICE_PLANES    ? layer->output.bits
           : mode == BDNN_DEVICE_MAXIMUM ? layer->shape.bits
                                         : words[mode];
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
    layer->unit_words = words_of_unit(layer);
    layer->result_units = (shape->filters / shape->groups + UNIT - 1) / UNIT;
    layer->activation_words = bdnn_size(shape->in_size[1] * shape->in_size[2] * layer->pixel_words);
    layer->result_words =
        bdnn_size((int64_t)layer->job.pixels * shape->groups * layer->result_units * layer->unit_words);
    if (!plan_steps(layer)) {
        return false;
    }
    if (output->mode == BDNN_DEVICE_MAXIMUM) {
        return shape->groups == 1 && shape->filters == shape->channels;
    }
    return plan_sums(layer, array);
}
