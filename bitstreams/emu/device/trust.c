/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of owners, permissions and the other ends of sockets. */
#include "trust.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool __attribute__((format(printf, 2, 3))) doubted(struct emu_doubt *doubt, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(doubt->text, sizeof doubt->text, format, arguments);
    va_end(arguments);
    return false;
}

bool emu_trust_folder(const char *path, enum emu_folder_kind kind, struct emu_doubt *doubt)
{
    const mode_t open = kind == EMU_FOLDER_CLOSED ? S_IRWXG | S_IRWXO : S_IWGRP | S_IWOTH;
    struct stat status;
    if (lstat(path, &status) != 0)
        return doubted(doubt, "the folder %s: %s", path, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return doubted(doubt, "%s is a link or a file, and must be a folder", path);
    if (status.st_uid != geteuid())
        return doubted(doubt, "the folder %s belongs to user %u, and must be this user's (%u)", path,
                       (unsigned)status.st_uid, (unsigned)geteuid());
    if (status.st_mode & open)
        return doubted(doubt, "the folder %s is open to others (mode %04o): chmod %s '%s' closes it", path,
                       (unsigned)status.st_mode & 07777, kind == EMU_FOLDER_CLOSED ? "go-rwx" : "go-w", path);
    return true;
}

bool emu_trust_new_folder(const char *path, enum emu_folder_kind kind, struct emu_doubt *doubt)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return doubted(doubt, "cannot make the folder %s: %s", path, strerror(errno));
    return emu_trust_folder(path, kind, doubt);
}

bool emu_trust_peer(int fd, struct emu_doubt *doubt)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return doubted(doubt, "the other end of the socket cannot be asked who it is: %s", strerror(errno));
    if (peer.uid != geteuid())
        return doubted(doubt, "the other end of the socket is process %ld of user %u, and must be this user's (%u)",
                       (long)peer.pid, (unsigned)peer.uid, (unsigned)geteuid());
    return true;
}

bool emu_trust_file(const char *folder, const char *path, char resolved[PATH_MAX], struct emu_doubt *doubt)
{
    char root[PATH_MAX];
    struct stat status;
    if (!folder || !*folder)
        return doubted(doubt, "no run folder is known (SDACCEL_EM_RUN_DIR of open-emu-env)");
    if (!emu_trust_folder(folder, EMU_FOLDER_CLOSED, doubt))
        return false;
    if (!realpath(folder, root))
        return doubted(doubt, "the folder %s: %s", folder, strerror(errno));
    if (!realpath(path, resolved))
        return doubted(doubt, "%s: %s", path, strerror(errno));
    const size_t length = strlen(root);
    if (strncmp(resolved, root, length) != 0 || resolved[length] != '/')
        return doubted(doubt, "%s does not lie in the run folder %s", resolved, root);
    if (stat(resolved, &status) != 0 || !S_ISREG(status.st_mode))
        return doubted(doubt, "%s is no regular file", resolved);
    return true;
}
