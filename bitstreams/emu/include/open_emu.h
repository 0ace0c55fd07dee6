/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device library tells open_emu: the compute units of an emulated device and how to drive them. A kernel is a C
 * function, or a model of hardware, which open_emu clocks.
 *
 * A device library is the shared object that an emulation xclbin carries where a board's xclbin carries the bitstream.
 * It exports one object, `const struct open_emu_device open_emu_device`; scripts/build-xclbin writes and compiles it
 * from kernel descriptions (docs/use/emulation.md), so that few will write one by hand. Everything here is plain C and
 * stays valid as long as the library is loaded. Addresses are device addresses, sizes are bytes. */
#ifndef OPEN_EMU_H
#define OPEN_EMU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OPEN_EMU_ABI        2
#define OPEN_EMU_MAX_SPAN   0x10000u /* largest register range of a kernel */
#define OPEN_EMU_MAX_PORTS  16u
#define OPEN_EMU_BEAT_BYTES 64u /* of the widest port */

/* One run of a C kernel, for the generated adaptor that calls the kernel's function. `registers` is the unit's register
 * block as it was at the start; outputs are stored there. */
struct open_emu_call {
    uint8_t *registers;
    uint8_t *memory; /* where device address memory_base is */
    uint64_t memory_base, memory_size;
};

/* Registers [offset, offset + bytes) that the kernel writes and the host reads. */
struct open_emu_output {
    uint32_t offset, bytes;
};

/* ---- Models of hardware ---- */

/* The AXI4-Lite slave in one cycle. */
struct open_emu_lite_pins {
    /* from the host */
    uint8_t awvalid, wvalid, bready, arvalid, rready, wstrb;
    uint32_t awaddr, wdata, araddr;
    /* to the host */
    uint8_t awready, wready, bvalid, arready, rvalid, bresp, rresp;
    uint32_t rdata;
};

/* An AXI4 master in one cycle. What a model does not have keeps the value that it was given before the first cycle. */
struct open_emu_axi_pins {
    /* from the master */
    uint8_t arvalid, rready, awvalid, wvalid, wlast, bready;
    uint8_t arlen, arsize, arburst, awlen, awsize, awburst;
    uint32_t arid, awid;
    uint64_t araddr, awaddr, wstrb;
    uint8_t wdata[OPEN_EMU_BEAT_BYTES];
    /* to the master */
    uint8_t arready, rvalid, rlast, rresp, awready, wready, bvalid, bresp;
    uint32_t rid, bid;
    uint8_t rdata[OPEN_EMU_BEAT_BYTES];
};

struct open_emu_pins {
    uint8_t reset_n;
    struct open_emu_lite_pins control;
    struct open_emu_axi_pins port[OPEN_EMU_MAX_PORTS];
};

struct open_emu_port {
    const char *name;
    uint32_t bits; /* of data: 32 to 512 */
};

/* The functions of a model. A cycle is settle(), in which the pins to the model are put and those from it got with the
 * clock low, and then edge(), the rising edge. `fault` is called when the model stops itself: it does not return.
 *
 * create() makes the hardware of one compute unit, `name`; null without memory. trace_open() begins to write a waveform
 * (0 when there is none: the library was made without, or the file cannot be written); trace_close() completes it. */
struct open_emu_model {
    uint32_t port_count;
    const struct open_emu_port *ports;
    void *(*create)(const char *name, void (*fault)(const char *name, const char *what));
    void (*settle)(void *model, struct open_emu_pins *pins);
    void (*edge)(void *model);
    int (*trace_open)(void *model, const char *path);
    void (*trace_close)(void *model);
    void (*destroy)(void *model);
};

/* A kernel: either `call`, which runs it once, or `model`. The register range [0, span) follows ap_ctrl_hs: 0x00
 * control, 0x04 to 0x0c interrupts, arguments from 0x10. */
struct open_emu_kernel {
    const char *name;
    uint32_t span;
    void (*call)(const struct open_emu_call *call);
    uint32_t output_count; /* of `call`; a model keeps its own registers */
    const struct open_emu_output *outputs;
    const struct open_emu_model *model;
};

struct open_emu_instance {
    const char *name;
    const struct open_emu_kernel *kernel;
    uint64_t base; /* address of its registers */
};

struct open_emu_device {
    uint32_t abi; /* OPEN_EMU_ABI */
    const char *name;
    uint64_t memory_base, memory_size;
    double clock_mhz; /* of the kernels; only named in reports */
    uint32_t instance_count;
    const struct open_emu_instance *instances;
};

#define OPEN_EMU_DEVICE_SYMBOL "open_emu_device"

/* ---- For generated adaptors of C kernels ---- */

/* The host pointer behind the 64-bit device address in the register at `offset`. An address outside of the memory gives
 * a pointer to the end of it, where every access is caught and reported. */
static inline void *open_emu_pointer(const struct open_emu_call *call, uint32_t offset)
{
    uint64_t address = 0;
    for (int i = 7; i >= 0; i--)
        address = address << 8 | call->registers[offset + (uint32_t)i];
    address -= call->memory_base;
    return call->memory + (address < call->memory_size ? address : call->memory_size);
}

/* The value of type TYPE in the register at OFFSET. */
#define OPEN_EMU_SCALAR(CALL, TYPE, OFFSET) (*(const TYPE *)(const void *)((CALL)->registers + (OFFSET)))

/* Where the kernel stores an output register. */
#define OPEN_EMU_OUTPUT(CALL, TYPE, OFFSET) ((TYPE *)(void *)((CALL)->registers + (OFFSET)))

#ifdef __cplusplus
}
#endif
#endif
