/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's side of an AXI4-Lite slave of 32 bits, cycle by cycle: one register access at a time. Used by open_emu and
 * by the tests of the hardware.
 *
 *   axi_lite_read(&host, 0x10);
 *   do { axi_lite_drive(&host); settle the slave; done = axi_lite_sample(&host); clock's edge } while (!done); */
#ifndef OPEN_EMU_AXI_LITE_H
#define OPEN_EMU_AXI_LITE_H

#include "open_emu.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axi_lite_host {
    struct open_emu_lite_pins *pins; /* the caller's */
    unsigned percent;                /* chance that address, data or ready come in a cycle: 100 is a quick host */
    uint64_t random;
    bool address_due, data_due, response_due, write;
    unsigned cycles; /* of the access so far */
};

void axi_lite_init(struct axi_lite_host *host, struct open_emu_lite_pins *pins, unsigned percent, uint64_t seed);

/* Begin an access; the one before must have ended. */
void axi_lite_write(struct axi_lite_host *host, uint32_t address, uint32_t data, uint8_t strobe);
void axi_lite_read(struct axi_lite_host *host, uint32_t address);

/* Chooses this cycle's pins to the slave. */
void axi_lite_drive(struct axi_lite_host *host);

/* Takes what was transferred in this cycle. True when the access ends with it; what was read is pins->rdata, the
 * response pins->bresp or pins->rresp. */
bool axi_lite_sample(struct axi_lite_host *host);

#ifdef __cplusplus
}
#endif
#endif
