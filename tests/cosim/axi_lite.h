/* SPDX-License-Identifier: BSD-2-Clause */
/* A host on an AXI4-Lite slave, for any model through a callback: one register access at a time, with random delays. */
#ifndef BDNN_COSIM_AXI_LITE_H
#define BDNN_COSIM_AXI_LITE_H

#include <functional>

#include "axi/axi_lite.h"
#include "bench.h"

class AxiLiteHost
{
  public:
    open_emu_lite_pins port = {};

    /* cycle: copies the port to the model, settles it, copies its outputs back and ends the cycle. */
    AxiLiteHost(std::function<void()> cycle, uint64_t seed) : cycle_(cycle)
    {
        axi_lite_init(&host_, &port, 60, seed);
    }
    AxiLiteHost(const AxiLiteHost &) = delete;
    AxiLiteHost &operator=(const AxiLiteHost &) = delete;
    void write(uint32_t address, uint32_t data, uint32_t strobe = 15)
    {
        axi_lite_write(&host_, address, data, (uint8_t)strobe);
        finish(address);
    }
    uint32_t read(uint32_t address)
    {
        axi_lite_read(&host_, address);
        finish(address);
        return port.rdata;
    }

  private:
    std::function<void()> cycle_;
    axi_lite_host host_;

    void finish(uint32_t address)
    {
        bool done;
        do {
            axi_lite_drive(&host_);
            cycle_();
            done = axi_lite_sample(&host_);
            if (host_.cycles > 1000) {
                std::fprintf(stderr, "register 0x%" PRIx32 ": no answer after %u cycles\n", address, host_.cycles);
                std::exit(1);
            }
        } while (!done);
        port.bready = port.rready = false;
    }
};

#endif
