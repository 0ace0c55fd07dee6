/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's side of an AXI4-Lite slave. */
#include "axi_lite.h"

#include <string.h>

static bool chance(struct axi_lite_host *host)
{
    if (host->percent >= 100)
        return true;
    host->random ^= host->random << 13;
    host->random ^= host->random >> 7;
    host->random ^= host->random << 17;
    return (host->random >> 32) % 100 < host->percent;
}

void axi_lite_init(struct axi_lite_host *host, struct open_emu_lite_pins *pins, unsigned percent, uint64_t seed)
{
    memset(host, 0, sizeof *host);
    memset(pins, 0, sizeof *pins);
    host->pins = pins;
    host->percent = percent;
    host->random = seed * 0x9E3779B97F4A7C15u + 1;
}

void axi_lite_write(struct axi_lite_host *host, uint32_t address, uint32_t data, uint8_t strobe)
{
    host->pins->awaddr = address;
    host->pins->wdata = data;
    host->pins->wstrb = strobe;
    host->address_due = host->data_due = host->response_due = host->write = true;
    host->cycles = 0;
}

void axi_lite_read(struct axi_lite_host *host, uint32_t address)
{
    host->pins->araddr = address;
    host->address_due = host->response_due = true;
    host->data_due = host->write = false;
    host->cycles = 0;
}

/* A valid that is there stays until its ready. */
void axi_lite_drive(struct axi_lite_host *host)
{
    struct open_emu_lite_pins *pins = host->pins;
    const bool write = host->write, response = host->response_due && !host->address_due && !host->data_due;
    pins->awvalid = write && host->address_due && (pins->awvalid || chance(host));
    pins->wvalid = write && host->data_due && (pins->wvalid || chance(host));
    pins->arvalid = !write && host->address_due && (pins->arvalid || chance(host));
    pins->bready = write && response && chance(host);
    pins->rready = !write && response && chance(host);
}

bool axi_lite_sample(struct axi_lite_host *host)
{
    const struct open_emu_lite_pins *pins = host->pins;
    if (!host->response_due)
        return false;
    host->cycles++;
    if ((pins->awvalid && pins->awready) || (pins->arvalid && pins->arready))
        host->address_due = false;
    if (pins->wvalid && pins->wready)
        host->data_due = false;
    if ((pins->bready && pins->bvalid) || (pins->rready && pins->rvalid))
        host->response_due = false;
    return !host->response_due;
}
