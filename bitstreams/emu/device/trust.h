/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom the emulation trusts: this user and root alone. Its folders must be closed to others, since XRT's shims open
 * what they write there to everybody; the other end of a socket must be a process of this user; and a device library
 * that the host program names must lie in this user's run folder. Also used by the wrapper around the shims, in the
 * host program. */
#ifndef OPEN_EMU_TRUST_H
#define OPEN_EMU_TRUST_H

#include <limits.h>
#include <stdbool.h>

struct emu_doubt {
    char text[PATH_MAX + 160];
};

/* What others may do in a folder of this user. */
enum emu_folder_kind {
    EMU_FOLDER_READABLE, /* look, but not write */
    EMU_FOLDER_CLOSED,   /* nothing, not even pass through */
};

/* Whether `path` is a folder of this user, not a link to one, and as closed to others as `kind` says; else *doubt tells
 * why not. */
bool emu_trust_folder(const char *path, enum emu_folder_kind kind, struct emu_doubt *doubt);

/* Makes the folder, closed, unless it is there; then as above. */
bool emu_trust_new_folder(const char *path, enum emu_folder_kind kind, struct emu_doubt *doubt);

/* Whether the other end of the connected unix socket is a process of this user. */
bool emu_trust_peer(int fd, struct emu_doubt *doubt);

/* Whether `path` is a regular file in `folder` or below, all links followed; `folder` (null: there is none, and nothing
 * is trusted) must be closed to others. `resolved` is then the file's path without links. */
bool emu_trust_file(const char *folder, const char *path, char resolved[PATH_MAX], struct emu_doubt *doubt);

#endif
