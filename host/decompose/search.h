/* SPDX-License-Identifier: BSD-2-Clause */
/* The data-aware decomposition of a block of filters: alternation of least squares for the scales and exact coordinate
 * descent for the codes, both under a layer's objective (docs/reference/decomposition.md). */
#ifndef BDNN_DECOMPOSE_SEARCH_H
#define BDNN_DECOMPOSE_SEARCH_H

#include "decompose/codebook.h"
#include "decompose/retarget.h"

/* Filters of one block: their codes change side by side, so that a row of H is read once for all of them. */
#define BDNN_SEARCH_BLOCK 32

/* One decomposed filter: W[d] = sum_k scale[k] * (bit k of codes[d] ? 1 : -1), weights ~= factor * W. */
typedef struct bdnn_filter {
    uint8_t *codes; /* [D], the caller's */
    int8_t scale[BDNN_MAX_BASES];
    float factor;
} bdnn_filter;

/* Bytes of scratch of one call. */
size_t bdnn_search_scratch(const bdnn_objective *objective, int64_t inner, int32_t bases);

/* Decomposes `count` <= BDNN_SEARCH_BLOCK targets t[count][D], which retargeting overwrites. objective NULL: by the
 * values of t alone (the paper's family). retarget NULL: t stays what the objective is measured against. One thread;
 * independent of any other block. */
void bdnn_search_block(const bdnn_objective *objective, bdnn_retarget *retarget, float *t, int64_t inner, int64_t count,
                       int32_t bases, const bdnn_start_rule *rule, bdnn_filter *filters, void *scratch);

/* One integer weight. */
static inline int bdnn_filter_weight(const bdnn_filter *filter, int32_t bases, int64_t d)
{
    int w = 0;
    for (int k = 0; k < bases; k++) {
        w += filter->codes[d] >> k & 1 ? filter->scale[k] : -filter->scale[k];
    }
    return w;
}

#endif
