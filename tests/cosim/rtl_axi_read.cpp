/* SPDX-License-Identifier: BSD-2-Clause */
/* The AXI4 read master: order and completeness of the data, bursts and their limits, errors, clearing. */
#include "axi_master.h"

#include "Vaxi_read.h"

namespace
{

struct Test : AxiMaster<Vaxi_read, Test> {
    std::deque<uint64_t> expected;

    explicit Test(uint64_t seed) : AxiMaster(seed)
    {
        for (uint8_t &byte : memory.bytes)
            byte = (uint8_t)random.next();
        memory.allow_read(base, size);
        bench.dut->data_pop_i = bench.dut->rvalid_i = bench.dut->arready_i = 0;
        bench.reset();
    }
    void before(uint64_t address, uint32_t beats)
    {
        for (uint32_t i = 0; i < beats; i++) {
            uint64_t word;
            std::memcpy(&word, &memory.bytes[address - base + 8 * i], 8);
            expected.push_back(word);
        }
    }
    void inputs()
    {
        bench.dut->arready_i = memory.port.arready;
        bench.dut->rvalid_i = memory.port.rvalid;
        std::memcpy(&bench.dut->rdata_i, memory.port.rdata, 8);
        bench.dut->rresp_i = (uint8_t)memory.port.rresp;
        bench.dut->rlast_i = memory.port.rlast;
        bench.dut->data_pop_i = bench.dut->data_valid_o && random.percent(percent);
    }
    void outputs()
    {
        if (bench.dut->data_pop_i) {
            check_equal(expected.empty(), false, "whether a beat came that nobody asked for", bench.cycle);
            check_equal((int64_t)bench.dut->data_o, (int64_t)expected.front(), "the data", bench.cycle);
            expected.pop_front();
        }
        memory.port.arvalid = bench.dut->arvalid_o;
        memory.port.araddr = bench.dut->araddr_o;
        memory.port.arlen = bench.dut->arlen_o;
        memory.port.rready = bench.dut->rready_o;
    }
    bool complete() const
    {
        return expected.empty();
    }
};

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Test test(seed);

    for (const AxiMemory::Timing &timing : axi_timings)
        test.run_commands(timing);

    /* Latency is hidden by outstanding bursts: 4,096 beats at 40 cycles each way take hardly longer than 4,096 cycles.
     */
    test.memory.timing = {40, 40, 100, 100};
    test.percent = 100;
    const uint64_t start = test.bench.cycle;
    test.command(Test::base, 4096);
    test.finish();
    const uint64_t cycles = test.bench.cycle - start;
    if (cycles > 4096 + 100)
        check_equal((int64_t)cycles, 4096 + 100, "the cycles of 4,096 beats", test.bench.cycle);
    test.run_error();

    std::printf("%" PRIu64 " beats in %" PRIu64 " bursts, at most %u outstanding, 4,096 beats in %" PRIu64
                " cycles, seed %" PRIu64 "\n",
                test.memory.counters().read_beats, test.memory.counters().read_bursts, test.memory.counters().max_reads,
                cycles, seed);
    return 0;
}
