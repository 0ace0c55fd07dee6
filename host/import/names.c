/* SPDX-License-Identifier: BSD-2-Clause */
/* Names to numbers: open addressing, at most half full. */
#include "import/names.h"

#include "core/memory.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* The slot that holds `name`, or the free one where it belongs. */
static struct bdnn_name_slot *slot_of(const bdnn_names *names, const char *name)
{
    size_t at = (size_t)XXH3_64bits(name, strlen(name)) & (names->capacity - 1);
    while (names->slots[at].name && strcmp(names->slots[at].name, name) != 0) {
        at = (at + 1) & (names->capacity - 1);
    }
    return &names->slots[at];
}

size_t *bdnn_names_find(const bdnn_names *names, const char *name)
{
    struct bdnn_name_slot *slot = names->capacity ? slot_of(names, name) : NULL;
    return slot && slot->name ? &slot->number : NULL;
}

static bool add(bdnn_names *names, const char *name, size_t number, bool owned)
{
    struct bdnn_name_slot *slot;
    if (2 * (names->count + 1) > names->capacity) {
        bdnn_names larger = {.capacity = names->capacity ? 2 * names->capacity : 64, .count = names->count};
        larger.slots = bdnn_zalloc(larger.capacity, sizeof *larger.slots);
        if (!larger.slots) {
            return false;
        }
        for (size_t i = 0; i < names->capacity; i++) {
            if (names->slots[i].name) {
                *slot_of(&larger, names->slots[i].name) = names->slots[i];
            }
        }
        bdnn_free(names->slots);
        *names = larger;
    }
    slot = slot_of(names, name);
    slot->name = name;
    slot->number = number;
    slot->owned = owned;
    names->count++;
    return true;
}

bool bdnn_names_add(bdnn_names *names, const char *name, size_t number)
{
    return add(names, name, number, false);
}

void bdnn_names_free(bdnn_names *names)
{
    for (size_t i = 0; i < names->capacity; i++) {
        if (names->slots[i].owned) {
            bdnn_free((char *)names->slots[i].name);
        }
    }
    bdnn_free(names->slots);
    memset(names, 0, sizeof *names);
}

static char *printable_copy(const char *base, size_t room)
{
    const char *text = base && *base ? base : "unnamed";
    size_t length = strlen(text);
    char *copy = bdnn_alloc(length + room + 1, 1);
    if (!copy) {
        return NULL;
    }
    for (size_t i = 0; i <= length; i++) {
        unsigned char c = (unsigned char)text[i];
        copy[i] = i < length && (c < 0x20 || c == 0x7f) ? '_' : text[i];
    }
    return copy;
}

const char *bdnn_names_unique(bdnn_names *names, const char *base)
{
    enum { SUFFIX = 24 };
    char *name = printable_copy(base, SUFFIX);
    size_t length = name ? strlen(name) : 0;
    while (name && bdnn_names_find(names, name)) {
        /* The number under a name is the last suffix tried for it, so that thousands of equal names stay cheap. */
        size_t *last;
        name[length] = '\0';
        last = bdnn_names_find(names, name);
        snprintf(name + length, SUFFIX, "_%zu", ++*last);
    }
    if (name && !add(names, name, 1, true)) {
        bdnn_free(name);
        return NULL;
    }
    return name;
}
