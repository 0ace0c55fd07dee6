/* SPDX-License-Identifier: BSD-2-Clause */
/* The quantization sub-layer: float feature map -> Q-bit integers, and those as bit planes. Shared by all backends, so
 * that whole networks agree bit for bit. */
#ifndef BDNN_KERNELS_QUANTIZE_H
#define BDNN_KERNELS_QUANTIZE_H

#include "core/threads.h"

#include <stdint.h>

/* x_q[i] = clamp(rint(x[i] / step) + zero_point, 0, 2^bits - 1), rint to nearest even, a NaN giving zero_point. */
void bdnn_quantize(const float *x, size_t count, float step, int32_t zero_point, int32_t bits, uint8_t *x_q,
                   bdnn_threads *threads);

/* The same from wide integers (docs/reference/numerics.md): x_q[i] = clamp(floor((x[i] * multiplier + 2^(shift-1)) /
 * 2^shift) + zero_point, 0, 2^bits - 1), with 2^14 <= multiplier < 2^15 and 1 <= shift <= 29. */
void bdnn_quantize_wide(const int16_t *x, size_t count, int32_t multiplier, int32_t shift, int32_t zero_point,
                        int32_t bits, uint8_t *x_q, bdnn_threads *threads);

/* What integers stand for: y[i] = step * (float)(x[i] - zero_point), from quantized and from wide values. */
void bdnn_dequantize(const uint8_t *x, size_t count, float step, int32_t zero_point, float *y, bdnn_threads *threads);
void bdnn_dequantize_wide(const int16_t *x, size_t count, float step, float *y, bdnn_threads *threads);

/* y[i] = step * (x_q[i] - zero_point): the same in real units ("fake quantization"), for simulations and statistics.
 * One thread; y may be x. */
void bdnn_fake_quantize(const float *x, size_t count, float step, int32_t zero_point, int32_t bits, float *y);

/* Splits quantized values into bit planes: planes[q][ceil(count / 64)], bit d % 64 of word d / 64 is bit q of x_q[d];
 * bits from `count` on are 0. */
void bdnn_pack_planes(const uint8_t *x_q, size_t count, int32_t bits, uint64_t *planes);

#endif
