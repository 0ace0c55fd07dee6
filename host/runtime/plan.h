/* The plan of a network for one batch size: every value's shape and its place in one arena of memory, reused when
 * values die. */
#ifndef BDNN_RUNTIME_PLAN_H
#define BDNN_RUNTIME_PLAN_H

#include "layers/layer.h"

typedef struct bdnn_plan {
    const bdnn_graph *graph;
    bdnn_value_info *info; /* per value */
    size_t *offset;       /* per value: its place in the arena; BDNN_NO_MEMORY for constants and outputs nobody reads */
    size_t *read_offset;  /* per wide value whose maker may also write it as its first decomposed reader reads it: that
                             one's place; else BDNN_NO_MEMORY */
    int32_t *reader;      /* per value: the first decomposed layer that reads it; -1: none */
    bool integers;        /* info holds the types of the values' formats */
    size_t arena_bytes;   /* with reuse */
    uint64_t total_bytes; /* without: the sum of all values */
} bdnn_plan;

#define BDNN_NO_MEMORY SIZE_MAX

/* `integers`: values are kept in their formats; else all in float. Errors: a network that does not take this batch;
 * memory. */
bdnn_status bdnn_plan_create(bdnn_plan *plan, const bdnn_graph *graph, int64_t batch, bool integers, bdnn_error *err);
void bdnn_plan_free(bdnn_plan *plan);

/* Bytes of a value. */
size_t bdnn_plan_bytes(const bdnn_plan *plan, int32_t value);

/* The first decomposed layer that reads `value`, or NULL. */
const bdnn_layer *bdnn_plan_reader(const bdnn_plan *plan, int32_t value);

/* Its format in this plan. */
bdnn_format bdnn_plan_format(const bdnn_plan *plan, int32_t value);

#endif
