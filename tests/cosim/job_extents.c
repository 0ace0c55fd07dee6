/* What the kernel module lets a job reach (driver/bdnn_job.c), against what jobs of the planner need and against what
 * the accelerator's C kernel would reach for jobs of any kind.
 *
 *   job_extents [SEED [CASES]] */
#include "bdnn_job.h"
#include "device_case.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const bdnn_device_array array = {
    .rows = 8, .columns = 8, .word_bits = 128, .weight_depth = 512, .activation_depth = 2048, .tiles = 8};

static void fail(const char *what, uint64_t got, uint64_t expected)
{
    fprintf(stderr, "%s: %" PRIu64 ", expected %" PRIu64 "\n", what, got, expected);
    exit(1);
}

static uint64_t end_of(const struct bdnn_extent *extent)
{
    return extent->offset + extent->bytes;
}

/* All groups together reach each buffer exactly to its end. */
static void check_planned(const bdnn_device_layer *layer)
{
    const uint64_t sizes[] = {8 * (uint64_t)layer->weight_words, 8 * (uint64_t)layer->activation_words,
                              8 * (uint64_t)layer->filter_words, 8 * (uint64_t)layer->result_words};
    struct bdnn_extent extents[BDNN_DEVICE_POINTERS];
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    uint64_t furthest[BDNN_DEVICE_POINTERS] = {0};
    for (int64_t g = 0; g < layer->shape.groups; g++) {
        const bdnn_hw_job job = bdnn_device_job(layer, g);
        bdnn_hw_pack_job(&job, words);
        if (!bdnn_job_extents(words, array.rows, array.word_bits / 64, extents)) {
            fail("a planned job is refused, group", (uint64_t)g, UINT64_MAX);
        }
        for (int i = 0; i < BDNN_DEVICE_POINTERS; i++) {
            furthest[i] = end_of(&extents[i]) > furthest[i] ? end_of(&extents[i]) : furthest[i];
        }
    }
    for (int i = 0; i < BDNN_DEVICE_POINTERS; i++) {
        if (furthest[i] != sizes[i]) {
            fail("bytes reached from a pointer", furthest[i], sizes[i]);
        }
    }
}

/* The taps that are read, one by one, as docs/accelerator.md defines their addresses. */
static void check_taps(const uint32_t *words, const bdnn_hw_job *job, const struct bdnn_extent *extent)
{
    const int64_t height = job->pixels / job->out_width;
    const int64_t bytes = 8 * (int64_t)job->units * job->planes;
    (void)words;
    for (int64_t y = 0; y < height; y++) {
        for (int64_t x = 0; x < job->out_width; x++) {
            for (int64_t tap = 0; tap < (int64_t)job->kernel_height * job->kernel_width; tap++) {
                const int64_t ky = tap / job->kernel_width, kx = tap % job->kernel_width;
                const int64_t row = y * job->stride_y + ky * job->dilation_y - job->pad_top;
                const int64_t column = x * job->stride_x + kx * job->dilation_x - job->pad_left;
                const int64_t at = (int32_t)(job->origin + (uint32_t)(y * job->row_step + x * job->pixel_step +
                                                                      ky * job->tap_row_step + kx * job->tap_step));
                if (row < 0 || row >= job->in_height || column < 0 || column >= job->in_width) {
                    continue;
                }
                if (at < (int64_t)extent->offset || (uint64_t)(at + bytes) > end_of(extent)) {
                    fail("a tap outside of what the module allows, at", (uint64_t)at, extent->offset);
                }
            }
        }
    }
}

/* One number of a good job is changed: either it is refused, or what it reaches is within what is allowed. */
static unsigned check_changed(const bdnn_device_layer *layer)
{
    struct bdnn_extent extents[BDNN_DEVICE_POINTERS];
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    bdnn_hw_job job = bdnn_device_job(layer, 0);
    uint32_t *const numbers[] = {&job.origin,   &job.pixel_step, &job.row_step, &job.tap_step,   &job.tap_row_step,
                                 &job.in_width, &job.in_height,  &job.stride_x, &job.dilation_y, &job.pad_left,
                                 &job.pad_top,  &job.units,      &job.planes,   &job.out_width};
    uint32_t *changed = numbers[random_in(0, (int64_t)(sizeof numbers / sizeof *numbers) - 1)];
    *changed = random_in(0, 1) ? *changed + (uint32_t)random_in(-9, 9) : (uint32_t)random_in(0, UINT32_MAX);
    bdnn_hw_pack_job(&job, words);
    /* As the registers hold it */
    job.in_width &= 0xffff, job.in_height &= 0xffff, job.out_width &= 0xffff, job.units &= 0xffff;
    job.stride_x &= 0xff, job.dilation_y &= 0xff, job.pad_left &= 0xff, job.pad_top &= 0xff, job.planes &= 0xf;
    if (job.out_width == 0 || !bdnn_job_extents(words, array.rows, array.word_bits / 64, extents)) {
        return 0;
    }
    check_taps(words, &job, &extents[BDNN_DEVICE_ACTIVATIONS]);
    return 1;
}

int main(int argc, char **argv)
{
    const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    const long cases = argc > 2 ? atol(argv[2]) : 4000;
    unsigned allowed = 0;
    random_seed(seed);
    for (long i = 0; i < cases; i++) {
        const bdnn_ip_shape shape = device_shape_random();
        const bdnn_device_output output = {.mode = (bdnn_device_mode)(i % 3), .bits = 4, .high = 15};
        bdnn_device_layer layer;
        if (bdnn_device_plan(&array, &shape, &output, &layer)) {
            check_planned(&layer);
            allowed += check_changed(&layer);
        }
    }
    printf("%ld jobs; of those with a changed number, %u are still jobs\n", cases, allowed);
    return allowed == 0;
}
