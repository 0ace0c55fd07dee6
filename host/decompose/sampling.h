/* SPDX-License-Identifier: BSD-2-Clause */
/* Sampled positions of an inner-product layer: rows of the convolution's matrix form (im2col) and the outputs at the
 * same places. */
#ifndef BDNN_DECOMPOSE_SAMPLING_H
#define BDNN_DECOMPOSE_SAMPLING_H

#include "layers/layer.h"

/* `wanted` of the layer's output positions, counted over all `images` images, spread evenly over the images and chosen
 * at random within each, without repetition; all of them when there are no more than that. *count is how many, in
 * rising order. NULL when memory is short. */
int64_t *bdnn_sample_positions(const bdnn_inner_geometry *geometry, int64_t images, int64_t wanted, uint64_t seed,
                               int64_t *count);

/* rows[count][D] of one group: float inputs under the window, 0 outside the image. x: the whole set's inputs,
 * [images][d][h][w][C]. */
void bdnn_gather_inputs(const bdnn_inner_geometry *geometry, const float *x, int64_t group, const int64_t *positions,
                        int64_t count, float *rows);

/* rows[count][F / groups] of one group += factor * the whole set's outputs y [images][d][h][w][F] there. */
void bdnn_add_outputs(const bdnn_inner_geometry *geometry, const float *y, float factor, int64_t group,
                      const int64_t *positions, int64_t count, float *rows);

#endif
