/* SPDX-License-Identifier: BSD-2-Clause */
/* Array utilization over the convolutions of VGG-16, AlexNet and ResNet-152 at their full sizes, from the Verilated
 * kernel's own counters: jobs as the host plans them, a memory that answers after 40 cycles and then delivers a beat a
 * cycle. What the buffers hold does not change the time; results are compared elsewhere (rtl_kernel, rtl_vectors).
 *
 *   rtl_networks [NETWORK [BASES [PLANES [BLOCKS]]]]     all, 3, 4, 6
 *
 * Of a layer with more than BLOCKS pixel blocks its first third of BLOCKS, and then BLOCKS, are simulated; the
 * difference is what each further block takes. BLOCKS 0 simulates every layer whole. */
#include <cmath>
#include <string>

#include "kernel_device.h"

extern "C" {
#include "backends/device/layout.h"
}

#include MODEL_HEADER

namespace
{

typedef KernelDevice<MODEL> Device;

struct Layer {
    const char *name;
    unsigned size, channels, filters, groups, kernel, stride, pad, count;
};

struct Network {
    const char *name;
    std::vector<Layer> layers;
};

/* Simonyan, Zisserman 2014, configuration D; Krizhevsky, Sutskever, Hinton 2012, on 227x227 with its two groups; He,
 * Zhang, Ren, Sun 2015, with the stride in the first convolution of a block. */
const Network networks[] = {
    {"vgg-16",
     {{"conv1_1", 224, 3, 64, 1, 3, 1, 1, 1},
      {"conv1_2", 224, 64, 64, 1, 3, 1, 1, 1},
      {"conv2_1", 112, 64, 128, 1, 3, 1, 1, 1},
      {"conv2_2", 112, 128, 128, 1, 3, 1, 1, 1},
      {"conv3_1", 56, 128, 256, 1, 3, 1, 1, 1},
      {"conv3_2, 3_3", 56, 256, 256, 1, 3, 1, 1, 2},
      {"conv4_1", 28, 256, 512, 1, 3, 1, 1, 1},
      {"conv4_2, 4_3", 28, 512, 512, 1, 3, 1, 1, 2},
      {"conv5_1 to 5_3", 14, 512, 512, 1, 3, 1, 1, 3}}},
    {"alexnet",
     {{"conv1", 227, 3, 96, 1, 11, 4, 0, 1},
      {"conv2", 27, 96, 256, 2, 5, 1, 2, 1},
      {"conv3", 13, 256, 384, 1, 3, 1, 1, 1},
      {"conv4", 13, 384, 384, 2, 3, 1, 1, 1},
      {"conv5", 13, 384, 256, 2, 3, 1, 1, 1}}},
    {"resnet-152",
     {{"conv1", 224, 3, 64, 1, 7, 2, 3, 1},
      {"conv2 1x1 64-64", 56, 64, 64, 1, 1, 1, 0, 1},
      {"conv2 1x1 256-64", 56, 256, 64, 1, 1, 1, 0, 2},
      {"conv2 3x3 64", 56, 64, 64, 1, 3, 1, 1, 3},
      {"conv2 1x1 64-256", 56, 64, 256, 1, 1, 1, 0, 4},
      {"conv3 1x1 256-128/2", 56, 256, 128, 1, 1, 2, 0, 1},
      {"conv3 1x1 256-512/2", 56, 256, 512, 1, 1, 2, 0, 1},
      {"conv3 1x1 512-128", 28, 512, 128, 1, 1, 1, 0, 7},
      {"conv3 3x3 128", 28, 128, 128, 1, 3, 1, 1, 8},
      {"conv3 1x1 128-512", 28, 128, 512, 1, 1, 1, 0, 8},
      {"conv4 1x1 512-256/2", 28, 512, 256, 1, 1, 2, 0, 1},
      {"conv4 1x1 512-1024/2", 28, 512, 1024, 1, 1, 2, 0, 1},
      {"conv4 1x1 1024-256", 14, 1024, 256, 1, 1, 1, 0, 35},
      {"conv4 3x3 256", 14, 256, 256, 1, 3, 1, 1, 36},
      {"conv4 1x1 256-1024", 14, 256, 1024, 1, 1, 1, 0, 36},
      {"conv5 1x1 1024-512/2", 14, 1024, 512, 1, 1, 2, 0, 1},
      {"conv5 1x1 1024-2048/2", 14, 1024, 2048, 1, 1, 2, 0, 1},
      {"conv5 1x1 2048-512", 7, 2048, 512, 1, 1, 1, 0, 2},
      {"conv5 3x3 512", 7, 512, 512, 1, 3, 1, 1, 3},
      {"conv5 1x1 512-2048", 7, 512, 2048, 1, 1, 1, 0, 3}}},
};

struct Counts {
    double cycles, busy, wait_load, wait_results, words;
};

Counts operator+(const Counts &a, const Counts &b)
{
    return {a.cycles + b.cycles, a.busy + b.busy, a.wait_load + b.wait_load, a.wait_results + b.wait_results,
            a.words + b.words};
}

Counts operator*(double factor, const Counts &a)
{
    return {factor * a.cycles, factor * a.busy, factor * a.wait_load, factor * a.wait_results, factor * a.words};
}

/* One group of a layer as the host plans it: gathered where that saves half of the words. */
bdnn_device_layer plan(const bdnn_device_array &array, const Layer &layer, unsigned bases, unsigned planes)
{
    const int64_t out = (layer.size + 2 * layer.pad - layer.kernel) / layer.stride + 1;
    bdnn_ip_shape s = {};
    s.batch = 1;
    s.in_size[0] = s.out_size[0] = 1;
    s.in_size[1] = s.in_size[2] = layer.size;
    s.out_size[1] = s.out_size[2] = out;
    s.channels = layer.channels;
    s.filters = layer.filters;
    s.groups = layer.groups;
    for (int a = 0; a < 3; a++) {
        s.kernel[a] = a ? (int32_t)layer.kernel : 1;
        s.stride[a] = a ? (int32_t)layer.stride : 1;
        s.dilation[a] = 1;
        s.pad_begin[a] = a ? (int32_t)layer.pad : 0;
    }
    s.bases = (int32_t)bases;
    s.bits = (int32_t)planes;
    const bdnn_device_output output = {BDNN_HW_MODE_PLANES, (int32_t)planes, 0, (1 << planes) - 1};
    const bdnn_ip_shape flat = bdnn_device_flatten(&s);
    bdnn_device_layer direct, gathered;
    const bool can_direct = bdnn_device_plan(&array, &s, &output, &direct);
    const bool can_gather = bdnn_device_plan(&array, &flat, &output, &gathered);
    check_equal(can_direct || can_gather, true, "whether the array takes the layer", 0);
    const bool gather = can_gather && (!can_direct || 2 * gathered.job.words <= direct.job.words);
    return gather ? gathered : direct;
}

/* The counters of a job of the first `pixels` pixels. */
Counts run(Device &device, const bdnn_device_layer &layer, uint64_t pixels)
{
    bdnn_hw_job job = bdnn_device_job(&layer, 0);
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    uint64_t end = Device::base;
    const auto place = [&end](uint64_t size) {
        const uint64_t address = end;
        end += (size * 8 + 4095) / 4096 * 4096;
        check_equal(end <= Device::base + Device::size, true, "whether the layer fits the memory", 0);
        return address;
    };

    job.weights = place(layer.weight_words);
    job.filters = place(layer.filter_words);
    job.activations = place(layer.activation_words);
    job.results = place(layer.result_words);
    device.memory.forget_regions();
    device.memory.allow_read(job.weights, layer.weight_words * 8);
    device.memory.allow_read(job.filters, layer.filter_words * 8);
    device.memory.allow_read(job.activations, layer.activation_words * 8);
    device.memory.allow_write(job.results, layer.result_words * 8);
    job.pixels = (uint32_t)pixels;
    bdnn_hw_pack_job(&job, words);
    for (unsigned i = 0; i < BDNN_HW_ARGUMENT_WORDS; i++)
        device.host.write(BDNN_HW_REG_ARGUMENTS + 4 * i, words[i]);
    device.start();
    device.wait(100000000);
    check_equal(device.host.read(BDNN_HW_REG_ENDING), 0, "how the job ended", device.bench.cycle);
    return {(double)device.host.read(BDNN_HW_REG_CYCLES), (double)device.host.read(BDNN_HW_REG_BUSY),
            (double)device.host.read(BDNN_HW_REG_WAIT_LOAD), (double)device.host.read(BDNN_HW_REG_WAIT_RESULTS),
            (double)device.host.read(BDNN_HW_REG_READ_BEATS) + device.host.read(BDNN_HW_REG_WRITE_BEATS)};
}

/* All groups of a layer. */
Counts predict(Device &device, const bdnn_device_layer &layer, unsigned max_blocks)
{
    const uint64_t block = (uint64_t)layer.job.tiles * device.shape.columns, pixels = layer.job.pixels;
    const double tiles = (double)((pixels + device.shape.columns - 1) / device.shape.columns);
    const double blocks = tiles / layer.job.tiles;
    Counts all;

    if (max_blocks == 0 || blocks <= max_blocks) {
        all = run(device, layer, pixels);
    } else {
        const unsigned few = max_blocks / 3;
        const Counts less = run(device, layer, few * block), more = run(device, layer, max_blocks * block);
        all = more + (blocks - max_blocks) / (max_blocks - few) * (more + -1.0 * less);
    }
    return (double)layer.shape.groups * all;
}

void print(const char *name, const Counts &counts, double work, double array)
{
    std::printf("%-24s %12.0f %8.3f %8.3f %8.3f %8.3f %8.2f\n", name, counts.cycles, work / (counts.cycles * array),
                counts.busy / counts.cycles, counts.wait_load / counts.cycles, counts.wait_results / counts.cycles,
                counts.words / counts.cycles);
    std::fflush(stdout);
}

void run_network(Device &device, const bdnn_device_array &array, const Network &network, unsigned bases,
                 unsigned planes, unsigned blocks)
{
    const double products = (double)array.rows * array.columns * array.word_bits;
    Counts total = {};
    double total_work = 0;

    std::printf("%-24s %12s %8s %8s %8s %8s %8s\n", network.name, "cycles", "useful", "busy", "no data", "no room",
                "words");
    for (const Layer &layer : network.layers) {
        const bdnn_device_layer planned = plan(array, layer, bases, planes);
        const Counts counts = predict(device, planned, blocks);
        const double work = (double)planned.job.pixels * layer.filters * layer.kernel * layer.kernel * layer.channels /
                            layer.groups * bases * planes;
        print(layer.name, counts, work, products);
        total = total + (double)layer.count * counts;
        total_work += layer.count * work;
    }
    print("all convolutions", total, total_work, products);
    std::printf("%.1f images/s at 300 MHz, %.2f M cycles an image (predicted, one job at a time)\n\n",
                300e6 / total.cycles, total.cycles / 1e6);
}

} // namespace

int main(int argc, char **argv)
{
    const std::string only = argc > 1 ? argv[1] : "all";
    const unsigned bases = argc > 2 ? (unsigned)atoi(argv[2]) : 3;
    const unsigned planes = argc > 3 ? (unsigned)atoi(argv[3]) : 4;
    const unsigned blocks = argc > 4 ? (unsigned)atoi(argv[4]) : 6;
    Device device(1);
    bdnn_device_array array;

    if (bases < 1 || bases > BDNN_HW_BASES_MAX || planes < 1 || planes > BDNN_HW_PLANES_MAX ||
        (blocks > 0 && blocks < 3)) {
        std::fprintf(stderr, "rtl_networks [NETWORK [BASES [PLANES [BLOCKS]]]]: 1 to 8 bases and planes, 3 blocks\n");
        return 2;
    }
    device.memory.timing = {40, 40, 100, 100};
    bdnn_device_array_read(&array, device.host.read(BDNN_HW_REG_ARRAY), device.host.read(BDNN_HW_REG_WORD),
                           device.host.read(BDNN_HW_REG_BUFFERS));
    std::printf("%u x %u x %u, port of %zu bits, K %u, Q %u\n", array.rows, array.columns, array.word_bits,
                8 * sizeof(MODEL::m_axi_gmem_rdata), bases, planes);
    for (const Network &network : networks)
        if (only == "all" || only == network.name)
            run_network(device, array, network, bases, planes, blocks);
    return 0;
}
