/* SPDX-License-Identifier: BSD-2-Clause */
/* XRT's emulation RPC: the requests of the host program's shim, carried out on an emulated device. */
#ifndef OPEN_EMU_RPC_H
#define OPEN_EMU_RPC_H

#include "device.h"
#include "fault.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every request and answer is preceded by its size; a request also by its number:
 *   09 <size, 8 bytes, little-endian> 15 <number, 4 bytes>       request
 *   09 <size, 8 bytes>                                           answer */
enum { RPC_REQUEST_HEADER = 14, RPC_ANSWER_HEADER = 9 };

/* Longer requests are refused: the shims cut transfers into packets (packet_size in xrt.ini, 8 MiB by default). */
#define RPC_LONGEST_REQUEST ((uint64_t)256 << 20)

enum rpc_number {
    RPC_CLOSE = 1,
    RPC_LOAD_BITSTREAM = 3,
    RPC_ALLOCATE = 4,
    RPC_FREE = 5,
    RPC_HOST_TO_DEVICE = 6,
    RPC_DEVICE_TO_HOST = 7,
    RPC_WRITE_REGISTERS = 9,
    RPC_READ_REGISTERS = 11,
    RPC_DEBUG_MESSAGES = 19,
    RPC_SET_ENVIRONMENT = 20,
    RPC_SETUP_INSTANCE = 28,
    RPC_WRITE_REGISTER = 51,
    RPC_READ_REGISTER = 52,
};

struct rpc_context {
    struct emu_device *device;
    struct emu_fault_plan *faults;
    const char *run_folder; /* where the host may name a library, or null */
    bool software; /* sw_emu: the host names the library, transfers have no offsets, Close may keep the device */
    bool closed;   /* set by the last Close */
};

/* Whether `header` begins a request, and then its size and number. */
bool rpc_parse_header(const uint8_t header[RPC_REQUEST_HEADER], uint64_t *size, uint32_t *number);
void rpc_make_header(uint8_t header[RPC_ANSWER_HEADER], uint64_t size);

/* Carries out one request and appends the answer's body to `answer`. False when the request is no message of the
 * protocol or the answer finds no memory: the connection is of no use then. A request that is understood but cannot be
 * carried out is answered as the protocol says so (no acknowledgement, no bytes) and reported. */
bool rpc_serve(struct rpc_context *context, uint32_t number, const uint8_t *body, size_t size,
               struct wire_buffer *answer);

#endif
