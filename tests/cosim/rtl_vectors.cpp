/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole kernel on the vectors that every implementation is tested on (device_case.h): packed by the host's own
 * routines, jobs planned by them, groups and images one after another in one memory.
 *
 *   rtl_vectors [SEED [CASES]] */
#include "kernel_device.h"

#include "device_case.h"
#include "pool_case.h"

#include MODEL_HEADER

namespace
{

typedef KernelDevice<MODEL> Device;

/* Places one buffer behind what is there already. */
uint64_t place(Device &device, uint64_t &end, const fence &buffer)
{
    const uint64_t address = end;

    check_equal(address + buffer.bytes <= Device::base + Device::size, true, "whether a case fits the memory", 0);
    std::memcpy(&device.memory.bytes[address - Device::base], buffer.data, buffer.bytes);
    end += (buffer.bytes + 127) / 64 * 64;
    return address;
}

void start_job(Device &device, const bdnn_hw_job &job)
{
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];

    bdnn_hw_pack_job(&job, words);
    for (unsigned i = 0; i < BDNN_HW_ARGUMENT_WORDS; i++)
        device.host.write(BDNN_HW_REG_ARGUMENTS + 4 * i, words[i]);
    device.start();
}

/* Cancelled some cycles after its start, a job is soon done, or was before. */
void cancel_job(Device &device, const bdnn_hw_job &job, unsigned delay)
{
    start_job(device, job);
    for (; delay > 0; delay--)
        device.cycle();
    device.host.write(BDNN_HW_REG_CONTROL, BDNN_HW_CONTROL_CANCEL);
    device.wait(20000);
    const uint32_t ending = device.host.read(BDNN_HW_REG_ENDING);
    check_equal(ending == 0 || ending == BDNN_HW_ENDING_CANCELLED, true, "whether the job ended well or cancelled",
                device.bench.cycle);
}

uint64_t all_bursts(const Device &device)
{
    return device.memory.counters().read_bursts + device.memory.counters().write_bursts;
}

/* Mode 3 does not ask for what it does not use, and for the rest as ever. */
void refuse_pooling(Device &device, bdnn_hw_job job)
{
    const uint64_t bursts = all_bursts(device);
    bdnn_hw_job bad[] = {job, job, job, job};

    bad[0].planes = 0;
    bad[1].planes = 9;
    bad[2].units = 0;
    bad[3].activations += 4;
    for (const bdnn_hw_job &one : bad) {
        start_job(device, one);
        device.wait(1000);
        check_equal(device.host.read(BDNN_HW_REG_ENDING), BDNN_HW_ENDING_REFUSED, "how impossible max pooling ended",
                    device.bench.cycle);
    }
    check_equal((int64_t)all_bursts(device), (int64_t)bursts, "the bursts of impossible max pooling",
                device.bench.cycle);
}

void run_job(Device &device, const bdnn_hw_job &job)
{
    start_job(device, job);
    device.wait(20000000);
    check_equal(device.host.read(BDNN_HW_REG_ENDING), 0, "how the job ended", device.bench.cycle);
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
            job.weights = weights + 8 * (uint64_t)g * c.layer.weight_words;
            job.filters = filters + 8 * (uint64_t)g * c.layer.filter_words;
            job.activations = activations + 8 * (uint64_t)n * c.layer.activation_words;
            job.results = results + 8 * (uint64_t)n * c.layer.result_words;
            run_job(device, job);
        }
    std::memcpy(c.results.data, &device.memory.bytes[results - Device::base], c.results.bytes);
}

const AxiMemory::Timing timings[] = {{0, 0, 100, 100}, {30, 50, 100, 100}, {1, 100, 60, 80}};

bool run_case(Device &device, const bdnn_device_array &array, uint64_t seed)
{
    device_case c;

    random_seed(seed);
    const bdnn_ip_shape shape = device_shape_random();
    if (!device_case_make(&c, &array, &shape, (enum filling)random_in(0, FILL_KINDS - 1),
                          device_sums[random_in(0, DEVICE_SUMS - 1)], random_in(0, 4) == 0))
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

void run_pooling(Device &device, const bdnn_device_array &array, uint64_t seed)
{
    pool_case c;
    uint64_t end = Device::base;

    random_seed(seed);
    check_equal(pool_case_make(&c, &array), true, "whether the layer could be planned; its seed", seed);
    bdnn_hw_job job = pool_case_job(&c);
    job.activations = place(device, end, c.activations);
    job.results = place(device, end, c.results);
    device.memory.forget_regions();
    device.memory.allow_read(job.activations, c.activations.bytes);
    device.memory.allow_write(job.results, c.results.bytes);
    device.memory.timing = timings[random_in(0, 2)];
    refuse_pooling(device, job);
    if (random_in(0, 3) == 0)
        cancel_job(device, job, (unsigned)random_in(0, 2000));
    run_job(device, job);
    std::memcpy(c.results.data, &device.memory.bytes[job.results - Device::base], c.results.bytes);
    if (!pool_case_check(&c)) {
        shape_print(&c.layer.shape);
        std::printf("\n");
        check_equal(1, 0, "whether maxima differ; the case's seed", seed);
    }
    pool_case_free(&c);
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
    for (unsigned i = 0; i < cases / 2; i++)
        run_pooling(device, array, seed + i);
    check_equal(run > cases / 2, true, "whether most cases could be planned", 0);
    std::printf("%u cases equal, %u not planned, %u of max pooling, %" PRIu64 " cycles\n", run, cases - run, cases / 2,
                device.bench.cycle);
    return 0;
}
