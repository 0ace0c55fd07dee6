/* SPDX-License-Identifier: BSD-2-Clause */
/* Words out of the beats of a 128-bit port: commands that begin and end in either half, words taken singly and in
 * pairs, beats that come when they like. */
#include <deque>

#include "bench.h"

#include "Valign.h"

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Bench<Valign> bench(seed);
    Random random(seed);
    std::deque<uint64_t> halves; /* of the beats to come */
    std::deque<uint64_t> expected;
    uint64_t words = 0, waits = 0;

    bench.dut->active_i = bench.dut->data_valid_i = bench.dut->take_i = bench.dut->last_i = 0;
    bench.reset();
    for (int command = 0; command < 3000; command++) {
        const bool skip = random.percent(50);
        const unsigned count = 1 + random.below(random.percent(20) ? 60 : 7);
        if (skip)
            halves.push_back(random.next());
        for (unsigned i = 0; i < count; i++) {
            halves.push_back(random.next());
            expected.push_back(halves.back());
        }
        if (halves.size() % 2 != 0)
            halves.push_back(random.next());
        const unsigned data_percent = random.percent(50) ? 100 : 40;
        bench.dut->skip_i = skip;
        for (unsigned idle = random.below(3); !expected.empty(); waits++) {
            bench.dut->active_i = idle == 0;
            idle -= idle > 0;
            bench.dut->data_valid_i = !halves.empty() && random.percent(data_percent);
            for (unsigned i = 0; i < 2; i++) {
                const uint64_t half = halves.size() > i ? halves[i] : 0;
                bench.dut->data_i[2 * i] = (uint32_t)half;
                bench.dut->data_i[2 * i + 1] = (uint32_t)(half >> 32);
            }
            bench.dut->take_i = 0;
            bench.dut->eval();
            const unsigned here = bench.dut->count_o;
            if (!bench.dut->active_i)
                check_equal(here, 0, "the words without a command", bench.cycle);
            unsigned take = here > expected.size() ? (unsigned)expected.size() : here;
            if (take == 2 && random.percent(30))
                take = 1;
            bench.dut->take_i = (uint8_t)take;
            bench.dut->last_i = take == expected.size();
            bench.dut->eval();
            for (unsigned i = 0; i < take; i++) {
                const uint64_t got = i == 0 ? bench.dut->first_o : bench.dut->second_o;
                check_equal((int64_t)got, (int64_t)expected.front(), "the word", bench.cycle);
                expected.pop_front();
            }
            words += take;
            if (bench.dut->data_pop_o) {
                check_equal(bench.dut->data_valid_i, 1, "whether there was a beat to take", bench.cycle);
                halves.erase(halves.begin(), halves.begin() + 2);
            }
            bench.tick();
            check_equal(bench.cycle < 1000000, true, "whether all words come", bench.cycle);
        }
        check_equal((int64_t)halves.size(), 0, "the halves left over by a command", bench.cycle);
    }
    std::printf("%" PRIu64 " words in %" PRIu64 " cycles, seed %" PRIu64 "\n", words, waits, seed);
    return 0;
}
