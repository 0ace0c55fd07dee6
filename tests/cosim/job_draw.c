/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs of the kernel at random (job_draw.h). */
#include "job_draw.h"

#include "device_case.h"

#include <stddef.h>
#include <stdio.h>

const job_kept jobs_kept[JOBS_KEPT] = {
    /* Rows were counted in 19 bits: row 4096 * 128 was row 0 again, and the tap there, 4 MiB on, was read. */
    {"coordinates beyond their bits",
     {.pixel_step = 8,
      .row_step = 8 * 128,
      .tap_step = 8,
      .tap_row_step = 8,
      .in_width = 1,
      .in_height = 1,
      .out_width = 1,
      .pixels = 4097,
      .kernel_width = 1,
      .kernel_height = 1,
      .stride_x = 1,
      .stride_y = 128,
      .dilation_x = 1,
      .dilation_y = 1,
      .units = 1,
      .last_channels = BDNN_HW_LAST_CHANNELS_MAX,
      .planes = 1,
      .mode = BDNN_HW_MODE_MAXIMUM}},
    /* Padding and origin cancelled out modulo 2^32, so that tap (4, 0), 4 GiB on, seemed to be at the pointer. */
    {"offsets beyond their bits",
     {.pixel_step = 8,
      .row_step = 1u << 30,
      .tap_step = 8,
      .tap_row_step = 1u << 30,
      .result_step = 8,
      .in_width = 1,
      .in_height = 1,
      .out_width = 1,
      .pixels = 1,
      .kernel_width = 1,
      .kernel_height = 5,
      .stride_x = 1,
      .stride_y = 1,
      .dilation_x = 1,
      .dilation_y = 1,
      .pad_top = 4,
      .units = 1,
      .last_channels = BDNN_HW_LAST_CHANNELS_MAX,
      .planes = 1,
      .mode = BDNN_HW_MODE_MAXIMUM}},
};

/* ---- Numbers ---- */

static bool one_in(int64_t n)
{
    return random_in(1, n) == 1;
}

/* 0 .. 2^bits - 1, each length of number as likely as another. */
static uint32_t any_length(int bits)
{
    return (uint32_t)random_in(0, ((int64_t)1 << random_in(0, bits)) - 1);
}

/* Mostly low .. usual, now and then of up to so many bits. */
static uint32_t mostly(int64_t low, int64_t usual, int bits)
{
    return one_in(12) ? any_length(bits) : (uint32_t)random_in(low, usual);
}

/* What arithmetic goes wrong with. */
static uint32_t changed(uint32_t value)
{
    const uint32_t power = 1u << random_in(0, 31);
    switch (random_in(0, 6)) {
    case 0:
        return value + (uint32_t)random_in(-9, 9);
    case 1:
        return value + 8 * (uint32_t)random_in(-9, 9);
    case 2:
        return power;
    case 3:
        return power - 8;
    case 4:
        return value ^ power;
    case 5:
        return any_length(32);
    default:
        return (uint32_t)random_in(0, 4);
    }
}

/* ---- Jobs ---- */

/* Bytes from an input pixel and an input row to the next. */
typedef struct pitches {
    uint32_t pixel, row;
} pitches;

/* Steps as stride and dilation say, as far as 32 bits go, and an origin that padding leads before. */
static void set_steps(bdnn_hw_job *job, pitches p, uint32_t first)
{
    job->pixel_step = p.pixel * job->stride_x;
    job->tap_step = p.pixel * job->dilation_x;
    job->row_step = p.row * job->stride_y;
    job->tap_row_step = p.row * job->dilation_y;
    job->origin = first - job->pad_top * p.row - job->pad_left * p.pixel;
}

static void set_words(const bdnn_device_array *array, bdnn_hw_job *job)
{
    const uint32_t parts = array->word_bits / BDNN_HW_UNIT, units = job->kernel_width * job->kernel_height * job->units;
    job->words = (units + parts - 1) / parts;
    job->pad_units = job->words * parts - units;
    const uint32_t room =
        job->words && job->planes ? array->activation_depth / BDNN_HW_BANKS / (job->words * job->planes) : 1;
    job->tiles = (uint32_t)random_in(1, room < 1 ? 1 : room < array->tiles ? room : array->tiles);
}

static uint32_t draw_pitch(uint32_t natural)
{
    switch (random_in(0, 7)) {
    case 0:
        return 8 * any_length(28);
    case 1:
        return 1u << random_in(3, 31);
    case 2:
        return 0;
    default:
        return natural + 8 * (one_in(3) ? any_length(4) : 0);
    }
}

/* Number by number, such that much of it is a job. */
static void draw_geometry(bdnn_hw_job *job)
{
    job->planes = (uint32_t)random_in(1, BDNN_HW_PLANES_MAX);
    job->units = mostly(1, 3, 16);
    job->last_channels = (uint32_t)random_in(1, BDNN_HW_LAST_CHANNELS_MAX);
    job->kernel_width = mostly(1, 4, 8);
    job->kernel_height = mostly(1, 4, 8);
    job->stride_x = mostly(1, 3, 8);
    job->stride_y = mostly(1, 3, 8);
    job->dilation_x = mostly(1, 3, 8);
    job->dilation_y = mostly(1, 3, 8);
    job->pad_left = mostly(0, 4, 8);
    job->pad_top = mostly(0, 4, 8);
    job->in_width = mostly(1, 12, 16);
    job->in_height = mostly(1, 12, 16);
    job->out_width = mostly(1, 9, 13);
    job->pixels = job->out_width * mostly(1, 9, 13) + (one_in(10) ? (uint32_t)random_in(0, job->out_width) : 0);
}

static void draw_free(const bdnn_device_array *array, bdnn_hw_job *job, pitches *p)
{
    draw_geometry(job);
    job->mode = (uint32_t)random_in(BDNN_HW_MODE_PLANES, BDNN_HW_MODE_MAXIMUM);
    job->bases = (uint32_t)random_in(1, BDNN_HW_BASES_MAX);
    job->zero_point = (uint32_t)random_in(0, 255);
    job->filter_count = mostly(1, 100, 12);
    job->out_planes = (uint32_t)random_in(1, BDNN_HW_OUT_PLANES_MAX);
    job->low = any_length(32);
    job->high = any_length(32);
    p->pixel = draw_pitch(8 * job->units * job->planes);
    p->row = draw_pitch(p->pixel * job->in_width);
    set_steps(job, *p, one_in(2) ? 0 : 8 * any_length(28));
    set_words(array, job);
    job->result_step = one_in(4) ? 8 * any_length(28) : 8 * any_length(8);
    job->result_origin = one_in(2) ? 0 : 8 * any_length(28);
}

static bool draw_planned(const bdnn_device_array *array, bdnn_hw_job *job, pitches *p)
{
    const bdnn_device_output output = {
        .mode = (bdnn_hw_mode)random_in(BDNN_HW_MODE_PLANES, BDNN_HW_MODE_MAXIMUM), .bits = 4, .high = 15};
    bdnn_ip_shape shape = device_shape_random();
    bdnn_device_layer layer;
    if (output.mode == BDNN_HW_MODE_MAXIMUM) {
        shape.groups = 1;
        shape.filters = shape.channels;
    }
    if (!bdnn_device_plan(array, &shape, &output, &layer)) {
        return false;
    }
    *job = bdnn_device_job(&layer, random_in(0, shape.groups - 1));
    p->pixel = 8 * (uint32_t)layer.pixel_words;
    p->row = p->pixel * job->in_width;
    return true;
}

#define FIELD(name) offsetof(bdnn_hw_job, name)
static const size_t fields[] = {FIELD(origin),       FIELD(pixel_step),    FIELD(row_step),     FIELD(tap_step),
                                FIELD(tap_row_step), FIELD(result_step),   FIELD(in_width),     FIELD(in_height),
                                FIELD(out_width),    FIELD(pixels),        FIELD(kernel_width), FIELD(stride_x),
                                FIELD(stride_y),     FIELD(kernel_height), FIELD(dilation_x),   FIELD(dilation_y),
                                FIELD(pad_left),     FIELD(pad_top),       FIELD(units),        FIELD(last_channels),
                                FIELD(words),        FIELD(pad_units),     FIELD(bases),        FIELD(planes),
                                FIELD(zero_point),   FIELD(filter_count),  FIELD(mode),         FIELD(out_planes),
                                FIELD(low),          FIELD(high),          FIELD(tiles),        FIELD(result_origin)};

static uint32_t *field_of(bdnn_hw_job *job, size_t field)
{
    return (uint32_t *)(void *)((char *)job + field);
}

/* Up to three numbers become others; in half of the cases what follows from them is made right again. */
static void change(const bdnn_device_array *array, bdnn_hw_job *job, pitches p)
{
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    const uint32_t first = job->origin + job->pad_top * p.row + job->pad_left * p.pixel;
    for (int64_t i = random_in(0, 3); i > 0; i--) {
        uint32_t *number = field_of(job, fields[random_in(0, (int64_t)(sizeof fields / sizeof *fields) - 1)]);
        *number = changed(*number);
    }
    if (one_in(2)) {
        /* What the registers cut off takes no part. */
        bdnn_hw_pack_job(job, words);
        bdnn_hw_unpack_job(words, job);
        job->pixels = job->out_width ? job->pixels / job->out_width * job->out_width : job->pixels;
        set_steps(job, p, first);
        set_words(array, job);
    }
}

void job_draw(const bdnn_device_array *array, uint32_t words[BDNN_HW_ARGUMENT_WORDS])
{
    bdnn_hw_job job = {0};
    pitches p;
    if (one_in(2) || !draw_planned(array, &job, &p)) {
        draw_free(array, &job, &p);
    }
    if (!one_in(4)) {
        change(array, &job, p);
    }
    bdnn_hw_pack_job(&job, words);
    if (one_in(10)) { /* bits that are of no register's field */
#define WORD_OF(name) ((BDNN_HW_REG_##name - BDNN_HW_REG_ARGUMENTS) / 4)
        static const int half[] = {WORD_OF(IN_WIDTH), WORD_OF(IN_HEIGHT), WORD_OF(OUT_WIDTH), WORD_OF(KERNEL_SIZE),
                                   WORD_OF(PADDING),  WORD_OF(UNITS),     WORD_OF(WORDS),     WORD_OF(FILTER_COUNT)};
        words[half[random_in(0, 7)]] |= (uint32_t)random_in(0, 0xffff) << 16;
    }
}

/* ---- What the tests must know of them ---- */

double job_cycles(const bdnn_device_array *array, const uint32_t words[BDNN_HW_ARGUMENT_WORDS])
{
    bdnn_hw_job job;
    bdnn_hw_unpack_job(words, &job);
    const double pixels = job.pixels, planes = job.planes, units = job.units, bases = job.bases;
    const double taps = pixels * job.kernel_width * job.kernel_height;
    const double tap_cycles = taps * (1 + units * planes);
    if (job.mode == BDNN_HW_MODE_MAXIMUM) {
        return tap_cycles + taps * units + pixels * units * (3 + planes);
    }
    const double filters = job.filter_count, chunks = filters / array->rows + 1, basis_words = job.words;
    const double block_pixels = (double)array->columns * (job.tiles ? job.tiles : 1);
    const double loads = array->rows * (BDNN_HW_FILTER_WORDS + bases * basis_words * array->word_bits / BDNN_HW_UNIT);
    return tap_cycles + pixels * 256 + (pixels / block_pixels + 1) * chunks * loads +
           (pixels / array->columns + 1) * chunks * (bases * planes * (basis_words + 1) + array->columns) +
           pixels * (filters / BDNN_HW_UNIT + 1) * BDNN_HW_UNIT;
}

bool job_suits_array(const bdnn_device_array *array, const uint32_t words[BDNN_HW_ARGUMENT_WORDS])
{
    bdnn_hw_job job;
    bdnn_hw_unpack_job(words, &job);
    const uint32_t steps = job.origin | job.pixel_step | job.row_step | job.tap_step | job.tap_row_step |
                           job.result_step | job.result_origin;
    const uint64_t taps = job.kernel_width * job.kernel_height, bank = array->activation_depth / BDNN_HW_BANKS;
    if (steps % BDNN_HW_ALIGNMENT != 0) {
        return false;
    }
    return job.mode == BDNN_HW_MODE_MAXIMUM ||
           (job.words <= array->weight_depth / BDNN_HW_BANKS && job.tiles >= 1 && job.tiles <= array->tiles &&
            (uint64_t)job.words * job.planes * job.tiles <= bank &&
            taps * job.units + job.pad_units == (uint64_t)job.words * (array->word_bits / BDNN_HW_UNIT) &&
            job.last_channels >= 1 && job.last_channels <= BDNN_HW_LAST_CHANNELS_MAX);
}

void job_text(const uint32_t words[BDNN_HW_ARGUMENT_WORDS], char text[JOB_TEXT])
{
    int at = snprintf(text, JOB_TEXT, "the job's words from register 0x%x on:", BDNN_HW_REG_ORIGIN);
    for (int i = 2 * BDNN_HW_POINTERS; i < BDNN_HW_ARGUMENT_WORDS; i++) {
        at += snprintf(text + at, (size_t)(JOB_TEXT - at), " 0x%x", words[i]);
    }
}
