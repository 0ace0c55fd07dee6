/* SPDX-License-Identifier: BSD-2-Clause */
/* Places of blocks of memory: none overlaps another of its time, and where no block has very many neighbors they are
 * those of greedy by size, done here the long way. */
#include "runtime/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t state = 88172645463325252u;

/* xorshift64 (Marsaglia 2003). */
static size_t below(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % n);
}

static bool meet(const bdnn_block *a, const bdnn_block *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Place by place from below, every block against every other. */
static size_t greedy(bdnn_block *blocks, size_t count)
{
    bool *placed = calloc(count, 1);
    size_t top = 0;
    assert_non_null(placed);
    for (size_t n = 0; n < count; n++) {
        size_t next = count;
        bool moved = true;
        for (size_t i = 0; i < count; i++) {
            if (!placed[i] && (next == count || blocks[i].bytes > blocks[next].bytes ||
                               (blocks[i].bytes == blocks[next].bytes && blocks[i].first < blocks[next].first))) {
                next = i;
            }
        }
        blocks[next].offset = 0;
        while (moved) {
            moved = false;
            for (size_t i = 0; i < count; i++) {
                if (placed[i] && meet(&blocks[i], &blocks[next]) &&
                    blocks[i].offset < blocks[next].offset + blocks[next].bytes &&
                    blocks[next].offset < blocks[i].offset + blocks[i].bytes) {
                    blocks[next].offset = blocks[i].offset + blocks[i].bytes;
                    moved = true;
                }
            }
        }
        placed[next] = true;
        top = blocks[next].offset + blocks[next].bytes > top ? blocks[next].offset + blocks[next].bytes : top;
    }
    free(placed);
    return top;
}

static void assert_apart(const bdnn_block *blocks, size_t count, size_t arena)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(blocks[i].offset % 64 == 0 && blocks[i].offset + blocks[i].bytes <= arena);
        for (size_t j = 0; j < i; j++) {
            assert_true(!meet(&blocks[i], &blocks[j]) || blocks[i].offset + blocks[i].bytes <= blocks[j].offset ||
                        blocks[j].offset + blocks[j].bytes <= blocks[i].offset);
        }
    }
}

static void random_blocks(bdnn_block *blocks, size_t count, size_t steps, size_t longest)
{
    for (size_t i = 0; i < count; i++) {
        blocks[i].first = below(steps);
        blocks[i].last = blocks[i].first + below(longest);
        blocks[i].last = blocks[i].last < steps ? blocks[i].last : steps - 1;
        blocks[i].bytes = 64 * below(40);
    }
}

static void few_neighbors_are_placed_greedily(void **unused)
{
    bdnn_block ours[200], theirs[200];
    (void)unused;
    for (int n = 0; n < 300; n++) {
        const size_t count = 1 + below(200), steps = 1 + below(200);
        size_t arena;
        random_blocks(ours, count, steps, 1 + below(steps));
        for (size_t i = 0; i < count; i++) {
            theirs[i] = ours[i];
        }
        assert_true(bdnn_place_blocks(ours, count, steps, &arena));
        assert_apart(ours, count, arena);
        assert_int_equal(arena, greedy(theirs, count));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(ours[i].offset, theirs[i].offset);
        }
    }
}

static void many_neighbors_stay_apart(void **unused)
{
    static bdnn_block blocks[2000];
    (void)unused;
    for (int n = 0; n < 20; n++) {
        size_t arena;
        random_blocks(blocks, 2000, 500, 1 + below(500));
        assert_true(bdnn_place_blocks(blocks, 2000, 500, &arena));
        assert_apart(blocks, 2000, arena);
    }
}

/* 1000 values that live to the end beside a chain: the chain still goes on in two places. */
static void a_crowded_chain_reuses_memory(void **unused)
{
    static bdnn_block blocks[3000];
    size_t arena;
    (void)unused;
    for (size_t i = 0; i < 3000; i++) {
        blocks[i] = i < 1000 ? (bdnn_block){.bytes = 128, .first = i, .last = 3000}
                             : (bdnn_block){.bytes = 6400, .first = i, .last = i + 1};
    }
    assert_true(bdnn_place_blocks(blocks, 3000, 3001, &arena));
    assert_apart(blocks, 3000, arena);
    assert_true(arena <= 1000 * 128 + 2 * 6400);
}

static void nothing_and_too_much(void **unused)
{
    bdnn_block huge[3] = {{.bytes = SIZE_MAX / 128 * 64, .last = 1},
                          {.bytes = SIZE_MAX / 128 * 64, .last = 1},
                          {.bytes = 1 << 20, .last = 1}};
    size_t arena = 1;
    (void)unused;
    assert_true(bdnn_place_blocks(huge, 0, 1, &arena));
    assert_int_equal(arena, 0);
    assert_true(bdnn_place_blocks(huge, 2, 2, &arena));
    assert_false(bdnn_place_blocks(huge, 3, 2, &arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_neighbors_are_placed_greedily),
        cmocka_unit_test(many_neighbors_stay_apart),
        cmocka_unit_test(a_crowded_chain_reuses_memory),
        cmocka_unit_test(nothing_and_too_much),
    };
    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
