/* A memory behind an AXI4 port, for one master with one identifier: random latency, back-pressure and error responses;
 * it ends the test when the master breaks the protocol or leaves the regions it was given. */
#ifndef BDNN_COSIM_AXI_MEMORY_H
#define BDNN_COSIM_AXI_MEMORY_H

#include <cstring>
#include <deque>
#include <vector>

#include "bench.h"

/* The signals of the port in one cycle. */
struct AxiPort {
    /* from the master */
    bool arvalid, rready, awvalid, wvalid, wlast, bready;
    uint64_t araddr, awaddr, wstrb;
    unsigned arlen, awlen;
    uint8_t wdata[64];
    /* to the master */
    bool arready, rvalid, rlast, awready, wready, bvalid;
    unsigned rresp, bresp;
    uint8_t rdata[64];
};

class AxiMemory
{
  public:
    /* What the interconnect does: cycles from a request to its first beat, chance (percent) of a ready or of data in a
     * cycle. */
    struct Timing {
        unsigned latency_low, latency_high;
        unsigned ready_percent, data_percent;
    };

    AxiPort port = {};
    uint64_t base;
    std::vector<uint8_t> bytes;
    Timing timing = {4, 4, 100, 100};
    uint64_t error_address = UINT64_MAX; /* a burst that touches it is answered with SLVERR */
    uint64_t read_beats = 0, write_beats = 0, read_bursts = 0, write_bursts = 0;
    unsigned most_outstanding_reads = 0;

    AxiMemory(uint64_t base_address, size_t size, unsigned beat_bytes, uint64_t seed)
        : base(base_address), bytes(size), beat_(beat_bytes), random_(seed)
    {
    }
    /* The master may read and write only what is allowed. */
    void allow_read(uint64_t address, uint64_t size)
    {
        readable_.push_back({address, size});
    }
    void allow_write(uint64_t address, uint64_t size)
    {
        writable_.push_back({address, size});
    }
    void forget_regions()
    {
        readable_.clear();
        writable_.clear();
    }
    /* Chooses this cycle's signals to the master. */
    void drive();
    /* Takes what was transferred in this cycle: after the master's outputs have settled, before the clock's edge. */
    void sample(uint64_t cycle);
    bool quiet() const
    {
        return reads_.empty() && writes_.empty() && !port.bvalid && responses_.empty();
    }

  private:
    struct Region {
        uint64_t address, size;
    };
    struct Burst {
        uint64_t address;
        unsigned left;
        bool error;
        uint64_t due;
    };

    unsigned beat_;
    Random random_;
    std::vector<Region> readable_, writable_;
    std::deque<Burst> reads_, writes_, responses_;
    uint64_t cycle_ = 0;
    bool ar_held_ = false, aw_held_ = false, w_held_ = false, r_held_ = false, b_held_ = false;
    AxiPort before_ = {};

    [[noreturn]] void fail(const char *what, uint64_t address)
    {
        std::fprintf(stderr, "cycle %" PRIu64 ": %s, address 0x%" PRIx64 "\n", cycle_, what, address);
        std::exit(1);
    }
    Burst accept(uint64_t address, unsigned len, const std::vector<Region> &regions, const char *what);
};

inline void AxiMemory::drive()
{
    port.arready = random_.percent(timing.ready_percent);
    port.awready = random_.percent(timing.ready_percent);
    /* Data may come before their address is accepted; this memory takes them afterwards only. */
    port.wready = !writes_.empty() && random_.percent(timing.ready_percent);
    if (!r_held_) {
        port.rvalid = !reads_.empty() && reads_.front().due <= cycle_ && random_.percent(timing.data_percent);
        if (port.rvalid) {
            const Burst &burst = reads_.front();
            std::memcpy(port.rdata, &bytes[burst.address - base], beat_);
            port.rresp = burst.error ? 2 : 0;
            port.rlast = burst.left == 1;
        }
    }
    if (!b_held_) {
        port.bvalid = !responses_.empty() && responses_.front().due <= cycle_ && random_.percent(timing.data_percent);
        if (port.bvalid)
            port.bresp = responses_.front().error ? 2 : 0;
    }
}

inline AxiMemory::Burst AxiMemory::accept(uint64_t address, unsigned len, const std::vector<Region> &regions,
                                          const char *what)
{
    const uint64_t size = (uint64_t)(len + 1) * beat_;

    if (address % beat_ != 0)
        fail("an unaligned burst", address);
    if (address / 4096 != (address + size - 1) / 4096)
        fail("a burst crosses a 4-KiB border", address);
    bool inside = false;
    for (const Region &region : regions)
        inside |= address >= region.address && address + size <= region.address + region.size;
    if (!inside || address < base || address + size > base + bytes.size())
        fail(what, address);
    return {address, len + 1, error_address >= address && error_address < address + size,
            cycle_ + (uint64_t)random_.between(timing.latency_low, timing.latency_high)};
}

inline void AxiMemory::sample(uint64_t cycle)
{
    cycle_ = cycle;
    if (ar_held_ && (!port.arvalid || port.araddr != before_.araddr || port.arlen != before_.arlen))
        fail("ARVALID, ARADDR or ARLEN changed before ARREADY", before_.araddr);
    if (aw_held_ && (!port.awvalid || port.awaddr != before_.awaddr || port.awlen != before_.awlen))
        fail("AWVALID, AWADDR or AWLEN changed before AWREADY", before_.awaddr);
    if (w_held_ && (!port.wvalid || port.wlast != before_.wlast || std::memcmp(port.wdata, before_.wdata, beat_) != 0))
        fail("WVALID, WDATA or WLAST changed before WREADY", 0);
    ar_held_ = port.arvalid && !port.arready;
    aw_held_ = port.awvalid && !port.awready;
    w_held_ = port.wvalid && !port.wready;
    r_held_ = port.rvalid && !port.rready;
    b_held_ = port.bvalid && !port.bready;
    before_ = port;

    if (port.rvalid && port.rready) {
        Burst &burst = reads_.front();
        burst.address += beat_;
        read_beats++;
        if (--burst.left == 0)
            reads_.pop_front();
    }
    if (port.bvalid && port.bready)
        responses_.pop_front();
    if (port.wvalid && port.wready) {
        Burst &burst = writes_.front();
        if (port.wlast != (burst.left == 1))
            fail("WLAST is not at the last beat", burst.address);
        for (unsigned i = 0; i < beat_; i++)
            if (port.wstrb >> i & 1 && !burst.error)
                bytes[burst.address - base + i] = port.wdata[i];
        burst.address += beat_;
        write_beats++;
        if (--burst.left == 0) {
            burst.due = cycle + (uint64_t)random_.between(timing.latency_low, timing.latency_high);
            responses_.push_back(burst);
            writes_.pop_front();
        }
    }
    if (port.arvalid && port.arready) {
        reads_.push_back(accept(port.araddr, port.arlen, readable_, "a read outside of the buffers given"));
        read_bursts++;
        if (reads_.size() > most_outstanding_reads)
            most_outstanding_reads = (unsigned)reads_.size();
    }
    if (port.awvalid && port.awready) {
        writes_.push_back(accept(port.awaddr, port.awlen, writable_, "a write outside of the buffers given"));
        write_bursts++;
    }
}

#endif
