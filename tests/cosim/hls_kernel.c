/* SPDX-License-Identifier: BSD-2-Clause */
/* The HLS kernel, compiled natively, against the definition: the shared vectors, all K and Q in all modes, networks
 * that stay on the device, max pooling, jobs that are refused.
 *
 *   hls_kernel_BOARD [SEED [CASES]] */
#include "device_case.h"
#include "pool_case.h"
#include "run_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bdnn_device_array array;
static unsigned cases_run, cases_refused_by_plan;

static void fail(const bdnn_ip_shape *shape, const char *what, uint64_t seed)
{
    printf("FAILED, seed %" PRIu64 ", %s: ", seed, what);
    shape_print(shape);
    printf("\n");
    exit(1);
}

/* What an array of these sizes needs for a job at least: partly used chunks, blocks and words included. */
static uint64_t min_work(const device_case *c)
{
    const bdnn_hw_job *j = &c->layer.job;
    const uint64_t chunks = (j->filter_count + array.rows - 1) / array.rows;
    const uint64_t tiles = (j->pixels + array.columns - 1) / array.columns;
    return chunks * tiles * j->bases * j->planes * j->words;
}

static void run_case(uint64_t seed, const bdnn_ip_shape *shape, enum filling filling, bdnn_hw_mode mode, bool flatten)
{
    device_case c;
    if (!device_case_make(&c, &array, shape, filling, mode, flatten)) {
        cases_refused_by_plan++;
        return;
    }
    for (int64_t n = 0; n < c.layer.shape.batch; n++) {
        for (int64_t g = 0; g < c.layer.shape.groups; g++) {
            const bdnn_hw_job job = device_case_job(&c, n, g);
            const bdnn_hw_status status = hls_run_job(&job);
            if (status.ending != 0) {
                fail(shape, "the job ended badly", seed);
            }
            if (status.busy != min_work(&c)) {
                fail(shape, "the work counted is not the least", seed);
            }
        }
    }
    if (!device_case_check(&c)) {
        fail(shape, "results differ", seed);
    }
    device_case_free(&c);
    cases_run++;
}

static void test_random(uint64_t seed, unsigned cases)
{
    for (unsigned i = 0; i < cases; i++) {
        random_seed(seed + i);
        const bdnn_ip_shape shape = device_shape_random();
        run_case(seed + i, &shape, (enum filling)random_in(0, FILL_KINDS - 1),
                 device_sums[random_in(0, DEVICE_SUMS - 1)], random_in(0, 4) == 0);
    }
}

/* All K and Q in all modes, at values drawn at random and at both ends. */
static void test_bases_and_bits(uint64_t seed)
{
    static const enum filling fillings[] = {FILL_RANDOM, FILL_HIGHEST, FILL_LOWEST};
    const int most_bases = BDNN_HW_BASES_MAX, most_planes = BDNN_HW_PLANES_MAX;
    for (int i = 0; i < most_bases * most_planes * DEVICE_SUMS; i++) {
        random_seed(seed + (uint64_t)i);
        bdnn_ip_shape shape = shape_image(5, 70, 9, 3, 2, 1);
        shape.bases = 1 + i % most_bases;
        shape.bits = 1 + i / most_bases % most_planes;
        shape.zero_point = (int32_t)random_in(0, (1 << shape.bits) - 1);
        run_case(seed, &shape, fillings[random_in(0, 2)], device_sums[i / (most_bases * most_planes)], false);
    }
}

/* Shapes of the networks that the method was published for, fewer pixels and filters. */
static void test_networks(uint64_t seed)
{
    bdnn_ip_shape shapes[] = {
        shape_image(27, 3, 20, 11, 4, 0), shape_image(7, 96, 40, 5, 1, 2),   shape_image(9, 64, 70, 3, 1, 1),
        shape_image(7, 128, 65, 1, 2, 0), shape_dense(2, 9216, 33),          shape_dense(1, 4096, 130),
        shape_image(6, 256, 24, 6, 1, 0), shape_image(13, 128, 48, 3, 1, 1),
    };
    shapes[1].groups = 2;
    shapes[1].channels = 128;
    shapes[7].groups = 4;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        random_seed(seed + i);
        shapes[i].bases = 3;
        shapes[i].bits = 4;
        const unsigned before = cases_run;
        run_case(seed + i, &shapes[i], FILL_TRAINED, BDNN_HW_MODE_PLANES, i == 0);
        if (cases_run == before) {
            fail(&shapes[i], "the plan refuses a layer of a known network", seed);
        }
    }
}

static void test_pooling(uint64_t seed)
{
    for (unsigned i = 0; i < 60; i++) {
        pool_case c;
        random_seed(seed + i);
        if (!pool_case_make(&c, &array)) {
            exit(1);
        }
        const bdnn_hw_job job = pool_case_job(&c);
        if (hls_run_job(&job).ending != 0 || !pool_case_check(&c)) {
            fail(&c.layer.shape, "max pooling differs", seed + i);
        }
        pool_case_free(&c);
        cases_run++;
    }
}

/* Two convolutions whose values stay on the device, against the definition on values that were unpacked between them.
 */
static void test_chain(uint64_t seed)
{
    for (unsigned i = 0; i < 20; i++) {
        random_seed(seed + i);
        const bdnn_ip_shape first = shape_image(9, 20, (int64_t)random_in(1, 150), 3, 1, 1);
        device_case a, b;
        if (!device_case_make(&a, &array, &first, FILL_TRAINED, BDNN_HW_MODE_PLANES, false)) {
            fail(&first, "the plan refuses the first of two layers", seed + i);
        }
        bdnn_ip_shape second = shape_image(9, first.filters, 40, 3, 2, 1);
        second.bits = a.layer.output.bits;
        second.bases = 2;
        if (!device_case_make(&b, &array, &second, FILL_TRAINED, BDNN_HW_MODE_INT16, false)) {
            fail(&second, "the plan refuses the second of two layers", seed + i);
        }
        const bdnn_hw_job one = device_case_job(&a, 0, 0);
        bdnn_hw_job two = device_case_job(&b, 0, 0);
        const bdnn_hw_status status = hls_run_job(&one);
        if (status.ending != 0 || !device_case_check(&a)) {
            fail(&first, "the first of two layers differs", seed + i);
        }
        /* The second once on packed copies of the first one's values, once on the results themselves. */
        bdnn_device_pack_activations(&b.layer, a.unpacked, b.activations.data);
        hls_run_job(&two);
        void *copy = malloc(b.results.bytes);
        memcpy(copy, b.results.data, b.results.bytes);
        fence_fill(&b.results);
        two.activations = one.results;
        hls_run_job(&two);
        if (memcmp(copy, b.results.data, b.results.bytes) != 0) {
            fail(&second, "values that stayed on the device differ", seed + i);
        }
        free(copy);
        device_case_free(&a);
        device_case_free(&b);
        cases_run++;
    }
}

/* Each of what a job must not be, in an otherwise valid one; nothing may be read or written. */
static void test_refused(uint64_t seed)
{
    random_seed(seed);
    const bdnn_ip_shape shape = shape_image(5, 70, 9, 3, 1, 1);
    device_case c;
    if (!device_case_make(&c, &array, &shape, FILL_RANDOM, BDNN_HW_MODE_PLANES, false)) {
        fail(&shape, "the plan refuses a small layer", seed);
    }
    const bdnn_hw_job good = device_case_job(&c, 0, 0);
    bdnn_hw_job bad[64];
    size_t count = 0;
    const uint32_t beyond = 1u << BDNN_HW_OFFSET_BITS;
#define BAD(field, value) (bad[count] = good, bad[count++].field = (value))
    BAD(bases, 0);
    BAD(bases, BDNN_HW_BASES_MAX + 1);
    BAD(planes, 0);
    BAD(planes, BDNN_HW_PLANES_MAX + 1);
    BAD(words, 0);
    BAD(words, array.weight_depth / BDNN_HW_BANKS + 1);
    BAD(words, good.words + 1);
    BAD(pad_units, good.pad_units + 1);
    BAD(tiles, 0);
    BAD(tiles, array.tiles + 1);
    BAD(units, 0);
    BAD(kernel_width, 0);
    BAD(kernel_height, 0);
    BAD(filter_count, 0);
    BAD(pixels, 0);
    BAD(out_width, 0);
    BAD(last_channels, 0);
    BAD(last_channels, BDNN_HW_LAST_CHANNELS_MAX + 1);
    BAD(out_planes, 0);
    BAD(out_planes, BDNN_HW_OUT_PLANES_MAX + 1);
    BAD(origin, good.origin + 4);
    BAD(pixel_step, good.pixel_step + 1);
    BAD(row_step, good.row_step + 2);
    BAD(tap_step, good.tap_step + 4);
    BAD(tap_row_step, good.tap_row_step + 4);
    BAD(result_step, good.result_step + 4);
    BAD(result_origin, 4);
    BAD(in_width, 0);
    BAD(in_height, 0);
    BAD(stride_x, 0);
    BAD(stride_y, 0);
    BAD(dilation_x, 0);
    BAD(dilation_y, 0);
    BAD(pixels, good.pixels + 1);
    BAD(pixels, good.out_width << BDNN_HW_COORDINATE_BITS);
    BAD(pixel_step, beyond);
    BAD(row_step, 0u - 8);
    BAD(tap_step, beyond);
    BAD(tap_row_step, 0u - 8);
    BAD(row_step, beyond / 2);
    BAD(tap_row_step, beyond / 2);
    BAD(origin, beyond - 8);
    BAD(result_step, beyond);
    BAD(result_step, beyond / 2);
    BAD(result_origin, beyond);
    BAD(result_origin, beyond - 8);
#undef BAD
    for (size_t i = 0; i < count; i++) {
        bad[i].weights = bad[i].filters = bad[i].activations = bad[i].results = 0;
        if (hls_run_job(&bad[i]).ending != BDNN_HW_ENDING_REFUSED) {
            printf("impossible job %zu\n", i);
            fail(&shape, "an impossible job is not refused", seed);
        }
    }
    device_case_free(&c);
}

int main(int argc, char **argv)
{
    const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const unsigned cases = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 300;
    const bdnn_hw_job nothing = {0};
    const bdnn_hw_status status = hls_run_job(&nothing);
    if (status.identity != BDNN_HW_IDENTITY || status.ending != BDNN_HW_ENDING_REFUSED ||
        !bdnn_device_array_read(&array, status.array, status.word, status.buffers)) {
        printf("FAILED: the registers describe no array\n");
        return 1;
    }
    test_random(seed, cases);
    test_bases_and_bits(seed);
    test_networks(seed);
    test_pooling(seed);
    test_chain(seed);
    test_refused(seed);
    printf("%u cases equal, %u not planned, %u x %u x %u bits\n", cases_run, cases_refused_by_plan, array.rows,
           array.columns, array.word_bits);
    return cases_run < cases / 2;
}
