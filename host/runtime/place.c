/* SPDX-License-Identifier: BSD-2-Clause */
/* Placing blocks of memory: by decreasing size, each at the lowest offset that no block alive at the same time occupies
 * ("greedy by size", Pisarchyk and Lee 2020, arXiv 2001.03288). That looks at every neighbor of a block, which are few
 * in a network - but not in one whose file was made so that each value lives until the end. Blocks with very many
 * neighbors, which no trained network was seen to have, therefore go to a part of their own on top, where a place is
 * handed on in the order of time. */
#include "runtime/place.h"

#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>

/* A block beside more others than that is crowded. */
#define MAX_NEIGHBORS 256

static int by_size(const void *a, const void *b)
{
    const bdnn_block *x = *(bdnn_block *const *)a, *y = *(bdnn_block *const *)b;
    if (x->bytes != y->bytes) {
        return x->bytes < y->bytes ? 1 : -1;
    }
    /* The blocks' own order last, which makes it one order with every qsort. */
    return x->first != y->first ? (x->first > y->first) - (x->first < y->first) : (x > y) - (x < y);
}

static int by_offset(const void *a, const void *b)
{
    const bdnn_block *x = *(bdnn_block *const *)a, *y = *(bdnn_block *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static int by_first(const void *a, const void *b)
{
    const bdnn_block *x = *(bdnn_block *const *)a, *y = *(bdnn_block *const *)b;
    return x->first != y->first ? (x->first > y->first) - (x->first < y->first) : (x > y) - (x < y);
}

static int by_last(const void *a, const void *b)
{
    const bdnn_block *x = *(bdnn_block *const *)a, *y = *(bdnn_block *const *)b;
    return x->last != y->last ? (x->last > y->last) - (x->last < y->last) : (x > y) - (x < y);
}

/* ---- Neighbors: an interval tree, implicit over the blocks in the order of their first steps ---- */

struct timeline {
    bdnn_block **blocks;  /* by first step */
    size_t count, leaves; /* leaves: a power of two, at least count */
    size_t *end; /* per node (children of n: 2 n, 2 n + 1): the highest last + 1 of the placed below it; 0: none */
};

static void mark_placed(struct timeline *t, size_t index)
{
    const size_t end = t->blocks[index]->last + 1;
    for (size_t node = t->leaves + index; node > 0; node /= 2) {
        t->end[node] = t->end[node] > end ? t->end[node] : end;
    }
}

/* Appends to `alive` the placed blocks of `node`, which covers `width` leaves from `low` on, that live beside `block`.
 */
static size_t collect(const struct timeline *t, size_t node, size_t low, size_t width, const bdnn_block *block,
                      bdnn_block **alive)
{
    size_t left;
    if (low >= t->count || t->end[node] <= block->first || t->blocks[low]->first > block->last) {
        return 0;
    }
    if (width == 1) {
        alive[0] = t->blocks[low];
        return 1;
    }
    left = collect(t, 2 * node, low, width / 2, block, alive);
    return left + collect(t, 2 * node + 1, low + width / 2, width / 2, block, alive + left);
}

/* ---- Greedy by size ---- */

static size_t lowest_gap(const bdnn_block *block, bdnn_block **alive, size_t count)
{
    size_t at = 0;
    if (count) {
        qsort(alive, count, sizeof *alive, by_offset);
    }
    for (size_t i = 0; i < count && (alive[i]->offset < at || alive[i]->offset - at < block->bytes); i++) {
        const size_t end = alive[i]->offset + alive[i]->bytes;
        at = end > at ? end : at;
    }
    return at;
}

/* Where `block` stands among the blocks by first step. */
static size_t index_of(const struct timeline *t, const bdnn_block *block)
{
    bdnn_block *const *found = bsearch(&block, t->blocks, t->count, sizeof *t->blocks, by_first);
    return (size_t)(found - t->blocks);
}

/* order: `count` blocks, by_first on entry; the end of the highest is returned, SIZE_MAX when memory is short, be it
 * for this or for what was planned. */
static size_t place_by_size(bdnn_block **order, size_t count)
{
    struct timeline t = {.count = count, .leaves = 1};
    bdnn_block **alive = bdnn_alloc(count, sizeof(*alive));
    size_t top = 0;
    while (t.leaves < count) {
        t.leaves *= 2;
    }
    t.blocks = bdnn_alloc(count, sizeof(*t.blocks));
    t.end = bdnn_zalloc(2 * t.leaves, sizeof *t.end);
    if (!t.blocks || !t.end || !alive) {
        top = SIZE_MAX;
    }
    for (size_t i = 0; top != SIZE_MAX && i < count; i++) {
        t.blocks[i] = order[i];
    }
    if (count) {
        qsort(order, count, sizeof *order, by_size);
    }
    for (size_t i = 0; top != SIZE_MAX && i < count; i++) {
        bdnn_block *block = order[i];
        size_t end;
        block->offset = lowest_gap(block, alive, collect(&t, 1, 0, t.leaves, block, alive));
        if (!bdnn_add_size(block->offset, block->bytes, &end)) {
            end = SIZE_MAX;
        }
        top = end > top ? end : top;
        mark_placed(&t, index_of(&t, block));
    }
    bdnn_free(t.blocks);
    bdnn_free(t.end);
    bdnn_free(alive);
    return top;
}

/* ---- The crowded, in the order of time ---- */

/* Sizes of one power of two share places, all of the largest such size: a place that is left fits whoever comes. */
struct places {
    size_t bytes;      /* of each */
    bdnn_block **free; /* blocks that left theirs, the last first */
    size_t free_count;
};

static unsigned group_of(const bdnn_block *block)
{
    unsigned group = 0;
    while (group < 63 && (size_t)1 << group < block->bytes) {
        group++;
    }
    return group;
}

/* Blocks of one group: came by_first, and by_last tells which places are free when one comes. */
static size_t place_group(bdnn_block *const *came, bdnn_block *const *left, size_t count, struct places *places,
                          size_t top)
{
    size_t gone = 0;
    for (size_t i = 0; i < count; i++) {
        for (; left[gone]->last < came[i]->first; gone++) {
            places->free[places->free_count++] = left[gone];
        }
        if (places->free_count) {
            came[i]->offset = places->free[--places->free_count]->offset;
        } else {
            came[i]->offset = top;
            if (!bdnn_add_size(top, places->bytes, &top)) {
                return SIZE_MAX;
            }
        }
    }
    return top;
}

/* crowded: `count` blocks by_first. Places them from `top` on; the end of the highest is returned, SIZE_MAX when memory
 * is short. */
static size_t place_by_time(bdnn_block *const *crowded, size_t count, size_t top)
{
    bdnn_block **scratch = bdnn_alloc(count, 3 * sizeof(*scratch));
    bdnn_block **came = scratch, **left = scratch + count;
    for (unsigned group = 0; scratch && top != SIZE_MAX && group < 64; group++) {
        struct places places = {.free = scratch + 2 * count};
        size_t members = 0;
        for (size_t i = 0; i < count; i++) {
            if (group_of(crowded[i]) == group) {
                places.bytes = crowded[i]->bytes > places.bytes ? crowded[i]->bytes : places.bytes;
                came[members] = left[members] = crowded[i];
                members++;
            }
        }
        if (members) {
            qsort(left, members, sizeof *left, by_last);
            top = place_group(came, left, members, &places, top);
        }
    }
    bdnn_free(scratch);
    return scratch ? top : SIZE_MAX;
}

/* ---- All ---- */

/* Into `crowded` the crowded blocks of order[count], which keeps the others; both stay in order. How many are kept;
 * SIZE_MAX when memory is short. begun[s] and ended[s]: how many blocks begin before step s, and end before it. */
static size_t part_crowded(bdnn_block **order, size_t count, size_t steps, bdnn_block **crowded)
{
    size_t *begun = bdnn_zalloc(steps + 1, sizeof *begun), *ended = bdnn_zalloc(steps + 1, sizeof *ended), kept = 0;
    for (size_t i = 0; begun && ended && i < count; i++) {
        begun[order[i]->first + 1]++;
        ended[order[i]->last + 1]++;
    }
    for (size_t s = 0; begun && ended && s < steps; s++) {
        begun[s + 1] += begun[s];
        ended[s + 1] += ended[s];
    }
    for (size_t i = 0; begun && ended && i < count; i++) {
        if (begun[order[i]->last + 1] - ended[order[i]->first] > MAX_NEIGHBORS) {
            *crowded++ = order[i];
        } else {
            order[kept++] = order[i];
        }
    }
    kept = begun && ended ? kept : SIZE_MAX;
    bdnn_free(begun);
    bdnn_free(ended);
    return kept;
}

bool bdnn_place_blocks(bdnn_block *blocks, size_t count, size_t steps, size_t *arena_bytes)
{
    bdnn_block **order = bdnn_alloc(count, sizeof(*order)), **crowded = bdnn_alloc(count, sizeof(*crowded));
    size_t kept = SIZE_MAX, top = SIZE_MAX;
    for (size_t i = 0; order && i < count; i++) {
        order[i] = &blocks[i];
    }
    if (order && crowded) {
        if (count) {
            qsort(order, count, sizeof *order, by_first);
        }
        kept = part_crowded(order, count, steps, crowded);
    }
    if (kept != SIZE_MAX) {
        top = place_by_size(order, kept);
    }
    if (top != SIZE_MAX) {
        top = place_by_time(crowded, count - kept, top);
    }
    bdnn_free(order);
    bdnn_free(crowded);
    *arena_bytes = top == SIZE_MAX ? 0 : top;
    return top != SIZE_MAX;
}
