/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths that a command will write to, looked at before its work begins. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of a path, and what the path is called in it. */
static const char *split(const char *path, char folder[4096])
{
    const char *slash = strrchr(path, '/');
    snprintf(folder, 4096, "%.*s", !slash ? 1 : slash == path ? 1 : (int)(slash - path), slash ? path : ".");
    return slash ? slash + 1 : path;
}

int cli_check_output(const char *path)
{
    char folder[4096];
    struct stat there;
    split(path, folder);
    if (access(folder, W_OK | X_OK) != 0) {
        fprintf(stderr, "bdnn: %s: cannot write: %s\n", path, strerror(errno));
        return CLI_FAILED;
    }
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        fprintf(stderr, "bdnn: %s: cannot write: not a plain file\n", path);
        return CLI_FAILED;
    }
    return CLI_OK;
}

char *cli_plain_path(const char *path)
{
    char folder[4096], *real, *plain;
    const char *name = split(path, folder), *place;
    real = realpath(folder, NULL);
    place = real ? real : folder;
    plain = malloc(strlen(place) + strlen(name) + 2);
    if (plain) {
        sprintf(plain, "%s/%s", place, name);
    }
    free(real);
    return plain;
}

static bool same_inode(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool cli_same_file(const char *a, const char *b)
{
    char folder_a[4096], folder_b[4096];
    const char *name_a = split(a, folder_a), *name_b = split(b, folder_b);
    return strcmp(a, b) == 0 || same_inode(a, b) || (strcmp(name_a, name_b) == 0 && same_inode(folder_a, folder_b));
}

int cli_check_outputs(const char *command, const char *const *outputs, size_t output_count, const char *const *inputs,
                      size_t input_count)
{
    for (size_t i = 0; i < output_count; i++) {
        if (!outputs[i]) {
            continue;
        }
        for (size_t j = 0; j < i; j++) {
            if (outputs[j] && cli_same_file(outputs[i], outputs[j])) {
                return cli_usage(command, "'%s' and '%s' are the same file for two outputs", outputs[j], outputs[i]);
            }
        }
        for (size_t j = 0; j < input_count; j++) {
            if (inputs[j] && cli_same_file(outputs[i], inputs[j])) {
                return cli_usage(command, "the output '%s' is also an input ('%s')", outputs[i], inputs[j]);
            }
        }
    }
    for (size_t i = 0; i < output_count; i++) {
        if (outputs[i] && cli_check_output(outputs[i]) != CLI_OK) {
            return CLI_FAILED;
        }
    }
    return CLI_OK;
}
