/* SPDX-License-Identifier: BSD-2-Clause */
/* The connection to the host program's shim. */
#ifndef OPEN_EMU_SERVER_H
#define OPEN_EMU_SERVER_H

#include "rpc.h"

/* How the two find each other: the socket is /tmp/$USER/$EMULATION_SOCKETID. The shim first tries to connect, then
 * listens itself; a device process that the shim starts therefore only connects, and one that waits for host programs
 * listens. */
struct emu_server {
    const char *socket_id;
    bool listen;
    unsigned patience; /* seconds to wait for the other side */
};

/* Serves requests until the host closes the device or is gone. False when no connection came about or it broke the
 * protocol. */
bool emu_serve(const struct emu_server *server, struct rpc_context *context);

#endif
