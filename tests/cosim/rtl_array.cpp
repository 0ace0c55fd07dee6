/* SPDX-License-Identifier: BSD-2-Clause */
/* The array (2 x 4 units of 64 bits, built of look-up tables) against direct sums: back to back, with gaps, all plane
 * counts. */
#include "bench.h"

#include <deque>
#include <vector>

#include "Varray.h"

namespace
{

constexpr unsigned rows = 2, columns = 4;

struct Test {
    Bench<Varray> bench;
    Random random;
    std::deque<uint32_t> expected; /* [sum][column][row] */
    unsigned columns_seen = 0;

    explicit Test(uint64_t seed) : bench(seed), random(seed)
    {
    }
    void tick();
    void idle(unsigned cycles);
    void run_sum(unsigned planes, unsigned words);
};

void Test::tick()
{
    bench.tick();
    if (!bench.dut->valid_o)
        return;
    check_equal(bench.dut->column_o, columns_seen++ % columns, "the column", bench.cycle);
    for (unsigned r = 0; r < rows; r++) {
        if (expected.empty())
            check_equal(1, 0, "the number of results beyond those asked for", bench.cycle);
        check_equal((uint32_t)(bench.dut->sums_o >> (24 * r) & 0xFFFFFF), expected.front(), "the sum", bench.cycle);
        expected.pop_front();
    }
}

void Test::idle(unsigned cycles)
{
    bench.dut->word_i = 0;
    bench.dut->flush_i = 0;
    for (; cycles > 0; cycles--)
        tick();
}

void Test::run_sum(unsigned planes, unsigned words)
{
    std::vector<uint32_t> total(rows * columns);

    for (unsigned plane = 0; plane < planes; plane++) {
        for (unsigned word = 0; word < words; word++) {
            uint64_t w[rows], a[columns];
            for (unsigned r = 0; r < rows; r++) {
                w[r] = random.next();
                bench.dut->weights_i[2 * r] = (uint32_t)w[r];
                bench.dut->weights_i[2 * r + 1] = (uint32_t)(w[r] >> 32);
            }
            for (unsigned c = 0; c < columns; c++) {
                a[c] = random.percent(10) ? w[0] : random.next();
                bench.dut->activations_i[2 * c] = (uint32_t)a[c];
                bench.dut->activations_i[2 * c + 1] = (uint32_t)(a[c] >> 32);
                for (unsigned r = 0; r < rows; r++)
                    total[c * rows + r] += (uint32_t)__builtin_popcountll(~(w[r] ^ a[c])) << (planes - 1 - plane);
            }
            bench.dut->word_i = 1;
            bench.dut->flush_i = 0;
            bench.dut->first_i = plane == 0 && word == 0;
            tick();
        }
        if (plane == planes - 1)
            expected.insert(expected.end(), total.begin(), total.end());
        bench.dut->word_i = 0;
        bench.dut->flush_i = 1;
        bench.dut->last_i = plane == planes - 1;
        tick();
    }
    bench.dut->flush_i = 0;
    bench.dut->last_i = 0;
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Test test(seed);

    test.idle(0);
    test.bench.reset();
    test.idle(4);
    for (unsigned i = 0; i < 400; i++) {
        const unsigned planes = 1 + test.random.below(8), words = 1 + test.random.below(i % 10 == 0 ? 40 : 6);
        /* Sums end at least `columns` cycles apart. */
        const unsigned cycles = planes * (words + 1);
        test.idle((cycles < columns ? columns - cycles : 0) + (test.random.percent(30) ? test.random.below(9) : 0));
        test.run_sum(planes, words);
    }
    test.idle(30);
    check_equal((int64_t)test.expected.size(), 0, "the number of missing results", test.bench.cycle);
    std::printf("%u columns of results, seed %" PRIu64 "\n", test.columns_seen, seed);
    return 0;
}
