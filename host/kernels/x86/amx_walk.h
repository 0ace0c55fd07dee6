/* SPDX-License-Identifier: BSD-2-Clause */
/* How the AMX kernel walks a layer: where each row of inputs lies in memory, and what a task computes. */
#ifndef BDNN_KERNELS_X86_AMX_WALK_H
#define BDNN_KERNELS_X86_AMX_WALK_H

#include "kernels/inner_product.h"

#include <stddef.h>

#define BDNN_AMX_ROWS  16                   /* of a tile */
#define BDNN_AMX_DEPTH 64                   /* bytes of a tile's row: elements of an inner product */
#define BDNN_AMX_LANES 16                   /* filters of a tile */
#define BDNN_AMX_SPAN  (2 * BDNN_AMX_ROWS)  /* positions that are worked on together */
#define BDNN_AMX_BLOCK (2 * BDNN_AMX_LANES) /* filters likewise */
#define BDNN_AMX_SINK  2 /* blocks whose sums are handed over together: their results fill cache lines */

/* Inputs that lie together are a strip: one line of a kernel, or one tap where taps are dilated. Strips are cut in
 * chunks of BDNN_AMX_DEPTH bytes, whose last one reads on over what comes behind it, times weights of 0.
 *
 * Positions that follow one another are a constant distance apart, also from the end of a line to the next, where a few
 * are computed that nobody keeps. For that an image is copied with its pads, each group's channels by themselves, and
 * where lines are strided those that are a stride apart beside each other ("phases"). 1x1 kernels without pads read the
 * input itself. Fully connected layers and volumes are gathered row by row instead. */
typedef struct bdnn_amx_walk {
    bool gathered, copied;
    int64_t strips, strip;          /* of a filter, and bytes of one */
    int64_t chunks;                 /* of a filter */
    int64_t blocks;                 /* of filters, in a group */
    int64_t channels;               /* of a pixel where rows are read */
    int64_t line;                   /* pixels of a line there */
    int64_t phases, height;         /* lines of the copy: so many times so many */
    int64_t image;                  /* bytes of one group of one image; of an item where rows are gathered */
    int64_t step;                   /* bytes from position to position */
    int64_t per_line;               /* positions from line to line */
    int64_t positions, spans;       /* of an image, those that nobody keeps included; gathered: of the whole batch */
    int64_t images;                 /* 1 where rows are gathered */
    int64_t task_spans, span_parts; /* spans of a task and how often that is in an image */
    int64_t task_blocks, block_parts;
    bool blocks_outside; /* a task covers the spans of all images */
} bdnn_amx_walk;

bdnn_amx_walk bdnn_amx_walk_of(const bdnn_ip_shape *shape);

static inline size_t bdnn_amx_block_bytes(const bdnn_amx_walk *walk)
{
    return (size_t)walk->chunks * BDNN_AMX_DEPTH * BDNN_AMX_BLOCK;
}

static inline size_t bdnn_amx_tasks(const bdnn_ip_shape *shape, const bdnn_amx_walk *walk)
{
    return (size_t)((walk->blocks_outside || walk->gathered ? 1 : walk->images) * shape->groups * walk->span_parts *
                    walk->block_parts);
}

/* Bytes of the padded copy of all images. */
size_t bdnn_amx_copy_bytes(const bdnn_ip_shape *shape, const bdnn_amx_walk *walk);

/* Bytes from a position's first input to each chunk of its row, [walk->chunks]. */
void bdnn_amx_find_chunks(const bdnn_ip_shape *shape, const bdnn_amx_walk *walk, int64_t *offsets);

/* Makes the padded copy. */
void bdnn_amx_copy(const bdnn_ip_shape *shape, const bdnn_amx_walk *walk, const uint8_t *x_q, uint8_t *copy,
                   bdnn_threads *threads);

/* Packed weights: int8 per group [block][chunk][2][16 rows of 4 elements][16 filters][4]. */
void bdnn_amx_pack(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, void *packed, bdnn_threads *threads);

#endif
