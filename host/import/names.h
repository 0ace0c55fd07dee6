/* SPDX-License-Identifier: BSD-2-Clause */
/* A table from names to numbers, for importers. */
#ifndef BDNN_IMPORT_NAMES_H
#define BDNN_IMPORT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bdnn_names {
    struct bdnn_name_slot {
        const char *name; /* NULL: free */
        size_t number;
        bool owned; /* name ends with the table; else it is borrowed and must live as long */
    } * slots;
    size_t capacity, count; /* capacity 0 or a power of two */
} bdnn_names;

/* The number stored under `name`, for reading and changing, until the next name is added; NULL when it is not there. */
size_t *bdnn_names_find(const bdnn_names *names, const char *name);

/* Adds a name that is not there yet, borrowing it. False when memory is short. */
bool bdnn_names_add(bdnn_names *names, const char *name, size_t number);

/* Adds a name made from `base` that was not there yet and returns it, owned by the table: base itself, else base_2,
 * base_3, ... Control characters become '_', an empty or absent name "unnamed". NULL when memory is short. Not for a
 * table that bdnn_names_add fills. */
const char *bdnn_names_unique(bdnn_names *names, const char *base);

void bdnn_names_free(bdnn_names *names);

#endif
