/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the two AXI4 masters share: the model with its memory and its commands, memories of all kinds, and
 * an error response that is reported and forgotten. A test derives from it and adds its data stream:
 *
 *   void before(uint64_t address, uint32_t beats)   a command of so many beats is about to be given
 *   void inputs(), outputs()                        its pins of a cycle, to and from the settled model
 *   bool complete()                                 nothing of the stream is due */
#ifndef BDNN_COSIM_AXI_MASTER_H
#define BDNN_COSIM_AXI_MASTER_H

#include "axi_memory.h"

template <class Model, class Stream> class AxiMaster
{
  public:
    static constexpr uint64_t base = 0x7F0000000;
    static constexpr size_t size = 1 << 18;

    Bench<Model> bench;
    Random random;
    AxiMemory memory;
    unsigned percent = 100; /* chance that the stream moves in a cycle */

    explicit AxiMaster(uint64_t seed) : bench(seed), random(seed), memory(base, size, 8, seed + 1)
    {
        bench.dut->clear_i = 0;
        bench.dut->cmd_valid_i = 0;
    }
    void command(uint64_t address, uint32_t beats)
    {
        bench.dut->cmd_valid_i = 1;
        bench.dut->cmd_address_i = address;
        bench.dut->cmd_beats_i = beats;
        stream().before(address, beats);
        while (!cycle()) {
        }
        bench.dut->cmd_valid_i = 0;
    }
    void finish()
    {
        for (unsigned i = 0; !stream().complete() || !bench.dut->idle_o; i++) {
            if (i > 200000)
                check_equal(0, 1, "whether the master is done", bench.cycle);
            cycle();
        }
        for (int i = 0; i < 8; i++)
            cycle();
        check_equal(memory.quiet(), true, "whether the memory is quiet", bench.cycle);
    }
    void run_commands(const AxiMemory::Timing &timing)
    {
        memory.timing = timing;
        percent = random.percent(50) ? 100 : 60;
        for (int i = 0; i < 60; i++) {
            const uint32_t beats = 1 + random.below(i % 8 == 0 ? 2000 : 40);
            command(base + 8 * random.below((uint32_t)(size / 8 - beats)), beats);
        }
        finish();
        check_equal(bench.dut->error_o, 0, "the error", bench.cycle);
    }
    /* An error response is reported, the stream stays complete, and clearing forgets it. */
    void run_error()
    {
        memory.error_address = base + 800;
        command(base, 200);
        finish();
        check_equal(bench.dut->error_o, 1, "the error", bench.cycle);
        memory.error_address = UINT64_MAX;
        bench.dut->clear_i = 1;
        cycle();
        bench.dut->clear_i = 0;
        command(base + 8, 200);
        finish();
        check_equal(bench.dut->error_o, 0, "the error after clearing", bench.cycle);
    }

  private:
    Stream &stream()
    {
        return static_cast<Stream &>(*this);
    }
    /* True if a command was taken in it. */
    bool cycle()
    {
        memory.drive();
        stream().inputs();
        bench.dut->eval();
        stream().outputs();
        const bool taken = bench.dut->cmd_valid_i && bench.dut->cmd_ready_o;
        memory.sample();
        bench.tick();
        return taken;
    }
};

/* Quick, distant, unsteady and slow. */
const AxiMemory::Timing axi_timings[] = {{0, 0, 100, 100}, {40, 40, 100, 100}, {1, 90, 50, 70}, {5, 200, 10, 20}};

#endif
