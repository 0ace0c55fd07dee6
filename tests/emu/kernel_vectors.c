/* SPDX-License-Identifier: BSD-2-Clause */
/* The accelerator behind XRT, a board or an emulated one, on the vectors that every implementation is tested on: all
 * groups and images of random layers, packed by the host's own routines, results compared bit for bit.
 *
 *   kernel_vectors XCLBIN [SEED [CASES]] */
#define _POSIX_C_SOURCE 200809L
#include "backends/xrt/device.h"

#include "../cosim/device_case.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000 };

static bdnn_error err;

static void check(bdnn_status status)
{
    if (status != BDNN_OK) {
        fprintf(stderr, "kernel_vectors: %s\n", err.message);
        _exit(EXIT_FAILURE); /* XRT waits for runs under way at the end of the process */
    }
}

static bdnn_bus_memory place(bdnn_accelerator *device, int pointer, const void *bytes, size_t size)
{
    bdnn_bus_memory buffer;
    check(bdnn_accelerator_allocate(device, pointer, size, "a test vector", &buffer, &err));
    memcpy(buffer.host, bytes, size);
    check(bdnn_accelerator_to_device(device, &buffer, 0, size, &err));
    return buffer;
}

/* One group of one image; each has its own copy of what the kernel reads. */
static void run_job(bdnn_accelerator *device, const device_case *c, int64_t image, int64_t group,
                    const bdnn_bus_memory *results, bdnn_accelerator_counters *counters)
{
    const bdnn_device_layer *layer = &c->layer;
    const uint64_t *weights = (const uint64_t *)c->weights.data + (size_t)group * layer->weight_words;
    const uint64_t *filters = (const uint64_t *)c->filters.data + (size_t)group * layer->filter_words;
    const uint64_t *activations = (const uint64_t *)c->activations.data + (size_t)image * layer->activation_words;
    bdnn_bus_memory buffers[] = {
        place(device, BDNN_HW_POINTER_WEIGHTS, weights, 8 * layer->weight_words),
        place(device, BDNN_HW_POINTER_ACTIVATIONS, activations, 8 * layer->activation_words),
        place(device, BDNN_HW_POINTER_FILTERS, filters, 8 * layer->filter_words),
    };
    const bdnn_bus_memory *const pointers[BDNN_HW_POINTERS] = {
        [BDNN_HW_POINTER_WEIGHTS] = &buffers[0],
        [BDNN_HW_POINTER_ACTIVATIONS] = &buffers[1],
        [BDNN_HW_POINTER_FILTERS] = &buffers[2],
        [BDNN_HW_POINTER_RESULTS] = results,
    };
    const bdnn_hw_job job = bdnn_device_job(layer, group);
    const size_t unit = (size_t)(image + group) % device->unit_count;

    check(bdnn_accelerator_start(device, unit, &job, pointers, &err));
    check(bdnn_accelerator_finish(device, unit, counters, &err));
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        bdnn_accelerator_free(device, &buffers[i]);
    }
}

static void run_image(bdnn_accelerator *device, device_case *c, int64_t image, bdnn_accelerator_counters *counters)
{
    const size_t size = 8 * c->layer.result_words;
    uint8_t *bytes = (uint8_t *)c->results.data + (size_t)image * size;
    bdnn_bus_memory results = place(device, BDNN_HW_POINTER_RESULTS, bytes, size);

    for (int64_t g = 0; g < c->layer.shape.groups; g++) {
        run_job(device, c, image, g, &results, counters);
    }
    check(bdnn_accelerator_from_device(device, &results, 0, size, &err));
    memcpy(bytes, results.host, size);
    bdnn_accelerator_free(device, &results);
}

/* False when the array cannot take the layer. */
static bool run_case(bdnn_accelerator *device, uint64_t seed, bdnn_accelerator_counters *counters)
{
    device_case c;

    random_seed(seed);
    const bdnn_ip_shape shape = device_shape_random();
    if (!device_case_make(&c, &device->array, &shape, (enum filling)random_in(0, FILL_KINDS - 1),
                          device_sums[random_in(0, DEVICE_SUMS - 1)], random_in(0, 4) == 0)) {
        return false;
    }
    for (int64_t n = 0; n < c.layer.shape.batch; n++) {
        run_image(device, &c, n, counters);
    }
    if (!device_case_check(&c)) {
        shape_print(&shape);
        fprintf(stderr, "kernel_vectors: results differ, seed %" PRIu64 "\n", seed);
        _exit(EXIT_FAILURE);
    }
    device_case_free(&c);
    return true;
}

int main(int argument_count, char **arguments)
{
    if (argument_count < 2) {
        fprintf(stderr, "usage: kernel_vectors XCLBIN [SEED [CASES]]\n");
        return 2;
    }
    const bdnn_backend_options options = {.bitstream = arguments[1], .timeout_ms = TIMEOUT_MS};
    const uint64_t seed = argument_count > 2 ? strtoull(arguments[2], NULL, 0) : 1;
    const unsigned cases = argument_count > 3 ? (unsigned)strtoul(arguments[3], NULL, 0) : 40;
    bdnn_accelerator_counters counters = {0};
    bdnn_accelerator *device;
    unsigned run = 0;

    check(bdnn_accelerator_open(&bdnn_xrt_bus, "0", &options, &device, &err));
    for (unsigned i = 0; i < cases; i++) {
        run += run_case(device, seed + i, &counters);
    }
    printf("%u of %u cases equal, %" PRIu64 " jobs on %zu compute units, %" PRIu64 " cycles, array at work in %" PRIu64
           ", %" PRIu64 " words read, %" PRIu64 " written\n",
           run, cases, counters.runs, device->unit_count, counters.cycles, counters.busy, counters.words_read,
           counters.words_written);
    bdnn_accelerator_close(device);
    return run > cases / 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
