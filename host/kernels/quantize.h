/* The quantization sub-layer: float feature map -> Q-bit integers, and those as bit planes. Shared by all backends, so
 * that whole networks agree bit for bit. */
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

#endif
