/* SPDX-License-Identifier: BSD-2-Clause */
/* Places in one arena for pieces of memory that live for a while. */
#ifndef BDNN_RUNTIME_PLACE_H
#define BDNN_RUNTIME_PLACE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bdnn_block {
    size_t bytes;       /* a multiple of BDNN_ALIGNMENT */
    size_t first, last; /* the steps that make it and that read it last, first <= last */
    size_t offset;      /* the result */
} bdnn_block;

/* Gives every block its offset, so that no two that live at the same step (ends included) overlap; *arena_bytes becomes
 * the end of the highest. All steps are below `steps`. Takes about count + steps operations, whatever the blocks are.
 * False when memory is short. */
bool bdnn_place_blocks(bdnn_block *blocks, size_t count, size_t steps, size_t *arena_bytes);

#endif
