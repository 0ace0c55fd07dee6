/* What a device library tells open_emu: the compute units of an emulated device and how to drive them.
 *
 * A device library is the shared object that an emulation xclbin carries where a board's xclbin carries the bitstream.
 * It exports one object, `const struct open_emu_device open_emu_device`; scripts/build-xclbin writes and compiles it
 * from kernel descriptions (docs/emulation.md), so that few will write one by hand. Everything here is plain C and
 * stays valid as long as the library is loaded. Addresses are device addresses, sizes are bytes. */
#ifndef OPEN_EMU_H
#define OPEN_EMU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OPEN_EMU_ABI      1
#define OPEN_EMU_MAX_SPAN 0x10000u /* largest register range of a kernel */

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

/* A kernel. `call` runs it once. The register range [0, span) follows ap_ctrl_hs: 0x00 control, 0x04 to 0x0c
 * interrupts, arguments from 0x10. */
struct open_emu_kernel {
    const char *name;
    uint32_t span;
    void (*call)(const struct open_emu_call *call);
    uint32_t output_count;
    const struct open_emu_output *outputs;
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

/* --- for generated adaptors of C kernels
 * ----------------------------------------------------------------------------------- */

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
