/* SPDX-License-Identifier: BSD-2-Clause */
/* Unix sockets, and the loop of requests and answers. */
#include "server.h"
#include "report.h"
#include "trust.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Where the shims put their sockets. The folder must be this user's: in another's, the other end could be anybody. */
static bool socket_folder(char *path, size_t size)
{
    const char *user = getenv("USER");
    if (!user || !*user) {
        emu_say("USER is not set, so that the socket's folder is not known");
        return false;
    }
    int length = snprintf(path, size, "/tmp/%s", user);
    return length > 0 && (size_t)length < size;
}

static bool socket_address(const char *name, struct sockaddr_un *address)
{
    char folder[sizeof address->sun_path];
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strchr(name, '/') || !socket_folder(folder, sizeof folder))
        return false;
    int length = snprintf(address->sun_path, sizeof address->sun_path, "%s/%s", folder, name);
    return length > 0 && (size_t)length < sizeof address->sun_path;
}

static bool sound_folder(void)
{
    char folder[sizeof((struct sockaddr_un *)NULL)->sun_path];
    struct emu_doubt doubt;
    if (!socket_folder(folder, sizeof folder))
        return false;
    if (emu_trust_new_folder(folder, EMU_FOLDER_READABLE, &doubt))
        return true;
    emu_say("no connection: %s", doubt.text);
    return false;
}

/* Of a connected socket; closes that of a stranger. */
static bool sound_peer(int fd)
{
    struct emu_doubt doubt;
    if (emu_trust_peer(fd, &doubt))
        return true;
    emu_say("refused: %s", doubt.text);
    close(fd);
    return false;
}

/* The other side may come later: tries again until patience is at its end. */
static int connect_patiently(const struct sockaddr_un *address, unsigned patience)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    for (unsigned tries = 0; tries <= patience * 200; tries++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return -1;
        if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
            return sound_peer(fd) ? fd : -1;
        close(fd);
        nanosleep(&pause, NULL);
    }
    return -1;
}

static time_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Strangers are sent away, and do not keep the host program out. */
static int accept_own(int listening, unsigned patience)
{
    const time_t end = seconds_now() + (time_t)patience;
    for (time_t left = (time_t)patience; left > 0; left = end - seconds_now()) {
        struct pollfd ready = {.fd = listening, .events = POLLIN};
        int fd = poll(&ready, 1, (int)left * 1000) == 1 ? accept4(listening, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd < 0 || sound_peer(fd))
            return fd;
    }
    return -1;
}

static int accept_one(const struct sockaddr_un *address, unsigned patience)
{
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listening < 0)
        return -1;
    unlink(address->sun_path);
    int fd = -1;
    /* The socket's file gets the permissions that the descriptor has. */
    if (fchmod(listening, 0600) == 0 && bind(listening, (const struct sockaddr *)address, sizeof *address) == 0 &&
        listen(listening, 1) == 0)
        fd = accept_own(listening, patience);
    close(listening);
    unlink(address->sun_path);
    return fd;
}

/* False at the end of the stream or an error. */
static bool receive(int fd, uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t got = recv(fd, bytes, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

static bool transmit(int fd, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Room grows as bytes come, not as the header promises. */
static bool receive_body(int fd, struct wire_buffer *body, uint64_t size)
{
    const size_t portion = (size_t)1 << 20;
    body->size = 0;
    while (size) {
        size_t now = size < portion ? (size_t)size : portion;
        if (!wire_reserve(body, now) || !receive(fd, body->bytes + body->size, now))
            return false;
        body->size += now;
        size -= now;
    }
    return true;
}

enum { HOST_MEMORY_PATIENCE = 2 };

/* hw_emu's shim has a thread that serves the device's accesses to host memory and ends when told so: by a header with
 * number 1. */
static int open_host_memory(const struct emu_server *server, struct sockaddr_un *address)
{
    char name[sizeof address->sun_path];
    if (snprintf(name, sizeof name, "D2X_unix_sock_%s", server->socket_id) >= (int)sizeof name ||
        !socket_address(name, address))
        return -1;
    return connect_patiently(address, HOST_MEMORY_PATIENCE);
}

static void close_host_memory(int fd, const struct sockaddr_un *address)
{
    static const uint8_t header[RPC_REQUEST_HEADER] = {0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x15, 1};
    if (fd < 0)
        return;
    transmit(fd, header, sizeof header);
    close(fd);
    unlink(address->sun_path);
}

static bool answer_one(int fd, struct rpc_context *context, uint32_t number, const struct wire_buffer *body,
                       struct wire_buffer *answer)
{
    enum emu_fault_kind fault = emu_fault_request(context->faults);
    if (fault == EMU_FAULT_SILENCE)
        return true;
    answer->size = 0;
    uint8_t header[RPC_ANSWER_HEADER];
    if (!rpc_serve(context, number, body->bytes, body->size, answer)) {
        emu_say("request %u of %zu bytes is no message of the protocol, or memory ran out", (unsigned)number,
                body->size);
        return false;
    }
    rpc_make_header(header, answer->size);
    if (fault == EMU_FAULT_GARBAGE) {
        emu_fault_garbage(context->faults, header, sizeof header);
        emu_fault_garbage(context->faults, answer->bytes, answer->size);
    }
    /* A host that is gone is not the device's fault: the next read ends the loop. */
    if (transmit(fd, header, sizeof header))
        transmit(fd, answer->bytes, answer->size);
    return true;
}

static bool serve_requests(int fd, struct rpc_context *context, int host_memory,
                           const struct sockaddr_un *host_memory_address)
{
    struct wire_buffer body = {0}, answer = {0};
    bool sound = true;
    uint8_t header[RPC_REQUEST_HEADER];
    while (sound && !context->closed && receive(fd, header, sizeof header)) {
        uint64_t size;
        uint32_t number;
        if (!rpc_parse_header(header, &size, &number) || size > RPC_LONGEST_REQUEST) {
            emu_say("the host sends what is no request");
            sound = false;
            break;
        }
        if (!receive_body(fd, &body, size))
            break;
        if (number == RPC_CLOSE)
            close_host_memory(host_memory, host_memory_address);
        sound = answer_one(fd, context, number, &body, &answer);
    }
    wire_release(&body);
    wire_release(&answer);
    return sound;
}

bool emu_serve(const struct emu_server *server, struct rpc_context *context)
{
    struct sockaddr_un address, host_memory_address = {0};
    if (!socket_address(server->socket_id, &address)) {
        emu_say("'%s' is no name of a socket, or too long", server->socket_id);
        return false;
    }
    if (!sound_folder())
        return false;
    int fd = server->listen ? accept_one(&address, server->patience) : connect_patiently(&address, server->patience);
    if (fd < 0) {
        emu_say("no host program at %s: %s", address.sun_path, strerror(errno));
        return false;
    }
    int host_memory = context->software ? -1 : open_host_memory(server, &host_memory_address);
    bool sound = serve_requests(fd, context, host_memory, &host_memory_address);
    close(fd);
    return sound;
}
