/* The whole kernel against the definition: random layers of all kinds, each through a memory of random speed; then
 * errors of the bus, cancelling and impossible jobs, after which the next job must be right.
 *
 *   rtl_kernel [SEED [JOBS]] */
#include "kernel_device.h"

#include MODEL_HEADER

namespace
{

typedef KernelDevice<MODEL> Device;

/* A random layer small enough for the definition to be quick. */
Problem random_problem(Random &random, const KernelShape &shape)
{
    for (;;) {
        Problem p = {};
        p.kernel_width = 1 + random.below(3);
        p.kernel_height = random.percent(70) ? p.kernel_width : 1 + random.below(4);
        p.stride_x = 1 + random.below(3);
        p.stride_y = random.percent(70) ? p.stride_x : 1 + random.below(2);
        p.dilation_x = random.percent(80) ? 1 : 2;
        p.dilation_y = random.percent(80) ? p.dilation_x : 3;
        p.in_width = 1 + random.below(12);
        p.in_height = 1 + random.below(9);
        p.pad_left = random.below(p.kernel_width + 1);
        p.pad_top = random.below(p.kernel_height + 1);
        p.channels = random.percent(30) ? 64 * (1 + random.below(3)) : 1 + random.below(200);
        p.filters = random.percent(30) ? 1 + random.below(140) : 1 + random.below(24);
        p.bases = 1 + random.below(random.percent(70) ? 4 : 8);
        p.planes = 1 + random.below(8);
        p.zero_point = random.percent(40) ? 0 : random.below(1u << p.planes);
        p.mode = (KernelMode)random.below(3);
        p.out_planes = 1 + random.below(8);
        p.low = p.mode == MODE_PLANES ? 0 : -32767;
        p.high = p.mode == MODE_PLANES ? (1 << p.out_planes) - 1 : 32767;
        if (p.mode == MODE_INT16 && random.percent(30))
            p.low = 0;
        p.unit_offset = random.percent(70) ? 0 : random.below(2);
        p.in_units = p.units() + p.unit_offset + (random.percent(30) ? random.below(2) : 0);
        if (p.in_width + 2 * p.pad_left < p.dilation_x * (p.kernel_width - 1) + 1 ||
            p.in_height + 2 * p.pad_top < p.dilation_y * (p.kernel_height - 1) + 1 || !p.fits(shape))
            continue;
        p.fill(random);
        if ((uint64_t)p.pixels() * p.filters * p.taps() * p.channels * p.bases > 4000000)
            continue;
        return p;
    }
}

AxiMemory::Timing random_timing(Random &random)
{
    static const AxiMemory::Timing timings[] = {
        {0, 0, 100, 100}, {30, 50, 100, 100}, {1, 100, 60, 80}, {3, 30, 20, 30}};

    return timings[random.below(4)];
}

void describe(const Problem &p)
{
    std::fprintf(stderr,
                 "%ux%ux%u -> %ux%ux%u, kernel %ux%u, stride %u,%u, dilation %u,%u, padding %u,%u, K %u, Q %u, zero "
                 "point %u, mode %d, "
                 "%u output planes, units %u of %u\n",
                 p.in_height, p.in_width, p.channels, p.out_height, p.out_width, p.filters, p.kernel_height,
                 p.kernel_width, p.stride_y, p.stride_x, p.dilation_y, p.dilation_x, p.pad_top, p.pad_left, p.bases,
                 p.planes, p.zero_point, (int)p.mode, p.out_planes, p.unit_offset, p.in_units);
}

void run_job(Device &device, const Problem &problem)
{
    device.load(problem);
    device.start();
    device.wait(20000000);
    const bool failed = device.host.read(REG_STATUS) != 0 || device.compare(problem) != 0;
    if (failed) {
        describe(problem);
        check_equal(device.host.read(REG_STATUS), 0, "the status", device.bench.cycle);
        check_equal(1, 0, "whether results differ", device.bench.cycle);
    }
}

void test_random(Device &device, Random &random, unsigned jobs)
{
    uint64_t cycles = 0, busy = 0;

    for (unsigned i = 0; i < jobs; i++) {
        device.memory.timing = random_timing(random);
        run_job(device, random_problem(random, device.shape));
        cycles += device.host.read(REG_CYCLES);
        busy += device.host.read(REG_BUSY);
    }
    std::printf("%u jobs equal, %" PRIu64 " cycles, array at work in %" PRIu64 "; at most %u reads outstanding\n", jobs,
                cycles, busy, device.memory.counters().most_reads);
}

/* An error response anywhere ends the job with a status; the next one is right. */
void test_errors(Device &device, Random &random)
{
    const struct {
        uint64_t address;
        uint32_t status;
    } cases[] = {{Device::weights, STATUS_READ_ERROR},
                 {Device::filters, STATUS_READ_ERROR},
                 {Device::activations, STATUS_READ_ERROR},
                 {Device::results, STATUS_WRITE_ERROR}};

    for (const auto &one : cases) {
        Problem problem = random_problem(random, device.shape);
        problem.pad_left = problem.pad_top = 0;
        problem.kernel_width = problem.kernel_height = 1;
        problem.unit_offset = 0;
        problem.fill(random);
        device.memory.timing = random_timing(random);
        device.memory.error_address = one.address;
        device.load(problem);
        device.start();
        device.wait(20000000);
        check_equal(device.host.read(REG_STATUS), one.status, "the status after an error response", device.bench.cycle);
        device.memory.error_address = UINT64_MAX;
        run_job(device, random_problem(random, device.shape));
    }
}

/* Cancelled at any time, the kernel is soon done, leaves a quiet bus and computes the next job. */
void test_cancel(Device &device, Random &random)
{
    unsigned cancelled = 0;

    for (int i = 0; i < 12; i++) {
        const Problem problem = random_problem(random, device.shape);
        device.memory.timing = random_timing(random);
        device.load(problem);
        device.start();
        for (uint32_t delay = random.below(4000); delay > 0; delay--)
            device.cycle();
        device.host.write(REG_CONTROL, 0x20);
        device.wait(20000);
        const uint32_t status = device.host.read(REG_STATUS);
        if (status != 0)
            check_equal(status, STATUS_CANCELLED, "the status after cancelling", device.bench.cycle);
        cancelled += status != 0;
        if (i % 4 == 3)
            run_job(device, random_problem(random, device.shape));
    }
    std::printf("%u of 12 jobs cancelled under way\n", cancelled);
}

/* Jobs that cannot be are refused at once, without touching the memory. */
void test_refused(Device &device, Random &random)
{
    const struct {
        unsigned argument;
        uint32_t value;
    } cases[] = {{25, 0},          {25, 9},          {26, 0},          {26, 9},         {23, 0},       {23, 0xFFFF},
                 {24, 99},         {32, 0},          {32, 99},         {18, 0},         {22, 0},       {22, 65},
                 {28, 0},          {17, 0},          {29, 0},          {0, 4},          {8, 2},        {13, 12},
                 {16, 0},          {14, 0},          {15, 0},          {19, 0x1010100}, {19, 0x10101}, {9, 0x80000000},
                 {12, 0xFFFFFFF8}, {13, 0x80000000}, {33, 0x80000000}, {17, 0xFFFFFFFF}};

    for (const auto &one : cases) {
        const uint64_t bursts = device.memory.counters().read_bursts + device.memory.counters().write_bursts;
        device.load(random_problem(random, device.shape));
        device.host.write(REG_ARGUMENTS + 4 * one.argument, one.value);
        device.start();
        device.wait(1000);
        check_equal(device.host.read(REG_STATUS), STATUS_REFUSED, "the status of an impossible job",
                    device.bench.cycle);
        check_equal((int64_t)(device.memory.counters().read_bursts + device.memory.counters().write_bursts),
                    (int64_t)bursts, "the bursts after an impossible job", device.bench.cycle);
    }
    run_job(device, random_problem(random, device.shape));
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    const unsigned jobs = argc > 2 ? (unsigned)atoi(argv[2]) : 60;
    Device device(seed);
    Random random(seed);

    check_equal(device.host.read(REG_IDENTITY), 0x62646E01, "the identity", 0);
    test_random(device, random, jobs);
    test_errors(device, random);
    test_cancel(device, random);
    test_refused(device, random);
    std::printf("%u rows x %u columns x %u bits, seed %" PRIu64 "\n", device.shape.rows, device.shape.columns,
                device.shape.word_bits, seed);
    return 0;
}
