/* The AXI4 read master: order and completeness of the data, bursts and their limits, errors, clearing. */
#include "axi_memory.h"

#include "Vaxi_read.h"

namespace
{

constexpr uint64_t base = 0x123450000;
constexpr size_t size = 1 << 18;

struct Test {
    Bench<Vaxi_read> bench;
    Random random;
    AxiMemory memory;
    std::deque<uint64_t> expected;
    unsigned pop_percent = 100;

    explicit Test(uint64_t seed) : bench(seed), random(seed), memory(base, size, 8, seed + 1)
    {
        for (uint8_t &byte : memory.bytes)
            byte = (uint8_t)random.next();
        memory.allow_read(base, size);
        bench.dut->clear_i = 0;
        bench.dut->cmd_valid_i = 0;
        bench.dut->data_pop_i = 0;
        bench.dut->rvalid_i = 0;
        bench.dut->arready_i = 0;
        bench.reset();
    }
    /* One cycle; true if the command was taken in it. */
    bool cycle();
    void command(uint64_t address, uint32_t beats);
    void finish();
};

bool Test::cycle()
{
    Vaxi_read &dut = *bench.dut;
    open_emu_axi_pins &port = memory.port;

    memory.drive();
    dut.arready_i = port.arready;
    dut.rvalid_i = port.rvalid;
    std::memcpy(&dut.rdata_i, port.rdata, 8);
    dut.rresp_i = (uint8_t)port.rresp;
    dut.rlast_i = port.rlast;
    dut.data_pop_i = dut.data_valid_o && random.percent(pop_percent);
    dut.eval();
    if (dut.data_pop_i) {
        if (expected.empty())
            check_equal(1, 0, "the number of beats beyond those asked for", bench.cycle);
        check_equal((int64_t)dut.data_o, (int64_t)expected.front(), "the data", bench.cycle);
        expected.pop_front();
    }
    port.arvalid = dut.arvalid_o;
    port.araddr = dut.araddr_o;
    port.arlen = dut.arlen_o;
    port.rready = dut.rready_o;
    const bool taken = dut.cmd_valid_i && dut.cmd_ready_o;
    memory.sample();
    bench.tick();
    return taken;
}

void Test::command(uint64_t address, uint32_t beats)
{
    bench.dut->cmd_valid_i = 1;
    bench.dut->cmd_address_i = address;
    bench.dut->cmd_beats_i = beats;
    for (uint32_t i = 0; i < beats; i++) {
        uint64_t word;
        std::memcpy(&word, &memory.bytes[address - base + 8 * i], 8);
        expected.push_back(word);
    }
    while (!cycle()) {
    }
    bench.dut->cmd_valid_i = 0;
}

void Test::finish()
{
    for (unsigned i = 0; !expected.empty() || !bench.dut->idle_o; i++) {
        if (i > 200000)
            check_equal((int64_t)expected.size(), 0, "the number of missing beats", bench.cycle);
        cycle();
    }
    for (int i = 0; i < 8; i++)
        cycle();
    check_equal(memory.quiet(), true, "whether the memory is quiet", bench.cycle);
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Test test(seed);
    const AxiMemory::Timing timings[] = {{0, 0, 100, 100}, {40, 40, 100, 100}, {1, 90, 50, 70}, {5, 200, 10, 20}};

    for (const AxiMemory::Timing &timing : timings) {
        test.memory.timing = timing;
        test.pop_percent = test.random.percent(50) ? 100 : 60;
        for (int i = 0; i < 60; i++) {
            const uint32_t beats = 1 + test.random.below(i % 8 == 0 ? 2000 : 40);
            test.command(base + 8 * test.random.below((uint32_t)(size / 8 - beats)), beats);
        }
        test.finish();
        check_equal(test.bench.dut->error_o, 0, "the error", test.bench.cycle);
    }

    /* Latency is hidden by outstanding bursts: 4,096 beats at 40 cycles each way take hardly longer than 4,096 cycles.
     */
    test.memory.timing = {40, 40, 100, 100};
    test.pop_percent = 100;
    const uint64_t start = test.bench.cycle;
    test.command(base, 4096);
    test.finish();
    const uint64_t cycles = test.bench.cycle - start;
    if (cycles > 4096 + 100)
        check_equal((int64_t)cycles, 4096 + 100, "the cycles of 4,096 beats", test.bench.cycle);

    /* An error response is reported, the stream stays complete, and clearing forgets it. */
    test.memory.error_address = base + 800;
    test.command(base, 200);
    test.finish();
    check_equal(test.bench.dut->error_o, 1, "the error", test.bench.cycle);
    test.memory.error_address = UINT64_MAX;
    test.bench.dut->clear_i = 1;
    test.cycle();
    test.bench.dut->clear_i = 0;
    test.command(base + 8, 100);
    test.finish();
    check_equal(test.bench.dut->error_o, 0, "the error after clearing", test.bench.cycle);

    std::printf("%" PRIu64 " beats in %" PRIu64 " bursts, at most %u outstanding, 4,096 beats in %" PRIu64
                " cycles, seed %" PRIu64 "\n",
                test.memory.counters().read_beats, test.memory.counters().read_bursts,
                test.memory.counters().most_reads, cycles, seed);
    return 0;
}
