/* SPDX-License-Identifier: BSD-2-Clause */
/* The AXI4 write master: memory contents afterwards, bursts and their limits, errors. */
#include "axi_master.h"

#include "Vaxi_write.h"

namespace
{

struct Test : AxiMaster<Vaxi_write, Test> {
    std::vector<uint8_t> expected;
    std::deque<uint64_t> data;
    bool offered = false;

    explicit Test(uint64_t seed) : AxiMaster(seed), expected(size)
    {
        memory.allow_write(base, size);
        bench.dut->strobe_i = 0xFF;
        bench.dut->data_valid_i = bench.dut->bvalid_i = bench.dut->awready_i = bench.dut->wready_i = 0;
        bench.reset();
    }
    void before(uint64_t address, uint32_t beats)
    {
        for (uint32_t i = 0; i < beats; i++) {
            data.push_back(random.next());
            std::memcpy(&expected[address - base + 8 * i], &data.back(), 8);
        }
    }
    void inputs()
    {
        bench.dut->awready_i = memory.port.awready;
        bench.dut->wready_i = memory.port.wready;
        bench.dut->bvalid_i = memory.port.bvalid;
        bench.dut->bresp_i = (uint8_t)memory.port.bresp;
        offered = !data.empty() && (offered || random.percent(percent));
        bench.dut->data_valid_i = offered;
        bench.dut->data_i = data.empty() ? 0 : data.front();
    }
    void outputs()
    {
        memory.port.awvalid = bench.dut->awvalid_o;
        memory.port.awaddr = bench.dut->awaddr_o;
        memory.port.awlen = bench.dut->awlen_o;
        memory.port.wvalid = bench.dut->wvalid_o;
        std::memcpy(memory.port.wdata, &bench.dut->wdata_o, 8);
        memory.port.wstrb = bench.dut->wstrb_o;
        memory.port.wlast = bench.dut->wlast_o;
        memory.port.bready = bench.dut->bready_o;
        if (bench.dut->data_valid_i && bench.dut->data_ready_o) {
            data.pop_front();
            offered = false;
        }
    }
    bool complete() const
    {
        return data.empty();
    }
    void compare()
    {
        check_equal(std::memcmp(expected.data(), memory.bytes.data(), size), 0, "the difference of the memories",
                    bench.cycle);
    }
};

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Test test(seed);

    for (const AxiMemory::Timing &timing : axi_timings) {
        test.run_commands(timing);
        test.compare();
    }
    test.run_error();

    std::printf("%" PRIu64 " beats in %" PRIu64 " bursts, seed %" PRIu64 "\n", test.memory.counters().write_beats,
                test.memory.counters().write_bursts, seed);
    return 0;
}
