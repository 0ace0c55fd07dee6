/* SPDX-License-Identifier: BSD-2-Clause */
/* Units with all their planes turned into planes of words: order, ends of pixels and blocks, full rate. */
#include <deque>
#include <vector>

#include "bdnn_hw.h"
#include "bench.h"

#include "Vturn.h"

namespace
{

constexpr unsigned parts = 2;

struct Word {
    uint64_t unit[parts];
    bool last, pixel_last, block_last;
};

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Bench<Vturn> bench(seed);
    Random random(seed);
    Vturn &dut = *bench.dut;
    std::deque<Word> expected;
    uint64_t words = 0;

    const auto cycle = [&] {
        dut.eval();
        if (dut.valid_o) {
            check_equal(expected.empty(), false, "whether a word comes too early", bench.cycle);
            const Word &word = expected.front();
            for (unsigned p = 0; p < parts; p++) {
                const uint64_t got = dut.word_o[2 * p] | (uint64_t)dut.word_o[2 * p + 1] << 32;
                check_equal((int64_t)got, (int64_t)word.unit[p], "a unit of a word", bench.cycle);
            }
            check_equal(dut.last_o, word.last, "whether it is the last plane", bench.cycle);
            check_equal(dut.pixel_last_o, word.pixel_last, "whether it ends a pixel", bench.cycle);
            check_equal(dut.block_last_o, word.block_last, "whether it ends a block", bench.cycle);
            expected.pop_front();
            words++;
        }
        bench.tick();
    };

    for (unsigned planes = 1; planes <= BDNN_HW_PLANES_MAX; planes++) {
        dut.planes_i = (uint8_t)planes;
        dut.valid_i = 0;
        bench.reset();
        for (int i = 0; i < 400; i++) {
            std::vector<uint64_t> units(parts * planes);
            for (uint64_t &unit : units)
                unit = random.next();
            const bool pixel_last = random.percent(30), block_last = pixel_last && random.percent(50);
            for (unsigned p = 0; p < parts; p++)
                for (unsigned q = 0; q < planes; q += 2) {
                    while (random.percent(i < 200 ? 0 : 40))
                        cycle();
                    const bool unit_end = q + 2 >= planes;
                    dut.valid_i = 1;
                    dut.plane_i = (uint8_t)q;
                    dut.plane_last_i = unit_end;
                    dut.first_i = units[p * planes + q];
                    dut.second_i = q + 1 < planes ? units[p * planes + q + 1] : random.next();
                    dut.pixel_last_i = p + 1 == parts && unit_end && pixel_last;
                    dut.block_last_i = p + 1 == parts && unit_end && block_last;
                    cycle();
                    dut.valid_i = 0;
                }
            for (unsigned q = 0; q < planes; q++)
                expected.push_back({{units[q], units[planes + q]}, q + 1 == planes, pixel_last, block_last});
        }
        for (unsigned i = 0; i <= planes; i++)
            cycle();
        check_equal((int64_t)expected.size(), 0, "the number of missing words", bench.cycle);
    }
    std::printf("%" PRIu64 " words, seed %" PRIu64 "\n", words, seed);
    return 0;
}
