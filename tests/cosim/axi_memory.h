/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory behind an AXI4 port (bitstreams/emu/axi) for tests: with bytes of its own, of which the master may access
 * the regions given; it ends the test when the master breaks the protocol or leaves them. */
#ifndef BDNN_COSIM_AXI_MEMORY_H
#define BDNN_COSIM_AXI_MEMORY_H

#include <cstring>
#include <deque>
#include <vector>

#include "axi/axi_memory.h"
#include "bench.h"

class AxiMemory
{
  public:
    typedef axi_timing Timing;

    open_emu_axi_pins port = {};
    uint64_t base;
    std::vector<uint8_t> bytes;
    Timing timing = {4, 4, 100, 100};
    uint64_t error_address = UINT64_MAX; /* a burst that touches it is answered with SLVERR */
    bool absent = false;                 /* there is no memory: each burst is answered with DECERR */
    const char *subject = "";            /* of messages: what the master is doing */

    AxiMemory(uint64_t base_address, size_t size, unsigned beat_bytes, uint64_t seed) : base(base_address), bytes(size)
    {
        const axi_backing backing = {this, place, violation};
        axi_memory_init(&memory_, &port, beat_bytes, &backing, nullptr, seed);
    }
    AxiMemory(const AxiMemory &) = delete;
    AxiMemory &operator=(const AxiMemory &) = delete;
    /* The master may read and write only what is allowed. */
    void allow_read(uint64_t address, uint64_t size)
    {
        allow_read(address, size, here(address, size));
    }
    void allow_write(uint64_t address, uint64_t size)
    {
        allow_write(address, size, here(address, size));
    }
    /* The same with bytes of the caller's, of which there is a beat more at each end. */
    void allow_read(uint64_t address, uint64_t size, uint8_t *memory)
    {
        readable_.push_back({address, size, memory});
    }
    void allow_write(uint64_t address, uint64_t size, uint8_t *memory)
    {
        writable_.push_back({address, size, memory});
    }
    void forget_regions()
    {
        readable_.clear();
        writable_.clear();
    }
    /* Chooses this cycle's signals to the master. */
    void drive()
    {
        memory_.timing = timing;
        axi_memory_drive(&memory_);
    }
    /* Takes what was transferred in this cycle: after the master's outputs have settled, before the clock's edge. */
    void sample()
    {
        axi_memory_sample(&memory_);
    }
    bool quiet() const
    {
        return axi_memory_quiet(&memory_);
    }
    const axi_counters &counters() const
    {
        return memory_.counters;
    }

  private:
    struct Region {
        uint64_t address, size;
        uint8_t *bytes;
    };

    axi_memory memory_;
    std::vector<Region> readable_, writable_;

    uint8_t *here(uint64_t address, uint64_t size)
    {
        if (address < base || address - base > bytes.size() || size > bytes.size() - (address - base))
            violation(this, "a region that is not in the memory", address);
        return bytes.data() + (address - base);
    }
    static axi_place place(void *context, uint64_t address, uint64_t size, bool write)
    {
        static uint8_t nothing[4096];
        AxiMemory &self = *static_cast<AxiMemory *>(context);
        if (self.absent)
            return {nothing, sizeof nothing, AXI_DECERR};
        const axi_response response =
            self.error_address >= address && self.error_address < address + size ? AXI_SLVERR : AXI_OKAY;
        /* The first and the last beat may be partly outside: what is read there counts for nothing, and bytes written
         * behind the end are found by their strobe. */
        for (const Region &region : write ? self.writable_ : self.readable_) {
            const uint64_t end = region.address + region.size;
            if (address >= region.address - region.address % self.memory_.beat && address < end &&
                address + size < end + self.memory_.beat)
                return {region.bytes + (int64_t)(address - region.address), end - address, response};
        }
        return {nullptr, 0, response};
    }
    static void violation(void *context, const char *what, uint64_t address)
    {
        const AxiMemory &self = *static_cast<AxiMemory *>(context);
        std::fprintf(stderr, "cycle %" PRIu64 ": %s, address 0x%" PRIx64 "%s%s\n", self.memory_.cycle, what, address,
                     *self.subject ? "; " : "", self.subject);
        std::exit(1);
    }
};

#endif
