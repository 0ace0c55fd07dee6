/* SPDX-License-Identifier: BSD-2-Clause */
/* The Verilated kernel on jobs at random (job_draw.h), beside the kernel in C. What the kernel module lets through
 * (driver/bdnn_job.c) runs on both, with memory for what the module has computed and none elsewhere, and gives the same
 * results. Of all others both say the same: that they refuse them, without an access to memory, or that they do not.
 *
 *   rtl_jobs [SEED [CASES [SECONDS]]]       `rtl_jobs SEED 1` repeats one case */
#include "kernel_device.h"

#include "fenced_job.h"
#include "job_draw.h"

#include <ctime>

#include MODEL_HEADER

namespace
{

typedef KernelDevice<MODEL> Device;

constexpr double max_cycles = 20000; /* of a job that is run */
constexpr size_t slack = 64;         /* around what a job may reach; bytes that must stay as they are */

struct Case {
    uint64_t seed;
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];
    char text[64 + JOB_TEXT];
};

[[noreturn]] void fail(const Case &c, const char *what)
{
    std::fprintf(stderr, "%s; %s\n", what, c.text);
    std::exit(1);
}

void name(Case &c)
{
    const int length = std::snprintf(c.text, 64, "case %" PRIu64 ": ", c.seed);
    job_text(c.words, c.text + length);
}

uint64_t bursts(const Device &device)
{
    return device.memory.counters().read_bursts + device.memory.counters().write_bursts;
}

/* How the job ended, at most so many cycles later. */
uint32_t run(Device &device, const Case &c, const uint32_t *words, double cycles)
{
    device.memory.subject = c.text;
    for (unsigned i = 0; i < BDNN_HW_ARGUMENT_WORDS; i++)
        device.host.write(BDNN_HW_REG_ARGUMENTS + 4 * i, words[i]);
    device.start();
    const uint64_t begin = device.bench.cycle;
    while (!(device.host.read(BDNN_HW_REG_CONTROL) & BDNN_HW_CONTROL_DONE)) {
        if ((double)(device.bench.cycle - begin) > cycles)
            fail(c, "the Verilated kernel makes no end");
        for (int i = 0; i < 20; i++)
            device.cycle();
    }
    if (!device.memory.quiet())
        fail(c, "the bus is not quiet when the job is done");
    return device.host.read(BDNN_HW_REG_ENDING);
}

/* The memory of one pointer: at an address of its own, far from all others, in either half of a beat. */
struct Place {
    std::vector<uint8_t> bytes;
    uint64_t address;

    void make(int pointer, size_t size)
    {
        bytes.assign(size + 2 * slack, 0xA5);
        address = ((uint64_t)(pointer + 1) << 40) + 8 * (uint64_t)random_in(0, 1 << 20);
    }
    bool intact(size_t size) const
    {
        for (size_t i = 0; i < slack; i++)
            if (bytes[i] != 0xA5 || bytes[slack + size + i] != 0xA5)
                return false;
        return true;
    }
};

/* On both kernels, with memory for the extents alone. False if both refuse the job for what it asks of the array. */
bool check_run(Device &device, const bdnn_device_array &array, const Case &c, const bdnn_extent *extents)
{
    Place places[BDNN_HW_POINTERS];
    uint32_t words[BDNN_HW_ARGUMENT_WORDS];

    const uint32_t expected = fenced_job_run(c.words, extents, c.seed, c.seed % 2 == 0).ending;
    std::memcpy(words, c.words, sizeof words);
    device.memory.forget_regions();
    for (int i = 0; i < BDNN_HW_POINTERS; i++) {
        const size_t size = extents[i].bytes;
        places[i].make(i, size);
        uint8_t *bytes = places[i].bytes.data() + slack;
        if (i == BDNN_HW_POINTER_RESULTS) {
            device.memory.allow_write(places[i].address, size, bytes);
        } else {
            std::memcpy(bytes, fenced_job_memory(i), size);
            device.memory.allow_read(places[i].address, size, bytes);
        }
        const uint64_t pointer = places[i].address - extents[i].offset;
        words[2 * i] = (uint32_t)pointer;
        words[2 * i + 1] = (uint32_t)(pointer >> 32);
    }
    const uint64_t before = bursts(device);
    const uint32_t ending = run(device, c, words, 2000 + 8 * job_cycles(&array, c.words));
    if (ending != expected)
        fail(c, "the kernels in SystemVerilog and in C end otherwise");
    if (ending == BDNN_HW_ENDING_REFUSED) {
        if (bursts(device) != before)
            fail(c, "a job that is refused went for memory");
        if (job_suits_array(&array, c.words))
            fail(c, "the module lets through what the kernel refuses");
        return false;
    }
    const size_t size = extents[BDNN_HW_POINTER_RESULTS].bytes;
    if (ending != 0 || !places[BDNN_HW_POINTER_RESULTS].intact(size))
        fail(c, "the job ended badly, or wrote around its results");
    if (std::memcmp(places[BDNN_HW_POINTER_RESULTS].bytes.data() + slack, fenced_job_memory(BDNN_HW_POINTER_RESULTS),
                    size) != 0)
        fail(c, "the results in SystemVerilog and in C differ");
    return true;
}

/* Where there is no memory at all, a job ends with an error of it, or is refused before. True for the latter. */
bool check_verdict(Device &device, const Case &c)
{
    const uint64_t before = bursts(device);

    device.memory.absent = true;
    const uint32_t ending = run(device, c, c.words, 1 << 20);
    device.memory.absent = false;
    const bool refused = ending == BDNN_HW_ENDING_REFUSED;
    if (!refused && (ending == 0 || ending > (BDNN_HW_ENDING_READ_ERROR | BDNN_HW_ENDING_WRITE_ERROR)))
        fail(c, "a job without memory ended neither refused nor with an error of the bus");
    if (refused && bursts(device) != before)
        fail(c, "a job that is refused went for memory");
    if (fenced_job_refused(c.words) != refused)
        fail(c, refused ? "SystemVerilog refuses what C does not" : "C refuses what SystemVerilog does not");
    return refused;
}

struct Counted {
    unsigned run, unsuited, refused, accepted;
};

void check_drawn(Device &device, const bdnn_device_array &array, uint64_t seed, Counted &counted)
{
    bdnn_extent extents[BDNN_HW_POINTERS];
    Case c = {seed, {0}, {0}};

    random_seed(seed * 0x9E3779B97F4A7C15u);
    job_draw(&array, c.words);
    name(c);
    if (bdnn_job_extents(c.words, array.rows, array.word_bits / BDNN_HW_UNIT, extents) && fenced_job_fits(extents) &&
        job_cycles(&array, c.words) <= max_cycles)
        (check_run(device, array, c, extents) ? counted.run : counted.unsuited)++;
    else
        (check_verdict(device, c) ? counted.refused : counted.accepted)++;
}

void check_kept(Device &device, const bdnn_device_array &array)
{
    for (const job_kept &kept : jobs_kept) {
        bdnn_extent extents[BDNN_HW_POINTERS];
        Case c = {0, {0}, {0}};

        bdnn_hw_pack_job(&kept.job, c.words);
        name(c);
        if (bdnn_job_extents(c.words, array.rows, array.word_bits / BDNN_HW_UNIT, extents)) {
            check_run(device, array, c, extents);
            fail(c, "the module lets through a job that it must not");
        }
        if (!check_verdict(device, c))
            fail(c, "the kernels do not refuse a job that they must");
    }
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    const unsigned cases = argc > 2 ? (unsigned)atoi(argv[2]) : 1000;
    const time_t end = time(nullptr) + (argc > 3 ? atoi(argv[3]) : 15);
    Counted counted = {0, 0, 0, 0};
    unsigned i = 0;
    Device device(seed);
    bdnn_device_array array;

    if (!bdnn_device_array_read(&array, device.host.read(BDNN_HW_REG_ARRAY), device.host.read(BDNN_HW_REG_WORD),
                                device.host.read(BDNN_HW_REG_BUFFERS))) {
        std::fprintf(stderr, "the registers describe no array\n");
        return 1;
    }
    device.memory.timing = {0, 0, 100, 100};
    fenced_job_explain();
    check_kept(device, array);
    for (; i < cases && time(nullptr) < end; i++)
        check_drawn(device, array, seed + i, counted);
    std::printf(
        "of %u jobs %u ran within their memory, %u are none for this array; of the others %u are refused and %u "
        "not, by both kernels; %" PRIu64 " cycles\n",
        i, counted.run, counted.unsuited, counted.refused, counted.accepted, device.bench.cycle);
    return cases > 100 && counted.run < i / 20;
}
