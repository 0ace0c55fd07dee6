/* The quantization sub-layer and the epilogue: float feature map -> Q-bit integers, and 32-bit accumulators -> float.
 * Shared by all backends, so that whole networks agree bit for bit. */
#ifndef BDNN_KERNELS_QUANTIZE_H
#define BDNN_KERNELS_QUANTIZE_H

#include "core/threads.h"

#include <stdint.h>

/* x_q[i] = clamp(rint(x[i] / step) + zero_point, 0, 2^bits - 1), rint to nearest even, a NaN giving zero_point. */
void bdnn_quantize(const float *x, size_t count, float step, int32_t zero_point, int32_t bits, uint8_t *x_q,
                   bdnn_threads *threads);

/* y[i] = step * (x_q[i] - zero_point): the same in real units ("fake quantization"), for simulations and statistics.
 * One thread; y may be x. */
void bdnn_fake_quantize(const float *x, size_t count, float step, int32_t zero_point, int32_t bits, float *y);

/* Splits quantised values into bit planes: planes[q][ceil(count / 64)], bit d % 64 of word d / 64 is bit q of x_q[d];
 * bits from `count` on are 0. */
void bdnn_pack_planes(const uint8_t *x_q, size_t count, int32_t bits, uint64_t *planes);

/* Constants of a filter folded once: y = multiplier[f] * (float)(acc - offset[f]) + bias[f], in float32 with one
 * rounding for the conversion, one for the product, one for the sum (never fused). */
typedef struct bdnn_epilogue {
    float *multiplier; /* step * s_f */
    int32_t *offset;   /* zero_point * sum_d W_f[d] */
    float *bias;       /* zeros for no bias */
} bdnn_epilogue;

/* acc: int32 [positions][filters] -> y: float [positions][filters]; y may be the memory of acc. */
void bdnn_apply_epilogue(const bdnn_epilogue *epilogue, const int32_t *acc, size_t positions, size_t filters, float *y,
                         bdnn_threads *threads);

#endif
