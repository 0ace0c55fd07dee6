/* The whole kernel on the vectors that every implementation is tested on (device_case.h): packed by the host's own
 * routines, jobs planned by them, groups and images one after another in one memory.
 *
 *   rtl_vectors [SEED [CASES]] */
#include "kernel_device.h"

#include "device_case.h"

#include "Vkernel.h"

namespace
{

typedef KernelDevice<Vkernel> Device;

/* Places one buffer behind what is there already. */
uint64_t place(Device &device, uint64_t &end, const fence &buffer)
{
    const uint64_t address = end;

    check_equal(address + buffer.bytes <= Device::base + Device::size, true, "whether a case fits the memory", 0);
    std::memcpy(&device.memory.bytes[address - Device::base], buffer.data, buffer.bytes);
    end += (buffer.bytes + 127) / 64 * 64;
    return address;
}

void run_jobs(Device &device, device_case &c)
{
    uint64_t end = Device::base;
    const uint64_t weights = place(device, end, c.weights), filters = place(device, end, c.filters);
    const uint64_t activations = place(device, end, c.activations), results = place(device, end, c.results);

    device.memory.forget_regions();
    device.memory.allow_read(weights, c.weights.bytes);
    device.memory.allow_read(filters, c.filters.bytes);
    device.memory.allow_read(activations, c.activations.bytes);
    device.memory.allow_write(results, c.results.bytes);
    for (int64_t n = 0; n < c.layer.shape.batch; n++)
        for (int64_t g = 0; g < c.layer.shape.groups; g++) {
            bdnn_hw_job job = bdnn_device_job(&c.layer, g);
            uint32_t words[BDNN_HW_ARGUMENT_WORDS];
            job.weights = weights + 8 * (uint64_t)g * c.layer.weight_words;
            job.filters = filters + 8 * (uint64_t)g * c.layer.filter_words;
            job.activations = activations + 8 * (uint64_t)n * c.layer.activation_words;
            job.results = results + 8 * (uint64_t)n * c.layer.result_words;
            bdnn_hw_pack_job(&job, words);
            for (unsigned i = 0; i < BDNN_HW_ARGUMENT_WORDS; i++)
                device.host.write(BDNN_HW_REG_WEIGHTS + 4 * i, words[i]);
            device.start();
            device.wait(20000000);
            check_equal(device.host.read(BDNN_HW_REG_ENDING), 0, "how the job ended", device.bench.cycle);
        }
    std::memcpy(c.results.data, &device.memory.bytes[results - Device::base], c.results.bytes);
}

bool run_case(Device &device, const bdnn_device_array &array, uint64_t seed)
{
    static const AxiMemory::Timing timings[] = {{0, 0, 100, 100}, {30, 50, 100, 100}, {1, 100, 60, 80}};
    device_case c;

    random_seed(seed);
    const bdnn_ip_shape shape = device_shape_random();
    if (!device_case_make(&c, &array, &shape, (enum filling)random_in(0, FILL_KINDS - 1),
                          (bdnn_device_mode)random_in(0, 2), random_in(0, 4) == 0))
        return false;
    device.memory.timing = timings[random_in(0, 2)];
    run_jobs(device, c);
    if (!device_case_check(&c)) {
        shape_print(&shape);
        std::printf("\n");
        check_equal(1, 0, "whether results differ; the case's seed", seed);
    }
    device_case_free(&c);
    return true;
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    const unsigned cases = argc > 2 ? (unsigned)atoi(argv[2]) : 60;
    unsigned run = 0;
    Device device(seed);
    bdnn_device_array array;

    check_equal(device.host.read(BDNN_HW_REG_IDENTITY), BDNN_HW_IDENTITY, "the identity", 0);
    check_equal(bdnn_device_array_read(&array, device.host.read(BDNN_HW_REG_ARRAY), device.host.read(BDNN_HW_REG_WORD),
                                       device.host.read(BDNN_HW_REG_BUFFERS)),
                true, "whether the registers are of an array", 0);
    for (unsigned i = 0; i < cases; i++)
        run += run_case(device, array, seed + i);
    check_equal(run > cases / 2, true, "whether most cases could be planned", 0);
    std::printf("%u cases equal, %u not planned, %" PRIu64 " cycles\n", run, cases - run, device.bench.cycle);
    return 0;
}
