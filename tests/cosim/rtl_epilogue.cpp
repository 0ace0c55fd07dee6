/* SPDX-License-Identifier: BSD-2-Clause */
/* Requantization against 64-bit integer arithmetic: random and extreme accumulators, multipliers, offsets and bounds.
 */
#include "bench.h"

#include <deque>

#include "Vepilogue.h"

namespace
{

struct Expected {
    int32_t value;
    uint8_t tag;
};

int32_t definition(int32_t acc, int32_t multiplier, int64_t offset, int32_t low, int32_t high)
{
    const int64_t shifted = (int64_t)((uint64_t)((int64_t)acc * multiplier) + (uint64_t)offset) >> 32;
    return (int32_t)(shifted < low ? low : shifted > high ? high : shifted);
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Bench<Vepilogue> bench(seed);
    Random random(seed);
    std::deque<Expected> expected;
    const int32_t bounds[][2] = {{0, 15}, {0, 255}, {-32767, 32767}, {3, 9}, {-5, 1}};
    const int32_t extreme[] = {INT32_MIN, INT32_MAX, -1, 0, 1, 0xFFFF, 0x10000, -0x10000};
    unsigned values = 0;

    bench.dut->valid_i = 0;
    bench.reset();
    for (unsigned i = 0; i < 20000; i++) {
        /* Bounds and mode change only between runs of values. */
        const int32_t *bound = bounds[i / 1000 % 5];
        bench.dut->raw_i = i / 5000 == 3;
        bench.dut->low_i = (uint32_t)bound[0];
        bench.dut->high_i = (uint32_t)bound[1];
        const bool valid = i % 1000 < 980 && random.percent(90);
        const bool small = random.percent(50);
        int32_t acc = small ? (int32_t)random.between(-100000, 100000) : (int32_t)random.next();
        int32_t multiplier = small ? (int32_t)random.between(-3000000, 3000000) : (int32_t)random.next();
        if (random.percent(10))
            acc = extreme[random.below(8)];
        if (random.percent(10))
            multiplier = extreme[random.below(8)];
        /* |acc x multiplier| + |offset| stays below 2^63. */
        const int64_t offset = (int64_t)random.next() >> (small ? 26 : 2);
        bench.dut->valid_i = valid;
        bench.dut->acc_i = (uint32_t)acc;
        bench.dut->multiplier_i = (uint32_t)multiplier;
        bench.dut->offset_i = (uint64_t)offset;
        bench.dut->tag_i = (uint8_t)i;
        if (valid)
            expected.push_back(
                {bench.dut->raw_i ? acc : definition(acc, multiplier, offset, bound[0], bound[1]), (uint8_t)i});
        bench.tick();
        if (bench.dut->valid_o) {
            if (expected.empty())
                check_equal(1, 0, "the number of values beyond those given", bench.cycle);
            check_equal((int32_t)bench.dut->value_o, expected.front().value, "the value", bench.cycle);
            check_equal(bench.dut->tag_o, expected.front().tag, "the tag", bench.cycle);
            expected.pop_front();
            values++;
        }
    }
    check_equal((int64_t)expected.size(), 0, "the number of missing values", bench.cycle);
    std::printf("%u values, seed %" PRIu64 "\n", values, seed);
    return 0;
}
