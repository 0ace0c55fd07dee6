/* SPDX-License-Identifier: BSD-2-Clause */
/* The integer inner products (docs/reference/numerics.md): acc_f = sum_d W_f[d] x_q[d], int32, exact. One table of
 * function pointers; scalar C by XNOR and popcount is the definition, everything else must return the same integers.
 * Kernels know shapes, not layers. */
#ifndef BDNN_KERNELS_INNER_PRODUCT_H
#define BDNN_KERNELS_INNER_PRODUCT_H

#include "core/arithmetic.h"
#include "core/threads.h"
#include "kernels/sink.h"

#include <stdbool.h>
#include <stdint.h>

/* The longest inner product whose sum fits 32 bits whatever the operands: D * 255 * 127 < 2^31. */
#define BDNN_IP_MAX_INNER 66311

/* One grouped convolution over quantized inputs; a fully connected layer is the convolution whose kernel is its whole
 * input, without pads. Borrowed memory. */
typedef struct bdnn_ip_shape {
    int64_t batch;
    int64_t in_size[3], out_size[3]; /* depth, height, width */
    int64_t channels;                /* of all groups */
    int64_t filters;                 /* F, of all groups */
    int64_t groups;
    int32_t kernel[3], stride[3], dilation[3], pad_begin[3];
    int32_t bases, bits; /* K, Q */
    int32_t zero_point;  /* the quantized input outside the image */
} bdnn_ip_shape;

static inline int64_t bdnn_ip_inner(const bdnn_ip_shape *shape)
{
    return (int64_t)shape->kernel[0] * shape->kernel[1] * shape->kernel[2] * (shape->channels / shape->groups);
}

/* Words of one basis. */
static inline int64_t bdnn_ip_words(const bdnn_ip_shape *shape)
{
    return bdnn_words_of(bdnn_ip_inner(shape));
}

typedef struct bdnn_ip_weights {
    const uint64_t *planes; /* [F][K][bdnn_ip_words], bits from D on are 1 */
    const int8_t *scales;   /* [F][K] */
} bdnn_ip_weights;

/* The bases and the scales of one filter. */
static inline const uint64_t *bdnn_ip_planes_of(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights,
                                                int64_t filter)
{
    return weights->planes + filter * shape->bases * bdnn_ip_words(shape);
}

static inline const int8_t *bdnn_ip_scales_of(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights,
                                              int64_t filter)
{
    return weights->scales + filter * shape->bases;
}

typedef struct bdnn_ip_kernel {
    const char *name; /* operand types, tile and instruction set, for tables and messages */
    /* Whether this processor runs it (and, for shape not NULL, whether it takes this shape). */
    bool (*supported)(const bdnn_ip_shape *shape);
    /* Bytes of weights repacked for this kernel (0: it reads bdnn_ip_weights directly), and the repacking. */
    size_t (*packed_bytes)(const bdnn_ip_shape *shape);
    void (*pack)(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, void *packed, bdnn_threads *threads);
    size_t (*scratch_bytes)(const bdnn_ip_shape *shape, size_t threads);
    /* x_q: uint8 [N][depth][height][width][C], values 0..2^Q-1. The sums go to the sink, whose y is
     * [N][out depth][out height][out width][F]. */
    void (*run)(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, const void *packed, const uint8_t *x_q,
                const bdnn_sink *sink, void *scratch, bdnn_threads *threads);
} bdnn_ip_kernel;

/* packed_bytes and pack of the kernels that read the weights as they are stored. */
size_t bdnn_ip_stored_bytes(const bdnn_ip_shape *shape);
void bdnn_ip_as_stored(const bdnn_ip_shape *shape, const bdnn_ip_weights *weights, void *packed, bdnn_threads *threads);

/* The definition: scalar XNOR and popcount over bit planes. */
extern const bdnn_ip_kernel bdnn_ip_xnor_scalar;

/* All kernels compiled in, fastest first, the definition last; NULL ends the list. */
extern const bdnn_ip_kernel *const bdnn_ip_kernels[];

/* The first kernel of the list that takes the shape on this processor. Never NULL. */
const bdnn_ip_kernel *bdnn_ip_choose(const bdnn_ip_shape *shape);

/* W_f[d] of one filter into w[D]. */
void bdnn_ip_decode(const uint64_t *planes, const int8_t *scales, int32_t bases, int64_t inner, int8_t *w);

#endif
