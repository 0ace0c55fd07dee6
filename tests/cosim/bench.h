/* SPDX-License-Identifier: BSD-2-Clause */
/* What every hardware test needs: a clock, repeatable random numbers, and checks that say what differed. */
#ifndef BDNN_COSIM_BENCH_H
#define BDNN_COSIM_BENCH_H

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "verilated.h"

/* xorshift64*: the same sequence everywhere. */
class Random
{
  public:
    explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1)
    {
    }
    uint64_t next()
    {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545F4914F6CDD1Du;
    }
    /* A number of 0 .. count - 1. */
    uint32_t below(uint32_t count)
    {
        return (uint32_t)((next() >> 32) % count);
    }
    /* A number of low .. high. */
    int64_t between(int64_t low, int64_t high)
    {
        return low + (int64_t)(next() % (uint64_t)(high - low + 1));
    }
    bool percent(uint32_t chance)
    {
        return below(100) < chance;
    }

  private:
    uint64_t state_;
};

/* A Verilated module with clk_i and rst_ni. Inputs set before tick() are sampled by its rising edge; outputs read after
 * it are those that the next edge will see. */
template <class Model> class Bench
{
  public:
    std::unique_ptr<VerilatedContext> context{new VerilatedContext};
    std::unique_ptr<Model> dut;
    uint64_t cycle = 0;

    explicit Bench(uint64_t seed)
    {
        context->randReset(2);
        context->randSeed((int)seed + 1);
        dut.reset(new Model{context.get()});
    }
    ~Bench()
    {
        dut->final();
    }
    void reset()
    {
        dut->rst_ni = 0;
        for (int i = 0; i < 4; i++)
            tick();
        dut->rst_ni = 1;
    }
    void tick()
    {
        dut->clk_i = 0;
        dut->eval();
        dut->clk_i = 1;
        dut->eval();
        dut->clk_i = 0;
        dut->eval();
        cycle++;
    }
};

inline uint64_t seed_argument(int argc, char **argv)
{
    return argc > 1 ? strtoull(argv[1], nullptr, 0) : 1;
}

/* Ends the program with a message unless the two integers are equal. */
inline void check_equal(int64_t got, int64_t expected, const char *what, uint64_t cycle)
{
    if (got == expected)
        return;
    std::fprintf(stderr, "cycle %" PRIu64 ": %s is %" PRId64 ", expected %" PRId64 "\n", cycle, what, got, expected);
    std::exit(1);
}

#endif
