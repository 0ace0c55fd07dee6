/* A host on an AXI4-Lite slave, for any model through two callbacks: one register access at a time, with random delays.
 */
#ifndef BDNN_COSIM_AXI_LITE_H
#define BDNN_COSIM_AXI_LITE_H

#include <functional>

#include "bench.h"

struct AxiLitePort {
    /* from the host */
    bool awvalid, wvalid, bready, arvalid, rready;
    uint32_t awaddr, wdata, wstrb, araddr;
    /* to the host */
    bool awready, wready, bvalid, arready, rvalid;
    uint32_t bresp, rdata, rresp;
};

class AxiLiteHost
{
  public:
    AxiLitePort port = {};

    /* cycle: copies the port to the model, settles it, copies its outputs back and ends the cycle. */
    AxiLiteHost(std::function<void()> cycle, uint64_t seed) : cycle_(cycle), random_(seed)
    {
    }
    void write(uint32_t address, uint32_t data, uint32_t strobe = 15)
    {
        bool address_due = true, data_due = true;
        port.awaddr = address;
        port.wdata = data;
        port.wstrb = strobe;
        for (unsigned i = 0; address_due || data_due; i++) {
            bound(i, address);
            port.awvalid = address_due && (port.awvalid || random_.percent(60));
            port.wvalid = data_due && (port.wvalid || random_.percent(60));
            cycle_();
            address_due &= !(port.awvalid && port.awready);
            data_due &= !(port.wvalid && port.wready);
        }
        port.awvalid = port.wvalid = false;
        for (unsigned i = 0;; i++) {
            bound(i, address);
            port.bready = random_.percent(60);
            cycle_();
            if (port.bready && port.bvalid)
                break;
        }
        port.bready = false;
    }
    uint32_t read(uint32_t address)
    {
        port.araddr = address;
        port.arvalid = true;
        for (unsigned i = 0;; i++) {
            bound(i, address);
            cycle_();
            if (port.arready)
                break;
        }
        port.arvalid = false;
        for (unsigned i = 0;; i++) {
            bound(i, address);
            port.rready = random_.percent(60);
            cycle_();
            if (port.rready && port.rvalid)
                break;
        }
        port.rready = false;
        return port.rdata;
    }

  private:
    std::function<void()> cycle_;
    Random random_;

    void bound(unsigned cycles, uint32_t address)
    {
        if (cycles < 1000)
            return;
        std::fprintf(stderr, "register 0x%" PRIx32 ": no answer after %u cycles\n", address, cycles);
        std::exit(1);
    }
};

#endif
