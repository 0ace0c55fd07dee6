/* SPDX-License-Identifier: BSD-2-Clause */
/* The scale accumulator of a row against acc = constant + sum of scale x sum, with extreme values, gaps and several
 * bases. */
#include "bench.h"

#include <deque>

#include "Vscale.h"

namespace
{

constexpr unsigned columns = 8;

struct Test {
    Bench<Vscale> bench;
    Random random;
    std::deque<int32_t> expected; /* [filter][column] */
    unsigned results = 0;

    explicit Test(uint64_t seed) : bench(seed), random(seed)
    {
    }
    void tick()
    {
        bench.tick();
        if (!bench.dut->valid_o)
            return;
        check_equal(bench.dut->column_o, results++ % columns, "the column", bench.cycle);
        if (expected.empty())
            check_equal(1, 0, "the number of results beyond those asked for", bench.cycle);
        check_equal((int32_t)bench.dut->acc_o, expected.front(), "the accumulator", bench.cycle);
        expected.pop_front();
    }
    void run_filter(unsigned bases);
};

void Test::run_filter(unsigned bases)
{
    const int32_t constant = (int32_t)random.next();
    uint32_t acc[columns];

    for (unsigned c = 0; c < columns; c++)
        acc[c] = (uint32_t)constant;
    for (unsigned basis = 0; basis < bases; basis++) {
        const int scale = random.percent(20) ? (random.percent(50) ? -128 : 127) : (int)random.between(-127, 127);
        for (unsigned c = 0; c < columns; c++) {
            const uint32_t sum = random.percent(20) ? 0xFFFFFF : (uint32_t)random.below(1 << 24);
            acc[c] += (uint32_t)scale * sum;
            bench.dut->valid_i = 1;
            bench.dut->column_i = (uint8_t)c;
            bench.dut->first_i = basis == 0;
            bench.dut->last_i = basis == bases - 1;
            bench.dut->sum_i = sum;
            bench.dut->scale_i = (uint8_t)scale;
            bench.dut->constant_i = (uint32_t)constant;
            if (basis == bases - 1)
                expected.push_back((int32_t)acc[c]);
            tick();
            bench.dut->valid_i = 0;
            while (random.percent(10))
                tick();
        }
    }
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Test test(seed);

    test.bench.dut->valid_i = 0;
    test.bench.reset();
    for (unsigned i = 0; i < 500; i++)
        test.run_filter(1 + test.random.below(8));
    for (int i = 0; i < 8; i++)
        test.tick();
    check_equal((int64_t)test.expected.size(), 0, "the number of missing results", test.bench.cycle);
    std::printf("%u accumulators, seed %" PRIu64 "\n", test.results, seed);
    return 0;
}
