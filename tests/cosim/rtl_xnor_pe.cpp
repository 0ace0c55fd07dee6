/* SPDX-License-Identifier: BSD-2-Clause */
/* The XNOR-popcount unit of 64, 128 and 256 bits against popcount(xnor) over random and extreme bit planes. */
#include "bdnn_hw.h"
#include "bench.h"

#include <deque>

#include "Vxnor_pe.h"

namespace
{

struct Expected {
    uint64_t cycle;
    uint32_t sum;
};

struct Test {
    Bench<Vxnor_pe> bench;
    Random random;
    std::deque<Expected> expected[3];
    unsigned sums = 0;

    explicit Test(uint64_t seed) : bench(seed), random(seed)
    {
    }
    void tick();
    void idle();
    void run_sum(unsigned planes, unsigned words, int kind);
};

void Test::tick()
{
    bench.tick();
    const uint32_t sum[3] = {bench.dut->sum64_o, bench.dut->sum128_o, bench.dut->sum256_o};
    static const char *const names[3] = {"the sum of 64 bits", "the sum of 128 bits", "the sum of 256 bits"};
    for (int g = 0; g < 3; g++) {
        if (!expected[g].empty() && expected[g].front().cycle == bench.cycle) {
            check_equal(sum[g], expected[g].front().sum, names[g], bench.cycle);
            expected[g].pop_front();
            sums++;
        }
    }
}

/* One cycle of the flush pattern. */
void Test::idle()
{
    for (int i = 0; i < 8; i++) {
        bench.dut->weights_i[i] = 0xAAAAAAAA;
        bench.dut->activations_i[i] = 0;
    }
    bench.dut->flush_i = 1;
    bench.dut->sum_first_i = 0;
    tick();
    bench.dut->sum_double_i = 0;
}

void Test::run_sum(unsigned planes, unsigned words, int kind)
{
    uint32_t total[3] = {0, 0, 0};

    for (unsigned plane = 0; plane < planes; plane++) {
        for (unsigned word = 0; word < words; word++) {
            uint32_t ones[3] = {0, 0, 0};
            for (int i = 0; i < 8; i++) {
                uint32_t w = (uint32_t)random.next(), a = (uint32_t)random.next();
                if (kind == 1)
                    a = w; /* every product 1 */
                if (kind == 2)
                    a = ~w; /* every product 0 */
                bench.dut->weights_i[i] = w;
                bench.dut->activations_i[i] = a;
                for (int g = 0; g < 3; g++)
                    if (i < 2 << g)
                        ones[g] += (uint32_t)__builtin_popcount(~(w ^ a));
            }
            for (int g = 0; g < 3; g++)
                total[g] += ones[g] << (planes - 1 - plane);
            bench.dut->flush_i = 0;
            bench.dut->sum_first_i = plane == 0 && word == 0;
            bench.dut->sum_double_i = 0;
            tick();
        }
        bench.dut->sum_double_i = 1;
        if (plane == planes - 1) {
            const unsigned stages[3] = {bench.dut->stages64_o, bench.dut->stages128_o, bench.dut->stages256_o};
            for (int g = 0; g < 3; g++)
                expected[g].push_back({bench.cycle + 1 + stages[g], total[g]});
        }
        idle();
    }
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Test test(seed);
    unsigned runs = 0;

    test.bench.reset();
    test.bench.dut->sum_double_i = 0;
    for (int i = 0; i < 4; i++)
        test.idle();
    for (unsigned planes = 1; planes <= BDNN_HW_PLANES_MAX; planes++)
        for (unsigned words = 1; words <= 20; words += words < 4 ? 1 : 7)
            for (int kind = 0; kind < 3; kind++, runs++) {
                test.run_sum(planes, words, kind);
                for (uint32_t gap = test.random.below(3); gap > 0; gap--)
                    test.idle();
            }
    for (int i = 0; i < 20; i++)
        test.idle();
    check_equal(test.sums, 3 * runs, "the number of sums", test.bench.cycle);
    std::printf("%u sums of three widths, seed %" PRIu64 "\n", runs, seed);
    return 0;
}
