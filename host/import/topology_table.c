/* SPDX-License-Identifier: BSD-2-Clause */
/* The operators and attributes of the topology text. */
#include "import/topology_table.h"

#include <math.h>

_Static_assert(sizeof(bdnn_pad_mode) == sizeof(int32_t), "choices are stored as 32 bits");

static const char *const interpolations[] = {"nearest", "linear"};
static const char *const coordinates[] = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"};
static const char *const roundings[] = {"prefer_floor", "prefer_ceil", "floor", "ceil"};
static const char *const pad_modes[] = {"constant", "reflect", "edge"};
static const char *const resizings[] = {"stretch", "crop"};

#define AT(field) offsetof(bdnn_layer, attr.field)
#define INT(key, field, fallback)                                                                                      \
    {                                                                                                                  \
        key, BDNN_ATTRIBUTE_INT, AT(field), 1, fallback, NULL, false                                                   \
    }
#define NEEDED_INT(key, field)                                                                                         \
    {                                                                                                                  \
        key, BDNN_ATTRIBUTE_INT, AT(field), 1, 0, NULL, true                                                           \
    }
#define FLAG(key, field)                                                                                               \
    {                                                                                                                  \
        key, BDNN_ATTRIBUTE_FLAG, AT(field), 1, 0, NULL, false                                                         \
    }
#define FLOAT(key, field, fallback)                                                                                    \
    {                                                                                                                  \
        key, BDNN_ATTRIBUTE_FLOATS, AT(field), 1, fallback, NULL, false                                                \
    }
#define LIST(kind, key, field, count)                                                                                  \
    {                                                                                                                  \
        key, BDNN_ATTRIBUTE_##kind, AT(field), count, 0, NULL, false                                                   \
    }
#define WINDOW(key, field, fallback)                                                                                   \
    {                                                                                                                  \
        key, BDNN_ATTRIBUTE_WINDOW, AT(field), BDNN_SPATIAL, fallback, NULL, false                                     \
    }
#define CHOICE(key, field, names)                                                                                      \
    {                                                                                                                  \
        key, BDNN_ATTRIBUTE_CHOICE, AT(field), sizeof names / sizeof *names, 0, names, false                           \
    }
#define WINDOWS(of)                                                                                                    \
    WINDOW("kernel", of.window.kernel, 1), WINDOW("stride", of.window.stride, 1),                                      \
        WINDOW("pad_begin", of.window.pad_begin, 0), WINDOW("pad_end", of.window.pad_end, 0),                          \
        WINDOW("dilation", of.window.dilation, 1)

const bdnn_word bdnn_words[] = {
    {"conv", BDNN_OP_CONV, 0, {INT("filters", conv.filters, 0), WINDOWS(conv), INT("groups", conv.groups, 1)}},
    {"conv_transpose",
     BDNN_OP_CONV_TRANSPOSE,
     0,
     {INT("filters", conv.filters, 0), WINDOWS(conv), INT("groups", conv.groups, 1),
      WINDOW("output_pad", conv.output_pad, 0)}},
    {"dense", BDNN_OP_DENSE, 0, {INT("filters", dense.filters, 0)}},
    {"matmul", BDNN_OP_MATMUL, 0, {{0}}},
    /* relu is a clip whose bounds need not be written; it comes first, so that it is what is printed. */
    {"relu",
     BDNN_OP_ACTIVATION,
     BDNN_ACT_CLIP,
     {FLOAT("low", activation.low, 0), FLOAT("high", activation.high, INFINITY)}},
    {"leaky_relu", BDNN_OP_ACTIVATION, BDNN_ACT_LEAKY_RELU, {FLOAT("alpha", activation.alpha, 0.01)}},
    {"sigmoid", BDNN_OP_ACTIVATION, BDNN_ACT_SIGMOID, {{0}}},
    {"lrn",
     BDNN_OP_LRN,
     0,
     {NEEDED_INT("size", lrn.size), FLOAT("alpha", lrn.alpha, 1e-4f), FLOAT("beta", lrn.beta, 0.75),
      FLOAT("bias", lrn.bias, 1)}},
    {"max_pool",
     BDNN_OP_MAX_POOL,
     0,
     {WINDOWS(pool), FLAG("global", pool.global), FLAG("ceil", pool.ceil_mode),
      FLAG("column_major", pool.column_major)}},
    {"average_pool",
     BDNN_OP_AVERAGE_POOL,
     0,
     {WINDOWS(pool), FLAG("global", pool.global), FLAG("ceil", pool.ceil_mode),
      FLAG("count_pad", pool.count_include_pad)}},
    {"max_unpool", BDNN_OP_MAX_UNPOOL, 0, {WINDOWS(pool), LIST(SHAPE, "shape", pool.output_shape, BDNN_MAX_RANK)}},
    {"affine", BDNN_OP_AFFINE, 0, {{0}}},
    {"add", BDNN_OP_ADD, 0, {{0}}},
    {"mul", BDNN_OP_MUL, 0, {{0}}},
    {"concat", BDNN_OP_CONCAT, 0, {INT("axis", axis.axis, 1)}},
    {"pad",
     BDNN_OP_PAD,
     0,
     {LIST(LONGS, "begin", pad.begin, BDNN_MAX_RANK), LIST(LONGS, "end", pad.end, BDNN_MAX_RANK),
      CHOICE("mode", pad.mode, pad_modes), FLOAT("value", pad.value, 0)}},
    {"reshape", BDNN_OP_RESHAPE, 0, {LIST(SHAPE, "shape", reshape.shape, BDNN_MAX_RANK)}},
    {"transpose", BDNN_OP_TRANSPOSE, 0, {LIST(INTS, "order", transpose.permutation, BDNN_MAX_RANK)}},
    {"resize",
     BDNN_OP_RESIZE,
     0,
     {CHOICE("mode", resize.interpolation, interpolations), CHOICE("coordinates", resize.coordinates, coordinates),
      CHOICE("rounding", resize.nearest, roundings), LIST(FLOATS, "scale", resize.scale, BDNN_MAX_RANK),
      LIST(LONGS, "size", resize.size, BDNN_MAX_RANK)}},
    {"softmax", BDNN_OP_SOFTMAX, 0, {INT("axis", axis.axis, 1), FLAG("flatten", axis.flatten)}},
    {"argmax",
     BDNN_OP_ARGMAX,
     0,
     {INT("axis", axis.axis, 1), FLAG("keep", axis.keep_dims), FLAG("last", axis.select_last)}},
};
const size_t bdnn_word_count = sizeof bdnn_words / sizeof *bdnn_words;

#define RULE(key, field)                                                                                               \
    {                                                                                                                  \
        key, BDNN_ATTRIBUTE_FLAG, offsetof(bdnn_parameter_rules, field), 1, 0, NULL, false                             \
    }
const bdnn_attribute bdnn_rule_attributes[] = {
    RULE("optional", optional), RULE("no_bias", no_bias), RULE("optional_bias", optional_bias), {0}};

#define OF_IMAGE(kind, key, field, count, fallback, names)                                                             \
    {                                                                                                                  \
        key, BDNN_ATTRIBUTE_##kind, offsetof(bdnn_preprocess, field), count, fallback, names, false                    \
    }
const bdnn_attribute bdnn_image_attributes[] = {OF_IMAGE(CHOICE, "resize", resize, 2, 0, resizings),
                                                OF_IMAGE(INT, "short", resize_short, 1, 0, NULL),
                                                OF_IMAGE(FLAG, "bgr", bgr, 1, 0, NULL),
                                                OF_IMAGE(FLOATS, "mean", mean, 3, 0, NULL),
                                                OF_IMAGE(FLOATS, "scale", scale, 3, 1, NULL),
                                                {0}};
