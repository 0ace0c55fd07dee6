/* The AXI4 write master: memory contents afterwards, bursts and their limits, errors. */
#include "axi_memory.h"

#include "Vaxi_write.h"

namespace
{

constexpr uint64_t base = 0x7F0000000;
constexpr size_t size = 1 << 18;

struct Test {
    Bench<Vaxi_write> bench;
    Random random;
    AxiMemory memory;
    std::vector<uint8_t> expected;
    std::deque<uint64_t> data;
    unsigned data_percent = 100;
    bool offered = false;

    explicit Test(uint64_t seed) : bench(seed), random(seed), memory(base, size, 8, seed + 1), expected(size)
    {
        memory.allow_write(base, size);
        bench.dut->clear_i = 0;
        bench.dut->strobe_i = 0xFF;
        bench.dut->cmd_valid_i = 0;
        bench.dut->data_valid_i = 0;
        bench.dut->bvalid_i = 0;
        bench.dut->awready_i = 0;
        bench.dut->wready_i = 0;
        bench.reset();
    }
    bool cycle();
    void command(uint64_t address, uint32_t beats);
    void finish();
};

bool Test::cycle()
{
    Vaxi_write &dut = *bench.dut;
    open_emu_axi_pins &port = memory.port;

    memory.drive();
    dut.awready_i = port.awready;
    dut.wready_i = port.wready;
    dut.bvalid_i = port.bvalid;
    dut.bresp_i = (uint8_t)port.bresp;
    offered = !data.empty() && (offered || random.percent(data_percent));
    dut.data_valid_i = offered;
    dut.data_i = data.empty() ? 0 : data.front();
    dut.eval();
    port.awvalid = dut.awvalid_o;
    port.awaddr = dut.awaddr_o;
    port.awlen = dut.awlen_o;
    port.wvalid = dut.wvalid_o;
    std::memcpy(port.wdata, &dut.wdata_o, 8);
    port.wstrb = dut.wstrb_o;
    port.wlast = dut.wlast_o;
    port.bready = dut.bready_o;
    if (dut.data_valid_i && dut.data_ready_o) {
        data.pop_front();
        offered = false;
    }
    const bool taken = dut.cmd_valid_i && dut.cmd_ready_o;
    memory.sample();
    bench.tick();
    return taken;
}

void Test::command(uint64_t address, uint32_t beats)
{
    for (uint32_t i = 0; i < beats; i++) {
        data.push_back(random.next());
        std::memcpy(&expected[address - base + 8 * i], &data.back(), 8);
    }
    bench.dut->cmd_valid_i = 1;
    bench.dut->cmd_address_i = address;
    bench.dut->cmd_beats_i = beats;
    while (!cycle()) {
    }
    bench.dut->cmd_valid_i = 0;
}

void Test::finish()
{
    for (unsigned i = 0; !bench.dut->idle_o; i++) {
        if (i > 200000)
            check_equal(0, 1, "whether the master is idle", bench.cycle);
        cycle();
    }
    cycle();
    check_equal((int64_t)data.size(), 0, "the number of beats left over", bench.cycle);
    check_equal(memory.quiet(), true, "whether all responses were taken", bench.cycle);
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Test test(seed);
    const AxiMemory::Timing timings[] = {{0, 0, 100, 100}, {30, 60, 100, 100}, {1, 90, 50, 70}, {5, 100, 15, 20}};

    for (const AxiMemory::Timing &timing : timings) {
        test.memory.timing = timing;
        test.data_percent = test.random.percent(50) ? 100 : 60;
        for (int i = 0; i < 60; i++) {
            const uint32_t beats = 1 + test.random.below(i % 8 == 0 ? 1500 : 20);
            test.command(base + 8 * test.random.below((uint32_t)(size / 8 - beats)), beats);
        }
        test.finish();
        check_equal(test.bench.dut->error_o, 0, "the error", test.bench.cycle);
        check_equal(std::memcmp(test.expected.data(), test.memory.bytes.data(), size), 0,
                    "the difference of the memories", test.bench.cycle);
    }

    test.memory.error_address = base + 512;
    test.command(base, 100);
    test.finish();
    check_equal(test.bench.dut->error_o, 1, "the error", test.bench.cycle);
    test.memory.error_address = UINT64_MAX;
    test.bench.dut->clear_i = 1;
    test.cycle();
    test.bench.dut->clear_i = 0;
    test.command(base, 100);
    test.finish();
    check_equal(test.bench.dut->error_o, 0, "the error after clearing", test.bench.cycle);

    std::printf("%" PRIu64 " beats in %" PRIu64 " bursts, seed %" PRIu64 "\n", test.memory.counters().write_beats,
                test.memory.counters().write_bursts, seed);
    return 0;
}
