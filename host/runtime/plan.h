/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan of a network for one batch size, made before anything runs: which layers are fused, where each value lies
 * and in which layout, the steps in order with every transfer between host and device among them, and memory that is
 * used again when values are no longer needed. A session only walks the steps. */
#ifndef BDNN_RUNTIME_PLAN_H
#define BDNN_RUNTIME_PLAN_H

#include "backends/backend.h"
#include "layers/fusion.h"
#include "layers/layer.h"

typedef enum bdnn_step_kind {
    BDNN_STEP_LAYER,       /* a layer on the host's tensors */
    BDNN_STEP_INNER,       /* a decomposed layer on a backend, with the sum and the clip that are fused with it */
    BDNN_STEP_POOL,        /* a max pooling on the device */
    BDNN_STEP_TO_DEVICE,   /* a decomposed layer's input: quantized, perhaps gathered, and transferred */
    BDNN_STEP_FROM_DEVICE, /* an output of a layer on the device; not quantized, it passes the layer's sink: sum, clip,
                              next */
} bdnn_step_kind;

/* Numbers of maps, BDNN_NONE for none. Steps of kind LAYER read and write the host maps of their layer's values. */
typedef struct bdnn_step {
    bdnn_step_kind kind;
    int32_t layer; /* of a transfer the one that reads the map, or has made it */
    int32_t input, output;
    int32_t addend;    /* INNER, FROM_DEVICE: added to the output */
    int32_t next;      /* INNER, FROM_DEVICE: the wide output as its first decomposed reader reads it */
    bool on_device;    /* INNER, POOL */
    int32_t following; /* the next step of the same layer, or BDNN_NONE */
} bdnn_step;

/* What the plan decided for a layer. */
typedef struct bdnn_layer_plan {
    bool fused;               /* done by the decomposed layer before it: no step is its own */
    bdnn_placement placement; /* there */
    bdnn_fusion fusion;       /* of a decomposed layer: what is done with it */
    bdnn_format reads;        /* of a decomposed layer: the format of the map that it quantizes, or finds quantized */
    int32_t first_step;       /* its own, transfers among them, or BDNN_NONE */
    int32_t next_reader;      /* of a decomposed layer whose wide output is also written quantized: for this layer */
} bdnn_layer_plan;

typedef struct bdnn_plan {
    const bdnn_graph *graph;
    bdnn_value_info *info; /* per value: shape, and type on the host */
    bool integers;         /* info holds the types of the values' formats */
    bdnn_layer_plan *layers;
    bdnn_step *steps;
    size_t step_count;
    int32_t *transfers; /* the steps that are transfers */
    size_t transfer_count;
    bdnn_feature_map *maps;
    size_t map_count;
    int32_t *host_map;    /* per value: its map on the host; BDNN_NONE for constants and what never is there */
    size_t arena_bytes;   /* of host maps, with reuse */
    size_t device_bytes;  /* of device maps, likewise */
    uint64_t total_bytes; /* of host maps without reuse */
} bdnn_plan;

/* `integers`: values are kept in their formats; else all in float, and decomposed layers are host layers. device: the
 * backend that decomposed layers run on where it has memory of its own and takes them; NULL: all on the host. Errors: a
 * network that does not take this batch; memory. */
bdnn_status bdnn_plan_create(bdnn_plan *plan, const bdnn_graph *graph, int64_t batch, bool integers,
                             const bdnn_backend *device, bdnn_error *err);
void bdnn_plan_free(bdnn_plan *plan);

/* How many steps from `first` on run as one, those of one layer on a device: its input is sent, and its output fetched,
 * while it works. */
size_t bdnn_plan_together(const bdnn_plan *plan, size_t first);

/* Gives every map its place, so that two whose lives overlap do not, and sets the sizes of the arenas (arena.c). False
 * when memory is short. */
bool bdnn_plan_arenas(bdnn_plan *plan);

/* Bytes of a value on the host. */
size_t bdnn_plan_bytes(const bdnn_plan *plan, int32_t value);

/* Its format in this plan. */
bdnn_format bdnn_plan_format(const bdnn_plan *plan, int32_t value);

#endif
