/* SPDX-License-Identifier: BSD-2-Clause */
/* Items of a dataset that cannot be read: skipped as far as --skip-bad allows, and reported. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

bool cli_take_skip_bad(const char *command, const char *text, cli_skips *skips)
{
    if (strcmp(text, "all") == 0) {
        skips->most = INT64_MAX;
        return true;
    }
    return cli_integer(command, "skip-bad", text, 0, INT64_MAX, &skips->most);
}

/* What a file can be guilty of; a machine without memory, or a network that does not fit, is no fault of an item. */
static bool is_unreadable(bdnn_status status)
{
    return status == BDNN_ERROR_IO || status == BDNN_ERROR_FORMAT || status == BDNN_ERROR_UNSUPPORTED;
}

static bool note(cli_skips *skips, size_t index, const char *name, const char *reason)
{
    if (skips->count == skips->room) {
        const size_t room = skips->room ? 2 * skips->room : 16;
        cli_skipped *items = realloc(skips->items, room * sizeof *items);
        if (!items) {
            return false;
        }
        skips->items = items;
        skips->room = room;
    }
    skips->items[skips->count] = (cli_skipped){.index = index, .name = strdup(name), .reason = strdup(reason)};
    skips->count++; /* also what is freed below */
    return skips->items[skips->count - 1].name && skips->items[skips->count - 1].reason;
}

bdnn_status cli_skip(cli_skips *skips, bdnn_status status, size_t index, const char *name, bdnn_error *err)
{
    if (!is_unreadable(status) || skips->most == 0) {
        return status;
    }
    if (skips->count >= (unsigned long long)skips->most) {
        char reason[sizeof err->message];
        snprintf(reason, sizeof reason, "%s", err->message);
        return cli_error(err, status, "%.420s (%zu before it were skipped, as many as --skip-bad allows)", reason,
                         skips->count);
    }
    return note(skips, index, name, err->message)
               ? BDNN_OK
               : cli_error(err, BDNN_ERROR_MEMORY, "no memory for the list of what is skipped");
}

void cli_skips_print(const cli_skips *skips, size_t of)
{
    if (skips->count) {
        printf("\nskipped %zu of %zu, which cannot be read:\n", skips->count, of);
    }
    for (size_t i = 0; i < skips->count; i++) {
        char reason[sizeof((bdnn_error *)NULL)->message];
        snprintf(reason, sizeof reason, "%s", skips->items[i].reason);
        printf("  %zu  %s\n", skips->items[i].index, cli_printable(reason));
    }
}

void cli_skips_json(const cli_skips *skips, cJSON *object)
{
    cJSON *list = cJSON_AddArrayToObject(object, "skipped");
    for (size_t i = 0; i < skips->count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "index", (double)skips->items[i].index);
        cli_json_text(item, "item", skips->items[i].name);
        cli_json_text(item, "reason", skips->items[i].reason);
        cJSON_AddItemToArray(list, item);
    }
}

void cli_skips_free(cli_skips *skips)
{
    for (size_t i = 0; i < skips->count; i++) {
        free(skips->items[i].name);
        free(skips->items[i].reason);
    }
    free(skips->items);
    skips->items = NULL;
    skips->count = skips->room = 0;
}
