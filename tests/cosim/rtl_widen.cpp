/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands and words made into the beats of a 128-bit port: every word arrives at its address, and nothing else is
 * written. */
#include <deque>
#include <vector>

#include "bench.h"

#include "Vwiden.h"

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    constexpr size_t size = 4096; /* words */
    Bench<Vwiden> bench(seed);
    Random random(seed);
    Vwiden &dut = *bench.dut;
    std::vector<uint64_t> memory(size), expected(size);
    std::deque<uint64_t> data;
    std::deque<uint64_t> beats; /* addresses of those that were announced */
    uint64_t commands = 0, words = 0;

    dut.cmd_valid_i = dut.data_valid_i = dut.cmd_ready_i = dut.data_ready_i = 0;
    bench.reset();
    while (commands < 2000 || !data.empty() || !beats.empty()) {
        check_equal(bench.cycle < 1000000, true, "whether all beats come", bench.cycle);
        if (!dut.cmd_valid_i && commands < 2000 && random.percent(50)) {
            const uint32_t count = 1 + random.below(random.percent(20) ? 60 : 9);
            const uint32_t at = random.below((uint32_t)(size - count));
            dut.cmd_valid_i = 1;
            dut.cmd_address_i = 0x100000000 + 8 * at;
            dut.cmd_words_i = count;
            for (uint32_t i = 0; i < count; i++) {
                data.push_back(random.next());
                expected[at + i] = data.back();
            }
            commands++;
            words += count;
        }
        dut.cmd_ready_i = random.percent(60);
        dut.data_valid_i = !data.empty() && (dut.data_valid_i || random.percent(70));
        dut.data_i = data.empty() ? 0 : data.front();
        dut.data_ready_i = random.percent(70);
        dut.eval();
        /* A beat belongs to a command of an earlier cycle. */
        if (dut.data_valid_o && dut.data_ready_i) {
            check_equal(beats.empty(), false, "whether a beat comes before its command", bench.cycle);
            for (unsigned i = 0; i < 16; i++)
                if (dut.strobe_o >> i & 1) {
                    const size_t word = (size_t)(beats.front() - 0x100000000) / 8 + i / 8;
                    const uint64_t byte = dut.data_o[i / 4] >> 8 * (i % 4) & 0xFF;
                    check_equal(word < size, true, "whether a byte is inside of the memory", bench.cycle);
                    memory[word] = (memory[word] & ~((uint64_t)0xFF << 8 * (i % 8))) | byte << 8 * (i % 8);
                }
            beats.pop_front();
        }
        if (dut.cmd_valid_o && dut.cmd_ready_i)
            for (uint32_t i = 0; i < dut.cmd_beats_o; i++)
                beats.push_back(dut.cmd_address_o + 16 * i);
        const bool taken = dut.cmd_valid_i && dut.cmd_ready_o;
        if (dut.data_valid_i && dut.data_ready_o) {
            data.pop_front();
            bench.tick();
            dut.data_valid_i = 0;
        } else {
            bench.tick();
        }
        if (taken)
            dut.cmd_valid_i = 0;
    }
    for (size_t i = 0; i < size; i++)
        check_equal((int64_t)memory[i], (int64_t)expected[i], "a word of the memory", bench.cycle);
    std::printf("%" PRIu64 " words of %" PRIu64 " commands, seed %" PRIu64 "\n", words, commands, seed);
    return 0;
}
