/* SPDX-License-Identifier: BSD-2-Clause */
/* The network graph: layers in execution order, values between them. What import makes, decompose rewrites, the model
 * file stores and the runtime plans. Attributes are resolved (explicit pads, constants folded): nothing here depends on
 * where a network came from. */
#ifndef BDNN_MODEL_GRAPH_H
#define BDNN_MODEL_GRAPH_H

#include "core/arithmetic.h"
#include "core/error.h"
#include "core/file.h"
#include "core/tensor.h"
#include "model/operators.h"

/* Parameter memory: owned (bdnn_alloc) or part of the model's mapped file. Aligned to 64 bytes. */
typedef struct bdnn_blob {
    const void *data;
    size_t bytes;
    bool owned;
} bdnn_blob;

/* A sliding window over depth, height, width (in this order); missing leading axes of 1-D and 2-D layers are the
 * identity: kernel, stride and dilation 1, no pads. Indices 1 and 2 are therefore height and width of an image. */
#define BDNN_SPATIAL 3
typedef struct bdnn_window {
    int32_t kernel[BDNN_SPATIAL];
    int32_t stride[BDNN_SPATIAL];
    int32_t dilation[BDNN_SPATIAL];
    int32_t pad_begin[BDNN_SPATIAL];
    int32_t pad_end[BDNN_SPATIAL];
} bdnn_window;

/* Weights of an inner-product layer as K binary bases with integer scales (docs/reference/numerics.md):
 *     W_f[d] = sum_k scales[f][k] * (bit d of bases[f][k] ? +1 : -1),   w_f ~= filter_scale[f] * W_f
 * Element d runs over kernel depth, height, width, then the channels of one group (channels fastest); for a dense layer
 * over the memory order of its input item. */
typedef struct bdnn_decomposed {
    int32_t bases;          /* K, 1..8 */
    int32_t bits;           /* Q, 1..8, of the quantized input */
    float step;             /* of the quantized input, > 0 and finite */
    int32_t zero_point;     /* 0..2^Q - 1 */
    bdnn_blob planes;       /* uint64 [F][K][ceil(D / 64)], bit d % 64 of word d / 64; bits from D on are 1 */
    bdnn_blob scales;       /* int8 [F][K], sum of absolute values over K <= 127 */
    bdnn_blob filter_scale; /* float [F] */
} bdnn_decomposed;

/* The bases and the scales of one filter of D = `inner` elements. */
static inline uint64_t *bdnn_decomposed_planes(const bdnn_decomposed *decomposed, int64_t filter, int64_t inner)
{
    return (uint64_t *)decomposed->planes.data + filter * decomposed->bases * bdnn_words_of(inner);
}

static inline int8_t *bdnn_decomposed_scales(const bdnn_decomposed *decomposed, int64_t filter)
{
    return (int8_t *)decomposed->scales.data + filter * decomposed->bases;
}

typedef enum bdnn_activation {
    BDNN_ACT_CLIP = 0, /* min(max(x, low), high); relu is low 0, high infinity */
    BDNN_ACT_LEAKY_RELU = 1,
    BDNN_ACT_SIGMOID = 2
} bdnn_activation;

typedef enum bdnn_interpolation { BDNN_NEAREST = 0, BDNN_LINEAR = 1 } bdnn_interpolation;

/* How an output coordinate maps to an input coordinate, and how nearest rounds it: ONNX Resize's attributes of the same
 * names. */
typedef enum bdnn_coordinates {
    BDNN_COORD_HALF_PIXEL = 0,
    BDNN_COORD_PYTORCH_HALF_PIXEL = 1,
    BDNN_COORD_ALIGN_CORNERS = 2,
    BDNN_COORD_ASYMMETRIC = 3
} bdnn_coordinates;
typedef enum bdnn_nearest {
    BDNN_ROUND_PREFER_FLOOR = 0,
    BDNN_ROUND_PREFER_CEIL = 1,
    BDNN_ROUND_FLOOR = 2,
    BDNN_ROUND_CEIL = 3
} bdnn_nearest;

typedef enum bdnn_pad_mode { BDNN_PAD_CONSTANT = 0, BDNN_PAD_REFLECT = 1, BDNN_PAD_EDGE = 2 } bdnn_pad_mode;

typedef struct bdnn_layer {
    bdnn_op op;
    char *name; /* unique in its graph, not empty */
    int32_t input_count, output_count;
    int32_t *inputs;  /* value numbers */
    int32_t *outputs; /* value numbers; the second output of a max pooling are its indices */
    union {
        /* CONV: weight float [F][kd][kh][kw][C / groups].
         * CONV_TRANSPOSE: weight float [C][kd][kh][kw][F / groups]; the window is that of the convolution it
         * transposes. `decomposed` is not NULL when the bases replace `weight` (then empty); CONV and DENSE only. */
        struct {
            bdnn_window window;
            int32_t groups;
            int32_t filters;                  /* F */
            int32_t output_pad[BDNN_SPATIAL]; /* CONV_TRANSPOSE */
        } conv;
        struct {
            int32_t filters; /* F; weight float [F][D], D in the memory order of the input item */
        } dense;
        struct {
            bdnn_activation kind;
            float low, high; /* CLIP */
            float alpha;     /* LEAKY_RELU: slope below zero */
        } activation;
        struct {
            int32_t size;
            float alpha, beta, bias;
        } lrn;
        /* MAX_POOL, AVERAGE_POOL, MAX_UNPOOL. Indices count elements of the pooled tensor in row-major (N, C, spatial)
         * order, as ONNX defines them. A global pooling has global set and its window ignored. */
        struct {
            bdnn_window window;
            bool global;
            bool ceil_mode;
            bool count_include_pad;  /* AVERAGE_POOL */
            bool column_major;       /* MAX_POOL: indices count with the spatial axes transposed (storage_order 1) */
            bdnn_shape output_shape; /* MAX_UNPOOL: rank 0 when the window decides */
        } pool;
        struct {
            int32_t axis;                /* logical axis, >= 0 */
            bool flatten;                /* SOFTMAX before opset 13: over all axes from `axis` on, as one */
            bool keep_dims, select_last; /* ARGMAX */
        } axis;                          /* CONCAT, SOFTMAX, ARGMAX */
        struct {
            int64_t begin[BDNN_MAX_RANK], end[BDNN_MAX_RANK]; /* per logical axis; negative crops */
            bdnn_pad_mode mode;
            float value;
        } pad;
        struct {
            bdnn_shape shape; /* dim -1: what remains, at most one; -2: the input's dimension of the same number, so
                               * that a batch of any size passes */
        } reshape;
        struct {
            int32_t permutation[BDNN_MAX_RANK];
        } transpose;
        struct {
            bdnn_interpolation interpolation;
            bdnn_coordinates coordinates;
            bdnn_nearest nearest;
            float scale[BDNN_MAX_RANK];  /* output / input per logical axis; 0 when `size` decides */
            int64_t size[BDNN_MAX_RANK]; /* output size per logical axis; 0 when `scale` decides */
        } resize;
    } attr;
    bdnn_blob weight; /* CONV, CONV_TRANSPOSE, DENSE: above. AFFINE: scale float [C] */
    bdnn_blob bias;   /* CONV, CONV_TRANSPOSE, DENSE: float [F], empty for none. AFFINE: shift float [C] */
    bdnn_decomposed *decomposed;
} bdnn_layer;

typedef struct bdnn_value {
    char *name; /* unique in its graph, not empty */
    bdnn_type type;
    bdnn_shape shape;   /* with the batch that the network was imported with; filled in by bdnn_graph_infer */
    bdnn_blob constant; /* not empty: a constant tensor in the memory order of core/tensor.h, with its type and shape */
    /* How a FLOAT32 value is kept between layers of a decomposed network; chosen by bdnn_formats_choose. */
    bdnn_format format;
} bdnn_value;

/* Who makes and who reads each value, gathered in one walk over the layers (links.c). */
typedef struct bdnn_links {
    int32_t *producer; /* per value: the layer that makes it, or -1 */
    size_t *uses;      /* per value: how many inputs of layers and graph outputs read it */
    size_t *first;     /* per value and one more: where its part of `readers` begins, and the part before it ends */
    int32_t *readers;  /* layers in execution order, once for each input that reads the value */
} bdnn_links;

typedef struct bdnn_graph {
    bdnn_value *values;
    size_t value_count;
    bdnn_layer *layers; /* every layer after those that make its inputs */
    size_t layer_count;
    int32_t *inputs; /* values that the caller supplies */
    size_t input_count;
    int32_t *outputs;
    size_t output_count;
    bdnn_links *links; /* of the graph as it is, made by bdnn_graph_infer; NULL: none, and questions take a walk each */
} bdnn_graph;

struct bdnn_model {
    bdnn_graph graph;
    bdnn_preprocess preprocess;
    bdnn_blob mean_image;
    char **labels;
    size_t label_count;
    bdnn_file_map map; /* the model file that blobs point into, when there is one */
    char *file;        /* its name */
};

/* Building. All return NULL or -1 when memory is short. Names are copied. */
bdnn_model *bdnn_model_new(void);
int32_t bdnn_graph_add_value(bdnn_graph *graph, const char *name, bdnn_type type, const bdnn_shape *shape);
bdnn_layer *bdnn_graph_add_layer(bdnn_graph *graph, bdnn_op op, const char *name, const int32_t *inputs,
                                 int32_t input_count, const int32_t *outputs, int32_t output_count);
bool bdnn_graph_add_input(bdnn_graph *graph, int32_t value);
bool bdnn_graph_add_output(bdnn_graph *graph, int32_t value);

/* Drops layer `index` (its blobs too); values stay. */
void bdnn_graph_remove_layer(bdnn_graph *graph, size_t index);

/* A blob that owns a copy of `bytes` bytes (undefined contents when data is NULL); data NULL in the result when memory
 * is short. */
bdnn_blob bdnn_blob_copy(const void *data, size_t bytes);
void bdnn_blob_free(bdnn_blob *blob);
void bdnn_decomposed_free(bdnn_decomposed *decomposed);

/* A deep copy whose blobs are all owned. NULL when memory is short. */
bdnn_model *bdnn_model_clone(const bdnn_model *model);

/* Whether the model file, where one is mapped, is still what it was when it was loaded. Errors: BDNN_ERROR_IO. */
bdnn_status bdnn_model_check_file(const bdnn_model *model, bdnn_error *err);

/* Whether images of these sizes are what the network takes. */
bdnn_status bdnn_model_check_preprocess(const bdnn_model *model, const bdnn_preprocess *preprocess, bdnn_error *err);

/* Makes the links of a graph whose numbers are in order (bdnn_graph_infer has seen to that), and drops them: the calls
 * above that build do, and whoever renumbers a layer's inputs or outputs in place must. False when memory is short. */
bool bdnn_graph_link(bdnn_graph *graph);
void bdnn_graph_unlink(bdnn_graph *graph);

/* Questions. With links the time does not depend on the size of the graph; without, each is a walk over all layers. */

/* The layer that makes `value`, or -1 for an input or constant. */
int32_t bdnn_graph_producer(const bdnn_graph *graph, int32_t value);

/* How many inputs of layers and graph outputs read `value`. */
size_t bdnn_graph_uses(const bdnn_graph *graph, int32_t value);

/* Walks the layers that read `value`, in execution order, each once: *cursor is 0 at first. -1: no more. */
int32_t bdnn_graph_next_reader(const bdnn_graph *graph, int32_t value, size_t *cursor);

/* The layer that reads `value` when nothing else does, not even another input of it; else -1. */
int32_t bdnn_graph_only_reader(const bdnn_graph *graph, int32_t value);

/* "conv", "dense", ...; the text of model files' dumps and messages. */
const char *bdnn_op_name(bdnn_op op);

/* Whether every layer of the operator is so. */
bool bdnn_op_has(bdnn_op op, enum bdnn_op_traits trait);

/* An inner-product layer that can be decomposed. */
static inline bool bdnn_layer_is_inner_product(const bdnn_layer *layer)
{
    return bdnn_op_has(layer->op, BDNN_OP_INNER_PRODUCT);
}

#endif
