/* SPDX-License-Identifier: BSD-2-Clause */
/* The packer, of one, two or four values a cycle, in its three modes and all plane counts, with gaps and back-pressure
 * on both sides. */
#include "bdnn_hw.h"
#include "bench.h"

#include <cstring>
#include <deque>

#include MODEL_HEADER

namespace
{

struct Test {
    static constexpr unsigned lanes = sizeof(MODEL::values_i) / 4;

    Bench<MODEL> bench;
    Random random;
    std::deque<uint32_t> input;
    std::deque<uint64_t> expected;
    unsigned beats = 0;
    bool offered = false;

    explicit Test(uint64_t seed) : bench(seed), random(seed)
    {
        bench.dut->valid_i = 0;
        bench.dut->ready_i = 0;
        bench.dut->mode_i = BDNN_HW_MODE_PLANES;
        bench.reset();
    }
    void pixel(bdnn_hw_mode mode, unsigned planes);
    void run(bdnn_hw_mode mode, unsigned planes, unsigned percent);
};

/* The input and the expected beats of a unit. */
void Test::pixel(bdnn_hw_mode mode, unsigned planes)
{
    bdnn_hw_job job = {};
    job.mode = mode;
    job.out_planes = planes;
    const unsigned bits = bdnn_hw_value_bits(&job);
    uint64_t words[BDNN_HW_MODE_INT32_BITS] = {0};

    for (unsigned c = 0; c < BDNN_HW_UNIT; c++) {
        uint32_t value = (uint32_t)random.next();
        if (mode == BDNN_HW_MODE_PLANES)
            value &= (1u << planes) - 1;
        input.push_back(value);
        for (unsigned p = 0; mode == BDNN_HW_MODE_PLANES && p < planes; p++)
            words[p] |= (uint64_t)(value >> p & 1) << c;
        if (mode == BDNN_HW_MODE_INT16)
            words[c * bits / BDNN_HW_UNIT] |= (uint64_t)(uint16_t)value << c * bits % BDNN_HW_UNIT;
        if (mode == BDNN_HW_MODE_INT32)
            words[c * bits / BDNN_HW_UNIT] |= (uint64_t)value << c * bits % BDNN_HW_UNIT;
    }
    expected.insert(expected.end(), words, words + bits);
}

void Test::run(bdnn_hw_mode mode, unsigned planes, unsigned percent)
{
    bench.dut->mode_i = (uint8_t)mode;
    bench.dut->planes_i = (uint8_t)planes;
    for (int i = 0; i < 6; i++)
        pixel(mode, planes);
    for (unsigned i = 0; !expected.empty(); i++) {
        if (i > 20000)
            check_equal((int64_t)expected.size(), 0, "the number of missing beats", bench.cycle);
        offered = !input.empty() && (offered || random.percent(percent));
        bench.dut->valid_i = offered;
        for (unsigned l = 0; l < lanes && !input.empty(); l++)
            std::memcpy(reinterpret_cast<char *>(&bench.dut->values_i) + 4 * l, &input[l], 4);
        bench.dut->ready_i = random.percent(percent);
        bench.dut->eval();
        if (bench.dut->valid_i && bench.dut->ready_o) {
            input.erase(input.begin(), input.begin() + lanes);
            offered = false;
        }
        if (bench.dut->valid_o && bench.dut->ready_i) {
            check_equal((int64_t)bench.dut->data_o, (int64_t)expected.front(), "the beat", bench.cycle);
            expected.pop_front();
            beats++;
        }
        bench.tick();
    }
    bench.dut->ready_i = 0;
    bench.dut->eval();
    check_equal(bench.dut->valid_o, 0, "whether a beat is left", bench.cycle);
    check_equal((int64_t)input.size(), 0, "the number of values not taken", bench.cycle);
}

} // namespace

int main(int argc, char **argv)
{
    const uint64_t seed = seed_argument(argc, argv);
    Test test(seed);

    for (unsigned percent : {100u, 60u, 20u}) {
        for (unsigned planes = 1; planes <= BDNN_HW_OUT_PLANES_MAX; planes++)
            test.run(BDNN_HW_MODE_PLANES, planes, percent);
        test.run(BDNN_HW_MODE_INT16, 1, percent);
        test.run(BDNN_HW_MODE_INT32, 8, percent);
    }
    std::printf("%u beats, seed %" PRIu64 "\n", test.beats, seed);
    return 0;
}
