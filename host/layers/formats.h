/* SPDX-License-Identifier: BSD-2-Clause */
/* The integer pipeline: which values of a decomposed network are kept as integers between its layers, and the constants
 * that turn one form into another. docs/reference/numerics.md defines both. */
#ifndef BDNN_LAYERS_FORMATS_H
#define BDNN_LAYERS_FORMATS_H

#include "layers/layer.h"

/* Chooses the format of every value, from the graph alone. Errors: memory. */
bdnn_status bdnn_formats_choose(bdnn_graph *graph, bdnn_error *err);

/* Refuses formats that bdnn_formats_choose could not have chosen, naming value and number. The graph has passed shape
 * inference. */
bdnn_status bdnn_formats_check(const bdnn_graph *graph, bdnn_error *err);

/* Whether this layer's first output and its inputs (the first of a max unpooling) share one format. */
bool bdnn_layer_ties_formats(const bdnn_graph *graph, const bdnn_layer *layer);

/* What a decomposed layer reads. */
bdnn_format bdnn_format_read_by(const bdnn_decomposed *decomposed);

/* The smallest and largest integer of a format, and those that a clip leaves. */
void bdnn_format_limits(const bdnn_format *format, int32_t *low, int32_t *high);
void bdnn_format_clip(const bdnn_format *format, float clip_low, float clip_high, int32_t *low, int32_t *high);

/* M_f and rint((bias_f / t + z') 2^32) + 2^31 of one filter whose output has this format; `inner` is D. False when they
 * are out of the bounds within which nothing overflows. */
bool bdnn_format_requantize(const bdnn_layer *layer, int64_t filter, int64_t inner, const bdnn_format *format,
                            int64_t *multiplier, int64_t *offset);

/* M and S of reading a wide value of step `from` in units of step `to`; false when S is out of bounds. */
bool bdnn_format_rescale(float from, float to, int32_t *multiplier, int32_t *shift);

#endif
