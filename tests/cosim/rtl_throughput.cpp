/* SPDX-License-Identifier: BSD-2-Clause */
/* Utilization of the full-size array on layers of known networks, from the kernel's own counters, with a memory that
 * answers after 40 cycles and then delivers one beat of 128 bits a cycle. Results are compared as well; where
 * utilization falls below what is stated here, the test fails.
 *
 *   rtl_throughput [SEED [all]]    all: also layers that take minutes */
#include "kernel_device.h"

#include "Vthroughput.h"

namespace
{

struct Layer {
    const char *name;
    unsigned size, channels, filters, kernel, bases, planes;
    double least; /* useful bit operations / (cycles x bit operations of the array a cycle) */
    bool slow;
};

/* Maps and filters fewer than in the network keep the test short; the first block's load, which nothing hides, then
 * weighs more. */
const Layer layers[] = {
    {"VGG-16 conv3_2, 8x8, 64 filters", 8, 256, 64, 3, 4, 4, 0.68, false},
    {"3x3 at 14x14, 128 to 64", 14, 128, 64, 3, 3, 4, 0.76, false},
    {"1x1 at 14x14, 1024 to 64", 14, 1024, 64, 1, 3, 4, 0.70, false},
    {"VGG-16 conv3_2, 16x16", 16, 256, 256, 3, 4, 4, 0.92, true},
    {"ResNet 3x3 at 14x14, 256 to 256", 14, 256, 256, 3, 3, 4, 0.89, true},
    {"ResNet 1x1 at 14x14, 1024 to 256", 14, 1024, 256, 1, 3, 4, 0.82, true},
};

Problem make_problem(const Layer &layer, Random &random)
{
    Problem p = {};

    p.in_width = p.in_height = layer.size;
    p.channels = layer.channels;
    p.filters = layer.filters;
    p.kernel_width = p.kernel_height = layer.kernel;
    p.stride_x = p.stride_y = p.dilation_x = p.dilation_y = 1;
    p.pad_left = p.pad_top = layer.kernel / 2;
    p.bases = layer.bases;
    p.planes = layer.planes;
    p.mode = BDNN_HW_MODE_PLANES;
    p.out_planes = layer.planes;
    p.high = (1 << layer.planes) - 1;
    p.in_units = p.units();
    p.fill(random);
    return p;
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    const bool all = argc > 2;
    KernelDevice<Vthroughput> device(seed);
    Random random(seed);

    device.memory.timing = {40, 40, 100, 100};
    std::printf("%-38s %10s %8s %8s %8s %8s\n", "layer", "cycles", "useful", "busy", "no data", "no room");
    for (const Layer &layer : layers) {
        if (layer.slow && !all)
            continue;
        const Problem p = make_problem(layer, random);
        device.load(p);
        device.start();
        device.wait(100000000);
        check_equal(device.host.read(BDNN_HW_REG_ENDING), 0, "the status", device.bench.cycle);
        check_equal(device.compare(p), 0, "the number of differing words", device.bench.cycle);
        const double cycles = device.host.read(BDNN_HW_REG_CYCLES);
        const double array = (double)device.shape.rows * device.shape.columns * device.shape.word_bits;
        const double useful =
            (double)p.pixels() * p.filters * p.bases * p.planes * p.taps() * p.channels / (cycles * array);
        std::printf("%-38s %10.0f %8.3f %8.3f %8.3f %8.3f\n", layer.name, cycles, useful,
                    device.host.read(BDNN_HW_REG_BUSY) / cycles, device.host.read(BDNN_HW_REG_WAIT_LOAD) / cycles,
                    device.host.read(BDNN_HW_REG_WAIT_RESULTS) / cycles);
        if (useful < layer.least) {
            std::fprintf(stderr, "%s: utilization %.3f, at least %.2f expected\n", layer.name, useful, layer.least);
            return 1;
        }
    }
    return 0;
}
