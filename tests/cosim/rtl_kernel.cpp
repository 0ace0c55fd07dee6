/* SPDX-License-Identifier: BSD-2-Clause */
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
    static const bdnn_hw_mode sums[] = {BDNN_HW_MODE_PLANES, BDNN_HW_MODE_INT16, BDNN_HW_MODE_INT32};

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
        p.channels = random.percent(30) ? BDNN_HW_UNIT * (1 + random.below(3)) : 1 + random.below(200);
        p.filters = random.percent(30) ? 1 + random.below(140) : 1 + random.below(24);
        p.bases = 1 + random.below(random.percent(70) ? 4 : BDNN_HW_BASES_MAX);
        p.planes = 1 + random.below(BDNN_HW_PLANES_MAX);
        p.zero_point = random.percent(40) ? 0 : random.below(1u << p.planes);
        p.mode = sums[random.below(3)];
        p.out_planes = 1 + random.below(BDNN_HW_OUT_PLANES_MAX);
        p.low = p.mode == BDNN_HW_MODE_PLANES ? 0 : -32767;
        p.high = p.mode == BDNN_HW_MODE_PLANES ? (1 << p.out_planes) - 1 : 32767;
        if (p.mode == BDNN_HW_MODE_INT16 && random.percent(30))
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
    const bool failed = device.host.read(BDNN_HW_REG_ENDING) != 0 || device.compare(problem) != 0;
    if (failed) {
        describe(problem);
        check_equal(device.host.read(BDNN_HW_REG_ENDING), 0, "the status", device.bench.cycle);
        check_equal(1, 0, "whether results differ", device.bench.cycle);
    }
}

void test_random(Device &device, Random &random, unsigned jobs)
{
    uint64_t cycles = 0, busy = 0;

    for (unsigned i = 0; i < jobs; i++) {
        device.memory.timing = random_timing(random);
        run_job(device, random_problem(random, device.shape));
        cycles += device.host.read(BDNN_HW_REG_CYCLES);
        busy += device.host.read(BDNN_HW_REG_BUSY);
    }
    std::printf("%u jobs equal, %" PRIu64 " cycles, array at work in %" PRIu64 "; at most %u reads outstanding\n", jobs,
                cycles, busy, device.memory.counters().max_reads);
}

/* An error response anywhere ends the job with a status; the next one is right. */
void test_errors(Device &device, Random &random)
{
    const struct {
        uint64_t address;
        uint32_t status;
    } cases[] = {{Device::weights, BDNN_HW_ENDING_READ_ERROR},
                 {Device::filters, BDNN_HW_ENDING_READ_ERROR},
                 {Device::activations, BDNN_HW_ENDING_READ_ERROR},
                 {Device::results, BDNN_HW_ENDING_WRITE_ERROR}};

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
        check_equal(device.host.read(BDNN_HW_REG_ENDING), one.status, "the status after an error response",
                    device.bench.cycle);
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
        device.host.write(BDNN_HW_REG_CONTROL, BDNN_HW_CONTROL_CANCEL);
        device.wait(20000);
        const uint32_t status = device.host.read(BDNN_HW_REG_ENDING);
        if (status != 0)
            check_equal(status, BDNN_HW_ENDING_CANCELLED, "the status after cancelling", device.bench.cycle);
        cancelled += status != 0;
        if (i % 4 == 3)
            run_job(device, random_problem(random, device.shape));
    }
    std::printf("%u of 12 jobs cancelled under way\n", cancelled);
}

/* Jobs that cannot be are refused at once, without touching the memory. */
void test_refused(Device &device, Random &random)
{
    const uint32_t beyond = 1u << BDNN_HW_OFFSET_BITS;
    const struct {
        uint32_t offset, value;
    } cases[] = {{BDNN_HW_REG_BASES, 0},
                 {BDNN_HW_REG_BASES, BDNN_HW_BASES_MAX + 1},
                 {BDNN_HW_REG_PLANES, 0},
                 {BDNN_HW_REG_PLANES, BDNN_HW_PLANES_MAX + 1},
                 {BDNN_HW_REG_WORDS, 0},
                 {BDNN_HW_REG_WORDS, BDNN_HW_WORDS_MAX},
                 {BDNN_HW_REG_PAD_UNITS, 99},
                 {BDNN_HW_REG_TILES, 0},
                 {BDNN_HW_REG_TILES, 99},
                 {BDNN_HW_REG_KERNEL_SIZE, 0},
                 {BDNN_HW_REG_LAST_CHANNELS, 0},
                 {BDNN_HW_REG_LAST_CHANNELS, BDNN_HW_LAST_CHANNELS_MAX + 1},
                 {BDNN_HW_REG_FILTER_COUNT, 0},
                 {BDNN_HW_REG_PIXELS, 0},
                 {BDNN_HW_REG_RESULT_FORMAT, BDNN_HW_PUT_MODE(BDNN_HW_MODE_PLANES)},
                 {BDNN_HW_REG_WEIGHTS, 4},
                 {BDNN_HW_REG_ORIGIN, 2},
                 {BDNN_HW_REG_RESULT_STEP, 12},
                 {BDNN_HW_REG_OUT_WIDTH, 0},
                 {BDNN_HW_REG_IN_WIDTH, 0},
                 {BDNN_HW_REG_IN_HEIGHT, 0},
                 {BDNN_HW_REG_SPACING, BDNN_HW_PUT_STRIDE_Y(1) | BDNN_HW_PUT_DILATION_X(1) | BDNN_HW_PUT_DILATION_Y(1)},
                 {BDNN_HW_REG_SPACING, BDNN_HW_PUT_STRIDE_X(1) | BDNN_HW_PUT_STRIDE_Y(1) | BDNN_HW_PUT_DILATION_X(1)},
                 {BDNN_HW_REG_PIXEL_STEP, beyond},
                 {BDNN_HW_REG_TAP_ROW_STEP, 0u - 8},
                 {BDNN_HW_REG_RESULT_STEP, beyond},
                 {BDNN_HW_REG_RESULT_ORIGIN, beyond},
                 {BDNN_HW_REG_PIXELS, BDNN_HW_PIXELS_MAX}};

    for (const auto &one : cases) {
        const uint64_t bursts = device.memory.counters().read_bursts + device.memory.counters().write_bursts;
        device.load(random_problem(random, device.shape));
        device.host.write(one.offset, one.value);
        device.start();
        device.wait(1000);
        check_equal(device.host.read(BDNN_HW_REG_ENDING), BDNN_HW_ENDING_REFUSED, "the status of an impossible job",
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

    check_equal(device.host.read(BDNN_HW_REG_IDENTITY), BDNN_HW_IDENTITY, "the identity", 0);
    test_random(device, random, jobs);
    test_errors(device, random);
    test_cancel(device, random);
    test_refused(device, random);
    std::printf("%u rows x %u columns x %u bits, seed %" PRIu64 "\n", device.shape.rows, device.shape.columns,
                device.shape.word_bits, seed);
    return 0;
}
